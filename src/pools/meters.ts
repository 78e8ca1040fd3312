/** One limit of a provider as this gateway models it, in the cells of its lane. Called under the lane's lock. */
import {
  METER_KINDS,
  METER_UNITS,
  type MeterKind,
  type MeterSpec,
  type MeterUnit,
} from '../model/provider-limits.ts';
import type { CallAmounts } from '../pipeline/key-pool.ts';
import { METER } from './lane-layout.ts';

const INPUT = METER_UNITS.indexOf('input-tokens');
const OUTPUT = METER_UNITS.indexOf('output-tokens');
const TOKENS = METER_UNITS.indexOf('tokens');
const COST = METER_UNITS.indexOf('cost');
const BUCKET = METER_KINDS.indexOf('bucket');
const FIXED = METER_KINDS.indexOf('fixed');
export const SLOTS_KIND = METER_KINDS.indexOf('slots');
const DAILY = METER_KINDS.indexOf('daily');
const MONTHLY = METER_KINDS.indexOf('monthly');

/** Of a kind that is all there again with the next day or month. */
export function isOfCalendar(kind: number): boolean {
  return kind === DAILY || kind === MONTHLY;
}

/** What a call takes from a meter of this unit, whose prompt is taken to have so many tokens. */
export function needOf(unit: number, amounts: CallAmounts, promptTokens: number): number {
  switch (unit) {
    case INPUT:
      return promptTokens;
    case OUTPUT:
      return amounts.outputTokens;
    case TOKENS:
      return promptTokens + amounts.outputTokens;
    case COST:
      return amounts.costNano;
    default:
      return 1;
  }
}

/** Of a limit that limits nothing: it keeps its place, since calls under way may know it. */
export const OPEN_AMOUNT = 1e15;

export function openMeter(cells: Float64Array, at: number): void {
  cells[at + METER.amount] = cells[at + METER.left] = OPEN_AMOUNT;
  cells[at + METER.declared] = 0;
}

/** Whether the meter counts what the spec says. */
export function isOf(cells: Float64Array, at: number, { unit, kind, windowMs }: MeterSpec): boolean {
  return (
    METER_UNITS[cells[at + METER.unit]!] === unit &&
    METER_KINDS[cells[at + METER.kind]!] === kind &&
    cells[at + METER.windowMs] === windowMs
  );
}

/** Whether it counts the same, but lets it come back another way. */
export function isOfOtherRule(cells: Float64Array, at: number, { unit, windowMs }: MeterSpec): boolean {
  return METER_UNITS[cells[at + METER.unit]!] === unit && cells[at + METER.windowMs] === windowMs;
}

/** It comes back as the spec says from now on; what is in use stays in use. */
export function setRule(cells: Float64Array, at: number, { kind }: MeterSpec, nowMs: number): void {
  cells[at + METER.kind] = METER_KINDS.indexOf(kind);
  cells[at + METER.atMs] = kind === 'bucket' ? nowMs : 0;
}

/** Requests and slots are what they are; the rest is an estimate. */
export function isEstimated(unit: number): boolean {
  return unit === INPUT || unit === OUTPUT || unit === TOKENS || unit === COST;
}

/** A meter of which nothing is used; one of the calendar is to be told when its period ends ({@link alignPeriod}). */
export function beginMeter(cells: Float64Array, at: number, spec: MeterSpec, nowMs: number): void {
  cells.fill(0, at, at + METER.cells);
  cells[at + METER.unit] = METER_UNITS.indexOf(spec.unit);
  cells[at + METER.kind] = METER_KINDS.indexOf(spec.kind);
  cells[at + METER.amount] = spec.amount;
  cells[at + METER.windowMs] = spec.windowMs;
  cells[at + METER.left] = spec.amount;
  cells[at + METER.atMs] = spec.kind === 'bucket' ? nowMs : 0;
  cells[at + METER.declared] = spec.source === 'declared' ? spec.amount : 0;
}

