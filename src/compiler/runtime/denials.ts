import type { RequestContext } from '../../pipeline/context.ts';
import type { Respond } from '../../pipeline/outcome.ts';
import type { ReplyConstant } from '../replies.ts';
import { statusRank } from '../status-rank.ts';
import { momentOf, renderText } from './text.ts';

/** A rule that can deny. An answer whose text has no holes is made once. */
export class Denial {
  readonly reply: ReplyConstant;
  readonly #isFixed: boolean;
  #answer: Respond | null = null;

  constructor(reply: ReplyConstant) {
    this.reply = reply;
    this.#isFixed = reply.text.every((part) => typeof part === 'string');
  }

  answer(status: number, values: readonly unknown[], context: RequestContext): Respond {
    if (this.#answer?.refusal.status === status) return this.#answer;
    const { code, text, rule } = this.reply;
    const answer = refuse(status, code, renderText(text, values, momentOf(context)), rule);
    if (this.#isFixed) this.#answer = answer;
    return answer;
  }
}

const NO_VALUES: readonly unknown[] = [];

/**
 * All rules of a phase that deny one request. One for each thread, begun anew for each request that is denied: it is filled
 * and answered within one turn.
 */
export class Denials {
  /** The first {@link Denials.#count} are of this request. Setting a length goes through V8's runtime: it was half of a refusal. */
  readonly #denials: Denial[] = [];
  readonly #values: (readonly unknown[])[] = [];
  #count = 0;
  #defaultStatus = 403;
  #isPermitted = true;

  /** `defaultStatus`: 401 without identity, else 403. */
  begin(defaultStatus: number): this {
    this.#count = 0;
    this.#defaultStatus = defaultStatus;
    this.#isPermitted = true;
    return this;
  }

  /** In any order: rules of tables come after the others. */
  add(denial: Denial, values: readonly unknown[] = NO_VALUES): void {
    this.#denials[this.#count] = denial;
    this.#values[this.#count++] = values;
  }

  notPermitted(): void {
    this.#isPermitted = false;
  }

  /** Names one rule in the answer and the others on the context. A missing permit has no rule to name, so it comes after its equals. */
  respond(context: RequestContext): Respond {
    const chosen = this.#first();
    context.alsoDenied = this.#othersThan(chosen);
    if (chosen === -1) return notPermitted(context, this.#defaultStatus);
    const denial = this.#denials[chosen]!;
    context.decidingRule = denial.reply.rule;
    const status = denial.reply.status || this.#defaultStatus;
    return denial.answer(status, this.#values[chosen]!, context);
  }

  /** By rank of the status, then by rule; -1 for the missing permit. */
  #first(): number {
    if (this.#count === 1 && this.#isPermitted) return 0;
    let first = -1;
    let best = this.#isPermitted ? Number.POSITIVE_INFINITY : statusRank(this.#defaultStatus) + 0.5;
    for (let at = 0; at < this.#count; at++) {
      const { status, rule } = this.#denials[at]!.reply;
      const rank = statusRank(status || this.#defaultStatus);
      const isTie = rank === best && first !== -1 && rule < this.#denials[first]!.reply.rule;
      if (rank >= best && !isTie) continue;
      best = rank;
      first = at;
    }
    return first;
  }

  #othersThan(chosen: number): number[] | null {
    if (this.#count === (chosen === -1 ? 0 : 1)) return null;
    const others = this.#denials.slice(0, this.#count).filter((_, at) => at !== chosen);
    return others.map(({ reply }) => reply.rule).sort((a, b) => a - b);
  }
}

/** What a request is told that no permit holds for. */
export const NOT_PERMITTED = {
  401: { code: 'unauthenticated', detail: 'This request needs a valid key.' },
  403: { code: 'not_permitted', detail: 'No policy permits this request.' },
} as const;

/** Two constants: looked up by status, in an object with numbers for keys, they took a quarter of a decision (`bench decide`). */
const UNAUTHENTICATED = withoutRule(401);
const FORBIDDEN = withoutRule(403);

function withoutRule(status: 401 | 403): Respond {
  const { code, detail } = NOT_PERMITTED[status];
  return refuse(status, code, detail, -1);
}

/** Refuses a request that no permit holds for. */
export function notPermitted(context: RequestContext, status: number): Respond {
  context.decidingRule = -1;
  return status === 401 ? UNAUTHENTICATED : FORBIDDEN;
}

function refuse(status: number, code: string, detail: string, ruleIndex: number): Respond {
  return {
    kind: 'respond',
    refusal: { status, code, detail, ruleIndex, retryAfterS: -1, rateLimit: '', rateLimitPolicy: '' },
  };
}
