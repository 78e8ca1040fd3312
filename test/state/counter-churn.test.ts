import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CounterSpec, type Reservation, TAKEN } from '../../src/pipeline/counters.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { fill, type Rig, rigOf, spec } from './counters-rig.ts';

/** What a key was given, as its holder sees it. */
interface Admission {
  readonly atMs: number;
  weight: number;
}

const churn = fc.array(
  fc.record({
    key: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.integer({ min: 1, max: 40 })),
    weight: fc.integer({ min: 1, max: 4 }),
    waitMs: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.integer({ min: 20, max: 1_300 }),
    ),
    sweep: fc.boolean(),
    /** Give back one of the earlier reservations. */
    release: fc.option(fc.nat(20), { freq: 3 }),
  }),
  { minLength: 20, maxLength: 300 },
);

function run(
  one: CounterSpec,
  steps: readonly ChurnStep[],
  check: (log: Admission[], key: number) => void,
): Rig {
  const rig = rigOf([one]);
  const logs = new Map<number, Admission[]>();
  const held: { reservation: Reservation; admission: Admission }[] = [];
  let nowMs = 5_000;
  for (const { key, weight, waitMs, sweep, release } of steps) {
    nowMs += waitMs;
    if (sweep) rig.registry.sweep(nowMs, nowMs);
    const back = release === null ? undefined : held[release];
    if (back !== undefined) {
      rig.binding.release(back.reservation);
      back.admission.weight = 0;
    }
    if (rig.binding.take(fill(rig.batch, [{ counter: 0, key, weight }]), nowMs, nowMs) !== TAKEN) continue;
    const log = logs.get(key) ?? [];
    const admission = { atMs: nowMs, weight };
    log.push(admission);
    logs.set(key, log);
    const reservation = rig.binding.reserve(rig.batch);
    if (reservation !== null) held.push({ reservation, admission });
    check(log, key);
  }
  return rig;
}

type ChurnStep = { key: number; weight: number; waitMs: number; sweep: boolean; release: number | null };

function within(log: readonly Admission[], fromMs: number, toMs: number): number {
  return log
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .reduce((sum, { weight }) => sum + weight, 0);
}

