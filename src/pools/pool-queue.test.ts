import { describe, expect, it, vi } from 'vitest';
import type { MeterSpec } from '../model/provider-limits.ts';
import type { CallEstimate } from './call-cost.ts';
import type { Candidate, Chosen, NoRoom } from './choice.ts';
import { FairShares, fairSharesCells } from './fair-shares.ts';
import { laneBytes } from './lane-layout.ts';
import { Lanes } from './lanes.ts';
import { PoolQueue, type Waiter, workOf } from './pool-queue.ts';

const MINUTE_MS = 60_000;
/** Of no price. */
function estimate(inputTokens: number): CallEstimate {
  return { inputTokens, outputTokens: 0, costNano: 0, countedTokens: null, requests: 1, prices: [null] };
}

/** The buckets are full at first: nobody waits, and nothing has to be shared. */
const WARM_MS = 30_000;

interface Scenario {
  /** Tokens a minute and requests a minute of each key. */
  readonly keys: readonly { readonly tpm: number; readonly rpm: number }[];
  readonly tenants: readonly {
    readonly weight: number;
    readonly callsPerMinute: number;
    readonly size: () => number;
  }[];
  readonly minutes: number;
  readonly deadlineMs: number;
}

interface Report {
  readonly servedTokens: number;
  /** Of each tenant: tokens over weight. */
  readonly shares: readonly number[];
  readonly refusedCalls: readonly number[];
  readonly waitedMsMax: number;
}

/** Two threads over one memory, in one virtual time. */
function simulate({ keys, tenants, minutes, deadlineMs }: Scenario, seed: number): Report {
  const random = seeded(seed);
  const memory = new SharedArrayBuffer(laneBytes(keys.length));
  const setUp = new Lanes({ memory, lanes: keys.length, proofMs: 30_000 });
  keys.forEach(({ tpm, rpm }, key) => {
    const meter = (unit: MeterSpec['unit'], amount: number): MeterSpec => ({
      unit,
      kind: 'bucket',
      amount,
      windowMs: MINUTE_MS,
      source: 'declared',
    });
    setUp.declare(key, [meter('tokens', tpm), meter('requests', rpm)], 0);
  });
  const candidates: Candidate[] = keys.map((_, key) => ({
    key,
    lanes: [key],
    priority: 1,
    weight: 1,
    share: 1,
    pricePlace: 0,
  }));
  const cells = new Float64Array(fairSharesCells(2, tenants.length));
  const events: { atMs: number; run: (nowMs: number) => void }[] = [];
  const schedule = (atMs: number, run: (nowMs: number) => void): void => {
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle]!.atMs > atMs) high = middle;
      else low = middle + 1;
    }
    events.splice(low, 0, { atMs, run });
  };
  const threads = [0, 1].map((thread) => {
    const lanes = new Lanes({ memory, lanes: keys.length, proofMs: 30_000 });
    const shares = new FairShares({ cells, threads: 2, thread });
    let wake = 0;
    const queue: PoolQueue = new PoolQueue({
      lanes,
      shares,
      draw: (below) => Math.floor(random() * below),
      serves: () => true,
      isProving: () => false,
      waitingMax: 100_000,
      wakeAt: (atMs) => {
        const mine = ++wake;
        schedule(atMs, (nowMs) => {
          if (mine === wake) queue.turn(nowMs);
        });
      },
    });
    return { lanes, queue };
  });
  const served = tenants.map(() => 0);
  const refused = tenants.map(() => 0);
  let waitedMsMax = 0;
  const arrive = (tenant: number, nowMs: number): void => {
    const { weight, size } = tenants[tenant]!;
    const { lanes, queue } = threads[Math.floor(random() * 2)]!;
    const tokens = size();
    const amounts = estimate(tokens);
    const call = {
      candidates,
      amounts,
      strategy: 'headroom' as const,
      guard: null,
      sticky: null,
      tenant,
      weight,
      priority: 0,
      deadlineMs: nowMs + deadlineMs,
    };
    const go = (outcome: Chosen | NoRoom, atMs: number): void => {
      if (!('ticket' in outcome)) {
        refused[tenant]!++;
        return;
      }
      if (atMs >= WARM_MS) served[tenant]! += tokens;
      waitedMsMax = Math.max(waitedMsMax, atMs - nowMs);
      schedule(atMs + 200 + random() * 800, (doneMs) => {
        lanes.settle(outcome.ticket, amounts, [], doneMs);
        queue.turn(doneMs);
      });
    };
    const now = queue.tryNow(call, nowMs);
    if ('ticket' in now) go(now, nowMs);
    else {
      const waiter = { ...call, resume: (outcome: Chosen | NoRoom) => go(outcome, currentMs) };
      queue.enqueue(waiter, nowMs);
    }
  };
  let currentMs = 0;
  tenants.forEach(({ callsPerMinute }, tenant) => {
    const next = (nowMs: number): void => {
      arrive(tenant, nowMs);
      const gapMs = (-Math.log(1 - random()) * MINUTE_MS) / callsPerMinute;
      if (nowMs + gapMs < minutes * MINUTE_MS) schedule(nowMs + gapMs, next);
    };
    schedule(random() * 100, next);
  });
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    currentMs = event.atMs;
    event.run(event.atMs);
  }
  return {
    servedTokens: served.reduce((sum, tokens) => sum + tokens, 0),
    shares: served.map((tokens, tenant) => tokens / tenants[tenant]!.weight),
    refusedCalls: refused,
    waitedMsMax,
  };
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Jain, Chiu, Hawe, 1984: 1 when all shares are equal. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}

