import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CounterSpec,
  type CounterWindow,
  EXCEEDED,
  type Reservation,
  TAKEN,
} from '../../src/pipeline/counters.ts';
import { type Asked, bytesOf, fill, type Rig, rigOf, spec } from './counters-rig.ts';
import { type NaiveCounter, naiveCounter } from './naive-counters.ts';

const WINDOWS: readonly CounterWindow[] = [
  { kind: 'window', amount: 7, windowMs: 1_000 },
  { kind: 'window', amount: 40, windowMs: 7 },
  { kind: 'pace', amount: 3, periodMs: 100, burst: 5 },
  { kind: 'pace', amount: 90_000, periodMs: 60_000, burst: 20 },
  { kind: 'pace', amount: 7, periodMs: 4_000_000, burst: 11 },
  { kind: 'concurrency', amount: 4 },
  { kind: 'calendar', amount: 12, period: 'day', zone: 'UTC' },
];
const SPECS: readonly CounterSpec[] = WINDOWS.map((window, i) =>
  spec(`limit-${i}`, window, { weights: 'estimated', maxKeys: 4 }),
);
const KEYS = 4;
const START_MS = 1_000_000;

type Step =
  | { readonly kind: 'take'; readonly asked: readonly Asked[] }
  | { readonly kind: 'swap'; readonly held: number; readonly asked: readonly Asked[] }
  | { readonly kind: 'settle'; readonly held: number; readonly entry: number; readonly actual: number }
  | { readonly kind: 'release'; readonly held: number }
  | { readonly kind: 'wait'; readonly ms: number };

const asked = fc.uniqueArray(
  fc.record({
    counter: fc.nat(SPECS.length - 1),
    key: fc.integer({ min: 1, max: KEYS }),
    weight: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, 9, 50) },
    ),
  }),
  { selector: (entry) => entry.counter, minLength: 1, maxLength: 4 },
);
const held = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), asked }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('swap' as const), held, asked }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), held, entry: fc.nat(3), actual: fc.nat(6) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), held }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.oneof(
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 500, max: 1_200 }),
        fc.constantFrom(62.5, 1_062.5, 4_000_000, 86_400_000),
      ),
    }),
  },
);

interface NaiveEntry extends Asked {
  readonly event: number;
  done: boolean;
}

/** The definition, applied entry by entry. */
class NaiveCounters {
  readonly #counters = new Map<string, NaiveCounter>();

  of({ counter, key }: Asked): NaiveCounter {
    const name = `${counter}/${key}`;
    const known = this.#counters.get(name) ?? naiveCounter(WINDOWS[counter]!);
    this.#counters.set(name, known);
    return known;
  }

  fits(entry: Asked, nowMs: number): boolean {
    const counter = this.of(entry);
    return counter.used(nowMs) + entry.weight <= counter.capacity;
  }

  retryAtMs(entry: Asked, nowMs: number): number {
    if (this.fits(entry, nowMs)) return 0;
    const counter = this.of(entry);
    return entry.weight > counter.capacity ? Number.POSITIVE_INFINITY : counter.fitsAtMs(nowMs, entry.weight);
  }

  add(entry: Asked, nowMs: number): NaiveEntry {
    return { ...entry, event: this.of(entry).add(nowMs, entry.weight), done: false };
  }

  correct(entry: NaiveEntry, delta: number): void {
    this.of(entry).correct(entry.event, delta);
  }
}

interface Held {
  readonly reservation: Reservation;
  entries: NaiveEntry[];
}

class Run {
  readonly #rig: Rig = rigOf(SPECS);
  readonly #naive = new NaiveCounters();
  readonly #held: Held[] = [];
  #nowMs = START_MS;

  play(step: Step): void {
    const { binding } = this.#rig;
    switch (step.kind) {
      case 'wait':
        this.#nowMs += step.ms;
        break;
      case 'take':
        this.#take(step.asked);
        break;
      case 'swap':
        this.#swap(this.#held[step.held], step.asked);
        break;
      case 'settle': {
        const target = this.#held[step.held];
        const entry = target?.entries[step.entry];
        if (target === undefined || entry === undefined) return;
        binding.settle(target.reservation, step.entry, step.actual);
        if (entry.done || WINDOWS[entry.counter]!.kind === 'concurrency') return;
        entry.done = true;
        this.#naive.correct(entry, step.actual - entry.weight);
        break;
      }
      case 'release': {
        const target = this.#held[step.held];
        if (target === undefined) return;
        binding.release(target.reservation);
        for (const entry of target.entries) {
          if (!entry.done) this.#naive.correct(entry, -entry.weight);
          entry.done = true;
        }
      }
    }
  }

  #take(ask: readonly Asked[]): void {
    const { binding, batch, memory } = this.#rig;
    const now = this.#nowMs;
    const fits = ask.every((entry) => this.#naive.fits(entry, now));
    const retry = ask.map((entry) => (fits ? 0 : this.#naive.retryAtMs(entry, now)));
    const before = fits ? '' : bytesOf(memory);
    expect(binding.take(fill(batch, ask), now, now)).toBe(fits ? TAKEN : EXCEEDED);
    if (!fits) expect(bytesOf(memory)).toBe(before);
    if (fits) {
      const entries = ask.map((entry) => this.#naive.add(entry, now));
      this.#held.push({ reservation: binding.reserve(batch)!, entries });
    }
    expect(Array.from(batch.retryAtMs.slice(0, ask.length))).toEqual(retry);
    this.#compareState(ask);
  }

  #swap(target: Held | undefined, ask: readonly Asked[]): void {
    if (target === undefined) return;
    const { binding, batch, memory } = this.#rig;
    const now = this.#nowMs;
    const sameAs = (entry: Asked) => (old: NaiveEntry) =>
      !old.done && old.counter === entry.counter && old.key === entry.key && old.weight === entry.weight;
    const kept = ask.map((entry) => target.entries.find(sameAs(entry)));
    const given = target.entries.filter((old) => !old.done && !kept.includes(old));
    const restore = given.map((old) => this.#naive.of(old).save());
    for (const old of given) this.#naive.correct(old, -old.weight);
    const fits = ask.every((entry, i) => kept[i] !== undefined || this.#naive.fits(entry, now));
    const before = bytesOf(memory);
    expect(binding.swap(target.reservation, fill(batch, ask), now, now)).toBe(fits ? TAKEN : EXCEEDED);
    if (fits) {
      target.entries = ask.map((entry, i) => kept[i] ?? this.#naive.add(entry, now));
    } else {
      expect(bytesOf(memory)).toBe(before);
    }
    this.#compareState(ask);
    if (!fits) for (const putBack of restore.reverse()) putBack();
  }

  #compareState(ask: readonly Asked[]): void {
    const { batch } = this.#rig;
    for (const [i, entry] of ask.entries()) {
      const counter = this.#naive.of(entry);
      const left = counter.capacity - counter.used(this.#nowMs);
      expect(batch.remaining[i]).toBe(Math.max(0, left));
      expect(batch.resetMs[i]).toBe(counter.resetMs(this.#nowMs));
      expect(batch.fault[i]).toBe(0);
    }
  }
}

describe('shared counters against their definition', () => {
  it('agree on every answer, over random takes, swaps, settlements, releases and waits', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), (steps) => {
        const run = new Run();
        for (const one of steps) run.play(one);
      }),
      { numRuns: 300 },
    );
  });
});