describe('more keys than a limit keeps apart', () => {
  // 3 keys in one shard, and 64 keys in 8: with 40 keys the second one evicts, but never overflows.
  it.each([1, 3, 64])('never admits a key more than N in any T, with %i keys kept apart', (maxKeys) => {
    fc.assert(
      fc.property(churn, (steps) => {
        const window = spec(
          'w',
          { kind: 'window', amount: 6, windowMs: 400 },
          { maxKeys, estimates: 'money' },
        );
        run(window, steps, (log) => {
          const { atMs } = log.at(-1)!;
          expect(within(log, atMs - 400, atMs)).toBeLessThanOrEqual(6);
        });
      }),
      { numRuns: 150 },
    );
  });

  it.each([1, 3, 64])('never admits a key more than burst and pace, with %i keys kept apart', (maxKeys) => {
    fc.assert(
      fc.property(churn, (steps) => {
        const pace = spec('p', { kind: 'pace', amount: 10, periodMs: 1_000, burst: 6 }, { maxKeys });
        run(pace, steps, (log) => {
          const { atMs } = log.at(-1)!;
          for (const { atMs: fromMs } of log) {
            // One tick of rounding at each end.
            const drained = ((atMs - fromMs + 0.125) * 10) / 1_000;
            expect(within(log, fromMs, atMs)).toBeLessThanOrEqual(6 + drained);
          }
        });
      }),
      { numRuns: 150 },
    );
  });

  it.each([1, 3, 64])('never has more than N of a key at once, with %i keys kept apart', (maxKeys) => {
    fc.assert(
      fc.property(churn, (steps) => {
        const slots = spec('c', { kind: 'concurrency', amount: 5 }, { maxKeys });
        run(slots, steps, (log) => {
          expect(within(log, 0, Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(5);
        });
      }),
      { numRuns: 150 },
    );
  });

  it('counts the keys in use exactly, and never beyond the maximum', () => {
    const window = { kind: 'window', amount: 1, windowMs: 1_000 } as const;
    const specs = [spec('w', window, { maxKeys: 100 })];
    const registry = createCounterRegistry();
    const binding = createSharedCounters(registry.prepare(specs), null).bind(specs);
    const batch = binding.createBatch();
    for (let key = 1; key <= 150; key++) {
      const taken = binding.take(fill(batch, [{ counter: 0, key, weight: 1 }]), 10, 0) === TAKEN;
      // The 101st is alone in the overflow counter, the next ones share it.
      expect(taken).toBe(key <= 101);
      expect(registry.inspect()[0]).toMatchObject({ keysUsed: Math.min(key, 100), keysMax: 100 });
    }
    expect(registry.inspect()[0]!.overflowTakes).toBe(1);
  });

  it('finds room again after a sweep, for keys of every shard', () => {
    const window = { kind: 'window', amount: 1, windowMs: 160 } as const;
    const { registry, binding, batch } = rigOf([spec('w', window, { maxKeys: 1_000 })]);
    const takeAll = (firstKey: number, nowMs: number) => {
      let taken = 0;
      for (let key = firstKey; key < firstKey + 1_000; key++) {
        if (binding.take(fill(batch, [{ counter: 0, key, weight: 1 }]), nowMs, 0) === TAKEN) taken++;
      }
      return taken;
    };
    expect(takeAll(1, 0)).toBe(1_000);
    expect(registry.sweep(169, 0)).toBe(0);
    expect(registry.sweep(170, 0)).toBe(1_000);
    expect(registry.inspect()[0]!.keysUsed).toBe(0);
    expect(takeAll(5_001, 200)).toBe(1_000);
    expect(registry.inspect()[0]!.overflowTakes).toBe(0);
  });

  it('is swept again and again without losing a counter or freeing one twice', () => {
    const window = { kind: 'window', amount: 1, windowMs: 160 } as const;
    const { registry, binding, batch } = rigOf([spec('w', window, { maxKeys: 8 })]);
    const take = (key: number, nowMs: number) =>
      binding.take(fill(batch, [{ counter: 0, key, weight: 1 }]), nowMs, 0) === TAKEN;
    for (let key = 1; key <= 8; key++) expect(take(key, key === 3 ? 0 : 100)).toBe(true);
    expect([170, 170, 180].map((nowMs) => registry.sweep(nowMs, 0))).toEqual([1, 0, 0]);
    for (let key = 1; key <= 8; key++) expect(take(key, 180)).toBe(key === 3);
    expect(registry.inspect()[0]).toMatchObject({ keysUsed: 8, overflowTakes: 0 });
  });

  it('is not swept while any rule set still sees debt in it', () => {
    const registry = createCounterRegistry();
    const pace = (amount: number) => [
      spec('p', { kind: 'pace', amount, periodMs: 1_000, burst: 5 }, { maxKeys: 1 }),
    ];
    const binding = createSharedCounters(registry.prepare(pace(1)), null).bind(pace(1));
    registry.prepare(pace(1_000));
    binding.take(fill(binding.createBatch(), [{ counter: 0, key: 1, weight: 5 }]), 0, 0);
    expect(registry.sweep(4_999, 0)).toBe(0);
    expect(registry.sweep(5_000, 0)).toBe(1);
  });

  it.each([
    spec('w', { kind: 'window', amount: 4, windowMs: 160 }, { maxKeys: 1, estimates: 'money' }),
    spec('p', { kind: 'pace', amount: 40, periodMs: 1_000, burst: 4 }, { maxKeys: 1, estimates: 'money' }),
  ])('does not touch a counter that took over the place of the one reserved in: $window.kind', (one) => {
    const { binding, batch } = rigOf([one]);
    binding.take(fill(batch, [{ counter: 0, key: 1, weight: 4 }]), 0, 0);
    const old = binding.reserve(batch)!;
    expect(binding.take(fill(batch, [{ counter: 0, key: 2, weight: 4 }]), 200, 0)).toBe(TAKEN);
    binding.settle(old, 0, 0);
    expect(binding.take(fill(batch, [{ counter: 0, key: 2, weight: 1 }]), 200, 0)).not.toBe(TAKEN);
  });

  it('keeps slots in flight in the overflow counter until they are given back, and leaks none', () => {
    const { binding, batch } = rigOf([spec('c', { kind: 'concurrency', amount: 2 }, { maxKeys: 1 })]);
    const take = (key: number) => {
      const taken = binding.take(fill(batch, [{ counter: 0, key, weight: 1 }]), 0, 0) === TAKEN;
      return taken ? binding.reserve(batch) : null;
    };
    const [own, shared] = [take(1)!, take(2)!];
    binding.release(own);
    // Key 2 could have a counter of its own now, but has a slot in the shared one.
    const second = take(2)!;
    expect(take(2)).toBeNull();
    binding.release(shared);
    binding.release(second);
    expect([take(2), take(2), take(2)].map((taken) => taken !== null)).toEqual([true, true, false]);
  });
});

describe('a key of an evicted counter that then overflows', () => {
  it('is kept by the definition when no key exceeds the maximum at any moment', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 5, maxLength: 60 }), (keys) => {
        const { binding, batch } = rigOf([
          spec('w', { kind: 'window', amount: 2, windowMs: 160 }, { maxKeys: 2 }),
        ]);
        // Each key finds all earlier ones as new, so it must always get the whole amount.
        keys.forEach((key, i) => {
          expect(binding.take(fill(batch, [{ counter: 0, key, weight: 2 }]), i * 170, 0)).toBe(TAKEN);
        });
      }),
    );
  });
});
