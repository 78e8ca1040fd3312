import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeterReport, MeterSpec } from '../model/provider-limits.ts';
import type { AskedAmounts } from '../pipeline/key-pool.ts';
import { laneBytes } from './lane-layout.ts';
import type { LaneTicket } from './lane-ticket.ts';
import { Lanes } from './lanes.ts';

const MINUTE_MS = 60_000;

function lanesOf(count: number): Lanes {
  return new Lanes({ memory: new SharedArrayBuffer(laneBytes(count)), lanes: count, proofMs: 30_000 });
}

function declared(unit: MeterSpec['unit'], amount: number, kind: MeterSpec['kind'] = 'bucket'): MeterSpec {
  return { unit, kind, amount, windowMs: kind === 'slots' ? 0 : MINUTE_MS, source: 'declared' };
}

function tokens(input: number, output = 0): AskedAmounts {
  return { inputTokens: input, outputTokens: output, costNano: 0, countedTokens: null };
}

/** Token buckets as a provider runs them, written as plainly as can be. */
class Provider {
  readonly #limits: Map<MeterSpec['unit'], { amount: number; left: number; atMs: number }>;
  refused = 0;
  servedTokens = 0;

  constructor(limits: Readonly<Partial<Record<MeterSpec['unit'], number>>>) {
    this.#limits = new Map(
      Object.entries(limits).map(([unit, amount]) => [
        unit as MeterSpec['unit'],
        { amount, left: amount, atMs: 0 },
      ]),
    );
  }

  lower(unit: MeterSpec['unit'], amount: number): void {
    const limit = this.#limits.get(unit)!;
    limit.left = amount - (limit.amount - limit.left);
    limit.amount = amount;
  }

  answer(
    size: number,
    nowMs: number,
  ): { readonly isRefused: boolean; readonly reports: readonly MeterReport[] } {
    for (const limit of this.#limits.values()) {
      limit.left = Math.min(limit.amount, limit.left + ((nowMs - limit.atMs) * limit.amount) / MINUTE_MS);
      limit.atMs = nowMs;
    }
    const need = (unit: MeterSpec['unit']): number => (unit === 'requests' ? 1 : size);
    const entries = [...this.#limits];
    const fits = entries.every(([unit, limit]) => limit.left >= need(unit));
    if (fits) {
      for (const [unit, limit] of entries) limit.left -= need(unit);
      this.servedTokens += size;
    } else {
      this.refused++;
    }
    const reports = entries.map(([unit, { amount, left }]) => ({
      unit,
      amount,
      windowMs: MINUTE_MS,
      // Providers tell no debts.
      remaining: Math.max(0, Math.floor(left)),
      resetMs: Math.ceil(((amount - left) * MINUTE_MS) / amount),
    }));
    return { isRefused: !fits, reports };
  }
}

interface Run {
  readonly lanes: Lanes;
  readonly provider: Provider;
  readonly seed: number;
  readonly untilMs: number;
  readonly reports: 'told' | 'silent';
  /** Between calls, where nothing else holds them back. */
  readonly gapMs?: number;
  readonly onTime?: (nowMs: number) => void;
}

