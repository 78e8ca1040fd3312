/**
 * Any run of takes, snapshots, crashes (in the middle of a turn, and of the write of its journal), stops, reboots, edited amounts and
 * damaged files: never more than N leaves in any T, and after the end of a process exactly what has left is counted.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CounterSpec } from '../../src/pipeline/counters.ts';
import { spec } from './counters-rig.ts';
import { RatesRig, type Taken, THREADS } from './rates-rig.ts';

const WINDOW_MS = 16_000;
const PACE = { kind: 'pace', amount: 5, periodMs: 10_000, burst: 9 } as const;
const KEYS = 6;

const limits = (amount: number, maxKeys: number): readonly CounterSpec[] => [
  spec('window', { kind: 'window', amount, windowMs: WINDOW_MS }, { maxKeys }),
  spec('pace', PACE, { maxKeys }),
];

type Step =
  | { readonly kind: 'turn'; readonly thread: number; readonly takes: readonly (readonly number[])[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'crash'; readonly torn: number }
  | { readonly kind: 'amount'; readonly amount: number; readonly live: boolean }
  | { readonly kind: 'reboot'; readonly uptimeMs: number; readonly stopped: boolean }
  | { readonly kind: 'stop' | 'snapshot' | 'end of turns' };

const step = (endings: readonly fc.Arbitrary<Step>[]): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('turn' as const),
        thread: fc.nat(THREADS - 1),
        takes: fc.array(
          fc.tuple(fc.nat(1), fc.integer({ min: 1, max: KEYS }), fc.constantFrom(1, 1, 1, 2, 5)),
          {
            minLength: 1,
            maxLength: 8,
          },
        ),
      }),
    },
    { weight: 5, arbitrary: fc.constant({ kind: 'end of turns' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 300, 1_700, 9_000) }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
    ...endings.map((arbitrary) => ({ weight: 2, arbitrary })),
  );

// Less than head and entry of a block of one take, which are 64 bytes: what is whole counts.
const CRASH = fc.record({ kind: fc.constant('crash' as const), torn: fc.constantFrom(0, 1, 32, 33, 50) });
const STOP = fc.constant({ kind: 'stop' as const });
const AMOUNT = fc.record({
  kind: fc.constant('amount' as const),
  amount: fc.integer({ min: 1, max: 12 }),
  live: fc.boolean(),
});
const REBOOT = fc.record({
  kind: fc.constant('reboot' as const),
  uptimeMs: fc.constantFrom(0, 900, 20_000),
  stopped: fc.boolean(),
});

function perform(rig: RatesRig, step: Step): void {
  switch (step.kind) {
    case 'turn':
      for (const [counter, key, weight] of step.takes) rig.take(step.thread, counter!, key!, weight!);
      // At most one turn of each thread is open.
      if (rig.pending[step.thread]!.length > 12) rig.endTurn(step.thread);
      return;
    case 'end of turns':
      rig.endTurns();
      return;
    case 'wait':
      rig.endTurns();
      rig.wait(step.ms);
      return;
    case 'snapshot':
      // Of a turn that has not ended it would keep what never leaves.
      rig.endTurns();
      snapshot(rig);
      return;
    case 'crash':
      rig.crash(step.torn);
      return;
    case 'stop':
      rig.stop();
      return;
    case 'amount':
      rig.endTurns();
      rig.specs = limits(step.amount, rig.specs[0]!.maxKeys);
      if (step.live) rig.bind();
      else rig.stop();
      return;
    case 'reboot':
      rig.endTurns();
      if (step.stopped) rig.life.checkpoints.close('whole');
      rig.wait(step.uptimeMs);
      rig.reboot(step.uptimeMs);
  }
}

/** One that nothing but the fullness of a journal brings about is too rare here. */
function snapshot(rig: RatesRig): void {
  const { checkpoints } = rig.life;
  checkpoints.beginSnapshot();
  while (checkpoints.step() !== 'done');
}

/** Never more than N in any T: at each moment at which one left. */
function expectWindowKept(left: readonly Taken[], amounts: ReadonlyMap<Taken, number>): void {
  for (const taken of left.filter(({ counter }) => counter === 0)) {
    const inWindow = left.filter(
      ({ counter, key, atMs }) =>
        counter === 0 && key === taken.key && atMs <= taken.atMs && atMs > taken.atMs - WINDOW_MS,
    );
    const sum = inWindow
      .slice(0, inWindow.indexOf(taken) + 1)
      .reduce((total, { weight }) => total + weight, 0);
    expect(sum).toBeLessThanOrEqual(amounts.get(taken)!);
  }
}

