import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../pipeline/record.ts';
import { record } from './record.cases.ts';
import { createTraffic, OTHER_NAMES } from './traffic.ts';

function traffic() {
  let nowMs = 0;
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const counters = createTraffic(clock);
  const accept = (changes: Partial<AccessRecord> = {}) => counters.accept(record(changes), null);
  return { counters, accept, pass: (ms: number) => (nowMs += ms) };
}

describe('the traffic counters', () => {
  it('count requests by class, own answers by code, refusals by rule', () => {
    const { counters, accept } = traffic();
    accept();
    accept({ status: 404, clientAborted: true });
    accept({ status: 403, code: 'forbidden', decidingRule: 'plans/free' });
    accept({ status: 429, code: 'limit_exceeded', decidingRule: 'plans/pace' });
    accept({ status: 429, code: 'limit_exceeded', decidingRule: 'plans/pace' });
    accept({ status: 401, code: 'unauthenticated', decidingRule: '' });
    accept({ status: 0, shadowDenied: ['p/a', 'p/b'], warnedRules: ['p/w'] });
    expect(counters.summary()).toMatchObject({
      requests: 7,
      clientAborted: 1,
      byStatusClass: { '2xx': 1, '4xx': 5, none: 1 },
      byCode: [
        { name: 'limit_exceeded', count: 2 },
        { name: 'forbidden', count: 1 },
        { name: 'unauthenticated', count: 1 },
      ],
      refusalsByRule: [
        { name: 'plans/pace', count: 2 },
        { name: 'plans/free', count: 1 },
      ],
      warningsByRule: [{ name: 'p/w', count: 1 }],
      shadowRefusalsByRule: [
        { name: 'p/a', count: 1 },
        { name: 'p/b', count: 1 },
      ],
    });
  });

  it('keep at most 500 names apart and count the rest together', () => {
    const { counters, accept } = traffic();
    for (let rule = 0; rule < 600; rule++) {
      accept({ status: 403, code: 'forbidden', decidingRule: `p/${rule}` });
    }
    const { refusalsByRule } = counters.summary();
    expect(refusalsByRule).toHaveLength(501);
    expect(refusalsByRule[0]).toEqual({ name: OTHER_NAMES, count: 100 });
  });

  it('give latencies of the last one to two minutes', () => {
    const { counters, accept, pass } = traffic();
    const of = (finishedUs: number) => {
      accept({ finishedUs });
      counters.endBatch();
    };
    of(9);
    pass(60_000);
    of(5);
    expect(counters.summary().latency).toEqual({ requests: 2, p50Us: 5, p90Us: 9, p99Us: 9, maxUs: 9 });
    pass(60_000);
    of(3);
    expect(counters.summary().latency).toMatchObject({ requests: 2, maxUs: 5 });
    pass(600_000);
    expect(counters.summary().latency).toEqual({ requests: 0, p50Us: 0, p90Us: 0, p99Us: 0, maxUs: 0 });
    expect(counters.summary().requests).toBe(3);
  });
});
