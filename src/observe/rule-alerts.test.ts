import { describe, expect, it } from 'vitest';
import type { AlertSpec } from '../pipeline/alerts.ts';
import { type AlertNotice, createAlertBus } from './alert-bus.ts';
import { RuleAlerts } from './rule-alerts.ts';

const SPEC: AlertSpec = {
  identity: 'id',
  policy: 'ops',
  rule: 'errors',
  mode: 'enforce',
  atLeast: null,
  keys: [],
  otherwise: null,
  maxKeys: 3,
  notify: null,
};

function rig(spec: Partial<AlertSpec> = {}, policyMax = 10) {
  let nowMs = 1_000_000;
  const notices: AlertNotice[] = [];
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const deliver = {
    name: 'test',
    deliver: (notice: AlertNotice) => ({ ok: true, value: void notices.push(notice) }) as const,
  };
  const alerts = createAlertBus({
    clock,
    deliveries: () => [deliver],
    openAlertsMax: { gateway: 10, policy: policyMax },
  });
  const rules = new RuleAlerts({ clock, alerts, quietMs: 300_000 });
  rules.use([{ ...SPEC, ...spec }], 1);
  return {
    rules,
    alerts,
    match: (requests = 1, key: readonly string[] = [], text: string | null = null) =>
      rules.matched([{ identity: 'id', epoch: 1, key, shownKey: null, requests, text }], nowMs),
    /** As the control thread reads it that long after a data thread said it. */
    matchLate: (lateMs: number, requests: number) =>
      rules.matched(
        [{ identity: 'id', epoch: 1, key: [], shownKey: null, requests, text: null }],
        nowMs - lateMs,
      ),
    pass: (ms: number) => {
      nowMs += ms;
      rules.resolveQuiet();
    },
    told: () => notices.map(({ event, alert }) => `${event} ${alert.subject} ${alert.times}`),
    notices,
  };
}

