import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { arrivalsOf, FAST, lengthMs, TWO_MINUTES } from '../../src/cli/demo/story.ts';
import { runPortunus } from '../gateway/running-gateway.ts';

interface Side {
  readonly calls: number;
  readonly answered: number;
  readonly refused: number;
  readonly errors: number;
  readonly providerRefusals: number;
}

it('tells its story with the real gateway, loses no call, and leaves nothing behind', async () => {
  const demos = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('portunus-demo-'));
  const before = await demos();
  const { code, stdout, stderr } = await runPortunus([
    'demo',
    'exhaustion',
    '--fast',
    '--seed',
    '3',
    '--json',
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { gateway, naive } = JSON.parse(stdout) as { readonly gateway: Side; readonly naive: Side };
  const calls = arrivalsOf(FAST, 3).length;
  for (const side of [gateway, naive]) {
    expect(side.calls).toBe(calls);
    expect(side.answered + side.refused + side.errors).toBe(calls);
  }
  // Callers behind the gateway see nothing of the key that is lost; the provider tells it at most to the calls under way.
  expect(gateway.errors).toBe(0);
  expect(naive.errors).toBeGreaterThan(0);
  expect(gateway.providerRefusals).toBeLessThan(naive.providerRefusals);
  expect(await demos()).toEqual(before);
});

it('has the same load for the same seed, in two minutes at most', () => {
  expect(arrivalsOf(TWO_MINUTES, 1)).toEqual(arrivalsOf(TWO_MINUTES, 1));
  expect(arrivalsOf(TWO_MINUTES, 1)).not.toEqual(arrivalsOf(TWO_MINUTES, 2));
  expect(lengthMs(TWO_MINUTES)).toBeLessThanOrEqual(120_000);
  const moments = arrivalsOf(TWO_MINUTES, 1).map(({ atMs }) => atMs);
  expect(moments).toEqual(moments.toSorted((one, other) => one - other));
});