const random = seeded(5);
const mixed = (): number => (random() < 0.1 ? 4_000 + random() * 8_000 : 100 + random() * 900) | 0;

describe('the queue of a pool', () => {
  it('uses all that uneven keys give, and shares it by weight', () => {
    const report = simulate(
      {
        keys: [
          { tpm: 200_000, rpm: 500 },
          { tpm: 60_000, rpm: 100 },
          { tpm: 30_000, rpm: 60 },
        ],
        tenants: [
          { weight: 1, callsPerMinute: 300, size: mixed },
          { weight: 1, callsPerMinute: 900, size: mixed },
          { weight: 2, callsPerMinute: 600, size: mixed },
        ],
        minutes: 2,
        deadlineMs: 5_000,
      },
      1,
    );
    expect(report.servedTokens / (290_000 * 1.5)).toBeGreaterThan(0.98);
    expect(jain(report.shares)).toBeGreaterThan(0.99);
  });

  it('lets a tenant that asks for little live as if alone', () => {
    const report = simulate(
      {
        keys: [{ tpm: 100_000, rpm: 1_000 }],
        tenants: [
          { weight: 1, callsPerMinute: 800, size: () => 500 },
          { weight: 1, callsPerMinute: 20, size: () => 500 },
        ],
        minutes: 4,
        deadlineMs: 5_000,
      },
      2,
    );
    expect(report.refusedCalls[1]).toBe(0);
  });

  it('starves no large call among small ones', () => {
    const report = simulate(
      {
        keys: [
          { tpm: 60_000, rpm: 1_000 },
          { tpm: 60_000, rpm: 1_000 },
        ],
        tenants: [
          { weight: 1, callsPerMinute: 3_000, size: () => 100 },
          { weight: 1, callsPerMinute: 4, size: () => 9_000 },
        ],
        minutes: 4,
        deadlineMs: 25_000,
      },
      3,
    );
    expect(report.refusedCalls[1]).toBe(0);
  });

  it('serves a burst that fits into its deadline whole', () => {
    const report = simulate(
      {
        keys: [
          { tpm: 1e6, rpm: 100 },
          { tpm: 1e6, rpm: 100 },
          { tpm: 1e6, rpm: 100 },
        ],
        tenants: [{ weight: 1, callsPerMinute: 1e9, size: () => 10 }],
        minutes: 320 / 1e9,
        deadlineMs: 5_000,
      },
      4,
    );
    expect(report.refusedCalls[0]).toBeLessThanOrEqual(5);
  });
});

it('a small call goes past a large one of its tenant to a key that the large one does not wait for', () => {
  const memory = new SharedArrayBuffer(laneBytes(2));
  const lanes = new Lanes({ memory, lanes: 2, proofMs: 30_000 });
  const perMinute = (amount: number): MeterSpec => ({
    unit: 'tokens',
    kind: 'bucket',
    amount,
    windowMs: MINUTE_MS,
    source: 'declared',
  });
  lanes.declare(0, [perMinute(60_000)], 0);
  lanes.declare(1, [perMinute(6_000)], 0);
  const queue = new PoolQueue({
    lanes,
    shares: new FairShares({ cells: new Float64Array(fairSharesCells(1, 1)), threads: 1, thread: 0 }),
    draw: () => 0,
    serves: () => true,
    isProving: () => false,
    waitingMax: 10,
    wakeAt: () => {},
  });
  const order: string[] = [];
  const wait = (name: string, inputTokens: number): void => {
    const waiter = {
      candidates: [0, 1].map((key) => ({
        key,
        lanes: [key],
        priority: 1,
        weight: 1,
        share: 1,
        pricePlace: 0,
      })),
      amounts: estimate(inputTokens),
      strategy: 'headroom' as const,
      guard: null,
      sticky: null,
      tenant: 0,
      weight: 1,
      priority: 0,
      deadlineMs: MINUTE_MS,
      resume: (outcome: Chosen | NoRoom) => void order.push(`${name} ${'key' in outcome ? outcome.key : ''}`),
    };
    const now = queue.tryNow(waiter, 0);
    if ('ticket' in now) order.push(`${name} at once`);
    else queue.enqueue(waiter, 0);
  };
  wait('first', 50_000);
  wait('large', 40_000);
  wait('small', 500);
  expect(order).toEqual(['first at once', 'small 1']);
  queue.turn(35_000);
  expect(order.at(-1)).toBe('large 0');
});

