/** A quota over a real store, through processes that end: each is a set of counters with leases of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../../src/base/ports.ts';
import type { Result } from '../../src/base/result.ts';
import {
  type CounterBinding,
  type CounterSpec,
  type LeaseAsk,
  NEEDS_LEASE,
  type Reservation,
  type TakeBatch,
  type TakeResult,
  type ThresholdSink,
} from '../../src/pipeline/counters.ts';
import { type CounterRegistry, createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createQuotaLeases, type QuotaLeases } from '../../src/state/quota-leases.ts';
import type { QuotaMarks } from '../../src/state/quota-marks.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { openStore, type Store } from '../../src/state/store.ts';
import type { StoreProblem } from '../../src/state/store-problem.ts';
import { type Asked, fill } from './counters-rig.ts';

export interface TestClock {
  monotonicMs: number;
  wallMs: number;
}

export class QuotaStore {
  readonly #folder = mkdtempSync(join(tmpdir(), 'portunus-quota-'));
  readonly #store: Store;
  readonly clock: TestClock = { monotonicMs: 1_000_000, wallMs: Date.UTC(2026, 10, 29, 12) };

  constructor() {
    const random: Random = { fill: (bytes) => bytes.fill(7), uint32: () => 7 };
    const unexamined = () => {
      throw new Error('a new store is not examined');
    };
    const opened = openStore(this.#folder, random, unexamined, { wallMs: () => this.clock.wallMs });
    if (!opened.ok) throw new Error(opened.error.message);
    this.#store = opened.value;
  }

  process(
    specs: readonly CounterSpec[],
    faults: StoreFaults = { writes: 'ok' },
    thresholds?: ThresholdSink,
  ): QuotaProcess {
    // Its monotonic clock starts anew.
    this.clock.monotonicMs = 1_000_000;
    return new QuotaProcess(specs, withFaults(this.#store.quotaMarks, faults), this.clock, thresholds);
  }

  get marks(): QuotaMarks {
    return this.#store.quotaMarks;
  }

  async close(): Promise<void> {
    await this.#store.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** While `fail`, the store is away. */
export interface StoreFaults {
  writes: 'ok' | 'fail';
}

function withFaults(marks: QuotaMarks, faults: StoreFaults): QuotaMarks {
  const problem: StoreProblem = {
    code: 'store_write_failed',
    message: 'No room.',
    place: '/',
    remedy: 'Room.',
  };
  const away: Result<void, StoreProblem> = { ok: false, error: problem };
  return { ...marks, write: (...written) => (faults.writes === 'fail' ? away : marks.write(...written)) };
}

export class QuotaProcess {
  readonly registry: CounterRegistry = createCounterRegistry();
  readonly leases: QuotaLeases;
  readonly told: string[] = [];
  asks: LeaseAsk[] = [];
  #clock: TestClock;
  readonly #thresholds: ThresholdSink | undefined;
  #binding: CounterBinding;
  #batch: TakeBatch;

  constructor(
    specs: readonly CounterSpec[],
    marks: QuotaMarks,
    clock: TestClock,
    thresholds?: ThresholdSink,
  ) {
    this.#clock = clock;
    this.#thresholds = thresholds;
    this.leases = createQuotaLeases({
      registry: this.registry,
      marks,
      clock: { monotonicMs: () => clock.monotonicMs, wallMs: () => clock.wallMs },
      onAway: ({ code }) => this.told.push(code),
      onBack: () => this.told.push('back'),
    });
    this.#binding = this.bind(specs);
    this.#batch = this.#binding.createBatch();
  }

  /** Another rule set, as a thread binds it. */
  bind(specs: readonly CounterSpec[]): CounterBinding {
    const source = { ask: (ask: LeaseAsk) => this.asks.push(ask) };
    return createSharedCounters(this.registry.prepare(specs), source, this.#thresholds).bind(specs);
  }

  use(binding: CounterBinding): void {
    this.#binding = binding;
    this.#batch = binding.createBatch();
  }

  /** One take, without what it may wait for. */
  takeOnce(...asked: Asked[]): TakeResult {
    return this.#binding.take(fill(this.#batch, asked), this.#clock.monotonicMs, this.#clock.wallMs);
  }

  /** As a request does: waits for leases and takes anew. */
  take(...asked: Asked[]): TakeResult {
    for (let tries = 0; tries < 5; tries++) {
      const result = this.takeOnce(...asked);
      this.grant();
      if (result !== NEEDS_LEASE) return result;
    }
    return NEEDS_LEASE;
  }

  grant(): void {
    if (this.asks.length > 0) this.leases.grant(this.asks.splice(0));
  }

  reserve(): Reservation {
    return this.#binding.reserve(this.#batch)!;
  }

  /** One try, without what it may wait for. */
  swapOnce(reservation: Reservation, ...asked: Asked[]): TakeResult {
    const { monotonicMs, wallMs } = this.#clock;
    return this.#binding.swap(reservation, fill(this.#batch, asked), monotonicMs, wallMs);
  }

  settle(reservation: Reservation, actual: number): void {
    this.#binding.settle(reservation, 0, actual);
    this.grant();
  }

  release(reservation: Reservation): void {
    this.#binding.release(reservation);
  }

  get batch(): TakeBatch {
    return this.#batch;
  }

  openAmount(): number {
    return this.leases.openSlices().reduce((sum, { amount }) => sum + amount, 0);
  }

  stop(): void {
    const given = this.leases.giveBack();
    if (!given.ok) throw new Error(given.error.message);
  }
}
