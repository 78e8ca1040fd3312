/** Limits of days and months against the plainest model of them: what was used of each, by the name that `Intl` gives it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyLimit } from '../model/pools.ts';
import type { LaneTicket } from './lane-ticket.ts';
import { Models, perMinute } from './model-call.cases.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const AMOUNTS = { daily: 1_000, monthly: 5_000 } as const;
type Kind = keyof typeof AMOUNTS;
const ZONES = ['UTC', 'America/Los_Angeles', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Santiago'];

function limit(kind: Kind, zone: string | null): KeyLimit {
  const windowMs = kind === 'daily' ? DAY_MS : 30 * DAY_MS;
  return { ...perMinute('cost', AMOUNTS[kind]), kind, windowMs, per: 'account', zone };
}

function money(costNano: number) {
  return { inputTokens: 0, outputTokens: 0, costNano, countedTokens: null };
}

/** A gateway with one key that may spend so much, and what was spent by days and months. */
class Spending {
  readonly #zone: string;
  readonly #used = new Map<string, number>();
  #models: Models;
  #underWay: { readonly ticket: LaneTicket; readonly cost: number; readonly names: readonly string[] }[] = [];

  constructor(zone: string, wallMs: number) {
    this.#zone = zone;
    this.#models = this.#begun({ nowMs: 5_000_000, wallAheadMs: wallMs - 5_000_000 });
  }

  #begun(options: Partial<ConstructorParameters<typeof Models>[0]>): Models {
    const limits = [limit('daily', this.#zone), limit('monthly', this.#zone)];
    return new Models({ pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }], ...options });
  }

  get #wallMs(): number {
    return this.#models.nowMs + this.#models.wallAheadMs;
  }

  get #lane(): number {
    const { lanes } = this.#models.registry.inspect(this.#models.models)[0]!.keys[0]!;
    return lanes.find(({ model }) => model === null)!.lane;
  }

  #names(wallMs: number): readonly [string, string] {
    const day = new Intl.DateTimeFormat('en-CA', { timeZone: this.#zone, dateStyle: 'short' }).format(wallMs);
    return [day, day.slice(0, 7)];
  }

  #left(name: string): number {
    const amount = name.length > 7 ? AMOUNTS.daily : AMOUNTS.monthly;
    return amount - (this.#used.get(name) ?? 0);
  }

  pass(ms: number): void {
    this.#models.pass(ms);
    this.#models.registry.alignPeriods();
  }

  call(cost: number): void {
    const names = this.#names(this.#wallMs);
    const { lanes } = this.#models.registry;
    const taken = lanes.take([this.#lane], money(cost), this.#models.nowMs);
    const lacking = names.filter((name) => this.#left(name) < cost);
    if (typeof taken !== 'number') {
      expect(lacking).toEqual([]);
      for (const name of names) this.#used.set(name, (this.#used.get(name) ?? 0) + cost);
      this.#underWay.push({ ticket: taken, cost, names });
      return;
    }
    expect(lacking).not.toEqual([]);
    // It fits with the first instant of the next period, and not before.
    const ends = this.#names(taken + this.#models.wallAheadMs);
    const before = this.#names(taken - 1 + this.#models.wallAheadMs);
    for (const nth of [0, 1])
      if (lacking.includes(names[nth]!))
        expect([ends[nth] === names[nth], before[1]]).toEqual([false, names[1]]);
  }

  answer(part: number): void {
    const call = this.#underWay.shift();
    if (call === undefined) return;
    const actual = Math.floor(call.cost * part);
    this.#models.registry.lanes.settle(call.ticket, money(actual), [], this.#models.nowMs);
    const now = this.#names(this.#wallMs);
    for (const name of call.names)
      if (now.includes(name)) this.#used.set(name, this.#used.get(name)! - call.cost + actual);
  }

  /** Another process, some time later, whose monotonic clock says something else. */
  restart(downMs: number, nowMs: number): void {
    const saved = JSON.parse(JSON.stringify(this.#models.registry.save(this.#models.models)));
    const wallMs = this.#wallMs + downMs;
    const shiftMs = nowMs - this.#models.nowMs - downMs;
    this.#underWay = [];
    this.#models = this.#begun({ restores: { saved, shiftMs }, nowMs, wallAheadMs: wallMs - nowMs });
  }

  check(): void {
    const { meters } = this.#models.registry.lanes.read(this.#lane, this.#models.nowMs);
    const [day, month] = this.#names(this.#wallMs);
    expect(meters.map(({ kind, left }) => [kind, left])).toEqual([
      ['daily', this.#left(day)],
      ['monthly', this.#left(month)],
    ]);
  }
}

describe('money of a day and of a month', () => {
  it('is that of the calendar of its zone, whatever passes, and over restarts', () => {
    const steps = fc.oneof(
      fc.record({ pass: fc.oneof(fc.nat(3 * HOUR_MS), fc.nat(3 * DAY_MS), fc.nat(40 * DAY_MS)) }),
      fc.record({ call: fc.integer({ min: 1, max: 600 }) }),
      fc.record({ answer: fc.constantFrom(0, 0.5, 1) }),
      fc.record({
        down: fc.oneof(fc.nat(HOUR_MS), fc.nat(50 * DAY_MS)),
        nowMs: fc.integer({ min: 1, max: DAY_MS }),
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) }),
        fc.array(steps, { maxLength: 30 }),
        (zone, wallMs, doings) => {
          const spending = new Spending(zone, wallMs);
          for (const doing of doings) {
            if ('pass' in doing) spending.pass(doing.pass);
            else if ('call' in doing) spending.call(doing.call);
            else if ('answer' in doing) spending.answer(doing.answer);
            else spending.restart(doing.down, doing.nowMs);
            spending.check();
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has the days of its provider where nobody says more, and of UTC where that says nothing', () => {
    const nowMs = Date.UTC(2026, 10, 30, 23);
    const endIn = (zone: string | null, dailyZone: string | null): number => {
      const pools = [{ name: 'pool', keys: [{ name: 'a', limits: [limit('daily', zone)] }] }];
      const { registry } = new Models({ pools, provider: { dailyZone }, nowMs });
      return registry.lanes.read(0, nowMs).meters[0]!.endsMs - nowMs;
    };
    expect(endIn(null, null)).toBe(HOUR_MS);
    expect(endIn(null, 'America/Los_Angeles')).toBe(9 * HOUR_MS);
    expect(endIn('Europe/Berlin', 'America/Los_Angeles')).toBe(24 * HOUR_MS);
  });

  it('keeps what is in use when its rule becomes another one', () => {
    const nowMs = Date.UTC(2026, 10, 30, 12);
    const day = { ...limit('daily', null), unit: 'requests', per: 'model' } as const;
    const [evenly, atOnce] = [
      { ...day, kind: 'bucket' } as const,
      { ...day, kind: 'bucket', zone: 'UTC' } as const,
    ];
    const options = (limits: readonly KeyLimit[]) => ({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }],
      nowMs,
    });
    const { registry, models } = new Models(options([evenly]));
    registry.lanes.take([0], money(0), nowMs);
    registry.activate(new Models(options([atOnce])).models);
    expect(registry.lanes.read(0, nowMs).meters).toMatchObject([
      { kind: 'daily', left: 999, endsMs: nowMs + 12 * HOUR_MS },
    ]);
    registry.activate(models);
    expect(registry.lanes.read(0, nowMs).meters).toMatchObject([{ kind: 'bucket', left: 999 }]);
  });
});
