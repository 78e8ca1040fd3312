import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { err, ok, type Result } from '../base/result.ts';
import {
  ALERT_SEVERITIES,
  type AlertCondition,
  type AlertDelivery,
  type AlertNotice,
  createAlertBus,
} from './alert-bus.ts';
import type { AlertKind } from './alert-kinds.ts';
import { createAlertLogDelivery } from './alert-log-delivery.ts';

const down: AlertCondition = {
  kind: 'service-down',
  subject: 'orders',
  severity: 'warning',
  message: 'No endpoint of service "orders" answers.',
  remedy: 'Look at http://127.0.0.1:9001.',
  notify: null,
  askedBy: 'gateway',
  reach: 'everybody',
};

function bus(openAlertsMax = 10, verdict: Result<void, string> = ok(undefined)) {
  let nowMs = 1_000;
  const notices: AlertNotice[] = [];
  const delivery: AlertDelivery = {
    name: 'test',
    deliver(notice) {
      notices.push(notice);
      return verdict;
    },
  };
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const alerts = createAlertBus({
    clock,
    deliveries: () => [delivery],
    openAlertsMax: { gateway: openAlertsMax, policy: 1 },
  });
  return { alerts, notices, pass: (ms: number) => (nowMs += ms) };
}

describe('the alert bus', () => {
  it('tells once of a condition that goes on, and once of its end', () => {
    const { alerts, notices, pass } = bus();
    for (let times = 0; times < 5; times++) {
      alerts.raise(down);
      pass(100);
    }
    expect(notices.map(({ event, atMs }) => [event, atMs])).toEqual([['raised', 1_000]]);
    expect(alerts.open()).toEqual([{ ...down, sinceMs: 1_000, lastMs: 1_400, times: 5 }]);
    alerts.resolve(down);
    expect(notices[1]).toEqual({
      event: 'resolved',
      atMs: 1_500,
      alert: { ...down, sinceMs: 1_000, lastMs: 1_400, times: 5 },
    });
    expect(alerts.open()).toEqual([]);
    alerts.resolve(down);
    expect(notices).toHaveLength(2);
  });

  it('tells again when the condition becomes worse, not when it becomes milder', () => {
    const { alerts, notices } = bus();
    for (const severity of ['warning', 'notice', 'critical', 'critical'] as const)
      alerts.raise({ ...down, severity });
    expect(notices.map(({ event, alert }) => [event, alert.severity])).toEqual([
      ['raised', 'warning'],
      ['worsened', 'critical'],
    ]);
  });

  it('tells conditions apart by kind and subject together', () => {
    const { alerts } = bus();
    const raise = (kind: string, subject: string) =>
      alerts.raise({ ...down, kind: kind as AlertKind, subject });
    raise('a', 'bc');
    raise('ab', 'c');
    raise('a', 'bc');
    expect(alerts.open().map(({ kind, subject, times }) => [kind, subject, times])).toEqual([
      ['a', 'bc', 2],
      ['ab', 'c', 1],
    ]);
  });

  it('opens no more than its bound, and counts the rest', () => {
    const { alerts, notices } = bus(2);
    for (const subject of ['a', 'b', 'c']) alerts.raise({ ...down, subject });
    expect(alerts.open().map(({ subject }) => subject)).toEqual(['a', 'b']);
    expect(alerts.counts).toMatchObject({ raised: 2, overflowed: { gateway: 1, policy: 0 } });
    expect(alerts.counts.open).toEqual({ gateway: 2, policy: 0 });
    alerts.resolve({ kind: down.kind, subject: 'a' });
    expect(alerts.counts.open).toEqual({ gateway: 1, policy: 0 });
    alerts.raise({ ...down, subject: 'c' });
    expect(notices.map(({ event, alert }) => event + alert.subject)).toEqual([
      'raiseda',
      'raisedb',
      'resolveda',
      'raisedc',
    ]);
  });

  it('keeps room for the gateway, however much policies ask to be told', () => {
    const { alerts, notices } = bus(1);
    const asked = { ...down, kind: 'policy-alert', askedBy: 'policy' } as const;
    expect(['a', 'b', 'c'].map((subject) => alerts.raise({ ...asked, subject }))).toEqual([
      true,
      false,
      false,
    ]);
    expect(alerts.raise(down)).toBe(true);
    expect(alerts.counts.overflowed).toEqual({ gateway: 0, policy: 2 });
    alerts.resolve({ kind: 'policy-alert', subject: 'a' });
    expect(alerts.raise({ ...asked, subject: 'b' })).toBe(true);
    expect(notices.map(({ alert }) => alert.subject)).toEqual(['a', 'orders', 'a', 'b']);
  });

  it('counts as often as it is told', () => {
    const { alerts } = bus();
    alerts.raise(down, 12);
    alerts.raise(down, 3);
    expect(alerts.open()[0]!.times).toBe(15);
  });

  it('keeps the reason of a delivery that failed', () => {
    const { alerts } = bus(10, err('no route to host'));
    alerts.raise(down);
    expect(alerts.counts).toMatchObject({ failedDeliveries: 1, lastFailure: 'test: no route to host' });
  });

  it('behaves like a set of open conditions, whatever happens in whatever order', () => {
    const step = fc.record({
      act: fc.constantFrom('raise', 'resolve'),
      subject: fc.constantFrom('a', 'b', 'c'),
      severity: fc.constantFrom(...ALERT_SEVERITIES),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { alerts, notices } = bus(2);
        const model = new Map<string, number>();
        for (const { act, subject, severity } of steps) {
          if (act === 'resolve') {
            alerts.resolve({ kind: down.kind, subject });
            model.delete(subject);
          } else {
            alerts.raise({ ...down, subject, severity });
            if (model.has(subject) || model.size < 2) model.set(subject, (model.get(subject) ?? 0) + 1);
          }
        }
        expect(alerts.open().map(({ subject, times }) => [subject, times])).toEqual([...model]);
        const open = notices.filter(({ event }) => event === 'raised').length;
        const closed = notices.filter(({ event }) => event === 'resolved').length;
        expect(open - closed).toBe(model.size);
      }),
    );
  });
});

describe('the log delivery', () => {
  it.each([
    ['notice', 'info'],
    ['warning', 'warn'],
    ['critical', 'error'],
  ] as const)('writes a %s as %s, and its end as info', (severity, level) => {
    const lines: unknown[][] = [];
    const delivery = createAlertLogDelivery({ write: (...line) => lines.push(line) });
    const alert = { ...down, severity, sinceMs: 1, lastMs: 2, times: 3 };
    delivery.deliver({ event: 'raised', atMs: 2, alert });
    delivery.deliver({ event: 'resolved', atMs: 3, alert });
    expect(lines.map(([at, message]) => [at, message])).toEqual([
      [level, 'alert raised: No endpoint of service "orders" answers.'],
      ['info', 'alert resolved: No endpoint of service "orders" answers.'],
    ]);
    expect(lines[0]?.[2]).toMatchObject({
      'portunus.alert.kind': 'service-down',
      'portunus.alert.times': 3,
    });
  });
});
