/** Forecasts against what comes to pass: limits, loads and times of day are drawn, and the clock is ours. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { exhaustion, type MeterState } from './exhaustion.ts';
import { Forecasts } from './forecasts.ts';
import type { KeyState } from './key-states.ts';
import type { MeterReading } from './meters.ts';
import type { KeyReading, PoolReading } from './pool-registry.ts';
import { DAY_SLOT_MS, UseProfile } from './use-profile.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Looked at every `everyMs` from `fromMs` to `untilMs`, with what `rateAt` uses. */
function observed(
  rateAt: (wallMs: number) => number,
  fromMs: number,
  untilMs: number,
  everyMs: number,
): UseProfile {
  const profile = new UseProfile();
  for (let atMs = fromMs + everyMs; atMs <= untilMs; atMs += everyMs)
    profile.observe(rateAt(atMs - everyMs / 2) * everyMs, everyMs, atMs);
  return profile;
}

describe('a limit that is used evenly', () => {
  it('is used up when it is forecast, or never', () => {
    const cases = fc.record({
      kind: fc.constantFrom('bucket' as const, 'fixed' as const),
      amount: fc.integer({ min: 10, max: 1_000_000 }),
      share: fc.double({ min: 0.05, max: 1, noNaN: true }),
      /** Of what comes back. */
      load: fc.double({ min: 0.1, max: 8, noNaN: true }),
      windowMs: fc.constantFrom(1_000, MINUTE_MS, DAY_MS),
    });
    fc.assert(
      fc.property(cases, ({ kind, amount, share, load, windowMs }) => {
        const refill = amount / windowMs;
        const rate = refill * load;
        const meter: MeterState = { kind, windowMs, amount, left: amount * share, endsInMs: windowMs };
        const { currentMs } = exhaustion(
          meter,
          observed(() => rate, 0, 10 * MINUTE_MS, 1_000),
          10 * MINUTE_MS,
        );
        const truth = (amount * share) / (rate - (kind === 'bucket' ? refill : 0));
        const horizonMs = kind === 'bucket' ? DAY_MS : windowMs;
        if (truth > 0 && truth < horizonMs * 0.99) expect(currentMs! / truth).toBeCloseTo(1, 2);
        else if (truth < 0 || truth > horizonMs * 1.01) expect(currentMs).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});

describe('a limit that is used as on the days before', () => {
  it('is used up at the time of day at which it will be, though nothing is used now', () => {
    const day = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 24, maxLength: 24 });
    fc.assert(
      fc.property(
        day,
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 1, max: 400 }),
        (hours, hour, left) => {
          const rateAt = (wallMs: number): number =>
            hours[Math.floor((wallMs % DAY_MS) / 3_600_000)]! / 3_600_000;
          const nowMs = 2 * DAY_MS + hour * 3_600_000;
          const profile = observed(rateAt, 0, nowMs, MINUTE_MS);
          const meter: MeterState = {
            kind: 'fixed',
            windowMs: DAY_MS,
            amount: 1_000,
            left,
            endsInMs: DAY_MS,
          };
          const { seasonalMs } = exhaustion(meter, profile, nowMs);
          const usedIn = (forMs: number): number => {
            let used = 0;
            for (let atMs = 0; atMs < forMs; atMs += MINUTE_MS) used += rateAt(nowMs + atMs) * MINUTE_MS;
            return used;
          };
          // What two slots of the fullest hour hold is not told apart; while little is used that is long, so amounts are compared.
          const tolerance = (Math.max(...hours) / 3_600_000) * 2 * DAY_SLOT_MS + 1;
          if (seasonalMs === null) expect(usedIn(DAY_MS)).toBeLessThanOrEqual(left + tolerance);
          else {
            expect(usedIn(seasonalMs)).toBeGreaterThanOrEqual(left - tolerance);
            expect(usedIn(seasonalMs)).toBeLessThanOrEqual(left + tolerance);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('is used up at the moment of a later day at which it will be, and no day is gone through twice', () => {
    // Ten a minute from noon to one o'clock.
    const rateAt = (wallMs: number): number =>
      Math.floor(wallMs / 3_600_000) % 24 === 12 ? 10 / MINUTE_MS : 0;
    const looks = { count: 0 };
    const rate = {
      current: 0,
      seasonalMost: 10 / MINUTE_MS,
      seasonalAt(wallMs: number) {
        looks.count++;
        return rateAt(wallMs);
      },
    };
    const forecastOf = (left: number, days: number, hour = 0): number | null => {
      const fixed = { kind: 'fixed', windowMs: 30 * DAY_MS, amount: 100_000 } as const;
      const meter: MeterState = { ...fixed, left, endsInMs: days * DAY_MS };
      return exhaustion(meter, rate, 50 * DAY_MS + hour * 3_600_000).seasonalMs;
    };
    const HALF_PAST = 12 * 3_600_000 + 30 * MINUTE_MS;
    expect(forecastOf(300, 30)).toBeCloseTo(HALF_PAST, -2);
    expect(forecastOf(3 * 600 + 300, 30)).toBeCloseTo(3 * DAY_MS + HALF_PAST, -2);
    expect(forecastOf(29 * 600 + 300, 30)).toBeCloseTo(29 * DAY_MS + HALF_PAST, -2);
    // The hour of today is over.
    expect(forecastOf(3 * 600 + 300, 30, 13)).toBeCloseTo(3 * DAY_MS + HALF_PAST + 11 * 3_600_000, -2);
    expect(forecastOf(3 * 600, 30)! / DAY_MS).toBeGreaterThan(2.5);
    expect(forecastOf(4 * 600 + 300, 4)).toBeNull();
    looks.count = 0;
    expect(forecastOf(30 * 600 + 300, 30)).toBeNull();
    expect(looks.count).toBeLessThan(1_200);
  });

  it('is reckoned once for each look, and comes nearer meanwhile', () => {
    const forecasts = new Forecasts();
    const month: MeterReading = {
      ...RPM,
      kind: 'fixed',
      windowMs: 30 * DAY_MS,
      amount: 1_000_000,
      endsMs: 30 * DAY_MS,
    };
    const reading = (left: number): PoolReading => {
      const one = pool({ lane: 0, left });
      const [key] = one.keys;
      return { ...one, keys: [{ ...key!, lanes: [{ ...key!.lanes[0]!, meters: [{ ...month, left }] }] }] };
    };
    for (let minute = 0; minute <= 20; minute++)
      forecasts.observe([reading(1_000_000 - minute * 1_000)], minute * MINUTE_MS, minute * MINUTE_MS);
    const nowMs = 20 * MINUTE_MS;
    const first = forecasts.of(reading(980_000), nowMs, nowMs);
    expect(first.seasonalMs! / MINUTE_MS).toBeCloseTo(980, 0);
    const looks = vi.spyOn(UseProfile.prototype, 'seasonalAt');
    const second = forecasts.of(reading(980_000), nowMs + 500, nowMs + 500);
    expect(second.seasonalMs).toBe(first.seasonalMs! - 500);
    expect(second.keys.get('k0')!.seasonalMs).toBe(second.seasonalMs);
    expect(looks).not.toHaveBeenCalled();
    forecasts.observe([reading(979_983)], nowMs + 1_000, nowMs + 1_000);
    forecasts.of(reading(979_983), nowMs + 1_000, nowMs + 1_000);
    expect(looks).toHaveBeenCalled();
    looks.mockRestore();
  });

  it('takes a day whose end moves a little for the same day', () => {
    const forecasts = new Forecasts();
    const reading = (second: number): PoolReading => {
      const day = { ...RPM, kind: 'daily', windowMs: DAY_MS, amount: 1_000_000 } as const;
      const one = pool({ lane: 0, left: 0 });
      const [key] = one.keys;
      const meters = [{ ...day, left: 900_000 - second, endsMs: DAY_MS + (second % 2) * 60 }];
      return { ...one, keys: [{ ...key!, lanes: [{ ...key!.lanes[0]!, meters }] }] };
    };
    for (let second = 0; second <= 600; second++)
      forecasts.observe([reading(second)], second * 1_000, second * 1_000);
    // One a second leaves most of it over; what was used before counted once.
    expect(forecasts.of(reading(600), 600_000, 600_000).currentMs).toBeNull();
  });

  it('goes by the same minute of former hours while no day is known', () => {
    const rateAt = (wallMs: number): number =>
      Math.floor(wallMs / MINUTE_MS) % 60 === 30 ? 100 / MINUTE_MS : 0;
    const nowMs = 3 * 3_600_000 + 10 * MINUTE_MS;
    const profile = new UseProfile();
    // Not long enough in one place for a slot of the day.
    for (let hour = 1; hour < 3; hour++)
      for (let minute = 29; minute < 31; minute++)
        for (let second = 1; second <= 60; second++) {
          const atMs = hour * 3_600_000 + minute * MINUTE_MS + second * 1_000;
          profile.observe(rateAt(atMs - 500) * 1_000, 1_000, atMs);
        }
    profile.observe(0, 10 * MINUTE_MS, nowMs);
    const meter: MeterState = { kind: 'fixed', windowMs: DAY_MS, amount: 100, left: 50, endsInMs: DAY_MS };
    const { seasonalMs } = exhaustion(meter, profile, nowMs);
    expect(seasonalMs! / MINUTE_MS).toBeGreaterThan(20);
    expect(seasonalMs! / MINUTE_MS).toBeLessThanOrEqual(21);
  });
});

const RPM: MeterReading = {
  unit: 'requests',
  kind: 'bucket',
  windowMs: MINUTE_MS,
  amount: 60,
  left: 60,
  endsMs: 0,
  isDeclared: true,
};

function pool(
  ...keys: readonly { readonly lane: number; readonly left: number; readonly state?: KeyState }[]
): PoolReading {
  return {
    pool: { name: 'p' } as PoolReading['pool'],
    keys: keys.map(
      ({ lane, left, state = 'active' }, nth): KeyReading => ({
        key: { name: `k${nth}` } as KeyReading['key'],
        state,
        changes: 0,
        lastEvent: 'answered',
        inFlight: 0,
        doubted: 0,
        creditAtMs: null,
        secretSinceMs: 0,
        rotation: null,
        lanes: [
          { lane, model: 'm', closedUntilMs: 0, isProving: false, proofDueMs: 0, meters: [{ ...RPM, left }] },
        ],
      }),
    ),
  };
}

describe('the forecast of a pool', () => {
  const of = (reading: PoolReading) => new Forecasts().of(reading, 0, 0);

  it('counts what its keys have together, an account once', () => {
    expect(of(pool({ lane: 0, left: 60 }, { lane: 1, left: 0 })).headroom).toBe(0.5);
    expect(of(pool({ lane: 0, left: 30 }, { lane: 0, left: 30 })).headroom).toBe(0.5);
    expect(of(pool({ lane: 0, left: 60, state: 'invalid' }, { lane: 0, left: 60 })).headroom).toBe(1);
  });

  it('misses what a key that is lost had, and not what a person has set aside', () => {
    expect(of(pool({ lane: 0, left: 60 }, { lane: 1, left: 60, state: 'invalid' })).headroom).toBe(0.5);
    expect(of(pool({ lane: 0, left: 60 }, { lane: 1, left: 60, state: 'disabled' })).headroom).toBe(1);
    expect(of(pool({ lane: 0, left: 60, state: 'invalid' }))).toMatchObject({ headroom: 0, currentMs: 0 });
  });

  it('says when the last of its keys is used up, and of each key when that is', () => {
    const forecasts = new Forecasts();
    let left = 60;
    // Of two keys one a second each leaves nothing over; the other is not used.
    for (let second = 0; second <= 300; second++) {
      left = 60 - (second % 2);
      forecasts.observe([pool({ lane: 0, left }, { lane: 1, left: 60 })], second * 1_000, second * 1_000);
    }
    expect(
      forecasts.of(pool({ lane: 0, left: 60 }, { lane: 1, left: 60 }), 301_000, 301_000).currentMs,
    ).toBeNull();
    const busy = new Forecasts();
    for (let second = 0; second <= 10; second++)
      busy.observe(
        [pool({ lane: 0, left: 60 - 3 * second }, { lane: 1, left: 60 })],
        second * 1_000,
        second * 1_000,
      );
    // Four a second leave three more than come back: 30 are gone in ten seconds.
    const forecast = busy.of(pool({ lane: 0, left: 30 }, { lane: 1, left: 60 }), 10_000, 10_000);
    expect(forecast.keys.get('k0')!.currentMs! / 1_000).toBeCloseTo(10, 0);
    // Both together get two a second back, and four are used.
    expect(Math.abs(forecast.currentMs! / 1_000 - 45)).toBeLessThan(3);
    expect(forecast.keys.get('k1')!.currentMs).toBeNull();
  });
});
