/** Rules about pools: what is read from their texts, and of which pools and keys they hold. */
import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { checkPolicies } from '../language/check.ts';
import { AI_WORLD } from '../language/world.cases.ts';
import type { PoolAlertTest, PoolSubject } from '../pipeline/pool-rules.ts';
import { poolRuleSpecs } from './pool-rules.ts';
import { poolAlertTest, rotationTest } from './runtime/pool-rules.ts';

const MONDAY_NOON_MS = Date.UTC(2026, 10, 30, 12);
const DECLARATIONS = 'language 1\ncalendar "office" mon..fri 08:00..18:00\ndefine some = ["spare", "main"]\n';

/** The only rule of a policy, as it comes out of a file. */
function alertOf(text: string, head = ''): PoolAlertTest {
  const file = new SourceText('a.policy', `${DECLARATIONS}policy "p" ${head} { ${text} }`);
  const { policies, diagnostics } = checkPolicies([file], AI_WORLD);
  expect(diagnostics).toEqual([]);
  const { alerts } = poolRuleSpecs(policies, AI_WORLD);
  expect(alerts).toHaveLength(1);
  return poolAlertTest(JSON.parse(JSON.stringify(alerts[0])));
}

const POOL: PoolSubject = {
  pool: 'main',
  key: null,
  facts: {
    pool: 'main',
    'pool.provider': 'openai',
    'pool.headroom': 14.9,
    'pool.keys': 3,
    'pool.usable_keys': 2,
    'pool.exhausted_in': 600_000,
  },
};
const KEY: PoolSubject = {
  pool: 'main',
  key: 'k1',
  facts: {
    ...POOL.facts,
    key: 'k1',
    'key.account': 'org',
    'key.state': 'active',
    'key.headroom': 0,
    'key.age': 90 * 86_400_000,
    'key.exhausted_in': undefined,
  },
};

describe('an alert about pools', () => {
  it.each([
    ['pool.headroom < 15%', true],
    ['pool.headroom >= 14.9%', true],
    ['pool.headroom < 14.9%', false],
    ['pool exhausted within 10m', true],
    ['pool exhausted within 9m', false],
    ['not pool exhausted within 9m', true],
    ['pool.headroom > 50% or pool exhausted within 1h', true],
    ['pool.headroom < 50% and pool.usable_keys > 2', false],
    ['pool.usable_keys < pool.keys', true],
    ['pool.usable_keys * 2 >= pool.keys + 2', false],
    ['pool is "main" and pool.headroom < 15%', true],
    ['pool.name is not "main"', false],
    ['pool in ["spare", "main"]', true],
    ['pool not in some', false],
    ['pool.provider starts with "open"', true],
    ['pool like "m*n" and pool.provider ends with "ai" and pool contains "ai" and pool matches /^ma/', true],
    ['pool.exhausted_in is absent', false],
    ['pool.exhausted_in otherwise 1h < 11m', true],
    ['pool.headroom < 15% and during "office"', true],
    ['pool.headroom < 15% and outside "office"', false],
    ['any of some has pool is it', true],
  ])('holds, or not: %s', (condition, holds) => {
    const alert = alertOf(`alert when ${condition}`);
    expect(alert.spec.of).toBe('pool');
    expect(alert.holds(POOL, MONDAY_NOON_MS)).toBe(holds);
  });

  it.each([
    ['key.state is "invalid"', false],
    ['key.state in ["active", "suspect"] and key.headroom is 0%', true],
    ['key exhausted within 10m', false],
    ['not key exhausted within 10m', true],
    ['key.age > 60 days and pool is "main"', true],
    ['key.name is key.account', false],
  ])('asks each key where it names facts of keys: %s', (condition, holds) => {
    const alert = alertOf(`alert when ${condition}`);
    expect(alert.spec.of).toBe('key');
    expect(alert.holds(KEY, MONDAY_NOON_MS)).toBe(holds);
  });

  it('is in force on the days of its policy and its own, in the zone of the file', () => {
    const ofPolicy = alertOf('alert when pool.headroom < 15%', 'effective from 2026-12-01');
    const own = alertOf('alert when pool.headroom < 15%  until 2026-11-30');
    expect([ofPolicy, own].map((one) => one.holds(POOL, MONDAY_NOON_MS))).toEqual([false, true]);
    const later = MONDAY_NOON_MS + 86_400_000;
    expect([ofPolicy, own].map((one) => one.holds(POOL, later))).toEqual([true, false]);
  });

  it('is not narrowed by what its policy applies to, which is about requests', () => {
    const alert = alertOf('permit  alert when pool.headroom < 15%', 'applies to route "chat"');
    expect(alert.holds(POOL, MONDAY_NOON_MS)).toBe(true);
  });

  it('says what its author says, or the values that it asked', () => {
    const said = 'because "{pool.provider}: {pool.headroom} left, {pool.exhausted_in}; {calendar.opens}"';
    const text = (rule: string, subject: PoolSubject) => alertOf(rule).text(subject, MONDAY_NOON_MS);
    expect(text(`alert when pool.headroom < 15% and during "office"  ${said}`, POOL)).toBe(
      'openai: 14.9% left, 10 minutes; 2026-12-01 08:00 (Europe/Berlin)',
    );
    expect(text('alert when pool is "main" and pool.headroom < 15% and pool exhausted within 1h', POOL)).toBe(
      'pool.headroom is 14.9%, pool.exhausted_in is 10 minutes.',
    );
    expect(text('alert when key.state is "active" and key.age > 1m', KEY)).toBe(
      'key.state is active, key.age is 90 days.',
    );
    expect(text('alert when pool is "main"', POOL)).toBe('its condition holds.');
  });

  it('has a name, or its canonical text', () => {
    expect(alertOf('alert "low" when pool.headroom < 15%').spec.rule).toBe('low');
    expect(alertOf('alert when pool exhausted within 10m  notify "oncall"').spec).toMatchObject({
      rule: 'alert when pool.exhausted_in is present and pool.exhausted_in <= 600000ms  notify "oncall"',
      notify: 'oncall',
      mode: 'enforce',
    });
  });
});

describe('a rotation of keys', () => {
  it('says how old secrets may be, on the days when it is in force', () => {
    const text = 'rotate keys of pool "main" every 60 days  overlap 24h  notify "oncall"  from 2026-12-01';
    const file = new SourceText(
      'a.policy',
      `${DECLARATIONS}policy "p" { ${text} rotate keys of pool "main" every 2h }`,
    );
    const { policies, diagnostics } = checkPolicies([file], AI_WORLD);
    expect(diagnostics).toEqual([]);
    const rules = policies.policies[0]!.poolRules;
    expect(rules.map(({ key }) => key)).toEqual([
      'rotate keys of pool "main" every 5184000000ms  overlap 86400000ms  when request.date["Europe/Berlin"] >= 20788 days  notify "oncall"',
      'rotate keys of pool "main" every 7200000ms',
    ]);
    const tests = poolRuleSpecs(policies, AI_WORLD).rotations.map(rotationTest);
    expect(tests.map(({ spec }) => [spec.everyMs, spec.overlapMs, spec.notify])).toEqual([
      [60 * 86_400_000, 86_400_000, 'oncall'],
      [7_200_000, null, null],
    ]);
    expect(tests.map((test) => test.isInForce(MONDAY_NOON_MS))).toEqual([false, true]);
    expect(tests.map((test) => test.isInForce(MONDAY_NOON_MS + 86_400_000))).toEqual([true, true]);
  });
});
