import { expect, it } from 'vitest';
import { BuildTimes, renderTimes } from './build-times.ts';

/** Each work takes as long as it says. */
function timed(): { readonly times: BuildTimes; readonly takes: (ms: number) => () => void } {
  let nowMs = 0;
  const times = new BuildTimes({ monotonicMs: () => nowMs });
  return {
    times,
    takes: (ms) => () => {
      nowMs += ms;
    },
  };
}

it('sums up stages, and shares what is done for several policies among them', () => {
  const { times, takes } = timed();
  times.stage('checking', takes(30));
  times.policies('checking', takes(12), () => ['a']);
  times.policies('compiling', takes(8), () => ['a', 'b', 'a']);
  times.policies('compiling', takes(2), () => []);
  expect(times.stageMs('checking')).toBe(30);
  expect(times.stageMs('configuration')).toBe(0);
  expect(times.byPolicy()).toEqual([
    { policy: 'a', readingMs: 0, checkingMs: 12, compilingMs: 4, allMs: 16 },
    { policy: 'b', readingMs: 0, checkingMs: 0, compilingMs: 4, allMs: 4 },
  ]);
});

it('shows the slowest policies first, and the sum of the others', () => {
  const { times, takes } = timed();
  times.stage('configuration', takes(620));
  for (let at = 0; at < 22; at++) times.policies('checking', takes(at + 1), () => [`p${at}`]);
  const lines = renderTimes(times).split('\n');
  expect(lines[0]).toBe('        620 ms  routes, tenants and settings read and checked');
  expect(lines[5]).toBe('           all       reading      checking     compiling  policy');
  expect(lines[6]).toBe('         22 ms       0.00 ms         22 ms       0.00 ms  "p21"');
  expect(lines.at(-2)).toBe('       3.00 ms  2 more, together');
});
