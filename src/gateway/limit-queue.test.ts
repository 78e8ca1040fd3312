import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Refusal, Wait } from '../pipeline/outcome.ts';
import { PlainLimitQueue } from './limit-queue.reference.ts';
import { LimitQueue, type LimitQueueOptions, type LimitWaiter } from './limit-queue.ts';

describe('whose turn it is', () => {
  test('who came first goes first, at the moment there is room', () => {
    const rig = new Rig({ all: 0 });
    rig.send('a', ['all'], { atMs: 100 });
    rig.send('b', ['all'], { atMs: 100 });
    rig.runUntil(99);
    expect(rig.went).toEqual([]);
    rig.room.set('all', 1);
    rig.runUntil(100);
    expect(rig.went).toEqual(['a']);
    rig.room.set('all', 1);
    rig.runUntil(200);
    expect(rig.went).toEqual(['a', 'b']);
    expect(rig.queue.size).toBe(0);
  });

  test('tenants have equal shares: one that floods holds up nobody else', () => {
    const rig = new Rig({ all: 0 });
    for (const name of ['a1', 'a2', 'a3', 'a4']) rig.send(name, ['all'], { tenant: 'a', atMs: 100 });
    for (const name of ['b1', 'b2']) rig.send(name, ['all'], { tenant: 'b', atMs: 100 });
    rig.room.set('all', 6);
    rig.runUntil(100);
    expect(rig.went).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  test('a tenant that was away has saved nothing up', () => {
    const rig = new Rig({ all: 0 });
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) rig.send(name, ['all'], { tenant: 'a', atMs: 100 });
    rig.room.set('all', 3);
    rig.runUntil(100);
    for (const name of ['b1', 'b2']) rig.send(name, ['all'], { tenant: 'b', atMs: 200 });
    rig.room.set('all', 3);
    rig.runUntil(200);
    expect(rig.went).toEqual(['a1', 'a2', 'a3', 'b1', 'a4', 'b2']);
  });

  test('whatever lines the requests of a tenant stand in', () => {
    const rig = new Rig({ all: 0, a1: 9, a2: 9, a3: 9, b: 9 });
    for (const name of ['a1', 'a2', 'a3']) rig.send(name, ['all', name], { tenant: 'a', atMs: 100 });
    rig.send('b', ['all', 'b'], { tenant: 'b', atMs: 100 });
    rig.send('b again', ['all', 'b'], { tenant: 'b', atMs: 100 });
    rig.room.set('all', 4);
    rig.runUntil(100);
    expect(rig.went).toEqual(['a1', 'b', 'a2', 'b again']);
  });

  test('who has no room bars those behind that share one of its counters, and nobody else', () => {
    const rig = new Rig({ x: 0, y: 1, z: 1 });
    rig.send('both', ['x', 'y'], { atMs: 100 });
    rig.send('shares x', ['x'], { atMs: 90 });
    rig.send('apart', ['z'], { atMs: 100 });
    rig.runUntil(95);
    rig.room.set('x', 1);
    rig.runUntil(200);
    expect(rig.went).toEqual(['both', 'apart']);
    rig.room.set('x', 1);
    rig.runUntil(300);
    expect(rig.went).toEqual(['both', 'apart', 'shares x']);
  });

  test('it bars each of them only until that one may have room: what is full for it alone stops nobody', () => {
    const rig = new Rig({ shared: 0, own: 0 });
    rig.send('slow', { shared: 100, own: 55_000 }, { untilMs: 60_000 });
    expect(rig.queue.firstAtMs('shared')).toBe(100);
    rig.send('other', ['shared'], { tenant: 'b', atMs: 50 });
    rig.runUntil(99);
    rig.room.set('shared', 1);
    expect(rig.went).toEqual([]);
    rig.runUntil(110);
    expect(rig.went).toEqual(['other']);
    expect([rig.queue.firstAtMs('shared'), rig.queue.firstAtMs('own')]).toEqual([0, 55_000]);
  });

  test('nor does who is behind it', () => {
    const rig = new Rig({ shared: 0, own: 0 });
    rig.send('slow', { own: 55_000 }, { untilMs: 60_000 });
    rig.send('behind', { shared: 100, own: 100 }, { untilMs: 60_000 });
    rig.send('other', ['shared'], { tenant: 'b', atMs: 150 });
    rig.room.set('shared', 1);
    rig.runUntil(150);
    expect(rig.went).toEqual(['other']);
    expect(rig.queue.firstAtMs('shared')).toBe(0);
  });

  test('whom it bars is tried as soon as it does not any more', () => {
    const rig = new Rig({ x: 1, own: 0 });
    rig.send('slow', { x: 100, own: 55_000 }, { untilMs: 60_000 });
    rig.send('behind', ['x'], { atMs: 50 });
    rig.runUntil(101);
    expect(rig.went).toEqual(['behind']);
  });

  test('somebody who comes later is told whom it would overtake', () => {
    const rig = new Rig({ x: 0 });
    expect([rig.queue.areFree, rig.queue.firstAtMs('x')]).toEqual([true, 0]);
    rig.send('first', ['x'], { atMs: 100 });
    expect([rig.queue.areFree, rig.queue.firstAtMs('x'), rig.queue.firstAtMs('y')]).toEqual([false, 100, 0]);
    rig.room.set('x', 1);
    rig.runUntil(100);
    expect([rig.queue.areFree, rig.queue.firstAtMs('x')]).toEqual([true, 0]);
  });
});

describe('waiting ends', () => {
  test('at the deadline, with the refusal and when there is room by now', () => {
    const rig = new Rig({ x: 0, y: 0 });
    rig.send('a', ['x', 'y'], { atMs: 2_400, untilMs: 3_000 });
    rig.send('b', ['x'], { atMs: 2_400, untilMs: 2_500 });
    rig.runUntil(2_499);
    expect(rig.refused).toEqual([]);
    rig.runUntil(2_500);
    expect(rig.refused).toEqual(['b 1']);
    expect(rig.queue.size).toBe(1);
  });

  test('for those behind the first one, too', () => {
    const rig = new Rig({ x: 0 });
    rig.send('a', ['x'], { atMs: 900, untilMs: 1_000 });
    rig.send('b', ['x'], { atMs: 100, untilMs: 500 });
    rig.runUntil(500);
    expect(rig.refused).toEqual(['b 1']);
  });

  test('when its client leaves: who was behind is tried at once', () => {
    const rig = new Rig({ x: 0, y: 1 });
    rig.send('both', { x: 500, y: 400 }, {});
    rig.send('behind', ['y'], { atMs: 100 });
    rig.runUntil(150);
    expect(rig.went).toEqual([]);
    rig.leave('both');
    rig.runUntil(150);
    expect(rig.went).toEqual(['behind']);
  });

  test('at the deadline for those who are due and barred, too', () => {
    const rig = new Rig({ x: 0 });
    rig.send('a', ['x'], { atMs: 900, untilMs: 1_000 });
    rig.send('b', ['x', 'y'], { atMs: 500, untilMs: 500 });
    rig.runUntil(500);
    expect(rig.refused).toEqual(['b 1']);
    expect(rig.queue.size).toBe(1);
  });

  test('for the last of the tenant that fills the queue, when one with fewer comes', () => {
    const rig = new Rig({ x: 0 }, 3);
    for (const name of ['a1', 'a2', 'a3']) rig.send(name, ['x'], { tenant: 'a', atMs: 1_100 });
    expect(rig.send('a4', ['x'], { tenant: 'a', atMs: 1_100 })).toBe(false);
    expect(rig.send('b1', ['x'], { tenant: 'b', atMs: 1_100 })).toBe(true);
    expect(rig.refused).toEqual(['a3 2']);
    expect(rig.send('b2', ['x'], { tenant: 'b', atMs: 1_100 })).toBe(false);
    expect([rig.queue.size, rig.queue.refused]).toEqual([3, 3]);
  });

  test('before it has begun where too many wait', () => {
    const rig = new Rig({ x: 0 }, 1);
    expect([rig.send('a', ['x'], { atMs: 100 }), rig.send('b', ['x'], { atMs: 100 })]).toEqual([true, false]);
    expect(rig.queue.refused).toBe(1);
  });
});

test('who becomes due while others have their turn is not forgotten', () => {
  const rig = new Rig({ x: 1, y: 1 });
  rig.send('slow', ['x'], { atMs: 100, takesMs: 50 });
  rig.send('behind', ['x'], { atMs: 120 });
  rig.runUntil(200);
  expect(rig.went).toEqual(['slow']);
  rig.send('late', ['y'], { atMs: 220 });
  rig.send('first', ['x'], { atMs: 210, takesMs: 50 });
  rig.room.set('x', 2);
  rig.runUntil(400);
  expect(rig.went).toEqual(['slow', 'behind', 'first', 'late']);
});

test('a slot that is given back is used at once, not when the clock says to look', () => {
  const rig = new Rig({ slots: 0 });
  rig.send('a', ['slots'], { atMs: 20, room: 'slot' });
  rig.runUntil(5);
  rig.room.set('slots', 1);
  rig.queue.slotsFreed(['slots']);
  rig.runUntil(5);
  expect(rig.went).toEqual(['a']);
});

test('nobody is woken by a slot of what it does not wait for', () => {
  const rig = new Rig({ x: 0, y: 0 });
  rig.send('a', ['x'], { atMs: 20, room: 'slot' });
  rig.send('b', ['y'], { atMs: 20, room: 'slot' });
  rig.queue.slotsFreed(['y', 'z']);
  rig.runUntil(5);
  expect(rig.tries).toEqual(['b']);
});

test('who is answered otherwise at its turn has had nothing of its tenant’s share', () => {
  const rig = new Rig({ all: 0 });
  rig.send('a1', ['all'], { tenant: 'a', atMs: 100, turn: 'leaves' });
  for (const name of ['a2', 'a3']) rig.send(name, ['all'], { tenant: 'a', atMs: 100 });
  rig.send('b1', ['all'], { tenant: 'b', atMs: 100 });
  rig.room.set('all', 3);
  rig.runUntil(100);
  expect(rig.went).toEqual(['a2', 'b1', 'a3']);
});

test('a turn that goes wrong stops nobody else', () => {
  const rig = new Rig({ x: 1, y: 1 });
  rig.send('broken', ['x'], { atMs: 100, turn: 'throws' });
  rig.send('next', ['x'], { atMs: 100 });
  rig.send('apart', ['y'], { atMs: 150 });
  expect(() => rig.runUntil(100)).toThrow('broken');
  rig.runUntil(200);
  expect(rig.went).toEqual(['next', 'apart']);
});

/** One thing that happens to a queue. */
type Step =
  | { readonly kind: 'send'; readonly sent: Sent; readonly waitsFor: Readonly<Record<string, number>> }
  | { readonly kind: 'leave'; readonly nth: number }
  | { readonly kind: 'frees'; readonly counter: string; readonly room: number }
  | { readonly kind: 'passes'; readonly ms: number };

const COUNTERS = ['a', 'b', 'c', 'd', 'e', 'f'];
const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      counters: fc.uniqueArray(fc.constantFrom(...COUNTERS), { minLength: 1, maxLength: 2 }),
      afterMs: fc.tuple(fc.nat(60), fc.nat(60)),
      tenant: fc.constantFrom('x', 'y', 'z'),
      untilMs: fc.integer({ min: 1, max: 200 }),
      room: fc.constantFrom('clock' as const, 'slot' as const),
      turn: fc.option(fc.constant('leaves' as const), { nil: undefined, freq: 8 }),
    })
    .map(({ counters, afterMs, tenant, untilMs, room, turn }): Step => {
      const waitsFor = Object.fromEntries(counters.map((counter, at) => [counter, afterMs[at]!]));
      return { kind: 'send', waitsFor, sent: { tenant, untilMs, room, ...(turn && { turn }) } };
    }),
  fc.record({ kind: fc.constant('leave' as const), nth: fc.nat(40) }),
  fc.record({
    kind: fc.constant('frees' as const),
    counter: fc.constantFrom(...COUNTERS),
    room: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('passes' as const), ms: fc.nat(30) }),
);