/** Brings `left` up to date; time that runs backwards between threads changes nothing. */
export function refresh(cells: Float64Array, at: number, nowMs: number): void {
  const amount = cells[at + METER.amount]!;
  if (cells[at + METER.kind] === BUCKET) {
    const passedMs = nowMs - cells[at + METER.atMs]!;
    if (passedMs <= 0) return;
    if (cells[at + METER.guessed] === 1) grow(cells, at, passedMs);
    const back = (passedMs * amount) / cells[at + METER.windowMs]!;
    cells[at + METER.left] = Math.min(amount, cells[at + METER.left]! + back);
    cells[at + METER.atMs] = nowMs;
  } else if (isOfCalendar(cells[at + METER.kind]!)) {
    const endMs = cells[at + METER.atMs]!;
    if (endMs === 0 || nowMs < endMs) return;
    cells[at + METER.left] = amount;
    const windowMs = cells[at + METER.windowMs]!;
    // Days on which clocks change, and months, are put right when the period is aligned.
    cells[at + METER.atMs] = endMs + windowMs * (1 + Math.floor((nowMs - endMs) / windowMs));
  } else if (cells[at + METER.kind] === FIXED) {
    const endMs = cells[at + METER.atMs]!;
    if (endMs === 0 || nowMs < endMs) return;
    cells[at + METER.left] = amount;
    cells[at + METER.atMs] = 0;
  }
}

/** What was guessed may be too little: while it is what holds calls back, it grows by a fifth in a minute. */
function grow(cells: Float64Array, at: number, passedMs: number): void {
  const amount = cells[at + METER.amount]!;
  if (cells[at + METER.left]! > amount / 2) return;
  const declared = cells[at + METER.declared]!;
  const grown = Math.min(GUESSED_MOST, amount * (1 + Math.min(1, GROWTH_PER_MS * passedMs)));
  cells[at + METER.amount] = declared === 0 ? grown : Math.min(declared, grown);
}
const GROWTH_PER_MS = 0.2 / 60_000;
const GUESSED_MOST = 1e9;

/**
 * A call that overtakes others on its way finds a bucket that has had less time to fill than the model thinks: some of it is
 * left alone. It costs no throughput, because it comes back like all the rest.
 */
const OVERTAKING_MS = 150;

function kept(cells: Float64Array, at: number, need: number): number {
  if (cells[at + METER.kind] !== BUCKET) return 0;
  const amount = cells[at + METER.amount]!;
  return Math.min((OVERTAKING_MS * amount) / cells[at + METER.windowMs]!, amount - need);
}

/** When this much will be left if nothing else is taken: `nowMs` if it is, Infinity for never. After {@link refresh}. */
export function leftAtMs(cells: Float64Array, at: number, asked: number, nowMs: number): number {
  const amount = cells[at + METER.amount]!;
  // What was learned may be wrong, and only an answer would correct it: with all of it left, a call goes.
  if (asked > amount && cells[at + METER.declared]! > 0) return Number.POSITIVE_INFINITY;
  const need = Math.min(asked, amount);
  const missing = need + kept(cells, at, need) - cells[at + METER.left]!;
  if (missing <= 0) return nowMs;
  const kind = cells[at + METER.kind]!;
  // Rounded up: who asks again at that very moment is to find it.
  if (kind === BUCKET) return nowMs + Math.ceil(((missing * cells[at + METER.windowMs]!) / amount) * 8) / 8;
  if (hasEnd(kind)) return cells[at + METER.atMs]!;
  // A slot comes back when a call ends, which nobody knows: worth a look soon.
  return nowMs + LOOK_SOON_MS;
}
/** How soon to look for what comes back when a call ends, which nobody knows. */
export const LOOK_SOON_MS = 25;

export function takeFrom(cells: Float64Array, at: number, amount: number, nowMs: number): void {
  if (cells[at + METER.kind] === FIXED && cells[at + METER.atMs] === 0)
    cells[at + METER.atMs] = nowMs + cells[at + METER.windowMs]!;
  cells[at + METER.left]! -= amount;
  cells[at + METER.taken]! += amount;
}

/**
 * Gives back (or, below 0, takes more of) what was taken at a moment when `endMs` was the end of a fixed window. False: it would be more
 * than a call can have taken, and is no deeper debt than {@link DEBT_WINDOWS_MAX}.
 */
export function giveBack(cells: Float64Array, at: number, amount: number, endMs: number): boolean {
  // What belonged to a window that has ended came back with its end.
  if (cells[at + METER.kind] === FIXED && cells[at + METER.atMs] !== endMs) return true;
  if (isOfCalendar(cells[at + METER.kind]!) && isAnotherPeriod(cells, at, endMs)) return true;
  const whole = cells[at + METER.amount]!;
  const left = cells[at + METER.left]! + amount;
  const least = -DEBT_WINDOWS_MAX * whole;
  // Debts that a limit had before it was lowered are no news of this call.
  const isBelieved = left >= least || amount >= 0;
  cells[at + METER.left] = Math.min(whole, isBelieved ? left : Math.min(least, cells[at + METER.left]!));
  return isBelieved;
}

