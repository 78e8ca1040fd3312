import { describe, expect, it } from 'vitest';
import type { CounterSpec } from '../pipeline/counters.ts';
import { EXCEEDED, TAKEN } from '../pipeline/counters.ts';
import { createCounterRegistry } from './counter-registry.ts';
import type { LimitHeadroom } from './limit-headroom.ts';
import { createSharedCounters } from './shared-counters.ts';

function rig(changes: Partial<CounterSpec> = {}) {
  const spec: CounterSpec = {
    identity: '["p","r"]',
    window: { kind: 'window', amount: 10, windowMs: 1_000 },
    maxKeys: 100_000,
    onFailure: 'refuse',
    thresholdsPercent: [],
    ...changes,
  };
  const registry = createCounterRegistry();
  const memory = registry.prepare([spec]);
  const binding = createSharedCounters(memory, { ask: () => {} }).bind([spec]);
  const batch = binding.createBatch();
  return {
    take(key: number, weight: number, nowMs: number): void {
      batch.count = 1;
      batch.counter[0] = 0;
      batch.keyHigh[0] = key * 7_919;
      batch.keyLow[0] = key;
      batch.weight[0] = weight;
      expect([TAKEN, EXCEEDED]).toContain(binding.take(batch, nowMs, nowMs));
    },
    look(nowMs: number): LimitHeadroom {
      registry.lookAtUse(nowMs, nowMs);
      return registry.inspect()[0]!.headroom;
    },
  };
}

describe('the headroom of a limit', () => {
  it('is that of the key nearest to its end, and counts keys with nothing left', () => {
    const { take, look } = rig();
    expect(look(100)).toEqual({ usedShare: 0, exhaustedKeys: 0 });
    take(1, 3, 100);
    take(2, 7, 100);
    expect(look(200)).toEqual({ usedShare: 0.7, exhaustedKeys: 0 });
    take(3, 10, 200);
    take(4, 10, 200);
    expect(look(300)).toEqual({ usedShare: 1, exhaustedKeys: 2 });
  });

  it('comes back when the window has passed', () => {
    const { take, look } = rig();
    take(1, 10, 100);
    expect(look(200).usedShare).toBe(1);
    look(10_000);
    expect(look(11_000)).toEqual({ usedShare: 0, exhaustedKeys: 0 });
  });

  it('is found over several looks where there are many keys, and holds until the next pass has found less', () => {
    const { take, look } = rig({ window: { kind: 'window', amount: 10, windowMs: 3_600_000 } });
    for (let key = 0; key < 20_000; key++) take(key, key === 19_999 ? 9 : 1, 100);
    let looks = 0;
    while (look(200).usedShare < 0.9) looks++;
    expect(looks).toBeLessThan(12);
    for (let more = 0; more < 30; more++) expect(look(300).usedShare).toBe(0.9);
  });
});
