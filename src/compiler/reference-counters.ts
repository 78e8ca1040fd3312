import { assert } from '../base/assert.ts';
import type { CallActuals, EstimatedMeasure } from '../model/model-call.ts';
import {
  COUNTER_FAULTS,
  type CounterBinding,
  type CounterFault,
  type CounterSpec,
  type Counters,
  createTakeBatch,
  EXCEEDED,
  NEEDS_LEASE,
  type Reservation,
  TAKEN,
  type TakeBatch,
  type TakeResult,
} from '../pipeline/counters.ts';
import { type Correct, type Meter, type Moment, meterOf } from './reference-meters.ts';

/**
 * The counters port in plain maps: what the shared-memory implementation is held against, and what tests and
 * simulations count with. Counters are found by identity and key, so a new binding finds what an old one counted.
 */
export class ReferenceCounters implements Counters {
  readonly #families = new Map<string, Map<string, Meter>>();
  readonly #faults = new Map<string, CounterFault>();
  readonly #withoutLease = new Set<string>();
  readonly #ended = new Set<string>();

  bind(specs: readonly CounterSpec[]): CounterBinding {
    return new ReferenceBinding(specs, this);
  }

  /** From now on the counter of this identity cannot be kept; `none` ends that. */
  fail(identity: string, fault: CounterFault): void {
    this.#faults.set(identity, fault);
  }
  /** From now on the counter of this identity needs a lease before it can answer, until `grant`. */
  revokeLease(identity: string): void {
    this.#withoutLease.add(identity);
  }
  grant(identity: string): void {
    this.#withoutLease.delete(identity);
  }

  /** The time of a replaced limit is over. */
  endReplaced(identity: string): void {
    this.#ended.add(identity);
  }

  /** As if nothing had ever been asked; what is bound stays bound. */
  forget(): void {
    this.#families.clear();
    this.#faults.clear();
    this.#withoutLease.clear();
    this.#ended.clear();
  }

  /** `identity key` → contents of every counter that has been taken from. */
  contents(): ReadonlyMap<string, string> {
    const all = [...this.#families].flatMap(([identity, meters]) =>
      [...meters].map(([key, meter]): [string, string] => [`${identity} ${key}`, meter.contents()]),
    );
    return new Map(all.sort((a, b) => (a[0] < b[0] ? -1 : 1)));
  }

  faultOf(spec: CounterSpec): CounterFault {
    return this.#faults.get(spec.identity) ?? 'none';
  }
  hasEnded(spec: CounterSpec): boolean {
    return spec.replaced === true && this.#ended.has(spec.identity);
  }
  needsLease(spec: CounterSpec): boolean {
    return this.#withoutLease.has(spec.identity);
  }

  /** The counter of a key; beyond `maxKeys` all new keys share one. Asking alone leaves no trace. */
  meter(
    spec: CounterSpec,
    key: string,
    moment: Moment,
  ): { readonly meter: Meter; readonly keep: () => void } {
    const family = this.#families.get(spec.identity) ?? new Map<string, Meter>();
    const keep = (name: string, meter: Meter) => () => {
      this.#families.set(spec.identity, family.set(name, meter));
    };
    const known = family.get(key);
    if (known !== undefined) return { meter: known, keep: keep(key, known) };
    const live = [...family].filter(([name, meter]) => name !== OVERFLOW && !meter.isAsNew(moment));
    const name = live.length < spec.maxKeys ? key : OVERFLOW;
    const meter = family.get(name) ?? meterOf(spec.window);
    return { meter, keep: keep(name, meter) };
  }
}

const OVERFLOW = 'overflow';

interface HeldEntry {
  readonly correct: Correct;
  readonly weight: number;
  /** A slot of `at once`, or an amount that is known at the end only; all else stays as it was taken. */
  readonly opens: 'slot' | 'estimate' | null;
  readonly estimates: EstimatedMeasure | null;
  readonly isSettled: boolean;
}

class ReferenceReservation implements Reservation {
  held: readonly HeldEntry[];
  constructor(held: readonly HeldEntry[]) {
    this.held = held;
  }
  get entries(): number {
    return this.held.length;
  }
}

class ReferenceBinding implements CounterBinding {
  readonly #specs: readonly CounterSpec[];
  readonly #counters: ReferenceCounters;
  #lastTaken: readonly HeldEntry[] = [];

  constructor(specs: readonly CounterSpec[], counters: ReferenceCounters) {
    this.#specs = specs;
    this.#counters = counters;
  }

  createBatch(): TakeBatch {
    return createTakeBatch();
  }

  take(batch: TakeBatch, nowMs: number, wallMs: number): TakeResult {
    const moment = { nowMs, wallMs };
    this.#lastTaken = [];
    const { result, kept } = this.#judge(batch, moment);
    if (result === TAKEN) this.#lastTaken = kept.map((entry) => book(batch, entry, moment));
    return result;
  }

  look(batch: TakeBatch, nowMs: number, wallMs: number): TakeResult {
    return this.#judge(batch, { nowMs, wallMs }).result;
  }

