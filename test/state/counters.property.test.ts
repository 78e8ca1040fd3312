import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CounterWindow, EXCEEDED, type Reservation, TAKEN } from '../../src/pipeline/counters.ts';
import { type Asked, bytesOf, fill, type Rig, rigOf, spec } from './counters-rig.ts';
import { type NaiveCounter, naiveCounter } from './naive-counters.ts';

const DAY_MS = 86_400_000;

/** Each with the time that is natural to it: waits are fractions of that. */
const LIMITS: readonly (readonly [name: string, window: CounterWindow, naturalMs: number])[] = [
  ['7 in any 1 s', { kind: 'window', amount: 7, windowMs: 1_000 }, 1_000],
  ['9 in any 7 ms', { kind: 'window', amount: 9, windowMs: 7 }, 7],
  ['3 per 100 ms, burst 5', { kind: 'pace', amount: 3, periodMs: 100, burst: 5 }, 150],
  ['90,000 per minute, burst 20', { kind: 'pace', amount: 90_000, periodMs: 60_000, burst: 20 }, 10],
  ['7 per 4,000 s, burst 11', { kind: 'pace', amount: 7, periodMs: 4_000_000, burst: 11 }, 1_000_000],
  ['4 at once', { kind: 'concurrency', amount: 4 }, 100],
  ['12 a day', { kind: 'calendar', amount: 12, period: 'day', zone: 'UTC' }, DAY_MS],
];
const KEYS = 3;
const START_MS = 1_000_000;

type Step =
  | { readonly kind: 'take'; readonly asked: readonly Asked[]; readonly late: number }
  | { readonly kind: 'swap'; readonly held: number; readonly asked: readonly Asked[]; readonly late: number }
  | { readonly kind: 'settle'; readonly held: number; readonly entry: number; readonly actual: number }
  | { readonly kind: 'release'; readonly held: number }
  | { readonly kind: 'wait'; readonly share: number };

function stepsFor(limits: number, keys: number): fc.Arbitrary<Step[]> {
  const asked = fc.uniqueArray(
    fc.record({
      counter: fc.nat(limits - 1),
      key: fc.integer({ min: 1, max: keys }),
      weight: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) },
        { weight: 1, arbitrary: fc.constantFrom(0, 9, 50) },
      ),
    }),
    { selector: (entry) => entry.counter, minLength: 1, maxLength: 4 },
  );
  /** Counted from the newest reservation. */
  const held = fc.nat(5);
  /** How far behind the others the thread's clock reading is, as a share of the natural time. */
  const late = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(0.001, 0.06, 0.4, 1.1));
  const share = fc.oneof(
    fc.double({ min: 0, max: 0.2, noNaN: true }),
    fc.constantFrom(1 / 16, 0.5, 1, 17 / 16, 2),
  );
  const of = <Kind extends Step['kind']>(kind: Kind) => fc.constant(kind);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: of('take'), asked, late }) },
    { weight: 1, arbitrary: fc.record({ kind: of('swap'), held, asked, late }) },
    { weight: 2, arbitrary: fc.record({ kind: of('settle'), held, entry: fc.nat(3), actual: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ kind: of('release'), held }) },
    { weight: 4, arbitrary: fc.record({ kind: of('wait'), share }) },
  );
  return fc.array(step, { minLength: 10, maxLength: 100 });
}

interface NaiveEntry extends Asked {
  readonly event: number;
  done: boolean;
}

/** The definition, applied entry by entry. */
class NaiveCounters {
  readonly #windows: readonly CounterWindow[];
  readonly #counters = new Map<string, NaiveCounter>();

  constructor(windows: readonly CounterWindow[]) {
    this.#windows = windows;
  }

