import { describe, expect, it } from 'vitest';
import { type AtomicOperations, type LockBounds, LockSet } from '../../src/base/shared-lock.ts';
import type { CounterSpec } from '../../src/pipeline/counters.ts';
import { CounterFamily } from '../../src/state/counter-family.ts';
import { Moment } from '../../src/state/counter-kind.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { spec } from './counters-rig.ts';
import { explore, type ThreadOperations, type ThreadProgram } from './interleavings.ts';

const WORDS = new Int32Array(0);
const BOUNDS: LockBounds = { spins: 1, waits: 3, waitMs: 1 };

/** A thread that takes the locks in turn, and is alone in each section between. */
function locking(owner: number, locks: readonly number[], bounds: LockBounds = BOUNDS): ThreadProgram {
  return (operations) => {
    const held = new LockSet(owner, operations, bounds);
    for (const lock of locks) {
      if (!held.acquire(WORDS, lock)) {
        held.releaseAll();
        return 'gave up';
      }
      enter(operations, lock);
    }
    for (const lock of locks) leave(operations, lock);
    held.releaseAll();
    return 'done';
  };
}

function enter(operations: ThreadOperations, lock: number): void {
  operations.plain((memory) => {
    memory[lock]! += 1;
    if (memory[lock] !== 1) throw new Error(`two threads hold lock ${lock}`);
    return 0;
  });
}

function leave(operations: ThreadOperations, lock: number): void {
  operations.plain((memory) => {
    memory[lock]! -= 1;
    return 0;
  });
}

describe('the lock, in every interleaving', () => {
  it('excludes, wakes whoever sleeps, and is free in the end: three threads, one lock, no timeouts', () => {
    let ends = 0;
    const explored = explore({
      threads: [1, 2, 3].map((owner) => locking(owner, [0], { ...BOUNDS, spins: 0, waits: 9 })),
      words: 1,
      memory: new Float64Array(1),
      timeouts: 'never',
      atEnd(answers, _memory, words) {
        ends++;
        expect(answers).toEqual(['done', 'done', 'done']);
        expect(words[0]).toBe(0);
      },
    });
    expect(ends).toBeGreaterThan(1);
    expect(explored.states).toBeGreaterThan(1_000);
  });

  it('has no deadlock when two threads take two locks in the one global order', () => {
    explore({
      threads: [1, 2].map((owner) => locking(owner, [0, 1], { ...BOUNDS, waits: 9 })),
      words: 2,
      memory: new Float64Array(2),
      timeouts: 'never',
      atEnd: (answers, _memory, words) => {
        expect(answers).toEqual(['done', 'done']);
        expect([...words]).toEqual([0, 0]);
      },
    });
  });

  it('would be seen to deadlock if the order were not kept', () => {
    expect(() =>
      explore({
        threads: [locking(1, [0, 1]), locking(2, [1, 0])],
        words: 2,
        memory: new Float64Array(2),
        timeouts: 'never',
        atEnd: () => {},
      }),
    ).toThrow('no thread can go on');
  });

  it('gives up within its bounds, excludes all the same, and leaves the lock to the others', () => {
    const seen = new Set<string>();
    explore({
      threads: [1, 2, 3].map((owner) => locking(owner, [0], { spins: 0, waits: 1, waitMs: 1 })),
      words: 1,
      memory: new Float64Array(1),
      timeouts: 'possible',
      atEnd(answers, _memory, words) {
        seen.add(answers.join());
        expect(words[0]).toBe(0);
      },
    });
    expect(seen).toContain('done,done,done');
    expect(seen).toContain('done,gave up,gave up');
    expect(seen).not.toContain('gave up,gave up,gave up');
  });
});

// -- whole operations -------------------------------------------------------------------------------------------

const FAMILIES = familiesOf([
  spec('x', { kind: 'window', amount: 2, windowMs: 160 }),
  spec('y', { kind: 'pace', amount: 1, periodMs: 1_000, burst: 2 }),
]);
const [X, Y] = [0, 1] as const;
/** Room for one record of each family. */
const RECORD_CELLS = 32;

function familiesOf(specs: readonly CounterSpec[]): CounterFamily[] {
  const { regions } = createCounterRegistry().prepare(specs);
  return specs.map((one, i) => new CounterFamily(one, regions[i]!, 'in-memory'));
}

function at(nowMs: number): Moment {
  const moment = new Moment();
  moment.set(nowMs, 0);
  return moment;
}

/** A take as the product does it: all locks in order, all judged, all booked or none; each access a step of its own. */
function take(entries: readonly (readonly [family: number, weight: number])[], nowMs: number): Operation {
  const sorted = [...entries].sort(([a], [b]) => a - b);
  return (operations, held) => {
    for (const [family] of sorted)
      if (!held.acquire(WORDS, family)) throw new Error('bounds are wide enough');
    const fits = sorted.map(([index, weight]) =>
      operations.plain((memory) => {
        const family = FAMILIES[index]!;
        return weight <= family.capacity - family.kind.used(family, memory, index * RECORD_CELLS, at(nowMs));
      }),
    );
    const marks: number[] = [];
    if (fits.every(Boolean)) {
      for (const [index, weight] of sorted) {
        const mark = operations.plain((memory) => {
          const family = FAMILIES[index]!;
          family.kind.add(family, memory, index * RECORD_CELLS, weight, at(nowMs));
          return family.kind.mark(family, memory, index * RECORD_CELLS, at(nowMs));
        });
        marks.push(mark);
      }
    }
    held.releaseAll();
    return marks;
  };
}

