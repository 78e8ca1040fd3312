import { expect, it } from 'vitest';
import type { NamedCrossing } from '../../gateway/threshold-crossings.ts';
import type { AlertRaised } from '../../observe/alert-bus.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import { ThresholdAlerts } from './threshold-alerts.ts';

const YEAR_MS = 365 * 86_400_000;
const SPEC = {
  identity: JSON.stringify(['limits', 'year', 'requests', 'year', [], null]),
  thresholdsPercent: [50, 80],
  window: { kind: 'calendar', amount: 1_000 },
} as unknown as CounterSpec;

function rig() {
  let nowMs = 1_000_000;
  let counters: readonly CounterSpec[] = [SPEC];
  const open = new Set<string>();
  const told: string[] = [];
  const alerts = new ThresholdAlerts({
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    alerts: {
      raise: ({ kind, subject, message, remedy }: AlertRaised) => {
        told.push(`${message} ${remedy}`);
        return open.add(`${kind} ${subject}`) !== undefined;
      },
      resolve: ({ kind, subject }) => void open.delete(`${kind} ${subject}`),
    },
    counters: () => counters,
    currency: () => 'USD',
  });
  return {
    open: () => [...open],
    told,
    cross: (percent: number) =>
      alerts.crossed(
        [
          {
            identity: SPEC.identity,
            percent,
            used: 10 * percent,
            resetsWallMs: nowMs + YEAR_MS,
          } as NamedCrossing,
        ],
        0,
      ),
    lose: () => alerts.crossed([], 3),
    pass: (ms: number) => {
      nowMs += ms;
      alerts.resolveEnded();
    },
    run: (next: readonly CounterSpec[]) => {
      counters = next;
    },
  };
}

it('a threshold is over when its counter begins anew', () => {
  const { cross, pass, open } = rig();
  cross(50);
  pass(YEAR_MS - 1);
  expect(open()).toHaveLength(1);
  pass(1);
  expect(open()).toEqual([]);
});

it('a threshold is over with its rule, and with the share that it asks for', () => {
  const { cross, pass, open, run, lose } = rig();
  cross(50);
  cross(80);
  lose();
  run([{ ...SPEC, identity: '["another"]' }, SPEC]);
  pass(1_000);
  expect(open()).toHaveLength(3);
  run([{ ...SPEC, thresholdsPercent: [80] }]);
  pass(1_000);
  expect(open()).toEqual([expect.stringMatching(/^limit-threshold .* 80%$/), 'thresholds-lost ']);
  run([]);
  pass(1_000);
  expect(open()).toEqual(['thresholds-lost ']);
  pass(60_000);
  expect(open()).toEqual([]);
});

it.each([
  [undefined, 'has refused its first request; its amount is 1000', 'Requests are refused until then.'],
  [
    { models: ['mini', 'tiny'], waits: false },
    'has had no room for a request for the first time; its amount is 1000',
    'Until then calls go to model "mini" or "tiny"; those that find none there are refused.',
  ],
  [
    { models: ['mini'], waits: true },
    'has had no room for a request for the first time; its amount is 1000',
    'Until then calls go to model "mini", or wait for room; those that find none there or in time are refused.',
  ],
  [
    { models: [], waits: true },
    'has had no room for a request for the first time; its amount is 1000',
    'Requests wait for room until then, and those that find none in time are refused.',
  ],
])('of a limit without room it says what becomes of requests: %j', (withoutRoom, said, remedy) => {
  const { cross, told, run } = rig();
  run([{ ...SPEC, ...(withoutRoom === undefined ? {} : { withoutRoom }) }]);
  cross(100);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(` ${said}. It resets `);
  expect(told[0]).toContain(` ${remedy} Raise the amount`);
});
