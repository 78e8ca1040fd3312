import { describe, expect, it } from 'vitest';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import {
  type CounterSpec,
  EXCEEDED,
  type Reservation,
  TAKEN,
  type ThresholdCrossing,
} from '../../src/pipeline/counters.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { type Asked, bytesOf, fill, rigOf, spec } from './counters-rig.ts';

const SECOND = { kind: 'window', amount: 5, windowMs: 1_600 } as const;

function referenceOf(specs: readonly CounterSpec[]) {
  const binding = new ReferenceCounters().bind(specs);
  return { binding, batch: binding.createBatch() };
}

describe('shared counters', () => {
  it('admits exactly N from an empty ring, then refuses and says when', () => {
    const { binding, batch } = rigOf([spec('w', SECOND)]);
    for (let i = 0; i < 5; i++) {
      expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight: 1 }]), 50, 0)).toBe(TAKEN);
      expect(batch.remaining[0]).toBe(4 - i);
    }
    expect(binding.take(batch, 50, 0)).toBe(EXCEEDED);
    // Slot 0 ends at 100 ms and counts for another 1,600.
    expect(batch.retryAtMs[0]).toBe(1_700);
    expect(batch.resetMs[0]).toBe(1_650);
    expect(binding.take(batch, 1_699, 0)).toBe(EXCEEDED);
    expect(binding.take(batch, 1_700, 0)).toBe(TAKEN);
  });

  it.each([
    ['a window', SECOND],
    ['a rate', { kind: 'pace', amount: 5, periodMs: 1_600, burst: 5 }],
  ] as const)('gives back to %s what an estimate was too much, as the reference model does', (_, window) => {
    const specs = [spec('w', window, { estimates: 'tokens' })];
    for (const { binding, batch } of [rigOf(specs), referenceOf(specs)]) {
      const take = (weight: number): Reservation | null =>
        binding.take(fill(batch, [{ counter: 0, key: 1, weight }]), 50, 0) === TAKEN
          ? binding.reserve(batch)
          : null;
      const [first, second] = [take(3)!, take(2)!];
      expect(take(1)).toBeNull();
      binding.settle(first, 0, 1);
      expect([take(3), take(2)]).toEqual([null, expect.anything()]);
      binding.release(second);
      expect([take(3), take(2)]).toEqual([null, expect.anything()]);
    }
  });

  it('leaves a replaced limit out from its end on, whoever takes, and no other', () => {
    const other = { kind: 'window', amount: 9, windowMs: 1_600 } as const;
    const specs = [spec('old', SECOND, { replaced: true }), spec('new', other)];
    const { registry, binding, batch } = rigOf(specs);
    const both = [0, 1].map((counter) => ({ counter, key: 1, weight: 3 }));
    expect(binding.take(fill(batch, both), 0, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, both), 1, 0)).toBe(EXCEEDED);
    registry.endReplaced('new', 1);
    registry.endReplaced('old', 1_000);
    expect(binding.take(fill(batch, both), 999, 0)).toBe(EXCEEDED);
    expect(binding.take(fill(batch, both), 1_000, 0)).toBe(TAKEN);
    expect(Array.from(batch.retryAtMs.slice(0, 2))).toEqual([0, 0]);
    expect(batch.remaining[1]).toBe(3);
    expect(binding.take(fill(batch, both), 1_001, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, both), 1_002, 0)).toBe(EXCEEDED);
  });

  it('leaves it out also where a take goes on as the one before', () => {
    const { registry, binding, batch } = rigOf([
      spec('old', { ...SECOND, windowMs: 32_000 }, { replaced: true }),
    ]);
    const ask = fill(batch, [{ counter: 0, key: 1, weight: 1 }]);
    registry.endReplaced('old', 1_000);
    const left = [998, 999, 1_000].map((ms) => [binding.take(ask, ms, 0), batch.remaining[0]]);
    expect(left).toEqual([
      [TAKEN, 4],
      [TAKEN, 3],
      [TAKEN, 0],
    ]);
  });

  it('swaps what a replaced limit holds for nothing once its time is over', () => {
    const specs = [spec('old', { kind: 'concurrency', amount: 1 }, { replaced: true }), spec('new', SECOND)];
    const { registry, binding, batch } = rigOf(specs);
    const both = [0, 1].map((counter) => ({ counter, key: 1, weight: 1 }));
    const other = both.map((each) => ({ ...each, key: 2 }));
    binding.take(fill(batch, other), 0, 0);
    binding.take(fill(batch, both), 0, 0);
    const held = binding.reserve(batch)!;
    registry.endReplaced('old', 1_000);
    expect(binding.swap(held, fill(batch, other), 999, 0)).toBe(EXCEEDED);
    expect(binding.swap(held, fill(batch, other), 1_000, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, both), 999, 0)).toBe(TAKEN);
    binding.release(held);
    expect(binding.take(fill(batch, both), 999, 0)).toBe(EXCEEDED);
  });

  it('keeps keys apart', () => {
    const { binding, batch } = rigOf([spec('w', SECOND)]);
    expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight: 5 }]), 0, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, [{ counter: 0, key: 2, weight: 5 }]), 0, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight: 1 }]), 0, 0)).toBe(EXCEEDED);
  });

  it('takes from all or from none, and a refusal changes no byte', () => {
    const specs = [
      spec('w', SECOND),
      spec('p', { kind: 'pace', amount: 10, periodMs: 1_000, burst: 2 }),
      spec('c', { kind: 'concurrency', amount: 3 }),
      spec('q', { kind: 'calendar', amount: 9, period: 'day', zone: 'UTC' }),
    ];
    const { binding, batch, memory } = rigOf(specs);
    const ask = [3, 1, 0, 2].map((counter) => ({ counter, key: 7, weight: 1 }));
    expect(binding.take(fill(batch, ask), 1_000, 1_000)).toBe(TAKEN);
    expect(binding.take(fill(batch, ask), 1_000, 1_000)).toBe(TAKEN);
    const before = bytesOf(memory);
    expect(binding.take(fill(batch, ask), 1_000, 1_000)).toBe(EXCEEDED);
    expect(bytesOf(memory)).toBe(before);
    expect(Array.from(batch.retryAtMs.slice(0, 4))).toEqual([0, 1_100, 0, 0]);
    expect(Array.from(batch.remaining.slice(0, 4))).toEqual([7, 0, 3, 1]);
  });

  it('answers never for a weight above the capacity', () => {
    const { binding, batch } = rigOf([spec('w', SECOND)]);
    expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight: 6 }]), 0, 0)).toBe(EXCEEDED);
    expect(batch.retryAtMs[0]).toBe(Number.POSITIVE_INFINITY);
  });

  it('frees slots of `at once` on release, once', () => {
    const { binding, batch } = rigOf([spec('c', { kind: 'concurrency', amount: 2 })]);
    const ask = [{ counter: 0, key: 1, weight: 1 }];
    binding.take(fill(batch, ask), 0, 0);
    const first = binding.reserve(batch)!;
    binding.take(fill(batch, ask), 0, 0);
    expect(binding.take(batch, 0, 0)).toBe(EXCEEDED);
    binding.release(first);
    binding.release(first);
    expect(binding.take(batch, 0, 0)).toBe(TAKEN);
    expect(binding.take(batch, 0, 0)).toBe(EXCEEDED);
  });

  it('needs no reservation for exact weights, and leaves them taken beside a slot that is freed', () => {
    const specs = [spec('w', SECOND), spec('c', { kind: 'concurrency', amount: 2 })];
    const { binding, batch } = rigOf(specs);
    binding.take(fill(batch, [{ counter: 0, key: 1, weight: 1 }]), 0, 0);
    expect(binding.reserve(batch)).toBeNull();
    binding.take(
      fill(
        batch,
        [0, 1].map((counter) => ({ counter, key: 1, weight: 1 })),
      ),
      0,
      0,
    );
    binding.release(binding.reserve(batch)!);
    expect(binding.take(batch, 0, 0)).toBe(TAKEN);
    expect(Array.from(batch.remaining.slice(0, 2))).toEqual([2, 1]);
  });

  it('gives back all of what is held, what is exact too and once, as the reference model does', () => {
    const specs = [
      spec('w', SECOND),
      spec('p', { kind: 'pace', amount: 5, periodMs: 1_600, burst: 5 }),
      spec('c', { kind: 'concurrency', amount: 5 }),
      spec('e', SECOND, { estimates: 'tokens' }),
    ];
    for (const counters of [specs.slice(0, 1), specs]) {
      const ask = counters.map((_, counter) => ({ counter, key: 1, weight: 2 }));
      for (const { binding, batch } of [rigOf(counters), referenceOf(counters)]) {
        const taken = () => {
          binding.take(fill(batch, ask), 50, 0);
          return Array.from(batch.remaining.slice(0, ask.length));
        };
        expect(taken()).toEqual(ask.map(() => 3));
        batch.holds = true;
        expect(taken()).toEqual(ask.map(() => 1));
        const held = binding.hold(batch)!;
        batch.holds = false;
        binding.cancel(held);
        binding.cancel(held);
        expect(taken()).toEqual(ask.map(() => 1));
        expect(taken()).toEqual(ask.map(() => 1));
        expect(binding.take(batch, 50, 0)).toBe(EXCEEDED);
      }
    }
  });

  it('settles an estimate in its own window, and charges more than was reserved in full', () => {
    const { binding, batch } = rigOf([spec('w', SECOND, { estimates: 'money' })]);
    binding.take(fill(batch, [{ counter: 0, key: 1, weight: 4 }]), 0, 0);
    const low = binding.reserve(batch)!;
    binding.settle(low, 0, 1);
    binding.settle(low, 0, 4);
    binding.release(low);
    expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight: 4 }]), 10, 0)).toBe(TAKEN);
    binding.settle(binding.reserve(batch)!, 0, 9);
    expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight: 0 }]), 20, 0)).toBe(EXCEEDED);
    expect(binding.take(batch, 1_700, 0)).toBe(TAKEN);
  });

  it('shares one overflow counter beyond maxKeys, and goes back to own ones when room is made', () => {
    const { binding, batch } = rigOf([spec('w', SECOND, { maxKeys: 2 })]);
    const take = (key: number, weight: number, ms: number) =>
      binding.take(fill(batch, [{ counter: 0, key, weight }]), ms, 0);
    take(1, 1, 0);
    take(2, 1, 0);
    expect(take(3, 3, 0)).toBe(TAKEN);
    expect(take(4, 3, 0)).toBe(EXCEEDED);
    expect(take(4, 2, 0)).toBe(TAKEN);
    expect(take(1, 4, 0)).toBe(TAKEN);
    // Keys 1 and 2 are as new, so key 3 gets its own counter.
    expect(take(3, 5, 1_700)).toBe(TAKEN);
    expect(take(4, 5, 1_700)).toBe(TAKEN);
  });

  it('never lets a key escape from the overflow counter with a clean slate', () => {
    const { binding, batch } = rigOf([spec('w', SECOND, { maxKeys: 1 })]);
    const take = (key: number, weight: number, ms: number) =>
      binding.take(fill(batch, [{ counter: 0, key, weight }]), ms, 0);
    take(1, 1, 0);
    expect(take(2, 5, 900)).toBe(TAKEN);
    expect(take(2, 1, 1_700)).toBe(EXCEEDED);
    expect(take(2, 5, 2_600)).toBe(TAKEN);
  });

  it('swaps in one step, keeps equal units, and restores all on refusal', () => {
    const specs = [spec('a', SECOND, { estimates: 'money' }), spec('b', SECOND, { estimates: 'money' })];
    const { binding, batch, memory } = rigOf(specs);
    const [a, b] = [0, 1].map((counter) => ({ counter, key: 1, weight: 5 })) as [Asked, Asked];
    binding.take(fill(batch, [a]), 0, 0);
    const reservation = binding.reserve(batch)!;
    expect(binding.swap(reservation, fill(batch, [a, b]), 400, 0)).toBe(TAKEN);
    const before = bytesOf(memory);
    expect(binding.swap(reservation, fill(batch, [{ ...b, key: 2, weight: 6 }]), 400, 0)).toBe(EXCEEDED);
    expect(bytesOf(memory)).toBe(before);
    expect(binding.swap(reservation, fill(batch, [b]), 400, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, [a]), 400, 0)).toBe(TAKEN);
    expect(binding.take(fill(batch, [b]), 400, 0)).toBe(EXCEEDED);
  });

  it('tells thresholds of a key that left the shared counter by what is settled, not less what others have in flight', () => {
    const told: { readonly key: number; readonly percent: number; readonly used: number }[] = [];
    const sink = {
      crossed: ({ keyHigh, percent, used }: ThresholdCrossing) =>
        void told.push({ key: keyHigh, percent, used }),
    };
    const [keys, shards, dayMs] = [64, 8, 86_400_000];
    const inShard = (shard: number) => (key: number) =>
      (Math.imul(key, 0x9e37_79b1) & (shards - 1)) === shard;
    const day = { kind: 'calendar', amount: 1_000, period: 'day', zone: 'UTC' } as const;
    const specs = [spec('q', day, { estimates: 'money', thresholdsPercent: [50], maxKeys: keys })];
    const memory = createCounterRegistry().prepare(specs);
    expect(memory.regions[0]!.layout.shards).toBe(shards);
    const binding = createSharedCounters(memory, null, sink).bind(specs);
    const batch = binding.createBatch();
    const take = (key: number, weight: number, wallMs: number): Reservation => {
      expect(binding.take(fill(batch, [{ counter: 0, key, weight }]), wallMs, wallMs)).toBe(TAKEN);
      return binding.reserve(batch)!;
    };
    const known = Array.from({ length: keys }, (_, index) => index + 1);
    for (const key of known) take(key, 1, 0);
    for (const key of known.filter(inShard(0))) take(key, 1, dayMs);
    const late = Array.from({ length: 100 }, (_, index) => keys + 1 + index);
    // No key of this shard is as new: the first one shares. The second takes over a record of yesterday, as a copy of the shared one.
    take(late.find(inShard(0))!, 600, dayMs);
    const second = late.find(inShard(1))!;
    binding.settle(take(second, 10, dayMs), 0, 10);
    expect(told).toEqual([{ key: second, percent: 50, used: 610 }]);
  });
});
