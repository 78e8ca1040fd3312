import { expect, it } from 'vitest';
import { parseTimes, timeCommand } from './command.ts';

it.each([
  ['dash', '0m0.000000s 0m0.010000s\n0m1.230000s 0m0.110000s\n', 1_340],
  ['bash', '0m0.001s 0m0.002s\n2m3.500s 0m0.250s\n', 123_750],
  ['after other output', 'a warning\n0m0.00s 0m0.00s\n0m0.50s 0m0.00s\n', 500],
])('reads the times of children: %s', (_, text, ms) => {
  expect(parseTimes(text)).toBeCloseTo(ms);
});

it('refuses anything else', () => {
  expect(() => parseTimes('no such command')).toThrow('not a line of times');
});

it('times a command as a whole and keeps its output', async () => {
  const { output, wallMs } = await timeCommand(process.execPath, ['-p', '6 * 7']);
  expect(output).toBe('42\n');
  expect(wallMs).toBeGreaterThan(0);
});

it('does not take a failure for a time', async () => {
  await expect(timeCommand(process.execPath, ['-e', 'process.exit(3)'])).rejects.toThrow();
});