/** Everything that it did, and when. */
function lifeOf(steps: readonly Step[], Queue: typeof LimitQueue | typeof PlainLimitQueue): unknown[] {
  const rig = new Rig(Object.fromEntries(COUNTERS.map((counter) => [counter, 0])), 12, Queue);
  const seen: unknown[] = [];
  let sent = 0;
  for (const step of steps) {
    if (step.kind === 'send') {
      const later = Object.entries(step.waitsFor).map(([name, ms]) => [name, rig.nowMs + ms] as const);
      const { untilMs = 0 } = step.sent;
      const within = { ...step.sent, untilMs: rig.nowMs + untilMs };
      seen.push(rig.send(`${sent++}`, Object.fromEntries(later), within));
    } else if (step.kind === 'leave') {
      if (step.nth < sent) rig.leave(`${step.nth}`);
    } else if (step.kind === 'frees') {
      rig.room.set(step.counter, step.room);
      rig.queue.slotsFreed([step.counter]);
    } else rig.runUntil(rig.nowMs + step.ms);
    const asked = COUNTERS.map((counter) => rig.queue.firstAtMs(counter));
    seen.push([rig.nowMs, [...rig.tries], [...rig.went], [...rig.refused], rig.queue.size, asked]);
  }
  return seen;
}

test('it does what the plain one does, which looks at everybody in each turn', () => {
  fc.assert(
    fc.property(fc.array(STEP, { minLength: 5, maxLength: 60 }), (steps) => {
      expect(lifeOf(steps, LimitQueue)).toEqual(lifeOf(steps, PlainLimitQueue));
    }),
    { numRuns: 300 },
  );
});