it('a large call that waits for room of its account is not starved by small ones of another model, on no thread', () => {
  const memory = new SharedArrayBuffer(laneBytes(3));
  const cells = new Float64Array(fairSharesCells(2, 3));
  const ACCOUNT = 0;
  const order: string[] = [];
  const threads = [0, 1].map((thread) => {
    const lanes = new Lanes({ memory, lanes: 3, proofMs: 30_000 });
    return new PoolQueue({
      lanes,
      shares: new FairShares({ cells, threads: 2, thread }),
      draw: () => 0,
      serves: () => true,
      isProving: () => false,
      waitingMax: 100,
      wakeAt: () => {},
    });
  });
  const perMinute = { unit: 'tokens', kind: 'bucket', windowMs: MINUTE_MS, source: 'declared' } as const;
  new Lanes({ memory, lanes: 3, proofMs: 30_000 }).declare(ACCOUNT, [{ ...perMinute, amount: 60_000 }], 0);
  const TENANTS = ['first', 'large', 'small'];
  const asks = (thread: number, name: string, model: number, inputTokens: number, nowMs: number): void => {
    const waiter = {
      candidates: [{ key: 0, lanes: [ACCOUNT, model], priority: 1, weight: 1, share: 1, pricePlace: 0 }],
      amounts: estimate(inputTokens),
      strategy: 'headroom' as const,
      guard: null,
      sticky: null,
      tenant: TENANTS.indexOf(name),
      weight: 1,
      priority: 0,
      deadlineMs: 10 * MINUTE_MS,
      resume: (outcome: Chosen | NoRoom) => void ('key' in outcome && order.push(name)),
    };
    const now = threads[thread]!.tryNow(waiter, nowMs);
    if ('ticket' in now) order.push(name);
    else threads[thread]!.enqueue(waiter, nowMs);
  };
  asks(0, 'first', 1, 60_000, 0);
  asks(0, 'large', 1, 20_000, 0);
  // As much as comes back; there is never room for both.
  for (let nowMs = 50; nowMs <= 25_000; nowMs += 50) {
    asks(nowMs % 100 === 0 ? 0 : 1, 'small', 2, 50, nowMs);
    for (const thread of threads) thread.turn(nowMs);
  }
  expect(order.indexOf('large')).toBeGreaterThan(0);
});

it.each([
  ['come too late', { serves: true, nowMs: MINUTE_MS }],
  ['have no key any more', { serves: false, nowMs: 100 }],
])(
  'calls that %s are ended once each, though the end of one takes another out of its line',
  (_what, then) => {
    const lanes = new Lanes({ memory: new SharedArrayBuffer(laneBytes(1)), lanes: 1, proofMs: 30_000 });
    const meter = { unit: 'tokens', kind: 'bucket', windowMs: MINUTE_MS, source: 'declared' } as const;
    lanes.declare(0, [{ ...meter, amount: 1_000 }], 0);
    let serves = true;
    const queue = new PoolQueue({
      lanes,
      shares: new FairShares({ cells: new Float64Array(fairSharesCells(1, 1)), threads: 1, thread: 0 }),
      draw: () => 0,
      serves: () => serves,
      isProving: () => false,
      waitingMax: 9,
      wakeAt: () => {},
    });
    const ended: string[] = [];
    const call: Omit<Waiter, 'resume'> = {
      candidates: [{ key: 0, lanes: [0], priority: 1, weight: 1, share: 1, pricePlace: 0 }],
      ...{
        amounts: estimate(1_000),
        strategy: 'headroom' as const,
        guard: null,
        sticky: null,
        tenant: 0,
        weight: 1,
      },
      ...{ priority: 0, deadlineMs: MINUTE_MS / 2 },
    };
    expect(queue.tryNow(call, 0)).toHaveProperty('ticket');
    const waiters: readonly Waiter[] = ['first', 'second', 'third', 'fourth'].map((name, nth) => ({
      ...call,
      resume: () => {
        ended.push(name);
        // its caller leaves with it
        if (nth % 2 === 1) queue.withdraw(waiters[nth - 1]!);
      },
    }));
    for (const waiter of waiters) queue.enqueue(waiter, 0);
    expect(queue.size).toBe(4);
    serves = then.serves;
    queue.turn(then.nowMs);
    expect([ended.toSorted(), queue.size]).toEqual([['fourth', 'second'], 0]);
  },
);

