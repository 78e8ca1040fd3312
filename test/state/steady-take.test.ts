/** The short way of a take against the whole one: whatever is asked, both answer the same and leave the same amounts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ok } from '../../src/base/result.ts';
import { LockSet } from '../../src/base/shared-lock.ts';
import { type CounterSpec, type CounterWindow, type LeaseAsk, TAKEN } from '../../src/pipeline/counters.ts';
import { CounterFamily } from '../../src/state/counter-family.ts';
import { Moment } from '../../src/state/counter-kind.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createQuotaLeases } from '../../src/state/quota-leases.ts';
import type { QuotaMarks } from '../../src/state/quota-marks.ts';
import { NO_JOURNAL, type TakeSink } from '../../src/state/rates/take-journal.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { takeSteady } from '../../src/state/steady-take.ts';
import { type Asked, fill, rigOf, spec } from './counters-rig.ts';

const START_MS = Date.UTC(2026, 10, 30);
const WINDOWS: readonly CounterWindow[] = [
  { kind: 'window', amount: 9, windowMs: 1_000 },
  { kind: 'calendar', amount: 40, period: 'day', zone: 'UTC' },
  { kind: 'window', amount: 50, windowMs: 7 },
];

/** Two ways through the same code: no limit with a threshold takes the short one, and that of 100 % only tells refusals. */
const WAYS = { short: [], whole: [100] } as const;

/** Room for all keys: which counter is given up for a new key depends on where the thread has looked last. */
function specsOf(way: keyof typeof WAYS): CounterSpec[] {
  return WINDOWS.map((window, i) => spec(`limit-${i}`, window, { maxKeys: 4, thresholdsPercent: WAYS[way] }));
}

/** Counters whose quota is granted in slices, each as soon as it is asked for. */
function leased(way: keyof typeof WAYS, clock: { monotonicMs: number; wallMs: number }) {
  const registry = createCounterRegistry();
  const specs = specsOf(way);
  const asked: LeaseAsk[] = [];
  // Nothing is kept beyond the process: marks that nobody reads.
  const marks: QuotaMarks = {
    read: () => ok(null),
    count: () => ok(0),
    of: () => ok([]),
    write: () => ok(undefined),
    rename: () => ok(undefined),
    forgetEndedBefore: () => ok(0),
  };
  const leases = createQuotaLeases({
    registry,
    marks,
    clock: { monotonicMs: () => clock.monotonicMs, wallMs: () => clock.wallMs },
    onAway() {},
    onBack() {},
  });
  const memory = registry.prepare(specs);
  const noted: number[][] = [];
  const journal: TakeSink = {
    append(region, ...entry) {
      noted.push([memory.regions.findIndex((each) => each.region === region), ...entry]);
    },
    flush() {},
  };
  const source = { ask: (ask: LeaseAsk) => asked.push(ask) };
  const counters = createSharedCounters(memory, source, undefined, undefined, journal);
  const binding = counters.bind(specs);
  return { binding, batch: binding.createBatch(), asked, noted, grant: () => leases.grant(asked.splice(0)) };
}

const entry = fc.record({
  counter: fc.nat(WINDOWS.length - 1),
  key: fc.integer({ min: 1, max: 2 }),
  weight: fc.constantFrom(1, 1, 1, 2, 3, 0, 30),
});
const step = fc.record({
  asked: fc.uniqueArray(entry, { selector: ({ counter }) => counter, minLength: 1, maxLength: 3 }),
  /** Mostly none, so that amounts are used up. */
  waitMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.3, 1, 61, 500, 1_100, 30_000_000),
  lateMs: fc.constantFrom(0, 0, 0, 0, 0.5, 70, 2_000),
  grants: fc.boolean(),
});

describe('a take of one or two exact counters', () => {
  it('answers what the whole take answers, and notes the same, also beside refusals, new keys, new periods, late clocks and leases', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const clock = { monotonicMs: 1_000_000, wallMs: START_MS };
        const [short, whole] = [leased('short', clock), leased('whole', clock)];
        for (const { asked, waitMs, lateMs, grants } of steps) {
          clock.monotonicMs += waitMs;
          clock.wallMs += waitMs;
          const seen = [short, whole].map(({ binding, batch, asked: asks, noted }) => {
            const result = binding.take(
              fill(batch, asked),
              clock.monotonicMs - lateMs,
              clock.wallMs - lateMs,
            );
            if (result === TAKEN) taken++;
            const out = [batch.remaining, batch.retryAtMs, batch.resetMs, batch.fault];
            const told = asked.map((_, i) => out.map((values) => values[i]));
            return {
              result,
              told: result === 2 ? [] : told,
              asks: asks.map(({ region: _, ...ask }) => ask),
              noted: noted.splice(0),
            };
          });
          expect(seen[0]).toEqual(seen[1]);
          if (grants) for (const side of [short, whole]) side.grant();
        }
      }),
      { numRuns: 150 },
    );
    expect(taken).toBeGreaterThan(1_000);
  });

  it('goes the short way from its second time on in a sub-window, and not beyond its amount', () => {
    const specs = specsOf('short');
    const { memory, batch } = rigOf(specs);
    const families = specs.map((each, i) => new CounterFamily(each, memory.regions[i]!, 'in-memory'));
    const now = new Moment();
    now.set(1_000_000, START_MS);
    const locks = new LockSet(1);
    const both: Asked[] = [
      { counter: 1, key: 1, weight: 1 },
      { counter: 0, key: 1, weight: 4 },
    ];
    expect(takeSteady(families, fill(batch, both), now, locks, NO_JOURNAL)).toBe(false);
    const binding = createSharedCounters(memory, null).bind(specs);
    expect(binding.take(batch, now.nowMs, now.wallMs)).toBe(TAKEN);
    expect(takeSteady(families, fill(batch, both), now, locks, NO_JOURNAL)).toBe(true);
    expect([...batch.remaining.subarray(0, 2)]).toEqual([38, 1]);
    expect(takeSteady(families, fill(batch, both), now, locks, NO_JOURNAL)).toBe(false);
    expect(binding.take(fill(batch, both), now.nowMs, now.wallMs)).not.toBe(TAKEN);
    expect([...batch.remaining.subarray(0, 2)]).toEqual([38, 1]);
  });

  it('leaves a lock that another thread holds to the whole take, and gives back what it had', () => {
    const specs = specsOf('short');
    const { memory, batch, binding } = rigOf(specs);
    const families = specs.map((each, i) => new CounterFamily(each, memory.regions[i]!, 'in-memory'));
    const now = new Moment();
    now.set(1_000_000, START_MS);
    const both: Asked[] = [
      { counter: 0, key: 1, weight: 1 },
      { counter: 1, key: 1, weight: 1 },
    ];
    expect(binding.take(fill(batch, both), now.nowMs, now.wallMs)).toBe(TAKEN);
    const other = new LockSet(2);
    other.acquire(families[1]!.words, 16);
    const locks = new LockSet(1);
    expect(takeSteady(families, fill(batch, both), now, locks, NO_JOURNAL)).toBe(false);
    expect(families[0]!.words[16]).toBe(0);
    other.releaseAll();
    expect(takeSteady(families, fill(batch, both), now, locks, NO_JOURNAL)).toBe(true);
    expect(families.map(({ words }) => words[16])).toEqual([0, 0, 0]);
  });
});
