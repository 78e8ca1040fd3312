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
  const total = totalWeight(candidates, avoid, nowMs);
  if (total === 0)
    return isWorthWaiting(candidates, avoid, nowMs) ? NONE : leastBad(candidates, avoid, nowMs);
  const first = draw(candidates, avoid, nowMs, total, random);
  const second = draw(candidates, avoid, nowMs, total, random);
  return load(candidates[second]!, nowMs) < load(candidates[first]!, nowMs) ? second : first;
}

function isOpen(candidate: Candidate, nowMs: number): boolean {
  return candidate.hasRoom && candidate.health.isAvailable(nowMs);
}

/** A good endpoint that is full is better than one that is out. */
function isWorthWaiting(candidates: readonly Candidate[], avoid: number, nowMs: number): boolean {
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!;
    if (index !== avoid && !candidate.hasRoom && candidate.health.isAvailable(nowMs)) return true;
  }
  return false;
}

function totalWeight(candidates: readonly Candidate[], avoid: number, nowMs: number): number {
  let total = 0;
  for (let index = 0; index < candidates.length; index++) {
    if (index !== avoid && isOpen(candidates[index]!, nowMs)) total += weightNow(candidates[index]!, nowMs);
  }
  return total;
}

function draw(
  candidates: readonly Candidate[],
  avoid: number,
  nowMs: number,
  total: number,
  random: Random,
): number {
  let left = (random.uint32() / 2 ** 32) * total;
  let drawn = NONE;
  for (let index = 0; index < candidates.length; index++) {
    if (index === avoid || !isOpen(candidates[index]!, nowMs)) continue;
    drawn = index;
    left -= weightNow(candidates[index]!, nowMs);
    if (left < 0) break;
  }
  return drawn;
}

/** Slow start: an endpoint that came back gets little of its share at first. */
function weightNow(candidate: Candidate, nowMs: number): number {
  return candidate.weight * candidate.health.shareNow(nowMs);
}

function load(candidate: Candidate, nowMs: number): number {
  return candidate.outstanding / weightNow(candidate, nowMs);
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