it('a turn looks at each line of those that wait a few times, however many there are', () => {
  const lines = 200;
  const lanes = new Lanes({ memory: new SharedArrayBuffer(laneBytes(2)), lanes: 2, proofMs: 30_000 });
  for (const lane of [0, 1])
    lanes.declare(
      lane,
      [{ unit: 'tokens', kind: 'bucket', windowMs: MINUTE_MS, source: 'declared', amount: 1_000 }],
      0,
    );
  const cells = new Float64Array(fairSharesCells(1, lines));
  const shares = new FairShares({ cells, threads: 1, thread: 0 });
  const queue = new PoolQueue({
    lanes,
    shares,
    draw: () => 0,
    serves: () => true,
    isProving: () => false,
    waitingMax: lines,
    wakeAt: () => {},
  });
  const candidates = [0, 1].map((key) => ({
    key,
    lanes: [key],
    priority: 1,
    weight: 1,
    share: 1,
    pricePlace: 0,
  }));
  const amounts = estimate(1_000);
  const call = {
    candidates,
    amounts,
    strategy: 'headroom',
    sticky: null,
    guard: null,
    weight: 1,
    priority: 0,
  } as const;
  let served = 0;
  for (let tenant = 0; tenant < lines; tenant++) {
    const waiter = { ...call, tenant, deadlineMs: 10 * MINUTE_MS, resume: () => void served++ };
    if ('ticket' in queue.tryNow(waiter, 0)) continue;
    queue.enqueue(waiter, 0);
  }
  const asked = vi.spyOn(shares, 'startTag');
  queue.turn(MINUTE_MS);
  expect(served).toBe(2);
  expect(asked.mock.calls.length).toBeLessThan(8 * lines);
});

describe('a call that a rule holds up', () => {
  const lanes = new Lanes({ memory: new SharedArrayBuffer(laneBytes(1)), lanes: 1, proofMs: 30_000 });
  const refusing = {
    headroom: () => -1,
    fitsAtMs: (_: number, nowMs: number) => nowMs + 60_000,
    take: () => false,
  };
  const queueOf = (waitingMax: number) => {
    const served: string[] = [];
    const queue = new PoolQueue({
      lanes,
      shares: new FairShares({ cells: new Float64Array(fairSharesCells(1, 1)), threads: 1, thread: 0 }),
      draw: () => 0,
      serves: () => true,
      isProving: () => false,
      waitingMax,
      wakeAt: () => {},
    });
    const wait = (name: string, guard: typeof refusing | null, inputTokens = 10): boolean =>
      queue.enqueue(
        {
          candidates: [{ key: 0, lanes: [0], priority: 1, weight: 1, share: 1, pricePlace: 0 }],
          amounts: estimate(inputTokens),
          ...{ strategy: 'headroom', sticky: null, tenant: 0, weight: 1, priority: 0 },
          guard,
          deadlineMs: MINUTE_MS,
          resume: (outcome) => void ('ticket' in outcome && served.push(name)),
        },
        0,
      );
    return { queue, served, wait };
  };

  it('holds up nobody behind it, of the same tenant and size', () => {
    const { queue, served, wait } = queueOf(10);
    wait('held', refusing);
    wait('held too', refusing);
    wait('free', null);
    wait('larger', null, 20);
    expect([served, queue.size]).toEqual([['free', 'larger'], 2]);
  });

  it('takes no place from one that has room, though as many wait as may', () => {
    const { queue, served, wait } = queueOf(1);
    expect([wait('held', refusing), wait('held too', refusing), wait('free', null)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([served, queue.size]).toEqual([['free'], 1]);
  });
});

it('what a call counts for in fairness has an end, whatever its caller writes', () => {
  const asked = (outputTokens: number) => workOf(0, outputTokens);
  expect(asked(20_000_000)).toBe(asked(1_000_000_000));
  expect(asked(1_000_000)).toBeLessThan(asked(2_000_000));
});
