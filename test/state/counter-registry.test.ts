import { describe, expect, it } from 'vitest';
import { NOTHING_USED } from '../../src/model/model-call.ts';
import { type CounterSpec, EXCEEDED, TAKEN, type ThresholdCrossing } from '../../src/pipeline/counters.ts';
import type { CounterMemory } from '../../src/state/counter-layout.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { fill, spec } from './counters-rig.ts';

const WINDOW = { kind: 'window', amount: 60, windowMs: 60_000 } as const;

function taker(memory: CounterMemory, specs: readonly CounterSpec[]) {
  // As it arrives on another thread.
  const binding = createSharedCounters(structuredClone(memory), null).bind(specs);
  const batch = binding.createBatch();
  return (counter: number, weight: number, nowMs = 1_000) => {
    const result = binding.take(fill(batch, [{ counter, key: 1, weight }]), nowMs, nowMs);
    return { result, remaining: batch.remaining[0] };
  };
}

describe('the memory of counters over a reload', () => {
  it('keeps what was used when only the amount changes', () => {
    const registry = createCounterRegistry();
    const before = [spec('w', WINDOW)];
    const first = registry.prepare(before);
    taker(first, before)(0, 50);
    const after = [spec('w', { ...WINDOW, amount: 61 })];
    const second = registry.prepare(after);
    registry.retire(first);
    expect(taker(second, after)(0, 1)).toEqual({ result: TAKEN, remaining: 10 });
    const lower = [spec('w', { ...WINDOW, amount: 20 })];
    expect(taker(registry.prepare(lower), lower)(0, 1)).toEqual({ result: EXCEEDED, remaining: 0 });
  });

  it('keeps what is owed when pace and burst change', () => {
    const registry = createCounterRegistry();
    const before = [spec('p', { kind: 'pace', amount: 60, periodMs: 60_000, burst: 10 })];
    taker(registry.prepare(before), before)(0, 8);
    const after = [spec('p', { kind: 'pace', amount: 120, periodMs: 60_000, burst: 20 })];
    // A second later 2 of 8 have drained.
    expect(taker(registry.prepare(after), after)(0, 1, 2_000)).toEqual({ result: TAKEN, remaining: 13 });
  });

  it('is shared between an old and a new rule set while both run, in whatever order they list it', () => {
    const registry = createCounterRegistry();
    const old = [spec('a', WINDOW), spec('b', WINDOW)];
    const fresh = [spec('b', WINDOW), spec('c', WINDOW), spec('a', WINDOW)];
    const oldTake = taker(registry.prepare(old), old);
    const freshTake = taker(registry.prepare(fresh), fresh);
    oldTake(1, 20);
    expect(freshTake(0, 1).remaining).toBe(39);
    expect(oldTake(1, 1).remaining).toBe(38);
    expect(freshTake(2, 1).remaining).toBe(59);
  });

  it('is taken over by a limit that was renamed, while old requests still count, and stays when `was` goes', () => {
    const registry = createCounterRegistry();
    const old = [{ ...spec('old', WINDOW), maxKeys: 1 }];
    const first = registry.prepare(old);
    const oldTake = taker(first, old);
    oldTake(0, 50);
    const renamed = [{ ...spec('new', WINDOW), maxKeys: 1, formerIdentity: 'old' }];
    const second = registry.prepare(renamed);
    const newTake = taker(second, renamed);
    expect(newTake(0, 1)).toEqual({ result: TAKEN, remaining: 9 });
    expect(oldTake(0, 1).remaining).toBe(8);
    expect(registry.sweep(1_000, 1_000)).toBe(0);
    registry.retire(first);
    const plain = [spec('new', WINDOW)];
    const third = registry.prepare(plain);
    registry.retire(second);
    expect(taker(third, plain)(0, 1).remaining).toBe(7);
    expect(registry.inspect().map(({ identity }) => identity)).toEqual(['new']);
    const again = [spec('old', WINDOW)];
    expect(taker(registry.prepare(again), again)(0, 1).remaining).toBe(59);
  });

  it('has its former name again when the rule set that renamed it was never used', () => {
    const registry = createCounterRegistry();
    const old = [spec('old', WINDOW)];
    taker(registry.prepare(old), old)(0, 50);
    registry.retire(registry.prepare([{ ...spec('new', WINDOW), formerIdentity: 'old' }]));
    expect(taker(registry.prepare(old), old)(0, 1).remaining).toBe(9);
  });

  it('of a limit that was replaced ends when it is told to, is a limit again when edited back, and can be replaced anew', () => {
    const registry = createCounterRegistry();
    const plain = [spec('w', WINDOW)];
    const first = registry.prepare(plain);
    taker(first, plain)(0, 60);
    const replaced = [spec('w', WINDOW, { replaced: true })];
    const second = registry.prepare(replaced);
    registry.retire(first);
    const takeReplaced = taker(second, replaced);
    expect(takeReplaced(0, 1).result).toBe(EXCEEDED);
    registry.endReplaced('w', 1_001);
    // While its time is not over, a further rule set goes by the same end.
    const third = registry.prepare(replaced);
    expect(takeReplaced(0, 1, 1_999).result).toBe(EXCEEDED);
    expect(takeReplaced(0, 1, 2_000).result).toBe(TAKEN);
    const back = registry.prepare(plain);
    // A request of the second one is still in flight.
    registry.retire(third);
    expect(taker(back, plain)(0, 1, 2_000).result).toBe(EXCEEDED);
    const again = registry.prepare(replaced);
    expect(taker(again, replaced)(0, 1, 2_000).result).toBe(EXCEEDED);
  });

  it.each([
    ['another identity', spec('v', WINDOW)],
    ['another length', spec('w', { ...WINDOW, windowMs: 30_000 })],
    ['another kind', spec('w', { kind: 'concurrency', amount: 60 })],
  ])('begins anew with %s', (_what, other) => {
    const registry = createCounterRegistry();
    const specs = [spec('w', WINDOW)];
    taker(registry.prepare(specs), specs)(0, 50);
    expect(taker(registry.prepare([other]), [other])(0, 1).remaining).toBe(59);
  });

  it('is dropped with the last rule set that uses it', () => {
    const registry = createCounterRegistry();
    const specs = [spec('w', WINDOW), spec('x', WINDOW)];
    const first = registry.prepare(specs);
    const second = registry.prepare(specs.slice(0, 1));
    registry.retire(first);
    expect(registry.inspect().map(({ identity }) => identity)).toEqual(['w']);
    registry.retire(second);
    expect(registry.inspect()).toEqual([]);
  });

  it('keeps fewer keys apart at once when maxKeys is lowered, and no more than its memory when it is raised', () => {
    const registry = createCounterRegistry();
    registry.prepare([spec('w', WINDOW, { maxKeys: 4 })]);
    expect(registry.prepare([spec('w', WINDOW, { maxKeys: 2 })]).regions[0]!.keysMax).toBe(2);
    expect(registry.inspect()).toMatchObject([{ keysMax: 2, keysWanted: 2 }]);
    expect(registry.prepare([spec('w', WINDOW, { maxKeys: 9 })]).regions[0]!.keysMax).toBe(4);
    expect(registry.inspect()).toMatchObject([{ keysMax: 4, keysWanted: 9 }]);
  });

  it('refuses two counters of one identity, which would be one', () => {
    expect(() => createCounterRegistry().prepare([spec('w', WINDOW), spec('w', WINDOW)])).toThrow('unique');
  });

  it('refuses to bind specs that the memory was not made for', () => {
    const memory = createCounterRegistry().prepare([spec('w', WINDOW)]);
    expect(() => createSharedCounters(memory, null).bind([spec('v', WINDOW)])).toThrow('order of its specs');
    expect(() => createSharedCounters(memory, null).bind([])).toThrow('prepared for these specs');
  });
});

