import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEADLINE_PRECISION_MS, Deadlines, NO_DEADLINE, type Watched } from './deadlines.ts';

function rig() {
  const state = { nowMs: 0, tick: null as (() => void) | null };
  const deadlines = new Deadlines({ monotonicMs: () => state.nowMs, wallMs: () => 0 }, (tick) => {
    state.tick = tick;
    return () => {
      state.tick = null;
    };
  });
  const expired: string[] = [];
  const watch = (name: string, afterMs: number): Watched => {
    const watched: Watched = {
      watchIndex: -1,
      expire: () => {
        expired.push(name);
        deadlines.unwatch(watched);
      },
    };
    deadlines.watch(watched, deadlines.after(afterMs));
    return watched;
  };
  return { state, deadlines, expired, watch };
}

describe('deadlines', () => {
  test('never early, at most two ticks late', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 20 }),
        fc.nat(49),
        (times, offset) => {
          const { state, expired, watch } = rig();
          watch('anchor', 1e9);
          state.nowMs = offset;
          const begunMs = state.nowMs;
          for (const [index, ms] of times.entries()) watch(String(index), ms);
          while (expired.length < times.length) {
            state.nowMs += DEADLINE_PRECISION_MS;
            const before = expired.length;
            state.tick!();
            for (const name of expired.slice(before)) {
              const lateMs = state.nowMs - begunMs - times[Number(name)]!;
              expect(lateMs).toBeGreaterThanOrEqual(0);
              expect(lateMs).toBeLessThanOrEqual(2 * DEADLINE_PRECISION_MS);
            }
          }
          expect(new Set(expired).size).toBe(times.length);
        },
      ),
    );
  });

  test('a pause of the thread takes no time from what is set behind it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 5_000 }), (pauseMs, ms) => {
        const { state, deadlines, expired, watch } = rig();
        const before = watch('before', ms);
        state.nowMs += DEADLINE_PRECISION_MS;
        state.tick!();
        deadlines.set(before, NO_DEADLINE);
        // what came meanwhile is read, and sent on, before the next tick
        state.nowMs += pauseMs;
        const setMs = state.nowMs;
        deadlines.set(before, deadlines.after(ms));
        watch('behind', ms);
        while (expired.length < 2) {
          state.tick!();
          expect(expired.length === 0 || state.nowMs - setMs >= ms).toBe(true);
          state.nowMs += DEADLINE_PRECISION_MS;
        }
        expect(state.nowMs - setMs).toBeLessThanOrEqual(ms + 3 * DEADLINE_PRECISION_MS);
      }),
    );
  });

  test('a deadline moves, and moves with its place', () => {
    const { state, deadlines, expired, watch } = rig();
    const all = Array.from({ length: 200 }, (_, index) => watch(String(index), 100));
    for (const watched of all.slice(0, 150)) deadlines.unwatch(watched);
    state.tick!();
    deadlines.set(all[0]!, 0);
    deadlines.set(all[199]!, 5_000);
    deadlines.set(all[198]!, NO_DEADLINE);
    state.nowMs = 4_000;
    state.tick!();
    expect(new Set(expired)).toEqual(new Set(Array.from({ length: 48 }, (_, index) => String(150 + index))));
    state.nowMs = 5_000;
    state.tick!();
    expect(expired.length).toBe(49);
  });

  test('the ticker runs only while something is watched', () => {
    const { state, deadlines, watch } = rig();
    expect(state.tick).toBeNull();
    const first = watch('first', 10);
    const second = watch('second', 10);
    deadlines.unwatch(first);
    deadlines.unwatch(first);
    expect(state.tick).not.toBeNull();
    deadlines.unwatch(second);
    expect(state.tick).toBeNull();
  });

  test('one that expires may take others with it', () => {
    const { state, deadlines, expired, watch } = rig();
    const others = [watch('a', 10), watch('b', 10), watch('c', 10)];
    const last: Watched = {
      watchIndex: -1,
      expire: () => {
        for (const other of others) deadlines.unwatch(other);
        deadlines.unwatch(last);
      },
    };
    deadlines.watch(last, 0);
    state.nowMs = 1_000;
    state.tick!();
    expect(expired).toEqual([]);
    expect(state.tick).toBeNull();
  });
});