/** Takes from one counter, then corrects what was taken. */
function takeAndSettle(index: number, weight: number, actual: number, nowMs: number): Operation[] {
  let marks: readonly number[] = [];
  const first = take([[index, weight]], nowMs);
  return [
    (operations, held) => {
      marks = first(operations, held);
      return marks;
    },
    (operations, held) => {
      if (marks.length === 0) return [];
      if (!held.acquire(WORDS, index)) throw new Error('bounds are wide enough');
      operations.plain((memory) => {
        const family = FAMILIES[index]!;
        family.kind.correct(family, memory, index * RECORD_CELLS, marks[0]!, actual - weight);
        return 0;
      });
      held.releaseAll();
      return [];
    },
  ];
}

type Operation = (operations: ThreadOperations, held: LockSet) => readonly number[];

function thread(owner: number, list: readonly Operation[]): ThreadProgram {
  return (operations) => {
    const held = new LockSet(owner, operations, { spins: 0, waits: 12, waitMs: 1 });
    return list.map((operation) => operation(operations, held));
  };
}

/** Every outcome of the operations one after the other, in each order that keeps the threads' own. */
function sequentialOutcomes(lists: readonly (readonly Operation[])[]): Set<string> {
  const outcomes = new Set<string>();
  const orders = (left: readonly number[]): number[][] =>
    left.every((count) => count === 0)
      ? [[]]
      : left.flatMap((count, i) =>
          count === 0
            ? []
            : orders(left.map((other, j) => (i === j ? other - 1 : other))).map((rest) => [i, ...rest]),
        );
  for (const order of orders(lists.map((list) => list.length))) {
    const memory = new Float64Array(2 * RECORD_CELLS);
    const words = new Int32Array(2);
    const direct: AtomicOperations & ThreadOperations = {
      load: (_words, i) => words[i]!,
      compareExchange: (_words, i, _expected, value) => {
        words[i] = value;
        return 0;
      },
      exchange: (_words, i, value) => {
        words[i] = value;
        return 0;
      },
      wait: () => 'ok',
      notify: () => 0,
      plain: (step) => step(memory),
    };
    const answers = lists.map((): (readonly number[])[] => []);
    for (const i of order) answers[i]!.push(lists[i]![answers[i]!.length]!(direct, new LockSet(1, direct)));
    outcomes.add(JSON.stringify([answers, [...memory]]));
  }
  return outcomes;
}

function expectLinearizable(lists: readonly (readonly Operation[])[]): { states: number; outcomes: number } {
  const allowed = sequentialOutcomes(lists);
  const seen = new Set<string>();
  const { states } = explore({
    threads: lists.map((list, i) => thread(i + 1, list)),
    words: 2,
    memory: new Float64Array(2 * RECORD_CELLS),
    timeouts: 'never',
    atEnd(answers, memory) {
      const outcome = JSON.stringify([answers, [...memory]]);
      expect(allowed).toContain(outcome);
      seen.add(outcome);
    },
  });
  // All orders really happen: the exploration is not blind.
  expect(seen.size).toBe(allowed.size);
  return { states, outcomes: seen.size };
}

describe('takes, settlements and rotations, in every interleaving', () => {
  it('crossing takes over two counters are all or nothing, and as if one after the other', () => {
    const { outcomes } = expectLinearizable([
      [
        take(
          [
            [X, 2],
            [Y, 1],
          ],
          1_000,
        ),
      ],
      [
        take(
          [
            [Y, 2],
            [X, 1],
          ],
          1_000,
        ),
      ],
    ]);
    expect(outcomes).toBe(2);
  });

  it('a take of both beside takes of each', () => {
    expectLinearizable([
      [
        take(
          [
            [X, 1],
            [Y, 2],
          ],
          1_000,
        ),
      ],
      [take([[X, 2]], 1_000)],
      [take([[Y, 1]], 1_000)],
    ]);
  });

  it('a settlement beside takes, in the window and after it has rotated away', () => {
    for (const laterMs of [1_000, 1_090, 1_169, 1_170, 2_000]) {
      expectLinearizable([takeAndSettle(X, 2, 1, 1_000), [take([[X, 1]], laterMs)]]);
      expectLinearizable([takeAndSettle(Y, 2, 0, 1_000), [take([[Y, 2]], laterMs)]]);
    }
  });

  it('rotation by a thread that is ahead of another', () => {
    expectLinearizable([[take([[X, 1]], 1_000), take([[X, 1]], 1_160)], [take([[X, 2]], 1_170)]]);
    expectLinearizable([[take([[X, 2]], 1_009)], [take([[X, 1]], 1_000), take([[X, 2]], 1_185)]]);
    expectLinearizable([takeAndSettle(X, 1, 0, 1_000), [take([[X, 2]], 1_170), take([[X, 1]], 1_005)]]);
  });
});
