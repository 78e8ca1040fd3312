/**
 * What can be learned of a limit that is neither declared nor told: a provider that refuses takes about as many calls a minute as it has
 * taken in the last one. That becomes a limit of the lane, which grows again slowly, so that it follows the true one with few further
 * refusals. Called under the lane's lock.
 */
import { METER_KINDS, METER_UNITS } from '../model/provider-limits.ts';
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { LANE, type LaneMemory, METER, WORD } from './lane-layout.ts';
import { beginMeter } from './meters.ts';

const WINDOW_MS = 60_000;
/** Of fewer calls a minute, a refusal says nothing of how many would have been taken. */
const CALLS_LEAST = 10;
/** Where calls were few for other reasons, no refusal takes more than this away. */
const CUT_MOST = 0.5;
/** Below what was taken: what was counted is a little late. */
const MARGIN = 0.98;

/** A call is sent. */
export function countSent(cells: Float64Array, head: number, nowMs: number): void {
  const passedMs = Math.max(0, nowMs - cells[head + LANE.recentAtMs]!);
  cells[head + LANE.recentCalls] = cells[head + LANE.recentCalls]! * Math.exp(-passedMs / WINDOW_MS) + 1;
  cells[head + LANE.recentAtMs] = Math.max(nowMs, cells[head + LANE.recentAtMs]!);
}

/** A call that was sent at a moment was refused, without a word of any limit. Whether the lane's limits now know why. */
export function learnFromRefusal(memory: LaneMemory, lane: number, sentMs: number, nowMs: number): boolean {
  const { cells } = memory;
  const head = memory.laneAt(lane);
  cells[head + LANE.recentCalls] = Math.max(0, cells[head + LANE.recentCalls]! - 1);
  // Calls that were under way together are one refusal.
  if (sentMs < cells[head + LANE.refusedAtMs]!) return true;
  const recent = cells[head + LANE.recentCalls]!;
  if (recent < CALLS_LEAST || isTold(memory, lane)) return false;
  const at = paceMeter(memory, lane, nowMs);
  if (at === -1) return false;
  cells[head + LANE.refusedAtMs] = nowMs;
  const amount = cells[at + METER.amount]!;
  const cut = cells[at + METER.guessed] === 0 && cells[at + METER.declared] === 0 ? 0 : CUT_MOST * amount;
  cells[at + METER.amount] = Math.min(amount, MARGIN * Math.max(recent, cut));
  // Nothing is left, and nothing owed: the provider has refused, not lent.
  cells[at + METER.left] = 0;
  cells[at + METER.guessed] = 1;
  return true;
}

/** The provider tells its limits: whatever else it refuses for is none that lasts. */
function isTold(memory: LaneMemory, lane: number): boolean {
  const { cells } = memory;
  for (let meter = 0; meter < memory.metersOf(lane); meter++) {
    const at = memory.meterAt(lane, meter);
    if (cells[at + METER.told] === 1) return true;
  }
  return false;
}

/** The lane's limit of requests a minute, made where there is none; -1: there is no place for it. */
function paceMeter(memory: LaneMemory, lane: number, nowMs: number): number {
  const { cells, words } = memory;
  const meters = memory.metersOf(lane);
  for (let meter = 0; meter < meters; meter++) {
    const at = memory.meterAt(lane, meter);
    if (
      METER_UNITS[cells[at + METER.unit]!] === 'requests' &&
      METER_KINDS[cells[at + METER.kind]!] === 'bucket' &&
      cells[at + METER.windowMs] === WINDOW_MS
    )
      return at;
  }
  if (meters === LANE_METERS_MAX) return -1;
  const at = memory.meterAt(lane, meters);
  const amount = cells[memory.laneAt(lane) + LANE.recentCalls]!;
  beginMeter(
    cells,
    at,
    { unit: 'requests', kind: 'bucket', amount, windowMs: WINDOW_MS, source: 'learned' },
    nowMs,
  );
  words[lane * WORD.cells + WORD.meters] = meters + 1;
  return at;
}
