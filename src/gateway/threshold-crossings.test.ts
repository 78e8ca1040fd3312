import { expect, it } from 'vitest';
import { RequestContext } from '../pipeline/context.ts';
import type { ThresholdCrossing } from '../pipeline/counters.ts';
import { CROSSINGS_PER_TURN_MAX, type NamedCrossing, ThresholdCrossings } from './threshold-crossings.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function crossing(percent: number): ThresholdCrossing {
  return { identity: '[]', keyHigh: 1, keyLow: 2, isShared: false, percent, used: 5, resetsWallMs: 9 };
}

function rig() {
  const told: { crossings: readonly NamedCrossing[]; lost: number }[] = [];
  const crossings = new ThresholdCrossings((named, lost) => told.push({ crossings: named, lost }));
  const context = new RequestContext();
  context.ip = '192.0.2.1';
  return { crossings, context, told };
}

it('what requests of one turn cross is told in one message, with their names', async () => {
  const { crossings, context, told } = rig();
  expect(crossings.any).toBe(false);
  for (const percent of [50, 80]) {
    crossings.crossed(crossing(percent));
    expect(crossings.any).toBe(true);
    crossings.name(context, `route-${percent}`);
  }
  expect(crossings.any).toBe(false);
  expect(told).toEqual([]);
  await turn();
  expect(told).toHaveLength(1);
  expect(told[0]!.crossings.map(({ percent, caller }) => [percent, caller.route, caller.ip])).toEqual([
    [50, 'route-50', '192.0.2.1'],
    [80, 'route-80', '192.0.2.1'],
  ]);
  expect(told[0]!.lost).toBe(0);
});

it('more than a message holds is counted', async () => {
  const { crossings, context, told } = rig();
  for (let count = 0; count < CROSSINGS_PER_TURN_MAX + 3; count++) crossings.crossed(crossing(100));
  crossings.name(context, 'r');
  await turn();
  expect(told.map(({ crossings: named, lost }) => [named.length, lost])).toEqual([
    [CROSSINGS_PER_TURN_MAX, 3],
  ]);
  crossings.crossed(crossing(50));
  crossings.name(context, 'r');
  await turn();
  expect(told.at(-1)!.lost).toBe(0);
});
