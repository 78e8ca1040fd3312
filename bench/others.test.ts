import { expect, it } from 'vitest';
import { othersNote, parseMachineTicks, parseTreeTicks } from './others.ts';

it('takes idle and waiting for disks as not busy, and guest time once', () => {
  const text = 'cpu  100 10 50 800 40 1 2 3 60 7\ncpu0 50 5 25 400 20 0 1 1 30 3\nintr 5\n';
  expect(parseMachineTicks(text)).toEqual({ allTicks: 1_006, busyTicks: 166 });
  expect(() => parseMachineTicks('intr 5\n')).toThrow('no cpu line');
});

it('adds the time of a process and of its children', () => {
  const text = '8223 (node (x) y) R 1 8220 4400 0 -1 4194304 2850 0 5 0 197 10 3000 20000 20 0 7';
  expect(parseTreeTicks(text)).toBe(23_207);
});

it('warns of a machine that others use', () => {
  const before = { allTicks: 0, busyTicks: 0, ownTicks: 0 };
  expect(othersNote(before, { allTicks: 1_000, busyTicks: 600, ownTicks: 590 })).toBe(
    'Other processes used 1.0 % of all cores meanwhile.',
  );
  expect(othersNote(before, { allTicks: 1_000, busyTicks: 600, ownTicks: 300 })).toContain('30.0 %');
  expect(othersNote(before, { allTicks: 1_000, busyTicks: 600, ownTicks: 300 })).toContain('REPEAT');
});