  of({ counter, key }: Asked): NaiveCounter {
    const name = `${counter}/${key}`;
    const known = this.#counters.get(name) ?? naiveCounter(this.#windows[counter]!);
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
  readonly #rig: Rig;
  readonly #naive: NaiveCounters;
  readonly #windows: readonly CounterWindow[];
  readonly #naturalMs: number;
  readonly #held: Held[] = [];
  #nowMs = START_MS;

  constructor(windows: readonly CounterWindow[], naturalMs: number) {
    const specs = windows.map((window, i) =>
      spec(`limit-${i}`, window, { estimates: 'money', maxKeys: KEYS }),
    );
    this.#rig = rigOf(specs);
    this.#naive = new NaiveCounters(windows);
    this.#windows = windows;
    this.#naturalMs = naturalMs;
  }

  play(step: Step): void {
    const { binding } = this.#rig;
    switch (step.kind) {
      case 'wait':
        this.#nowMs += step.share * this.#naturalMs;
        break;
      case 'take':
        this.#take(step.asked, this.#nowMs - step.late * this.#naturalMs);
        break;
      case 'swap':
        this.#swap(this.#held.at(-1 - step.held), step.asked, this.#nowMs - step.late * this.#naturalMs);
        break;
      case 'settle': {
        const target = this.#held.at(-1 - step.held);
        const entry = target?.entries[step.entry];
        if (target === undefined || entry === undefined) return;
        binding.settle(target.reservation, step.entry, step.actual);
        if (entry.done || this.#windows[entry.counter]!.kind === 'concurrency') return;
        entry.done = true;
        this.#naive.correct(entry, step.actual - entry.weight);
        break;
      }
      case 'release': {
        const target = this.#held.at(-1 - step.held);
        if (target === undefined) return;
        binding.release(target.reservation);
        for (const entry of target.entries) {
          if (!entry.done) this.#naive.correct(entry, -entry.weight);
          entry.done = true;
        }
      }
    }
  }

  #take(ask: readonly Asked[], now: number): void {
    const { binding, batch, memory } = this.#rig;
    const fits = ask.every((entry) => this.#naive.fits(entry, now));
    const retry = ask.map((entry) => (fits ? 0 : this.#naive.retryAtMs(entry, now)));
    const untouched = bytesOf(memory);
    expect(binding.look(fill(batch, ask), now, now)).toBe(fits ? TAKEN : EXCEEDED);
    expect(Array.from(batch.retryAtMs.slice(0, ask.length))).toEqual(retry);
    expect(bytesOf(memory)).toBe(untouched);
    const before = fits ? '' : untouched;
    expect(binding.take(fill(batch, ask), now, now)).toBe(fits ? TAKEN : EXCEEDED);
    if (!fits) expect(bytesOf(memory)).toBe(before);
    if (fits) {
      const entries = ask.map((entry) => this.#naive.add(entry, now));
      this.#held.push({ reservation: binding.reserve(batch)!, entries });
    }
    expect(Array.from(batch.retryAtMs.slice(0, ask.length))).toEqual(retry);
    this.#compareState(ask, now);
  }

  #swap(target: Held | undefined, ask: readonly Asked[], now: number): void {
    if (target === undefined) return;
    const { binding, batch, memory } = this.#rig;
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
    this.#compareState(ask, now);
    if (!fits) for (const putBack of restore.reverse()) putBack();
  }

  #compareState(ask: readonly Asked[], now: number): void {
    const { batch } = this.#rig;
    for (const [i, entry] of ask.entries()) {
      const counter = this.#naive.of(entry);
      const left = counter.capacity - counter.used(now);
      expect(batch.remaining[i]).toBe(Math.max(0, left));
      expect(batch.resetMs[i]).toBe(counter.resetMs(now));
      expect(batch.fault[i]).toBe(0);
    }
  }
}

describe('shared counters against their definition', () => {
  it.each(LIMITS)(
    '%s: every answer agrees, over random takes, swaps, settlements, releases and waits',
    (_name, window, naturalMs) => {
      fc.assert(
        fc.property(stepsFor(1, 2), (steps) => {
          const run = new Run([window], naturalMs);
          for (const step of steps) run.play(step);
        }),
        { numRuns: 200 },
      );
    },
  );

  it.each([7, 100, 1_000, DAY_MS])('all at once, with waits around %i ms', (naturalMs) => {
    fc.assert(
      fc.property(stepsFor(LIMITS.length, KEYS), (steps) => {
        const run = new Run(
          LIMITS.map(([, window]) => window),
          naturalMs,
        );
        for (const step of steps) run.play(step);
      }),
      { numRuns: 100 },
    );
  });
});
