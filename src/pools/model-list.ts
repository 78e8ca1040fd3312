/** Which models there are, in the words of a dialect: those that its callers can ask for, without a call to anybody. */
import { dialectOf } from '../model/pools.ts';
import type { ListOperation } from '../model/route-calls.ts';
import type {
  UpstreamCall,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
} from '../pipeline/upstream.ts';
import type { BoundModel, ModelThread } from './model-services.ts';

export interface ListRoute {
  readonly operation: ListOperation;
  /** The pattern of its path: where one model is asked for, its name is what the last segment takes. */
  readonly path: string;
}

/** What is answered, or why not. */
type Answer = { readonly said: object } | { readonly code: UpstreamErrorCode; readonly sentence: string };

export class ModelList implements UpstreamService {
  readonly #models: ReadonlyMap<string, object>;
  readonly #route: ListRoute;
  readonly #later: ModelThread['later'];

  constructor(
    models: ReadonlyMap<string, BoundModel>,
    route: ListRoute,
    { later }: Pick<ModelThread, 'later'>,
  ) {
    const dialect = dialectOf(route.operation);
    const entry = dialect === 'openai' ? openaiModel : anthropicModel;
    const offered = [...models].filter(([, { targets }]) =>
      targets.some(({ provider }) => provider.dialect === dialect),
    );
    this.#models = new Map(offered.map(([name, bound]) => [name, entry(bound)]));
    this.#route = route;
    this.#later = later;
  }

  dispatch({ target }: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    let isAborted = false;
    this.#later(0, () => {
      if (!isAborted) tell(this.#answer(target), handler);
    });
    return {
      unsent: true,
      write: () => true,
      end() {},
      abort() {
        isAborted = true;
      },
      pause() {},
      resume() {},
    };
  }

  #answer(target: string): Answer {
    const [path = '', query = ''] = target.split('?', 2);
    switch (this.#route.operation) {
      case 'openai/models':
        return { said: { object: 'list', data: [...this.#models.values()] } };
      case 'anthropic/models':
        return pageOf([...this.#models], new URLSearchParams(query));
      case 'openai/model':
      case 'anthropic/model':
        return this.#one(nameIn(path, this.#route.path));
    }
  }

  #one(name: string): Answer {
    const said = this.#models.get(name);
    if (said !== undefined) return { said };
    return { code: 'model_not_found', sentence: `There is no model "${name}" here.` };
  }

  tunnel(): never {
    throw new Error('routes to models open no WebSockets: the configuration says so');
  }

  outForMs(): number {
    return 0;
  }

  retire(): void {}
}

/** When it was made is nobody's knowledge here. */
function openaiModel({ model, targets }: BoundModel): object {
  return { id: model.name, object: 'model', created: 0, owned_by: targets[0]?.provider.name ?? '' };
}

/** API reference, "Models": the epoch stands for a day that is not known. */
function anthropicModel({ model }: BoundModel): object {
  return { type: 'model', id: model.name, display_name: model.name, created_at: '1970-01-01T00:00:00Z' };
}

/** Of Anthropic's dialect: so many at a time, behind or before one of them. */
function pageOf(models: readonly (readonly [name: string, model: object])[], asked: URLSearchParams): Answer {
  const limit = asked.get('limit') ?? String(PAGE_MODELS);
  if (!/^[0-9]{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_MODELS_MAX)
    return malformed(`"limit" must be a number from 1 to ${PAGE_MODELS_MAX}.`);
  const after = asked.get('after_id');
  const before = asked.get('before_id');
  const cursor = after ?? before;
  const at = models.findIndex(([name]) => name === cursor);
  if (cursor !== null && at === -1) return malformed(`There is no model "${cursor}" here to list from.`);
  const rest = after !== null ? models.slice(at + 1) : before !== null ? models.slice(0, at) : models;
  const page = before === null || after !== null ? rest.slice(0, Number(limit)) : rest.slice(-Number(limit));
  return {
    said: {
      data: page.map(([, model]) => model),
      has_more: page.length < rest.length,
      first_id: page[0]?.[0] ?? null,
      last_id: page.at(-1)?.[0] ?? null,
    },
  };
}
/** API reference, "List Models". */
const PAGE_MODELS = 20;
const PAGE_MODELS_MAX = 1_000;

function malformed(sentence: string): Answer {
  return { code: 'model_request_malformed', sentence };
}

/** What the last segment of the pattern takes, also where it takes several: names of models have slashes. */
function nameIn(path: string, pattern: string): string {
  const segments = path.split('/').slice(pattern.split('/').length - 1);
  return segments.map(decodeURIComponent).join('/');
}

function tell(answer: Answer, handler: UpstreamHandler): void {
  if ('code' in answer) {
    handler.onError({ ...answer, detail: '', endpoint: 0, attempts: 0, unprocessed: true, refusedStatus: 0 });
    return;
  }
  const body = new TextEncoder().encode(JSON.stringify(answer.said));
  const head = {
    status: 200,
    fields: ['content-type', 'application/json'],
    bodyBytes: body.length,
    hasBody: true,
    untilClose: false,
    endpoint: 0,
    attempts: 0,
  };
  handler.onHead(head, body, true);
}
