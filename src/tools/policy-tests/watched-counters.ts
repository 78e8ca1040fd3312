import type { CallActuals } from '../../model/model-call.ts';
import {
  type CounterBinding,
  EXCEEDED,
  type Reservation,
  type TakeBatch,
  type TakeResult,
} from '../../pipeline/counters.ts';

/** One limit of a take, after it. */
export interface CounterSight {
  /** Index into the specs of the bundle. */
  readonly counter: number;
  readonly remaining: number;
  /** Whether this limit had no room. */
  readonly exceeded: boolean;
}

/**
 * The counters of one test: those of the gateway, which fill up what is given as used when a key is first met, and
 * keep what was seen of each take.
 */
export class WatchedCounters implements CounterBinding {
  readonly #inner: CounterBinding;
  /** By counter: what every key of it has counted before the test. */
  readonly #usedBefore: ReadonlyMap<number, number>;
  readonly #met = new Set<string>();
  #sights: CounterSight[] = [];

  constructor(inner: CounterBinding, usedBefore: ReadonlyMap<number, number>) {
    this.#inner = inner;
    this.#usedBefore = usedBefore;
  }

  /** What was seen since this was asked last. */
  sights(): readonly CounterSight[] {
    const sights = this.#sights;
    this.#sights = [];
    return sights;
  }

  createBatch(): TakeBatch {
    return this.#inner.createBatch();
  }

  take(batch: TakeBatch, nowMs: number, wallMs: number): TakeResult {
    for (let entry = 0; entry < batch.count; entry++) this.#fill(batch, entry, nowMs, wallMs);
    const result = this.#inner.take(batch, nowMs, wallMs);
    for (let entry = 0; entry < batch.count; entry++) {
      const exceeded = result === EXCEEDED && batch.retryAtMs[entry]! > 0;
      this.#sights.push({ counter: batch.counter[entry]!, remaining: batch.remaining[entry]!, exceeded });
    }
    return result;
  }

  look(batch: TakeBatch, nowMs: number, wallMs: number): TakeResult {
    return this.#inner.look(batch, nowMs, wallMs);
  }

  reserve(batch: TakeBatch): Reservation | null {
    return this.#inner.reserve(batch);
  }

  hold(batch: TakeBatch): Reservation | null {
    return this.#inner.hold(batch);
  }

  settle(reservation: Reservation, index: number, actual: number): void {
    this.#inner.settle(reservation, index, actual);
  }

  settleEstimates(reservation: Reservation, actual: CallActuals): void {
    this.#inner.settleEstimates(reservation, actual);
  }

  swap(reservation: Reservation, batch: TakeBatch, nowMs: number, wallMs: number): TakeResult {
    return this.#inner.swap(reservation, batch, nowMs, wallMs);
  }

  release(reservation: Reservation): void {
    this.#inner.release(reservation);
  }

  cancel(reservation: Reservation): void {
    this.#inner.cancel(reservation);
  }

  #fill(batch: TakeBatch, entry: number, nowMs: number, wallMs: number): void {
    const counter = batch.counter[entry]!;
    const used = this.#usedBefore.get(counter);
    const key = `${counter} ${batch.keyHigh[entry]} ${batch.keyLow[entry]}`;
    if (used === undefined || used === 0 || this.#met.has(key)) return;
    this.#met.add(key);
    const filling = this.#inner.createBatch();
    filling.count = 1;
    filling.counter[0] = counter;
    filling.keyHigh[0] = batch.keyHigh[entry]!;
    filling.keyLow[0] = batch.keyLow[entry]!;
    filling.weight[0] = used;
    this.#inner.take(filling, nowMs, wallMs);
  }
}