describe('thresholds', () => {
  const told: ThresholdCrossing[] = [];
  const sink = { crossed: (crossing: ThresholdCrossing) => void told.push(crossing) };
  const shares = () => told.splice(0).map(({ percent }) => percent);

  it('are told once, when they are crossed, and 100 % with the first refusal', () => {
    const specs = [spec('w', { ...WINDOW, amount: 10 }, { thresholdsPercent: [50, 80, 100] })];
    const binding = createSharedCounters(createCounterRegistry().prepare(specs), null, sink).bind(specs);
    const batch = binding.createBatch();
    const crossed = (weight: number, nowMs: number, key = 1) => {
      binding.take(fill(batch, [{ counter: 0, key, weight }]), nowMs, 0);
      return shares();
    };
    expect(crossed(4, 0)).toEqual([]);
    // larger than the limit: that says nothing of what was used
    expect(crossed(11, 0)).toEqual([]);
    // a first try with more than may be needed is no refusal
    batch.isTrial = true;
    expect(crossed(7, 0)).toEqual([]);
    batch.isTrial = false;
    // refused at 60 %: what is below is still to come
    expect(crossed(7, 0)).toEqual([100]);
    expect(crossed(1, 0)).toEqual([50]);
    expect(crossed(1, 0)).toEqual([]);
    expect(crossed(4, 0)).toEqual([80]);
    expect(crossed(1, 0)).toEqual([]);
    expect(crossed(6, 0, 2)).toEqual([50]);
    // a new window
    expect(crossed(9, 70_000)).toEqual([50, 80]);
  });

  it('are those of what is reserved where amounts of a window are estimates', () => {
    const minute = { kind: 'window', amount: 100, windowMs: 60_000 } as const;
    const specs = [spec('w', minute, { thresholdsPercent: [50], estimates: 'tokens' })];
    const binding = createSharedCounters(createCounterRegistry().prepare(specs), null, sink).bind(specs);
    const batch = binding.createBatch();
    const take = (weight: number) => {
      expect(binding.take(fill(batch, [{ counter: 0, key: 1, weight }]), 0, 0)).toBe(TAKEN);
      return binding.reserve(batch)!;
    };
    const first = take(40);
    expect(shares()).toEqual([]);
    take(20);
    expect(shares()).toEqual([50]);
    binding.settleEstimates(first, { ...NOTHING_USED, tokens: 100 });
    expect(shares()).toEqual([]);
  });

  it('are those of what is settled where amounts are estimates', () => {
    const day = { kind: 'calendar', amount: 100, period: 'day', zone: 'UTC' } as const;
    const specs = [spec('b', day, { thresholdsPercent: [50, 100], estimates: 'money' })];
    const binding = createSharedCounters(createCounterRegistry().prepare(specs), null, sink).bind(specs);
    const batch = binding.createBatch();
    const take = (weight: number) => {
      const taken = binding.take(fill(batch, [{ counter: 0, key: 1, weight }]), 0, 0);
      return taken === TAKEN ? binding.reserve(batch)! : null;
    };
    const first = take(60)!;
    const second = take(40)!;
    expect(shares()).toEqual([]);
    expect(take(1)).toBe(null);
    expect(shares()).toEqual([100]);
    binding.release(first);
    expect(shares()).toEqual([]);
    binding.settleEstimates(second, { ...NOTHING_USED, money: 49 });
    expect(shares()).toEqual([]);
    const third = take(10)!;
    binding.settleEstimates(third, { ...NOTHING_USED, money: 1 });
    expect(told).toMatchObject([{ percent: 50, used: 50, isShared: false, resetsWallMs: 86_400_000 }]);
    shares();
    // told already
    binding.settleEstimates(take(50)!, { ...NOTHING_USED, money: 50 });
    expect(take(1)).toBe(null);
    expect(shares()).toEqual([]);
  });
});