interface Sent {
  readonly tenant?: string;
  readonly atMs?: number;
  readonly untilMs?: number;
  readonly room?: Wait['room'];
  /** How long its turn takes. */
  readonly takesMs?: number;
  /** What comes of its turn. */
  readonly turn?: 'leaves' | 'throws';
}

/** Counters with room for so many, and a clock that moves when it is told to. */
class Rig {
  readonly room: Map<string, number>;
  readonly went: string[] = [];
  readonly refused: string[] = [];
  readonly tries: string[] = [];
  readonly queue: LimitQueue | PlainLimitQueue;
  readonly #waiters = new Map<string, LimitWaiter>();
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(
    room: Readonly<Record<string, number>>,
    waitingMax = 100,
    Queue: new (options: LimitQueueOptions) => LimitQueue | PlainLimitQueue = LimitQueue,
  ) {
    this.room = new Map(Object.entries(room));
    this.queue = new Queue({
      waitingMax,
      nowMs: () => this.#nowMs,
      later: (delayMs, run) => void this.#timers.push({ atMs: this.#nowMs + delayMs, run }),
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /**
   * False: too many wait. Comes back 10 ms later, for what is full by then, where it finds no room at its turn. `waitsFor`: counters that
   * may have room at `atMs`, or each at a moment of its own.
   */
  send(
    name: string,
    waitsFor: readonly string[] | Readonly<Record<string, number>>,
    { tenant = '', atMs = 0, untilMs = 5_000, room = 'clock', takesMs = 0, turn }: Sent,
  ) {
    const place = { tenant, arrivedMs: this.#waiters.size };
    const moments = Array.isArray(waitsFor)
      ? waitsFor.map((counter): [string, number] => [counter, atMs])
      : Object.entries(waitsFor as Readonly<Record<string, number>>);
    const counters = moments.map(([counter]) => counter);
    const wait = (waitedFor: readonly (readonly [string, number])[]): Wait => ({
      kind: 'wait',
      atMonotonicMs: Math.max(...waitedFor.map(([, at]) => at)),
      untilMonotonicMs: untilMs,
      counters: waitedFor.map(([counter, at]) => ({ name: counter, atMs: at, room })),
      room,
      refusal: REFUSAL,
    });
    const waiter: LimitWaiter = {
      wake: () => {
        this.tries.push(name);
        this.#nowMs += takesMs;
        if (turn === 'throws') throw new Error(name);
        if (turn === 'leaves') return false;
        if (counters.every((counter) => this.room.get(counter)! > 0)) {
          for (const counter of counters) this.room.set(counter, this.room.get(counter)! - 1);
          this.went.push(name);
          return true;
        }
        if (this.#nowMs + 10 > untilMs) waiter.refuse(REFUSAL);
        else {
          const full = counters.filter((counter) => this.room.get(counter)! <= 0);
          const again = full.map((counter): [string, number] => [counter, this.#nowMs + 10]);
          this.queue.enter(waiter, wait(again), place);
        }
        return false;
      },
      refuse: ({ retryAfterS }) => void this.refused.push(`${name} ${retryAfterS}`),
    };
    this.#waiters.set(name, waiter);
    return this.queue.enter(waiter, wait(moments), place);
  }

  leave(name: string): void {
    this.queue.forget(this.#waiters.get(name)!);
  }

  runUntil(untilMs: number): void {
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number) {
    return this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  }
}

const REFUSAL: Refusal = {
  status: 429,
  code: 'limit_exceeded',
  detail: '',
  ruleIndex: 0,
  retryAfterS: 7,
  rateLimit: '',
  rateLimitPolicy: '',
};
