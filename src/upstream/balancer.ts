import type { Random } from '../base/ports.ts';
import type { EndpointHealth } from './health.ts';

/** An endpoint as the choice sees it. */
export interface Candidate {
  readonly weight: number;
  readonly health: EndpointHealth;
  /** Exchanges under way on this thread. */
  readonly outstanding: number;
  /** Whether another exchange can begin without waiting for a connection. */
  readonly hasRoom: boolean;
}

export const NONE = -1;

/**
 * Weighted least-outstanding by the power of two choices (Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing", 2001): two candidates drawn by weight, the one with fewer exchanges per weight wins. Without load the
 * shares are those of the weights. Returns an index, or {@link NONE} when every endpoint is full.
 *
 * @param avoid index that just failed this request, or {@link NONE}; chosen only when there is no other
 */
export function chooseEndpoint(
  candidates: readonly Candidate[],
  avoid: number,
  nowMs: number,
  random: Random,
): number {
  if (candidates.length === 1) return candidates[0]!.hasRoom ? 0 : NONE;
  const total = weigh(candidates, avoid, nowMs);
  if (total === 0)
    return isWorthWaiting(candidates, avoid, nowMs) ? NONE : leastBad(candidates, avoid, nowMs);
  const first = draw(candidates.length, total, random);
  const second = draw(candidates.length, total, random);
  return candidates[second]!.outstanding / weights[second]! < candidates[first]!.outstanding / weights[first]!
    ? second
    : first;
}

/** A good endpoint that is full is better than one that is out. */
function isWorthWaiting(candidates: readonly Candidate[], avoid: number, nowMs: number): boolean {
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!;
    if (index !== avoid && !candidate.hasRoom && candidate.health.isAvailable(nowMs)) return true;
  }
  return false;
}

/** What each candidate of the choice at hand weighs now; 0 for one that may not be chosen. Health is asked once for each. */
let weights = new Float64Array(16);

function weigh(candidates: readonly Candidate[], avoid: number, nowMs: number): number {
  if (candidates.length > weights.length) weights = new Float64Array(2 * candidates.length);
  let total = 0;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!;
    const isOpen = index !== avoid && candidate.hasRoom;
    const weight = isOpen ? candidate.weight * candidate.health.openShare(nowMs) : 0;
    weights[index] = weight;
    total += weight;
  }
  return total;
}

function draw(count: number, total: number, random: Random): number {
  let left = (random.uint32() / 2 ** 32) * total;
  let drawn = NONE;
  for (let index = 0; index < count; index++) {
    if (weights[index] === 0) continue;
    drawn = index;
    left -= weights[index]!;
    if (left < 0) break;
  }
  return drawn;
}

function load(candidate: Candidate, nowMs: number): number {
  return candidate.outstanding / (candidate.weight * candidate.health.shareNow(nowMs));
}

/**
 * All are out, full, or have just failed: trying the one that is back first is better than failing every request, and of
 * several the one with least to do. One that failed this very request comes last.
 */
function leastBad(candidates: readonly Candidate[], avoid: number, nowMs: number): number {
  let best = NONE;
  for (let index = 0; index < candidates.length; index++) {
    if (!candidates[index]!.hasRoom) continue;
    if (best === NONE || best === avoid) best = index;
    else if (index !== avoid && isLessBad(candidates[index]!, candidates[best]!, nowMs)) best = index;
  }
  return best;
}

function isLessBad(candidate: Candidate, other: Candidate, nowMs: number): boolean {
  const outForMs = candidate.health.outForMs(nowMs);
  const otherOutForMs = other.health.outForMs(nowMs);
  if (outForMs !== otherOutForMs) return outForMs < otherOutForMs;
  return load(candidate, nowMs) < load(other, nowMs);
}
