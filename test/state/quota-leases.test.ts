import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  COUNTER_FAULTS,
  type CounterSpec,
  EXCEEDED,
  NEEDS_LEASE,
  TAKEN,
} from '../../src/pipeline/counters.ts';
import { regionSignature } from '../../src/state/counter-layout.ts';
import { carryMarks } from '../../src/state/quota-carry.ts';
import { spec } from './counters-rig.ts';
import { type QuotaProcess, QuotaStore, type StoreFaults } from './quota-rig.ts';

const DAY_MS = 86_400_000;
const STORE_AWAY = COUNTER_FAULTS.indexOf('store-away');

let store: QuotaStore;
beforeEach(() => {
  store = new QuotaStore();
});
afterEach(() => store.close());

function daily(amount: number, more: Partial<CounterSpec> = {}): CounterSpec {
  return spec('q', { kind: 'calendar', amount, period: 'day', zone: 'UTC' }, more);
}
const unit = (key = 1, weight = 1) => ({ counter: 0, key, weight });

/** How many of `tries` requests are admitted. */
function admitted(process: QuotaProcess, tries: number, key = 1): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (process.take(unit(key)) === TAKEN) count++;
  return count;
}

describe('a quota', () => {
  it('tells no threshold again that an earlier process told in the same period', () => {
    const told: number[] = [];
    const sink = { crossed: ({ percent }: { readonly percent: number }) => void told.push(percent) };
    const specs = [daily(100, { thresholdsPercent: [50, 80, 100] })];
    const first = store.process(specs, undefined, sink);
    expect(admitted(first, 60)).toBe(60);
    expect(told.splice(0)).toEqual([50]);
    first.stop();
    const second = store.process(specs, undefined, sink);
    expect(admitted(second, 50)).toBe(40);
    expect(told.splice(0)).toEqual([80, 100]);
    // killed: what was told since the last grant may be told again, and nothing else
    const third = store.process(specs, undefined, sink);
    expect(admitted(third, 5)).toBe(0);
    expect(told.splice(0)).toEqual([100]);
    store.clock.wallMs += DAY_MS;
    expect(admitted(third, 50)).toBe(50);
    expect(told).toEqual([50]);
  });

  it('is used only below a durable mark', () => {
    const process = store.process([daily(10_000)]);
    expect(process.takeOnce(unit())).toBe(NEEDS_LEASE);
    expect(process.asks).toEqual([{ region: 0, keyHigh: 1, keyLow: expect.any(Number), weight: 1 }]);
    const { keyHigh, keyLow } = process.asks[0]!;
    process.grant();
    const mark = store.marks.read({ counter: regionSignature(daily(10_000)), key: { keyHigh, keyLow } });
    expect(mark).toMatchObject({ ok: true, value: { used: 10 } });
    expect(process.takeOnce(unit())).toBe(TAKEN);
    expect(process.openAmount()).toBe(9);
  });

  it('asks for the next slice before the first has run out, once', () => {
    const process = store.process([daily(10_000)]);
    process.take(unit());
    const asksAfter = Array.from({ length: 9 }, () => {
      expect(process.takeOnce(unit())).toBe(TAKEN);
      return process.asks.length;
    });
    expect(asksAfter).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect(process.takeOnce(unit())).toBe(NEEDS_LEASE);
  });

  it('admits exactly its amount, and then says when its period ends', () => {
    const process = store.process([daily(37)]);
    expect(admitted(process, 60)).toBe(37);
    expect(process.batch.resetMs[0]).toBe(DAY_MS / 2);
    expect(process.batch.fault[0]).toBe(0);
  });

  it('never admits more over any number of crashes, and each loses at most the open slice', () => {
    let lost = 0;
    let count = 0;
    for (let crash = 0; crash < 5; crash++) {
      const process = store.process([daily(1_000)]);
      count += admitted(process, 105);
      lost += process.openAmount();
    }
    count += admitted(store.process([daily(1_000)]), 2_000);
    expect(count + lost).toBe(1_000);
    expect(lost).toBeGreaterThan(0);
  });

  it('loses nothing at a graceful stop', () => {
    for (let stop = 0; stop < 4; stop++) {
      const process = store.process([daily(1_000)]);
      expect(admitted(process, 105)).toBe(105);
      process.stop();
    }
    expect(admitted(store.process([daily(1_000)]), 2_000)).toBe(1_000 - 420);
  });

  it('begins anew with its period, also when the process was away meanwhile', () => {
    const process = store.process([daily(20)]);
    expect(admitted(process, 30)).toBe(20);
    store.clock.wallMs += DAY_MS;
    expect(admitted(process, 30)).toBe(20);
    store.clock.wallMs += DAY_MS;
    expect(admitted(store.process([daily(20)]), 30)).toBe(20);
  });

  it('goes on in the period that was reached when the clock is set back, also after a crash', () => {
    store.clock.wallMs += DAY_MS;
    expect(admitted(store.process([daily(20)]), 30)).toBe(20);
    store.clock.wallMs -= DAY_MS;
    expect(admitted(store.process([daily(20)]), 30)).toBe(0);
    store.clock.wallMs += 2 * DAY_MS;
    expect(admitted(store.process([daily(20)]), 30)).toBe(20);
  });

  it('keeps what was used when its amount is changed, live and over a crash', () => {
    const process = store.process([daily(20)]);
    expect(admitted(process, 30)).toBe(20);
    process.use(process.bind([daily(25)]));
    expect(admitted(process, 30)).toBe(5);
    expect(admitted(store.process([daily(32)]), 50)).toBe(7);
    expect(admitted(store.process([daily(10)]), 50)).toBe(0);
  });

  it('gives a request all that it weighs in one slice', () => {
    const process = store.process([daily(1_000)]);
    expect(process.take(unit(1, 400))).toBe(TAKEN);
    expect(process.take(unit(1, 601))).toBe(EXCEEDED);
    expect(process.take(unit(1, 600))).toBe(TAKEN);
  });

  it('keeps keys apart, and those that share a counter together, over a restart', () => {
    const specs = [daily(10, { maxKeys: 2 })];
    const process = store.process(specs);
    for (const key of [1, 2]) expect(admitted(process, 4, key)).toBe(4);
    // Both of these share one counter.
    expect(admitted(process, 4, 3) + admitted(process, 20, 4)).toBe(10);
    process.stop();
    const next = store.process(specs);
    expect(admitted(next, 20, 3)).toBe(0);
    expect(admitted(next, 20, 1)).toBe(6);
  });

  it('remembers what a key spent from the shared counter, though it has a mark of its own from the day before', () => {
    const specs = [daily(10, { maxKeys: 2 })];
    const first = store.process(specs);
    expect(admitted(first, 4, 3)).toBe(4);
    first.stop();
    store.clock.wallMs += DAY_MS;
    const second = store.process(specs);
    for (const key of [1, 2]) expect(admitted(second, 1, key)).toBe(1);
    expect(admitted(second, 20, 3)).toBe(10);
    second.stop();
    expect(admitted(store.process(specs), 20, 3)).toBe(0);
  });

  it('is not begun anew by a key that finds the keys of the next process taken', () => {
    const specs = [daily(10, { maxKeys: 2 })];
    const first = store.process(specs);
    for (const key of [1, 2]) expect(admitted(first, 4, key)).toBe(4);
    first.stop();
    const second = store.process(specs);
    // New keys come first, and share what is left of records: none.
    expect(admitted(second, 4, 3) + admitted(second, 20, 4)).toBe(10);
    for (const key of [1, 2]) expect(admitted(second, 20, key)).toBe(6);
    second.stop();
    const third = store.process(specs);
    for (const key of [4, 3, 2, 1]) expect(admitted(third, 20, key)).toBe(0);
  });

  it('goes on in the shared counter for a key that has no room any more, with the most that any such key used', () => {
    const first = store.process([daily(10, { maxKeys: 8 })]);
    for (const key of [1, 2, 3]) expect(admitted(first, 2 * key, key)).toBe(2 * key);
    first.stop();
    const second = store.process([daily(10, { maxKeys: 1 })]);
    const left = [4, 3, 2, 1].map((key) => admitted(second, 20, key));
    // One of the three has a record again; all others, the new one first, share what the most used of them left.
    expect(left.filter((count) => count > 0)).toHaveLength(2);
    for (const [at, key] of [3, 2, 1].entries()) expect(left[at + 1]).toBeLessThanOrEqual(10 - 2 * key);
    second.stop();
    const third = store.process([daily(10, { maxKeys: 8 })]);
    expect([4, 3, 2, 1].map((key) => admitted(third, 20, key))).toEqual([0, 0, 0, 0]);
  });

  it('goes to the name that a limit has now, before and after the old name is forgotten', () => {
    const before = daily(20);
    const renamed = { ...before, identity: 'q2', formerIdentity: 'q' };
    const first = store.process([before]);
    expect(admitted(first, 8)).toBe(8);
    first.stop();
    const process = store.process([before]);
    // Prepared beside the old one, not yet live: a key that nobody has asked for in this process.
    const binding = process.bind([renamed]);
    expect(admitted(process, 5)).toBe(5);
    process.use(binding);
    process.leases.rename(regionSignature(before), regionSignature(renamed));
    expect(admitted(process, 2)).toBe(2);
    process.stop();
    const { formerIdentity: _, ...last } = renamed;
    expect(admitted(store.process([last]), 30)).toBe(20 - 8 - 5 - 2);
  });

  it('that gets a longer period begins with what its present one has counted, and keeps what it knows itself', () => {
    const monthly = spec('m', { kind: 'calendar', amount: 100, period: 'month', zone: 'UTC' });
    const day = store.process([daily(20)]);
    expect([admitted(day, 8, 1), admitted(day, 3, 2)]).toEqual([8, 3]);
    day.stop();
    store.clock.wallMs += DAY_MS;
    const second = store.process([daily(20)]);
    expect(admitted(second, 5, 2)).toBe(5);
    second.stop();
    const carry = () => carryMarks(store.marks, daily(20), monthly, store.clock.wallMs);
    expect(carry()).toEqual({ ok: true, value: undefined });
    const month = store.process([monthly]);
    expect([1, 2, 3].map((key) => admitted(month, 200, key))).toEqual([100, 100 - 5, 100]);
    month.stop();
    carry();
    expect(admitted(store.process([monthly]), 200, 2)).toBe(0);
    // A period that is over says nothing.
    store.clock.wallMs += 40 * DAY_MS;
    carry();
    expect(admitted(store.process([monthly]), 200, 1)).toBe(100);
  });

  it('is granted nothing while what it has counted is carried to another, and all that waited afterwards', () => {
    const process = store.process([daily(20)]);
    expect(admitted(process, 1, 1)).toBe(1);
    process.leases.hold(new Set([regionSignature(daily(20))]));
    const monthly = spec('m', { kind: 'calendar', amount: 100, period: 'month', zone: 'UTC' });
    expect(carryMarks(store.marks, daily(20), monthly, store.clock.wallMs).ok).toBe(true);
    const before = admitted(process, 20, 1);
    expect([process.take(unit(1)), process.take(unit(2))]).toEqual([NEEDS_LEASE, NEEDS_LEASE]);
    expect(process.leases.retry()).toBe('nothing');
    // What was admitted meanwhile lies below the mark that was carried.
    expect(admitted(store.process([monthly]), 200, 1)).toBeLessThanOrEqual(100 - 1 - before);
    process.leases.hold(new Set());
    expect(process.leases.retry()).toBe('tried');
    expect(admitted(process, 30, 1)).toBe(20 - 1 - before);
    expect(admitted(process, 30, 2)).toBe(20);
  });

  it('forgets periods that are long over, and no others', () => {
    const process = store.process([daily(20)]);
    process.take(unit(1));
    store.clock.wallMs += 4 * DAY_MS;
    process.take(unit(2));
    expect(process.leases.forgetEnded()).toEqual({ ok: true, value: 1 });
    expect(process.leases.forgetEnded()).toEqual({ ok: true, value: 0 });
    process.stop();
    expect(admitted(store.process([daily(20)]), 30, 2)).toBe(19);
  });
});

