/**
 * How many tokens the prompts of a lane have for each token of their bound. A bound is what hard budgets need; a key's limits are
 * only met by what is counted, and a bound that is five times as much would leave four fifths of a key idle until answers
 * come. A prompt that has more than was expected meets its limit, which teaches. Called under the lane's lock.
 */
import type { AskedAmounts } from '../pipeline/key-pool.ts';
import { LANE } from './lane-layout.ts';

/** Of the bound: more makes what is known older. */
const REMEMBERED_TOKENS = 200_000;
/** How much the bound itself weighs against the first answers. */
const BOUND_WEIGHS_TOKENS = 5_000;
/** Beyond the mean: prompts differ. */
const SPREADS_KEPT = 2;

/** The tokens that a prompt is taken to have in the lane: as they were counted, or what such prompts have of their bound. */
export function expectedTokens(
  cells: Float64Array,
  head: number,
  { inputTokens, countedTokens }: AskedAmounts,
): number {
  return countedTokens ?? promptShare(cells, head) * inputTokens;
}

/** 0 … 1. */
function promptShare(cells: Float64Array, head: number): number {
  const seen = cells[head + LANE.promptSeen]!;
  if (seen === 0) return 1;
  const share = cells[head + LANE.promptShare]! + SPREADS_KEPT * cells[head + LANE.promptSpread]!;
  return Math.min(1, (BOUND_WEIGHS_TOKENS + seen * share) / (BOUND_WEIGHS_TOKENS + seen));
}

export function learnPromptShare(cells: Float64Array, head: number, bound: number, actual: number): void {
  if (!(bound > 0)) return;
  const seen = cells[head + LANE.promptSeen]!;
  const weight = bound / (bound + seen);
  const share = Math.min(1, actual / bound);
  const distance = seen === 0 ? 0 : Math.abs(share - cells[head + LANE.promptShare]!);
  cells[head + LANE.promptShare]! += weight * (share - cells[head + LANE.promptShare]!);
  cells[head + LANE.promptSpread]! += weight * (distance - cells[head + LANE.promptSpread]!);
  cells[head + LANE.promptSeen] = Math.min(REMEMBERED_TOKENS, seen + bound);
}
