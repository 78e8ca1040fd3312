/**
 * What providers report of their limits corrects what is modelled. A report says what was left when the provider had counted
 * the call; the ticket says what the model had left when it had. So the two are compared at one moment, and calls that were
 * sent since play no part; corrections made since then are already in the model, and are taken off. Calls overtake each other on
 * their way, so too much is corrected as far as calls that were sent later can't explain it, and too little is only believed when
 * every report of a while agrees, and as far as the estimates of calls under way can't explain it: those are given back by
 * themselves.
 */
import { METER_KINDS, METER_UNITS, type MeterReport } from '../model/provider-limits.ts';
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { type LaneMemory, METER, WORD } from './lane-layout.ts';
import { type LaneTicket, learnedPlace, placeThen, STOOD } from './lane-ticket.ts';
import { beginMeter, refresh, setAmount } from './meters.ts';

/** Longer than calls overtake each other, shorter than a window. */
const SURPLUS_MS = 1_000;

export function applyReports(
  memory: LaneMemory,
  ticket: LaneTicket,
  { reports, isRefused }: { readonly reports: readonly MeterReport[]; readonly isRefused: boolean },
  nowMs: number,
): void {
  const nth = ticket.lanes.length - 1;
  const lane = ticket.lanes[nth]!;
  for (const report of reports) {
    const meter = findMeter(memory, lane, report);
    if (meter === -1) {
      // The report counts this call already, and those that are under way not yet.
      if (learnMeter(memory, lane, report, nowMs)) {
        ticket.learned ??= [];
        ticket.learned.push(learnedPlace(nth, memory.metersOf(lane) - 1));
      }
    } else {
      const then = thenAt(ticket, placeThen(ticket, nth, meter), isRefused);
      correct(memory, memory.meterAt(lane, meter), then, report, nowMs);
    }
  }
}

/** What the model had at the moment of which the report speaks: a refused call was not counted. */
interface Then {
  readonly atMs: number;
  readonly left: number;
  readonly corrected: number;
  readonly taken: number;
  readonly pending: number;
}

function thenAt({ atMs, stood }: LaneTicket, place: number, isRefused: boolean): Then | null {
  if (place === -1) return null;
  return {
    atMs,
    left: stood[place + STOOD.left]! + (isRefused ? stood[place + STOOD.taken]! : 0),
    corrected: stood[place + STOOD.corrected]!,
    taken: stood[place + STOOD.allTaken]!,
    pending: stood[place + STOOD.pending]!,
  };
}

function findMeter(memory: LaneMemory, lane: number, { unit, windowMs }: MeterReport): number {
  const wanted = METER_UNITS.indexOf(unit);
  for (let meter = 0; meter < memory.metersOf(lane); meter++) {
    const at = memory.meterAt(lane, meter);
    if (memory.cells[at + METER.unit] === wanted && memory.cells[at + METER.windowMs] === windowMs)
      return meter;
  }
  return -1;
}

/** A limit that nobody has declared. */
function learnMeter(memory: LaneMemory, lane: number, report: MeterReport, nowMs: number): boolean {
  const { unit, amount, windowMs, remaining } = report;
  const meter = memory.metersOf(lane);
  if (meter === LANE_METERS_MAX || !(amount > 0)) return false;
  const at = memory.meterAt(lane, meter);
  beginMeter(memory.cells, at, { unit, kind: 'bucket', amount, windowMs, source: 'learned' }, nowMs);
  memory.cells[at + METER.told] = 1;
  if (remaining >= 0) memory.cells[at + METER.left] = Math.min(amount, remaining);
  memory.words[lane * WORD.cells + WORD.meters] = meter + 1;
  return true;
}

function correct(
  { cells }: LaneMemory,
  at: number,
  then: Then | null,
  report: MeterReport,
  nowMs: number,
): void {
  const { amount, remaining } = report;
  refresh(cells, at, nowMs);
  cells[at + METER.told] = 1;
  cells[at + METER.guessed] = 0;
  const before = cells[at + METER.amount]!;
  if (amount > 0 && amount !== before && isNews(cells, at, then) && mayBecome(cells, at, amount)) {
    change(cells, at, then, report, nowMs);
    return;
  }
  // A call that is older than what was learned of the limit has nothing to compare with.
  if (!(remaining >= 0) || then === null) return;
  const since = cells[at + METER.corrected]! - then.corrected;
  const error = remaining - then.left - since;
  // What was sent later may have been counted earlier: only what even that can't explain was too much.
  const sure = error + cells[at + METER.taken]! - then.taken;
  if (sure < 0) {
    move(cells, at, sure);
    cells[at + METER.surplusSinceMs] = 0;
  } else if (error < 0) {
    cells[at + METER.surplusSinceMs] = 0;
  } else {
    noteSurplus(cells, at, Math.max(0, error - then.pending), nowMs);
  }
}

/** Answers overtake each other: one that is older than the last change knows nothing of it. */
function isNews(cells: Float64Array, at: number, then: Then | null): boolean {
  return then === null || then.atMs >= cells[at + METER.saidMs]!;
}

/**
 * Another amount. What is left with it is as the provider says, for some cut what is left and others leave what is used: less what
 * may not have been counted yet, more what has come back since.
 */
function change(
  cells: Float64Array,
  at: number,
  then: Then | null,
  report: MeterReport,
  nowMs: number,
): void {
  const { amount, remaining } = report;
  const before = cells[at + METER.left]!;
  setAmount(cells, at, amount);
  if (then !== null) {
    cells[at + METER.saidMs] = then.atMs;
    if (remaining >= 0) {
      const since = Math.min(cells[at + METER.taken]! - then.taken, cells[at + METER.pending]!);
      const isBucket = METER_KINDS[cells[at + METER.kind]!] === 'bucket';
      const back = isBucket ? ((nowMs - then.atMs) * amount) / cells[at + METER.windowMs]! : 0;
      cells[at + METER.left] = Math.min(amount, debtOr(report) + back - since);
    }
  }
  // Tickets taken before compare with what they would have seen.
  cells[at + METER.corrected]! += cells[at + METER.left]! - before;
  cells[at + METER.surplusSinceMs] = 0;
}

/** No provider tells a debt, but for how long it takes until nothing is in use any more: a day at most, as the longest wait. */
function debtOr({ amount, remaining, resetMs, windowMs }: MeterReport): number {
  const byReset = amount * (1 - Math.min(resetMs, DEBT_MAX_MS) / windowMs);
  return remaining === 0 && byReset < 0 ? byReset : remaining;
}

const DEBT_MAX_MS = 24 * 3_600_000;

/** Declared limits are what people want to use at most. */
function mayBecome(cells: Float64Array, at: number, amount: number): boolean {
  const declared = cells[at + METER.declared]!;
  return declared === 0 || amount <= declared;
}

function noteSurplus(cells: Float64Array, at: number, error: number, nowMs: number): void {
  const sinceMs = cells[at + METER.surplusSinceMs]!;
  if (sinceMs === 0) {
    cells[at + METER.surplus] = error;
    cells[at + METER.surplusSinceMs] = nowMs;
    return;
  }
  cells[at + METER.surplus] = Math.min(cells[at + METER.surplus]!, error);
  if (nowMs - sinceMs < SURPLUS_MS) return;
  move(cells, at, cells[at + METER.surplus]!);
  cells[at + METER.surplusSinceMs] = 0;
}

function move(cells: Float64Array, at: number, by: number): void {
  cells[at + METER.left] = Math.min(cells[at + METER.amount]!, cells[at + METER.left]! + by);
  cells[at + METER.corrected]! += by;
}