function expectPaceKept(left: readonly Taken[]): void {
  for (let key = 1; key <= KEYS; key++) {
    const taken = left.filter((entry) => entry.counter === 1 && entry.key === key);
    for (let first = 0; first < taken.length; first++) {
      let sum = 0;
      for (let last = first; last < taken.length; last++) {
        sum += taken[last]!.weight;
        const drained = (PACE.amount * (taken[last]!.atMs - taken[first]!.atMs)) / PACE.periodMs;
        expect(sum).toBeLessThanOrEqual(PACE.burst + drained + 0.01);
      }
    }
  }
}

function run(steps: readonly Step[], maxKeys: number, after: (rig: RatesRig, step: Step) => void): void {
  const rig = new RatesRig(limits(8, maxKeys));
  const amounts = new Map<Taken, number>();
  try {
    for (const step of steps) {
      perform(rig, step);
      const { window } = rig.specs[0]!;
      for (const taken of [...rig.left, ...rig.pending.flat()]) {
        if (!amounts.has(taken) && window.kind === 'window') amounts.set(taken, window.amount);
      }
      after(rig, step);
    }
    rig.endTurns();
    expectWindowKept(rig.left, amounts);
    expectPaceKept(rig.left);
  } finally {
    rig.remove();
  }
}

const ENDS = new Set<Step['kind']>(['crash', 'stop']);

it('counts exactly what has left, whenever a process ends', () => {
  fc.assert(
    fc.property(fc.array(step([CRASH, STOP, AMOUNT]), { minLength: 5, maxLength: 40 }), (steps) =>
      run(steps, 64, (rig, { kind }) => {
        if (!ENDS.has(kind)) return;
        expect(rig.life.checkpoints.leftBehind.kind).not.toBe('unknown');
        for (const counter of [0, 1]) {
          for (let key = 1; key <= KEYS; key++) {
            expect(rig.remaining(counter, key)).toBe(rig.remainingByLog(counter, key));
          }
        }
      }),
    ),
    { numRuns: 60 },
  );
});

it('admits never too much where keys share a counter', () => {
  fc.assert(
    fc.property(fc.array(step([CRASH, STOP, AMOUNT]), { minLength: 5, maxLength: 50 }), (steps) =>
      run(steps, 3, () => {}),
    ),
    { numRuns: 60 },
  );
});

it('admits never too much over the ends of the machine', () => {
  // The moments of different boots can't be compared: each take is told with the wall clock, which goes right here.
  fc.assert(
    fc.property(fc.array(step([CRASH, STOP, REBOOT]), { minLength: 5, maxLength: 40 }), (steps) => {
      const rig = new RatesRig(limits(8, 64));
      const wall: Taken[] = [];
      try {
        let seen = 0;
        for (const one of steps) {
          const skewMs = rig.wallMs - rig.nowMs;
          perform(rig, one);
          for (; seen < rig.left.length; seen++) {
            const taken = rig.left[seen]!;
            wall.push({ ...taken, atMs: taken.atMs + skewMs });
          }
        }
        expectWindowKept(wall, new Map(wall.map((taken) => [taken, 8])));
        expectPaceKept(wall);
      } finally {
        rig.remove();
      }
    }),
    { numRuns: 60 },
  );
});

it('recognises every changed bit, or is not concerned by it', () => {
  fc.assert(
    fc.property(
      fc.array(step([CRASH]), { minLength: 5, maxLength: 20 }),
      fc.boolean(),
      fc.nat(6),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(7),
      (steps, stopped, which, where, bit) => {
        const rig = new RatesRig(limits(8, 64));
        try {
          for (const one of steps) perform(rig, one);
          rig.endTurns();
          if (stopped) rig.life.checkpoints.close('whole');
          damage(rig, which, where, bit);
          rig.crash();
          const exact = rig.life.checkpoints.leftBehind.kind !== 'unknown';
          for (const counter of [0, 1]) {
            for (let key = 1; key <= KEYS; key++) {
              const remaining = rig.remaining(counter, key);
              if (exact) expect(remaining).toBe(rig.remainingByLog(counter, key));
              else expect(remaining).toBe(0);
            }
          }
        } finally {
          rig.remove();
        }
      },
    ),
    { numRuns: 150 },
  );
});

/** A bit of what was written, in any file (journals, lists, snapshots, state): most of a journal is zeros that nobody reads. */
function damage(rig: RatesRig, which: number, where: number, bit: number): void {
  const names = readdirSync(rig.file('.')).filter((name) => readFileSync(rig.file(name)).length > 0);
  const path = rig.file(names[which % names.length]!);
  const bytes = readFileSync(path);
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  bytes[Math.floor(where * used)]! ^= 1 << bit;
  writeFileSync(path, bytes);
}
