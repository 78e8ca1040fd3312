/**
 * Wall clocks that jump, around every odd moment of a calendar: whatever they show, no period of a quota admits more than its amount, and
 * none that was left begins again. Held against the local dates that Intl tells, one by one.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ok } from '../../src/base/result.ts';
import { type CounterSpec, type CounterWindow, EXCEEDED, TAKEN } from '../../src/pipeline/counters.ts';
import type { QuotaMarks } from '../../src/state/quota-marks.ts';
import { spec } from './counters-rig.ts';
import { QuotaProcess, type TestClock } from './quota-rig.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const AMOUNT = 25;
const KEYS = 2;

type Period = Extract<CounterWindow, { kind: 'calendar' }>['period'];
const PERIODS: readonly Period[] = ['day', 'week', 'month', 'quarter', 'year'];

const ODD_MOMENTS: readonly (readonly [zone: string, at: string])[] = [
  // clocks go forward, and back
  ['Europe/Berlin', '2027-03-28T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2027-03-14T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  // by half an hour
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['Australia/Lord_Howe', '2027-04-03T15:00:00Z'],
  // midnight is left out
  ['Asia/Beirut', '2027-03-27T22:00:00Z'],
  // a day is left out
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  // a leap day begins and ends, and one that a year of a hundred lacks
  ['UTC', '2028-02-29T00:00:00Z'],
  ['Asia/Kathmandu', '2028-02-29T18:15:00Z'],
  ['UTC', '2100-03-01T00:00:00Z'],
  // ends of months, quarters and years
  ['Europe/Berlin', '2027-04-30T22:00:00Z'],
  ['America/New_York', '2027-10-01T04:00:00Z'],
  ['Asia/Kathmandu', '2026-12-31T18:15:00Z'],
];

type Step =
  | { readonly kind: 'take'; readonly key: number; readonly times: number }
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'crash' | 'stop' };

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        key: fc.integer({ min: 1, max: KEYS }),
        times: fc.integer({ min: 1, max: 2 * AMOUNT }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('jump' as const),
        ms: fc.constantFrom(
          ...[1, MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, DAY_MS, 31 * DAY_MS].flatMap((ms) => [ms, -ms]),
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'stop' as const) }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** Text of a period, in the order of time: by the local date alone. */
function namer(period: Period, zone: string): (wallMs: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone });
  return (wallMs) => {
    const date = format.format(wallMs);
    const [year, month] = date.split('-') as [string, string];
    if (period === 'day') return date;
    if (period === 'month') return `${year}-${month}`;
    if (period === 'quarter') return `${year}-Q${Math.ceil(Number(month) / 3)}`;
    if (period === 'year') return year;
    const noon = new Date(`${date}T12:00:00Z`);
    const monday = new Date(noon.getTime() - ((noon.getUTCDay() + 6) % 7) * DAY_MS);
    return monday.toISOString().slice(0, 10);
  };
}

type KeptMark = Parameters<QuotaMarks['write']>[0][number];

/** As a store keeps them, in memory: nothing of the disk is tested here. There is one quota. */
function keptMarks(kept: Map<string, KeptMark>): QuotaMarks {
  const nameOf = ({ key }: Parameters<QuotaMarks['read']>[0]): string =>
    key === 'shared' ? key : String(key.keyHigh);
  return {
    read: (name) => ok(kept.get(nameOf(name)) ?? null),
    count: () => ok(kept.size),
    of: () => ok([...kept.values()].map((mark) => ({ key: mark.key, mark }))),
    write(marks, removed = []) {
      for (const mark of marks) kept.set(nameOf(mark), mark);
      for (const name of removed) kept.delete(nameOf(name));
      return ok(undefined);
    },
    rename: () => ok(undefined),
    forgetEndedBefore: () => ok(0),
  };
}

interface Account {
  period: string;
  spent: number;
  lost: number;
}

function run(
  clock: TestClock,
  specs: readonly CounterSpec[],
  nameOf: (ms: number) => string,
  steps: readonly Step[],
): void {
  const kept = new Map<string, KeptMark>();
  const marks = keptMarks(kept);
  let process = new QuotaProcess(specs, marks, clock);
  const accounts = new Map<number, Account>();
  const accountOf = (key: number): Account => {
    const period = nameOf(clock.wallMs);
    const known = accounts.get(key);
    // never back: what was reached goes on
    if (known !== undefined && known.period >= period) return known;
    const fresh = { period, spent: 0, lost: 0 };
    // what only looked at it has begun nothing
    return fresh;
  };
  for (const step of steps) {
    if (step.kind === 'jump') clock.wallMs += step.ms;
    else if (step.kind === 'take') {
      for (let at = 0; at < step.times; at++) {
        const account = accountOf(step.key);
        const result = process.take({ counter: 0, key: step.key, weight: 1 });
        if (result === TAKEN) {
          expect(account.spent, `in ${account.period}`).toBeLessThan(AMOUNT);
          account.spent++;
          accounts.set(step.key, account);
        } else {
          expect(result).toBe(EXCEEDED);
          expect(account.spent + account.lost, `refused in ${account.period}`).toBeGreaterThanOrEqual(AMOUNT);
        }
      }
    } else {
      if (step.kind === 'stop') process.stop();
      // Also at a stop: what is open in a period that the clock shows to be over is not given back, and the clock may be set back into it.
      for (const [key, account] of accounts) account.lost = kept.get(String(key))!.used - account.spent;
      process = new QuotaProcess(specs, marks, clock);
    }
  }
}

it('no jump gives more than the amount, nor less than what crashes lose', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ODD_MOMENTS),
      fc.constantFrom(...PERIODS),
      fc.integer({ min: -2 * HOUR_MS, max: 2 * HOUR_MS }),
      STEPS,
      ([zone, at], period, offsetMs, steps) => {
        const clock = { monotonicMs: 1_000_000, wallMs: Date.parse(at) + offsetMs };
        run(
          clock,
          [spec('q', { kind: 'calendar', amount: AMOUNT, period, zone })],
          namer(period, zone),
          steps,
        );
      },
    ),
    { numRuns: 150 },
  );
});