  #judge(batch: TakeBatch, moment: Moment): { readonly result: TakeResult; readonly kept: readonly Entry[] } {
    const entries = Array.from({ length: batch.count }, (_, at) => this.#entry(batch, at, moment));
    for (const entry of entries) leaveOut(batch, entry);
    const inForce = entries.filter(
      ({ spec }) =>
        !this.#counters.hasEnded(spec) && (batch.leavesOut === 'nothing' || spec.estimates === undefined),
    );
    const failed = inForce.find((entry) => entry.fault !== 'none' && entry.spec.onFailure === 'refuse');
    if (failed !== undefined) {
      batch.retryAtMs[failed.at] = moment.nowMs + 1;
      return { result: EXCEEDED, kept: [] };
    }
    const kept = inForce.filter((entry) => entry.fault === 'none');
    if (kept.some((entry) => this.#counters.needsLease(entry.spec))) return { result: NEEDS_LEASE, kept };
    for (const entry of kept) describe(batch, entry, moment);
    return { result: kept.some((entry) => batch.retryAtMs[entry.at]! > 0) ? EXCEEDED : TAKEN, kept };
  }

  reserve(_batch: TakeBatch): Reservation | null {
    return this.#lastTaken.some((entry) => entry.opens !== null)
      ? new ReferenceReservation(this.#lastTaken)
      : null;
  }

  hold(batch: TakeBatch): Reservation | null {
    const isWhole = batch.leavesOut === 'nothing' && batch.count > 0;
    return isWhole ? new ReferenceReservation(this.#lastTaken) : this.reserve(batch);
  }

  settle(reservation: Reservation, index: number, actual: number): void {
    assert(reservation instanceof ReferenceReservation, 'a reservation of these counters');
    reservation.held = reservation.held.map((entry, at) => (at === index ? settled(entry, actual) : entry));
  }

  settleEstimates(reservation: Reservation, actual: CallActuals): void {
    assert(reservation instanceof ReferenceReservation, 'a reservation of these counters');
    reservation.held = reservation.held.map((entry) =>
      entry.estimates === null ? entry : settled(entry, actual[entry.estimates] ?? entry.weight),
    );
  }

  swap(reservation: Reservation, batch: TakeBatch, nowMs: number, wallMs: number): TakeResult {
    assert(reservation instanceof ReferenceReservation, 'a reservation of these counters');
    const open = reservation.held.filter((entry) => entry.opens !== null);
    for (const { correct, weight } of open) correct(-weight);
    const result = this.take(batch, nowMs, wallMs);
    if (result === TAKEN) reservation.held = this.#lastTaken;
    else for (const { correct, weight } of open) correct(weight);
    return result;
  }

  release(reservation: Reservation): void {
    assert(reservation instanceof ReferenceReservation, 'a reservation of these counters');
    for (const { correct, weight, opens } of reservation.held) if (opens !== null) correct(-weight);
    reservation.held = [];
  }

  cancel(reservation: Reservation): void {
    assert(reservation instanceof ReferenceReservation, 'a reservation of these counters');
    for (const { correct, weight, isSettled } of reservation.held) if (!isSettled) correct(-weight);
    reservation.held = [];
  }

  #entry(batch: TakeBatch, at: number, moment: Moment): Entry {
    const spec = this.#specs[batch.counter[at]!];
    assert(spec !== undefined, 'a counter that was bound');
    const key = `${batch.keyHigh[at]}:${batch.keyLow[at]}`;
    const { meter, keep } = this.#counters.meter(spec, key, moment);
    return { at, spec, meter, keep, weight: batch.weight[at]!, fault: this.#counters.faultOf(spec) };
  }
}

interface Entry {
  readonly at: number;
  readonly spec: CounterSpec;
  readonly meter: Meter;
  /** Puts the counter into its family, where it stays. */
  readonly keep: () => void;
  readonly weight: number;
  readonly fault: CounterFault;
}

/** What the batch says of a counter that was not asked: with `on failure allow` it counts as taken. */
function leaveOut(batch: TakeBatch, { at, fault }: Entry): void {
  batch.fault[at] = COUNTER_FAULTS.indexOf(fault);
  batch.remaining[at] = 0;
  batch.retryAtMs[at] = 0;
  batch.resetMs[at] = 0;
}

function describe(batch: TakeBatch, { at, meter, weight }: Entry, moment: Moment): void {
  const check = meter.check(weight, moment);
  batch.remaining[at] = Math.max(0, check.remaining);
  batch.retryAtMs[at] = check.retryAtMs;
  batch.resetMs[at] = check.resetMs;
}

function book(batch: TakeBatch, { at, spec, meter, keep, weight }: Entry, moment: Moment): HeldEntry {
  keep();
  const correct = meter.take(weight, moment);
  const after = meter.check(0, moment);
  batch.remaining[at] = after.remaining;
  batch.resetMs[at] = after.resetMs;
  const isSlot = spec.window.kind === 'concurrency';
  const estimates = spec.estimates ?? null;
  const opens = isSlot ? 'slot' : estimates === null ? null : 'estimate';
  return { correct, weight, opens, estimates, isSettled: false };
}

/** Slots are not settled but freed. */
function settled(entry: HeldEntry, actual: number): HeldEntry {
  if (entry.opens !== 'estimate') return entry;
  entry.correct(actual - entry.weight);
  return { ...entry, opens: null, isSettled: true };
}
