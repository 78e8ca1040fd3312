/** When people are told of pools and keys: once when a rule begins to hold, once when it no longer does. */
import { expect, it } from 'vitest';
import type { PoolAlertTest, PoolSubject } from '../pipeline/pool-rules.ts';
import { PoolAlerts } from './pool-alerts.ts';

const QUIET_MS = 60_000;
const SPEC: PoolAlertTest['spec'] = {
  policy: 'p',
  rule: 'low',
  mode: 'enforce',
  of: 'pool',
  condition: null,
  because: null,
  asks: [],
  notify: 'oncall',
};

/** A rule that holds of pools, or keys, with this much or less. */
function below(most: number, spec: Partial<PoolAlertTest['spec']> = {}): PoolAlertTest {
  return {
    spec: { ...SPEC, condition: most, ...spec },
    holds: ({ facts }) => Number(facts.left) <= most,
    text: ({ facts }) => `${facts.left} left`,
  };
}

const pool = (left: number, name = 'main'): PoolSubject => ({ pool: name, key: null, facts: { left } });

class Rig {
  nowMs = 0;
  readonly told: string[] = [];
  readonly alerts = new PoolAlerts({
    clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
    alerts: {
      raise: ({ message, reach, notify }) => {
        this.told.push(`${message} ${reach} ${notify}`);
        return true;
      },
      resolve: ({ subject }) => void this.told.push(`over: ${subject}`),
    },
    quietMs: QUIET_MS,
  });

  /** What was told of these as they are after this time. */
  look(ms: number, ...subjects: readonly PoolSubject[]): string[] {
    this.nowMs += ms;
    this.told.length = 0;
    this.alerts.look(subjects);
    return [...this.told];
  }
}

it('is raised when it begins to hold, says the same while it does, and is over after a quiet while', () => {
  const rig = new Rig();
  rig.alerts.use([below(15)]);
  expect(rig.look(0, pool(16))).toEqual([]);
  const low = 'p/low for pool "main": 14 left everybody oncall';
  expect(rig.look(1_000, pool(14))).toEqual([low]);
  expect(rig.look(1_000, pool(3))).toEqual([low]);
  expect(rig.look(QUIET_MS - 1, pool(16))).toEqual([]);
  expect(rig.look(0, pool(15))).toEqual([low]);
  expect(rig.look(QUIET_MS - 1, pool(16))).toEqual([]);
  expect(rig.look(1, pool(16))).toEqual(['over: p/low for pool "main"']);
  expect(rig.look(QUIET_MS, pool(16))).toEqual([]);
  expect(rig.alerts.inspect()).toEqual([{ policy: 'p', rule: 'low', mode: 'enforce', begun: 1, holding: 0 }]);
});

it('has an alert for each pool, or for each key, and ends those of what is gone', () => {
  const rig = new Rig();
  rig.alerts.use([below(15), below(15, { of: 'key', rule: 'key' })]);
  const key: PoolSubject = { pool: 'main', key: 'k1', facts: { left: 0 } };
  expect(rig.look(0, pool(1), key, pool(2, 'spare'))).toEqual([
    'p/low for pool "main": 1 left everybody oncall',
    'p/low for pool "spare": 2 left everybody oncall',
    'p/key for key "k1" of pool "main": 0 left everybody oncall',
  ]);
  expect(rig.look(QUIET_MS, pool(1))).toEqual([
    'p/low for pool "main": 1 left everybody oncall',
    'over: p/low for pool "spare"',
    'over: p/key for key "k1" of pool "main"',
  ]);
});

it('tells the log alone in warn, and nobody in shadow, which is counted', () => {
  const rig = new Rig();
  rig.alerts.use([below(15, { mode: 'warn' }), below(15, { mode: 'shadow', rule: 'other' })]);
  expect(rig.look(0, pool(1))).toEqual(['p/low for pool "main": 1 left log oncall']);
  expect(rig.alerts.inspect().map(({ mode, begun, holding }) => [mode, begun, holding])).toEqual([
    ['warn', 1, 1],
    ['shadow', 1, 1],
  ]);
});

it('goes on over a reload that leaves it as it is, and is over with one that changes or removes it', () => {
  const rig = new Rig();
  rig.alerts.use([below(15)]);
  rig.look(0, pool(14));
  rig.told.length = 0;
  rig.alerts.use([below(15)]);
  expect(rig.told).toEqual([]);
  expect(rig.look(0, pool(13))).toEqual(['p/low for pool "main": 14 left everybody oncall']);
  rig.told.length = 0;
  rig.alerts.use([below(14)]);
  expect(rig.told).toEqual(['over: p/low for pool "main"']);
  expect(rig.look(0, pool(13))).toEqual(['p/low for pool "main": 13 left everybody oncall']);
  rig.told.length = 0;
  rig.alerts.use([]);
  expect(rig.told).toEqual(['over: p/low for pool "main"']);
});