/** A backlog without end, calls of all sizes, latencies of 20 … 400 ms of which a part lies before the provider counts. */
function drive({ lanes, provider, seed, untilMs, reports, gapMs = 0, onTime }: Run): void {
  const random = seeded(seed);
  const events: { atMs: number; run: (nowMs: number) => void }[] = [];
  const schedule = (atMs: number, run: (nowMs: number) => void): void => {
    const place = events.findIndex((event) => event.atMs > atMs);
    events.splice(place === -1 ? events.length : place, 0, { atMs, run });
  };
  const send = (nowMs: number): void => {
    const size = 50 + Math.floor(random() * 3_000);
    const attempt = (atMs: number): void => {
      const ticket = lanes.take([0], tokens(size), atMs);
      if (typeof ticket === 'number') {
        schedule(ticket, attempt);
        return;
      }
      schedule(atMs + 10 + random() * 100, (countedMs) => {
        const { isRefused, reports: said } = provider.answer(size, countedMs);
        schedule(countedMs + 10 + random() * 300, (doneMs) => {
          if (isRefused) lanes.close(0, doneMs + 1_000, 0);
          lanes.settle(
            ticket,
            isRefused ? 'refused' : tokens(size),
            reports === 'silent' ? [] : said,
            doneMs,
          );
        });
      });
      schedule(atMs + gapMs, send);
    };
    attempt(nowMs);
  };
  schedule(0, send);
  for (let event = events.shift(); event !== undefined && event.atMs < untilMs; event = events.shift()) {
    onTime?.(event.atMs);
    event.run(event.atMs);
  }
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('lanes', () => {
  it('use what a provider gives, and never more', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom('told' as const, 'silent' as const),
        fc.integer({ min: 20, max: 2_000 }),
        (seed, reports, rpm) => {
          const tpm = 200_000;
          const provider = new Provider({ requests: rpm, tokens: tpm });
          const lanes = lanesOf(1);
          lanes.declare(0, [declared('requests', rpm), declared('tokens', tpm)], 0);
          const untilMs = 4 * MINUTE_MS;
          drive({ lanes, provider, seed, untilMs, reports });
          expect(provider.refused).toBe(0);
          const most = Math.min(tpm, rpm * 1_549) * (1 + untilMs / MINUTE_MS);
          if (rpm > 200) expect(provider.servedTokens).toBeGreaterThan(0.985 * most);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('learn limits that nobody declared from the first answer', () => {
    const provider = new Provider({ requests: 500, tokens: 100_000 });
    const lanes = lanesOf(1);
    drive({ lanes, provider, seed: 1, untilMs: 3_000, reports: 'told', gapMs: 5 });
    drive({ lanes, provider, seed: 2, untilMs: 3 * MINUTE_MS, reports: 'told', gapMs: 5 });
    expect(provider.refused).toBeLessThanOrEqual(1);
    expect(provider.servedTokens).toBeGreaterThan(0.97 * 4 * 100_000);
  });

  it('plan with lowered limits as soon as one answer has told them', () => {
    const provider = new Provider({ requests: 2_000, tokens: 400_000 });
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('requests', 2_000), declared('tokens', 400_000)], 0);
    let lowered = false;
    drive({
      lanes,
      provider,
      seed: 7,
      untilMs: 3 * MINUTE_MS,
      reports: 'told',
      onTime: (nowMs) => {
        if (lowered || nowMs < MINUTE_MS) return;
        lowered = true;
        provider.lower('tokens', 200_000);
      },
    });
    // Those that were under way when it happened.
    expect(provider.refused).toBeLessThanOrEqual(12);
  });

  it('give back what a call did not take, once', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('tokens', 1_000)], 0);
    const ticket = lanes.take([0], tokens(600, 300), 0);
    expect(typeof ticket).toBe('object');
    expect(lanes.headroom([0], tokens(100), 0)).toBeCloseTo(0);
    if (typeof ticket === 'number') return;
    lanes.settle(ticket, tokens(100, 100), [], 0);
    lanes.settle(ticket, tokens(0), [], 0);
    expect(lanes.headroom([0], tokens(0), 0)).toBeCloseTo(0.8);
  });

  it('are in debt by a window at most, whatever an answer says that its call took, and by nothing once a person says so', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('tokens', 1_000), declared('requests', 100, 'fixed')], 0);
    const ticket = lanes.take([0], tokens(100), 0);
    if (typeof ticket === 'number') throw new Error('it fits');
    const told = { inputTokens: 9e15, outputTokens: 9e15, costNano: 9e15 };
    expect(lanes.settle(ticket, told, [], 0)).toBe(false);
    const fitsAtMs = lanes.fitsAtMs([0], tokens(100), 0);
    expect(fitsAtMs).toBeGreaterThan(MINUTE_MS);
    expect(fitsAtMs).toBeLessThan(MINUTE_MS * 1.2);
    lanes.open(0, 0);
    expect(lanes.fitsAtMs([0], tokens(100), 0)).toBe(0);
    // what is used of a limit that is in no debt stays used
    expect(lanes.read(0, 0).meters[1]).toMatchObject({ unit: 'requests', left: 99 });
  });

  it('are in debt by what a call took beyond its estimate', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('tokens', 1_000)], 0);
    const ticket = lanes.take([0], tokens(100), 0);
    if (typeof ticket === 'number') throw new Error('it fits');
    expect(lanes.settle(ticket, tokens(1_900), [], 0)).toBe(true);
    expect(lanes.read(0, 0).meters[0]).toMatchObject({ left: -900 });
  });

  it('keep a debt of before they were lowered, of which a call says nothing', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('tokens', 1_000)], 0);
    const [first, second] = [lanes.take([0], tokens(500), 0), lanes.take([0], tokens(300), 0)];
    if (typeof first === 'number' || typeof second === 'number') throw new Error('both fit');
    lanes.declare(0, [declared('tokens', 100)], 0);
    expect(lanes.settle(first, tokens(500), [], 0)).toBe(true);
    expect(lanes.settle(second, tokens(310), [], 0)).toBe(false);
    expect(lanes.read(0, 0).meters[0]).toMatchObject({ left: -700 });
  });

  it('learn nothing of prompts from calls that tell no tokens', () => {
    const lanes = lanesOf(2);
    for (let nth = 0; nth < 200; nth++) {
      const ticket = lanes.take([0, 1], tokens(1_000), 0);
      if (typeof ticket === 'number') throw new Error('it fits');
      lanes.settle(ticket, { inputTokens: 0, outputTokens: 0, costNano: 0 }, [], 0);
    }
    expect([0, 1].map((lane) => lanes.expectedTokens(lane, tokens(1_000)))).toEqual([1_000, 1_000]);
  });

  it('take from all lanes or from none', () => {
    const lanes = lanesOf(2);
    lanes.declare(0, [declared('requests', 100)], 0);
    lanes.declare(1, [declared('tokens', 10)], 0);
    expect(lanes.take([0, 1], tokens(50), 0)).toBe(Number.POSITIVE_INFINITY);
    expect(lanes.headroom([0], tokens(0), 0)).toBeCloseTo(0.99);
  });

  it('let one call through after a refusal, and the others once that one is back', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('requests', 100)], 0);
    lanes.close(0, 5_000, 0);
    expect(lanes.take([0], tokens(1), 4_999)).toBe(5_000);
    const proof = lanes.take([0], tokens(1), 5_000);
    expect(typeof proof).toBe('object');
    // Its proof may end at any moment: who asks is told to look again soon.
    expect(lanes.take([0], tokens(1), 5_001)).toBe(5_026);
    if (typeof proof === 'number') return;
    lanes.settle(proof, 'unknown', [], 5_100);
    const another = lanes.take([0], tokens(1), 5_101);
    expect(typeof another).toBe('object');
    expect(lanes.take([0], tokens(1), 5_102)).toBe(5_127);
    if (typeof another === 'number') return;
    lanes.settle(another, tokens(1), [], 5_200);
    for (let nth = 0; nth < 3; nth++) expect(typeof lanes.take([0], tokens(1), 5_201)).toBe('object');
  });

  describe('after a refusal, while the answer of the one call that goes first is long in coming', () => {
    const proving = () => {
      const lanes = lanesOf(1);
      lanes.close(0, 5_000, 0);
      const proof = lanes.take([0], tokens(1), 5_000) as LaneTicket;
      expect(lanes.read(0, 5_001)).toMatchObject({ isProving: true, proofDueMs: 35_000 });
      expect(typeof lanes.take([0], tokens(1), 34_999)).toBe('number');
      return { lanes, proof };
    };
    const takes = (lanes: Lanes, nowMs: number) =>
      Array.from({ length: 3 }, () => typeof lanes.take([0], tokens(1), nowMs));

    it('let all go once it would have been refused', () => {
      const { lanes } = proving();
      expect(lanes.read(0, 35_000)).toMatchObject({ isProving: false });
      expect(takes(lanes, 35_000)).toEqual(['object', 'object', 'object']);
    });

    it('are closed as ever when it is refused all the same', () => {
      const { lanes, proof } = proving();
      takes(lanes, 35_000);
      lanes.close(0, 50_000, 40_000);
      lanes.settle(proof, 'refused', [], 40_000);
      expect(takes(lanes, 45_000)).toEqual(['number', 'number', 'number']);
      expect(takes(lanes, 50_000)).toEqual(['object', 'number', 'number']);
    });

    it.each(['answered', 'given up'])('hear nothing from it of a later refusal, be it %s', (end) => {
      const { lanes, proof } = proving();
      takes(lanes, 35_000);
      lanes.close(0, 50_000, 40_000);
      const next = lanes.take([0], tokens(1), 50_000) as LaneTicket;
      lanes.settle(proof, end === 'answered' ? tokens(1) : 'unknown', [], 50_001);
      expect(takes(lanes, 50_002)).toEqual(['number', 'number', 'number']);
      lanes.settle(next, tokens(1), [], 50_003);
      expect(takes(lanes, 50_004)).toEqual(['object', 'object', 'object']);
    });
  });

  it('count calls in flight as slots', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('slots', 2, 'slots')], 0);
    const [one, two] = [lanes.take([0], tokens(1), 0), lanes.take([0], tokens(1), 0)];
    expect(typeof lanes.take([0], tokens(1), 0)).toBe('number');
    if (typeof one === 'number' || typeof two === 'number') throw new Error('both fit');
    lanes.settle(one, 'unknown', [], 10);
    expect(typeof lanes.take([0], tokens(1), 10)).toBe('object');
  });

  it('keep what is in use when limits are declared anew', () => {
    const lanes = lanesOf(1);
    lanes.declare(0, [declared('requests', 100)], 0);
    for (let call = 0; call < 60; call++) lanes.take([0], tokens(1), 0);
    lanes.declare(0, [declared('tokens', 50), declared('requests', 80)], 0);
    expect(lanes.headroom([0], tokens(0), 0)).toBeCloseTo(19 / 80);
  });
});
