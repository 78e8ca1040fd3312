/** `GET /v1/models`: what the configuration has, without a call to anybody. */
import type {
  UpstreamCall,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
} from '../pipeline/upstream.ts';
import type { BoundModel, ModelThread } from './model-services.ts';

export class ModelList implements UpstreamService {
  readonly #answer: Uint8Array;
  readonly #later: ModelThread['later'];

  constructor(models: ReadonlyMap<string, BoundModel>, { later }: Pick<ModelThread, 'later'>) {
    this.#later = later;
    const data = [...models.values()].map(({ model, targets }) => ({
      id: model.name,
      object: 'model',
      created: 0,
      owned_by: targets[0]?.provider.name ?? '',
    }));
    this.#answer = new TextEncoder().encode(JSON.stringify({ object: 'list', data }));
  }

  dispatch(_request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    let isAborted = false;
    this.#later(0, () => {
      if (isAborted) return;
      const head = {
        status: 200,
        fields: ['content-type', 'application/json'],
        bodyBytes: this.#answer.length,
        hasBody: true,
        untilClose: false,
        endpoint: 0,
        attempts: 0,
      };
      handler.onHead(head, this.#answer, true);
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

  tunnel(): never {
    throw new Error('routes to models open no WebSockets: the configuration says so');
  }

  outForMs(): number {
    return 0;
  }

  retire(): void {}
}
