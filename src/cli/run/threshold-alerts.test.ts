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
  const alerts = new ThresholdAlerts({
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    alerts: {
      raise: ({ subject }: AlertRaised) => open.add(subject) !== undefined,
      resolve: ({ subject }) => void open.delete(subject),
    },
    counters: () => counters,
    currency: () => 'USD',
  });
  return {
    open: () => [...open],
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
  expect(open()).toEqual([expect.stringContaining(' 80%'), '']);
  run([]);
  pass(1_000);
  expect(open()).toEqual(['']);
  pass(60_000);
  expect(open()).toEqual([]);
});
