import type { RequestContext } from '../../pipeline/context.ts';
import type { Refusal } from '../../pipeline/outcome.ts';
import type { BarredPools } from '../../pipeline/program.ts';
import type { ReplyConstant } from '../replies.ts';
import { momentOf, renderText } from './text.ts';

/** Pools that one rule leaves out together, and how it refuses. */
export interface FilterConstant extends ReplyConstant {
  readonly pools: readonly string[];
}

/** One object for the same cases of a program, so that what is made of it is made once. */
export class BarredPoolSets {
  readonly #known = new WeakMap<readonly FilterConstant[], Map<string, BarredPools>>();

  /** `held`: the numbers of the cases that hold. */
  of(cases: readonly FilterConstant[], held: string): BarredPools {
    const known = this.#known.get(cases) ?? new Map<string, BarredPools>();
    if (known.size === 0) this.#known.set(cases, known);
    let barred = known.get(held);
    if (barred === undefined) {
      const numbers = held.slice(0, -1).split(',').map(Number);
      barred = { cases: numbers, pools: new Set(numbers.flatMap((at) => cases[at]!.pools)) };
      if (known.size < SETS_MAX) known.set(held, barred);
    }
    return barred;
  }
}
/** Combinations of cases that are remembered; what is beyond is made each time. */
const SETS_MAX = 1_000;

/** One that no pool is left for. */
export interface TargetlessCall {
  readonly barred: BarredPools;
  /** Those that it would have but for `barred`. */
  readonly pools: readonly string[];
  /** Where the rule says none. */
  readonly status: number;
}

/**
 * The first rule that left out a pool of the call says so, and the others are named in the record; null where none did: such rules
 * have nothing to do with the call.
 */
export function refuseTargets(
  context: RequestContext,
  cases: readonly FilterConstant[],
  { barred, pools, status }: TargetlessCall,
  values: (context: RequestContext, at: number) => readonly unknown[],
): Refusal | null {
  const held = barred.cases.filter((at) => cases[at]!.pools.some((pool) => pools.includes(pool)));
  const [first] = held;
  if (first === undefined) return null;
  const reply = cases[first]!;
  const others = [...new Set(held.map((at) => cases[at]!.rule))].filter((rule) => rule !== reply.rule);
  context.alsoDenied = others.length === 0 ? null : others.sort((a, b) => a - b);
  const said = reply.status || status;
  return {
    status: said,
    code: reply.code,
    detail: renderText(reply.text, values(context, first), momentOf(context)),
    ruleIndex: reply.rule,
    retryAfterS: said === 503 ? RETRY_S : -1,
    rateLimit: '',
    rateLimitPolicy: '',
  };
}
/** Nobody knows when a target is well again. */
const RETRY_S = 1;
