import type { RequestContext } from '../../pipeline/context.ts';
import type { Respond } from '../../pipeline/outcome.ts';
import type { ReplyConstant } from '../replies.ts';
import { statusRank } from '../status-rank.ts';
import { renderText } from './text.ts';

/** All rules of a phase that deny one request; only made when at least one does. */
export class Denials {
  readonly #defaultStatus: number;
  readonly #entries: { readonly reply: ReplyConstant; readonly values: readonly unknown[] }[] = [];
  #notPermitted = false;

  /** `defaultStatus`: 401 without identity, else 403. */
  constructor(defaultStatus: number) {
    this.#defaultStatus = defaultStatus;
  }

  /** In any order: rules of tables come after the others. */
  add(reply: ReplyConstant, values: readonly unknown[]): void {
    this.#entries.push({ reply, values });
  }

  notPermitted(): void {
    this.#notPermitted = true;
  }

  /** Names one rule in the answer and the others on the context. A missing permit has no rule to name, so it comes after its equals. */
  respond(context: RequestContext): Respond {
    this.#entries.sort((a, b) => a.reply.rule - b.reply.rule);
    let chosen = -1;
    let best = this.#notPermitted ? statusRank(this.#defaultStatus) + 0.5 : Number.POSITIVE_INFINITY;
    this.#entries.forEach(({ reply }, at) => {
      const rank = statusRank(reply.status || this.#defaultStatus);
      if (rank >= best) return;
      best = rank;
      chosen = at;
    });
    const others = this.#entries.filter((_, at) => at !== chosen).map(({ reply }) => reply.rule);
    context.alsoDenied = others.length === 0 ? null : others;
    context.decidingRule = this.#entries[chosen]?.reply.rule ?? -1;
    return chosen === -1 ? notPermitted(this.#defaultStatus) : this.#answer(chosen, context.arrivedWallMs);
  }

  #answer(at: number, wallMs: number): Respond {
    const { reply, values } = this.#entries[at]!;
    const status = reply.status || this.#defaultStatus;
    return refuse(status, reply.code, renderText(reply.text, values, { limit: null, wallMs }), reply.rule);
  }
}

/** What a request is told that no permit holds for. */
export const NOT_PERMITTED = {
  401: { code: 'unauthenticated', detail: 'This request needs a valid key.' },
  403: { code: 'not_permitted', detail: 'No policy permits this request.' },
} as const;

export function notPermitted(status: number): Respond {
  const { code, detail } = NOT_PERMITTED[status === 401 ? 401 : 403];
  return refuse(status, code, detail, -1);
}

function refuse(status: number, code: string, detail: string, ruleIndex: number): Respond {
  return {
    kind: 'respond',
    refusal: { status, code, detail, ruleIndex, retryAfterS: -1, rateLimit: '', rateLimitPolicy: '' },
  };
}