describe('an estimate', () => {
  const tokens = [daily(1_000, { estimates: 'money' })];

  it('that was too low is charged in full, and stays so over a crash', () => {
    const process = store.process(tokens);
    process.take(unit(1, 10));
    process.settle(process.reserve(), 950);
    const left = 1_000 - 950 - process.openAmount();
    const next = store.process(tokens);
    expect(next.take(unit(1, left + 1))).toBe(EXCEEDED);
    expect(next.take(unit(1, left))).toBe(TAKEN);
    expect(left).toBeGreaterThan(0);
  });

  it('of nothing waits, too, to learn what an earlier process has spent', () => {
    const process = store.process([daily(10, { estimates: 'money' })]);
    process.take(unit(1, 1));
    process.settle(process.reserve(), 12);
    expect(process.take(unit(1, 0))).toBe(EXCEEDED);
    expect(store.process([daily(10, { estimates: 'money' })]).take(unit(1, 0))).toBe(EXCEEDED);
  });

  it('of nothing is taken from a quota of nothing', () => {
    expect(store.process([daily(0, { estimates: 'money' })]).take(unit(1, 0))).toBe(TAKEN);
  });

  it('that is open at a crash counts as spent', () => {
    const process = store.process(tokens);
    process.take(unit(1, 700));
    const left = 1_000 - 700 - process.openAmount();
    const next = store.process(tokens);
    expect(next.take(unit(1, left + 1))).toBe(EXCEEDED);
    expect(next.take(unit(1, left))).toBe(TAKEN);
    expect(left).toBeGreaterThan(200);
  });
});