/** What a call says that it took puts a limit into debt by as many of its windows at most: one absurd number would close it for ever. */
export const DEBT_WINDOWS_MAX = 1;

/** A person says that there is room again: a debt is forgotten, but for money, of which people say themselves how much may be spent. */
export function forgiveDebt(cells: Float64Array, at: number): void {
  if (cells[at + METER.unit] === COST || cells[at + METER.left]! >= 0) return;
  const forgiven = cells[at + METER.amount]! - cells[at + METER.left]!;
  cells[at + METER.left] = cells[at + METER.amount]!;
  // Reports compare with what calls under way would have seen.
  cells[at + METER.corrected]! += forgiven;
}

/** When the day or month of a limit ends, by the wall clock of a zone. After {@link refresh}. */
export function alignPeriod(cells: Float64Array, at: number, { dayEndMs, monthEndMs }: PeriodEnds): void {
  const endMs = cells[at + METER.kind] === DAILY ? dayEndMs : monthEndMs;
  const before = cells[at + METER.atMs]!;
  // By the wall clock it is over, and by the monotonic one not yet.
  if (before !== 0 && endMs > before && isAnotherPeriod(cells, at, endMs))
    cells[at + METER.left] = cells[at + METER.amount]!;
  cells[at + METER.atMs] = endMs;
}

/** Moments of the monotonic clock. */
export interface PeriodEnds {
  readonly dayEndMs: number;
  readonly monthEndMs: number;
}

/** Ends of one day differ by an hour at most, and of one month by the three days that it may be shorter or longer than another. */
function isAnotherPeriod(cells: Float64Array, at: number, endMs: number): boolean {
  return Math.abs(endMs - cells[at + METER.atMs]!) > cells[at + METER.windowMs]! / 2;
}

/** Another amount: what is in use stays in use. */
export function setAmount(cells: Float64Array, at: number, amount: number): void {
  const used = cells[at + METER.amount]! - cells[at + METER.left]!;
  cells[at + METER.amount] = amount;
  cells[at + METER.left] = amount - used;
}

/** What a limit has at a moment. */
export interface MeterReading {
  readonly unit: MeterUnit;
  readonly kind: MeterKind;
  readonly windowMs: number;
  readonly amount: number;
  readonly left: number;
  /** fixed, daily and monthly: the monotonic moment at which the window ends; 0: it has not begun. Of others 0. */
  readonly endsMs: number;
  readonly isDeclared: boolean;
}

function hasEnd(kind: number): boolean {
  return kind === FIXED || isOfCalendar(kind);
}

/** After {@link refresh}. */
export function readMeter(cells: Float64Array, at: number): MeterReading {
  return {
    unit: METER_UNITS[cells[at + METER.unit]!]!,
    kind: METER_KINDS[cells[at + METER.kind]!]!,
    windowMs: cells[at + METER.windowMs]!,
    amount: cells[at + METER.amount]!,
    left: cells[at + METER.left]!,
    endsMs: hasEnd(cells[at + METER.kind]!) ? cells[at + METER.atMs]! : 0,
    isDeclared: cells[at + METER.declared]! > 0,
  };
}

/**
 * Of an earlier process: its moments are moved, and no call of it is under way any more. What no clock and no calls can have brought
 * about is not believed.
 */
export function restoreMeter(cells: Float64Array, at: number, shiftMs: number, nowMs: number): void {
  const latestMs = hasEnd(cells[at + METER.kind]!) ? nowMs + cells[at + METER.windowMs]! : nowMs;
  moveMoment(cells, at + METER.atMs, shiftMs, latestMs);
  const amount = cells[at + METER.amount]!;
  cells[at + METER.left] = Math.min(amount, Math.max(-DEBT_WINDOWS_MAX * amount, cells[at + METER.left]!));
  cells[at + METER.surplusSinceMs] = 0;
  cells[at + METER.pending] = 0;
  cells[at + METER.saidMs] = 0;
  if (cells[at + METER.kind] === SLOTS_KIND) cells[at + METER.left] = cells[at + METER.amount]!;
}

/** 0 is no moment. */
export function moveMoment(cells: Float64Array, at: number, shiftMs: number, latestMs: number): void {
  if (cells[at] !== 0) cells[at] = Math.max(Number.MIN_VALUE, Math.min(latestMs, cells[at]! + shiftMs));
}