describe('an alert rule', () => {
  it('is told by its first request, counts the others, and is over when all is quiet', () => {
    const { match, pass, told, notices, alerts } = rig();
    match(2, [], 'orders answers 500');
    match(3, [], 'orders answers 502');
    expect(told()).toEqual(['raised ops/errors 2']);
    expect(notices[0]!.alert).toMatchObject({
      kind: 'policy-alert',
      severity: 'warning',
      message: 'ops/errors: orders answers 500',
      askedBy: 'policy',
      reach: 'everybody',
    });
    pass(299_999);
    match();
    pass(299_999);
    expect(alerts.open()).toHaveLength(1);
    pass(1);
    expect(told()).toEqual(['raised ops/errors 2', 'resolved ops/errors 6']);
  });

  it('waits for as many requests as it asks for, within its time', () => {
    const { match, pass, told } = rig({ atLeast: { requests: 10, windowMs: 60_000 } });
    for (let minutes = 0; minutes < 5; minutes++) {
      match(9);
      pass(60_000);
    }
    expect(told()).toEqual([]);
    match(9);
    pass(30_000);
    match(1);
    expect(told()).toEqual(['raised ops/errors 10']);
  });

  it('counts requests when they were, not when the control thread comes to read of them', () => {
    const { matchLate, told, pass } = rig({ atLeast: { requests: 10, windowMs: 1_000 } });
    // Five seconds of a stalled control thread, read in one turn.
    for (const lateMs of [5_000, 3_750, 2_500, 1_250, 0]) matchLate(lateMs, 6);
    expect(told()).toEqual([]);
    // Two threads, the later one read first.
    pass(60_000);
    matchLate(100, 5);
    matchLate(400, 5);
    expect(told()).toEqual(['raised ops/errors 10']);
  });

  it('is over when the time after its last request is, however late that was read', () => {
    const { matchLate, told, pass } = rig();
    matchLate(20_000, 1);
    pass(279_999);
    expect(told()).toHaveLength(1);
    pass(1);
    expect(told()).toEqual(['raised ops/errors 1', 'resolved ops/errors 1']);
  });

  it('keeps keys apart whose values look like names of keys', () => {
    const { match, told } = rig({ keys: ['tenant', 'route'] });
    match(1, ['each', 'a", route "b', 'c']);
    match(1, ['each', 'a', 'b", route "c']);
    match(1, ['each', 'line\nbreak', 'r']);
    expect(told()).toEqual([
      'raised ops/errors for tenant "a\\", route \\"b", route "c" 1',
      'raised ops/errors for tenant "a", route "b\\", route \\"c" 1',
      'raised ops/errors for tenant "line\\nbreak", route "r" 1',
    ]);
  });

  it('tells apart keys of which people see the same part', () => {
    const { rules, told } = rig({ keys: ['request.body.ssn'] });
    const match = (ssn: string) =>
      rules.matched(
        [
          {
            identity: 'id',
            epoch: 1,
            key: ['each', ssn],
            shownKey: ['each', '[removed]'],
            requests: 1,
            text: null,
          },
        ],
        0,
      );
    for (const ssn of ['078-05-1120', '078-05-1121', '078-05-1120']) match(ssn);
    expect(told()).toEqual([
      'raised ops/errors for request.body.ssn "[removed]" (1) 1',
      'raised ops/errors for request.body.ssn "[removed]" (2) 1',
    ]);
  });

  it('takes the keys of an older version for no keys of its own', () => {
    const { rules, match, told } = rig({ keys: ['tenant'] });
    match(1, ['each', 'acme']);
    const late = { identity: 'id', key: ['each', 'acme'], shownKey: null, requests: 1, text: null };
    rules.use([{ ...SPEC, keys: ['route'] }], 2);
    rules.matched([{ ...late, epoch: 1 }], 0);
    expect(rules.inspect()[0]).toMatchObject({ matched: 2, open: 0 });
    rules.use([{ ...SPEC, keys: ['route'], maxKeys: 9 }], 3);
    rules.matched([{ ...late, epoch: 1 }], 0);
    rules.matched([{ ...late, key: ['each', 'orders'], epoch: 2 }], 0);
    expect(told()).toEqual([
      'raised ops/errors for tenant "acme" 1',
      'resolved ops/errors for tenant "acme" 1',
      'raised ops/errors for route "orders" 1',
    ]);
    expect(rules.inspect()[0]).toMatchObject({ matched: 4, open: 1 });
  });

  it('that asks for many goes on while there are as many, not while there are some', () => {
    const { match, pass, told } = rig({ atLeast: { requests: 10, windowMs: 60_000 } });
    match(10);
    for (let minutes = 0; minutes < 6; minutes++) {
      pass(60_000);
      match(1);
    }
    expect(told()).toEqual(['raised ops/errors 10', 'resolved ops/errors 14']);
  });

  it('has an alert for each key, and one for all beyond the bound', () => {
    const { match, told, rules } = rig({ keys: ['tenant', 'route'], otherwise: 'request.ip' });
    match(1, ['each', 'acme', 'orders']);
    match(1, ['otherwise', '192.0.2.1']);
    match(1, ['missing']);
    match(4, ['each', 'globex', 'orders']);
    match(2, ['others']);
    match(1, ['each', 'acme', 'orders']);
    expect(told()).toEqual([
      'raised ops/errors for tenant "acme", route "orders" 1',
      'raised ops/errors for request.ip "192.0.2.1" 1',
      'raised ops/errors for requests without a key 1',
      'raised ops/errors for further keys 4',
    ]);
    expect(rules.inspect()).toEqual([
      { policy: 'ops', rule: 'errors', mode: 'enforce', matched: 10, shared: 6, keys: 4, open: 4 },
    ]);
  });

  it('forgets keys that are quiet, so that others find room', () => {
    const { match, pass, rules } = rig({ keys: ['tenant'], atLeast: { requests: 5, windowMs: 10_000 } });
    for (const tenant of ['a', 'b', 'c', 'd']) match(1, ['each', tenant]);
    expect(rules.inspect()[0]).toMatchObject({ keys: 4, shared: 1, open: 0 });
    pass(10_000);
    expect(rules.inspect()[0]).toMatchObject({ keys: 0 });
  });

  it('is told again when it was not opened for want of room', () => {
    const { match, told, alerts } = rig({ keys: ['tenant'] }, 1);
    match(1, ['each', 'a']);
    match(1, ['each', 'b']);
    alerts.resolve({ kind: 'policy-alert', subject: 'ops/errors for tenant "a"' });
    match(1, ['each', 'b']);
    expect(told().at(-1)).toBe('raised ops/errors for tenant "b" 1');
    expect(alerts.counts.overflowed).toEqual({ gateway: 0, policy: 1 });
  });

  it('in shadow is counted and never told, in warn is for the log alone', () => {
    const shadow = rig({ mode: 'shadow' });
    shadow.match(7);
    expect(shadow.told()).toEqual([]);
    expect(shadow.rules.inspect()[0]).toMatchObject({ matched: 7, open: 0 });
    const warn = rig({ mode: 'warn' });
    warn.match();
    expect(warn.notices[0]!.alert.reach).toBe('log');
  });

  it('is over with its rule, and goes on over a reload that leaves it', () => {
    const { rules, match, told } = rig();
    match();
    rules.use([{ ...SPEC, maxKeys: 5 }], 2);
    match();
    expect(told()).toEqual(['raised ops/errors 1']);
    rules.use([{ ...SPEC, mode: 'shadow' }], 3);
    expect(told()).toEqual(['raised ops/errors 1', 'resolved ops/errors 2']);
    expect(rules.inspect()[0]).toMatchObject({ matched: 2 });
    rules.use([], 4);
    match();
    expect(rules.inspect()).toEqual([]);
  });
});
