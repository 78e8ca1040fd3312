import { describe, expect, it } from 'vitest';
import { COUNTER_FAULTS, EXCEEDED, TAKEN } from '../../src/pipeline/counters.ts';
import { HEADER } from '../../src/state/counter-layout.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { LateCorrections } from '../../src/state/late-corrections.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { bytesOf, fill, spec } from './counters-rig.ts';

const LOCK_TIMEOUT = COUNTER_FAULTS.indexOf('lock-timeout');
/** Owner mark of thread 76, which has died with a lock in its hands. */
const DEAD = 77;
const WINDOW = { kind: 'window', amount: 5, windowMs: 1_000 } as const;

function rig(onFailure: 'refuse' | 'allow') {
  const specs = [
    spec('a', WINDOW),
    spec('b', { kind: 'concurrency', amount: 3 }, { onFailure }),
    spec('c', { ...WINDOW, amount: 9 }),
  ];
  const registry = createCounterRegistry();
  const memory = registry.prepare(specs);
  const binding = createSharedCounters(memory, null).bind(specs);
  const words = new Int32Array(memory.regions[1]!.memory);
  const shardLock = HEADER.cells;
  return {
    registry,
    memory,
    binding,
    batch: binding.createBatch(),
    die: () => Atomics.store(words, shardLock, DEAD),
    revive: () => Atomics.store(words, shardLock, 0),
  };
}

const ALL = [0, 1, 2].map((counter) => ({ counter, key: 1, weight: 1 }));

describe('a lock that is not given back', () => {
  it('refuses a limit that refuses on failure, within bounds, and changes nothing', () => {
    const { binding, batch, memory, die } = rig('refuse');
    die();
    const before = bytesOf(memory);
    expect(binding.take(fill(batch, ALL), 1_000, 0)).toBe(EXCEEDED);
    expect(Array.from(batch.fault.slice(0, 3))).toEqual([0, LOCK_TIMEOUT, 0]);
    expect(Array.from(batch.retryAtMs.slice(0, 3))).toEqual([0, 1_001, 0]);
    // All that may differ: the mark of a waiter, which is in the lock word, and the count of those who waited in vain.
    const after = new Int32Array(memory.regions[1]!.memory);
    after[HEADER.cells] = DEAD;
    expect(after[HEADER.lockTimeouts]).toBe(1);
    after[HEADER.lockTimeouts] = 0;
    expect(bytesOf(memory)).toBe(before);
  });

  it('leaves out a limit that allows on failure, and takes the others', () => {
    const { registry, binding, batch, die, revive } = rig('allow');
    die();
    expect(binding.take(fill(batch, ALL), 1_000, 0)).toBe(TAKEN);
    expect(Array.from(batch.fault.slice(0, 3))).toEqual([0, LOCK_TIMEOUT, 0]);
    expect(
      registry.inspect().map(({ lockTimeouts, whenNotKept }) => `${lockTimeouts} ${whenNotKept}`),
    ).toEqual(['0 refused', '1 uncounted', '0 refused']);
    expect(Array.from(batch.remaining.slice(0, 3))).toEqual([4, 0, 8]);
    const reservation = binding.reserve(batch)!;
    revive();
    // It was never taken, so there is nothing to give back.
    binding.release(reservation);
    binding.take(fill(batch, ALL), 1_000, 0);
    expect(batch.remaining[1]).toBe(2);
  });

  it('is freed by the control thread when the thread has exited', () => {
    const { registry, binding, batch, die } = rig('refuse');
    die();
    expect(registry.releaseLocksOf(DEAD)).toBe(0);
    expect(registry.releaseLocksOf(DEAD - 1)).toBe(1);
    expect(binding.take(fill(batch, ALL), 1_000, 0)).toBe(TAKEN);
  });

  it('delays a release until the lock can be had, and loses nothing', () => {
    const { binding, batch, die, revive } = rig('refuse');
    binding.take(fill(batch, ALL), 1_000, 0);
    const reservation = binding.reserve(batch)!;
    die();
    binding.release(reservation);
    revive();
    expect(binding.take(fill(batch, ALL), 1_000, 0)).toBe(TAKEN);
    expect(batch.remaining[1]).toBe(2);
  });

  it('is made up for when the rule set of a late release is gone, in the counter that lives on', () => {
    const { registry, die, revive } = rig('refuse');
    const late = new LateCorrections();
    const specs = [spec('b', { kind: 'concurrency', amount: 3 })];
    const bind = () => {
      const memory = registry.prepare(specs);
      const binding = createSharedCounters(memory, null, undefined, late).bind(specs);
      return { memory, binding, batch: binding.createBatch() };
    };
    const ask = [{ counter: 0, key: 1, weight: 1 }];
    const [old, next] = [bind(), bind()];
    for (const _ of [1, 2]) old.binding.take(fill(old.batch, ask), 1_000, 0);
    die();
    old.binding.release(old.binding.reserve(old.batch)!);
    registry.retire(old.memory);
    revive();
    // One of the two is still under way.
    next.binding.take(fill(next.batch, ask), 1_000, 0);
    expect(next.batch.remaining[0]).toBe(1);
    late.makeUp();
    next.binding.take(fill(next.batch, ask), 1_000, 0);
    expect(next.batch.remaining[0]).toBe(0);
  });

  it('refuses a swap and keeps the reservation', () => {
    const { registry, binding, batch, die, revive } = rig('refuse');
    binding.take(fill(batch, ALL), 1_000, 0);
    const reservation = binding.reserve(batch)!;
    die();
    expect(binding.swap(reservation, fill(batch, [{ counter: 1, key: 2, weight: 1 }]), 1_000, 0)).toBe(
      EXCEEDED,
    );
    expect(batch.fault[0]).toBe(LOCK_TIMEOUT);
    expect(registry.inspect()[1]).toMatchObject({ lockTimeouts: 1, whenNotKept: 'refused' });
    revive();
    binding.release(reservation);
    binding.take(fill(batch, ALL), 1_000, 0);
    expect(batch.remaining[1]).toBe(2);
  });
});