describe('while marks cannot be written', () => {
  const rig = (more: Partial<CounterSpec>): { process: QuotaProcess; faults: StoreFaults } => {
    const faults: StoreFaults = { writes: 'ok' };
    return { process: store.process([daily(10_000, more)], faults), faults };
  };

  it('what is leased is used up, then a quota that refuses on failure refuses', () => {
    const { process, faults } = rig({});
    process.take(unit());
    faults.writes = 'fail';
    expect(admitted(process, 50)).toBe(9);
    expect(process.takeOnce(unit())).toBe(EXCEEDED);
    expect(process.batch.fault[0]).toBe(STORE_AWAY);
    expect(process.told.slice(0, 1)).toEqual(['store_write_failed']);
    faults.writes = 'ok';
    expect(process.leases.retry()).toBe('tried');
    expect(process.told.at(-1)).toBe('back');
    expect(admitted(process, 20_000)).toBe(9_990);
  });

  it('a quota that allows on failure allows, counts, and says so to the store as soon as it can', () => {
    const { process, faults } = rig({ onFailure: 'allow' });
    process.take(unit());
    faults.writes = 'fail';
    expect(admitted(process, 50)).toBe(50);
    faults.writes = 'ok';
    process.leases.retry();
    const left = 10_000 - 51 - process.openAmount();
    expect(admitted(store.process([daily(10_000)]), 20_000)).toBe(left);
  });

  it('no quota admits more than its amount, even one that allows on failure', () => {
    const { process, faults } = rig({ onFailure: 'allow' });
    faults.writes = 'fail';
    expect(admitted(process, 10_500)).toBe(10_000);
  });
});

it('a policy that only watches never waits for a lease, and is remembered all the same', () => {
  const watched = [daily(100, { watching: true })];
  const process = store.process(watched);
  expect(process.takeOnce(unit())).toBe(TAKEN);
  process.grant();
  expect(admitted(process, 59)).toBe(59);
  process.stop();
  expect(admitted(store.process(watched), 100)).toBe(40);
});
