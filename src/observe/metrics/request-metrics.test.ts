import { describe, expect, it } from 'vitest';
import { record } from '../record.cases.ts';
import { MetricSamples } from './metric-samples.ts';
import type { MetricName } from './metric-table.ts';
import { createRequestMetrics, type RequestMetrics } from './request-metrics.ts';
import { OTHERS } from './series.ts';

function collected(metrics: RequestMetrics): (name: MetricName, line?: string) => Record<string, number> {
  const samples = new MetricSamples();
  metrics.collect(samples);
  return (name, line) =>
    Object.fromEntries(
      samples
        .valuesOf(name)
        .filter(({ metricName }) => metricName === (line === undefined ? undefined : `${name}_${line}`))
        .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
    );
}

describe('metrics of requests', () => {
  it('count by method, route and status, and know unheard-of methods by one name', () => {
    const metrics = createRequestMetrics(100);
    for (const changes of [
      {},
      {},
      { status: 404, route: '' },
      { method: 'PROPFIND', status: 405 },
      { method: 'BREW', status: 405 },
    ]) {
      metrics.accept(record(changes), null);
    }
    expect(collected(metrics)('http_server_request_duration_seconds', 'count')).toEqual({
      'GET list-orders 200': 2,
      'GET  404': 1,
      '_OTHER list-orders 405': 2,
    });
  });

  it('put each duration into the bucket whose bound it does not exceed', () => {
    const metrics = createRequestMetrics(100);
    for (const finishedUs of [0, 5_000, 5_001, 10_000_000, 10_000_001]) {
      metrics.accept(record({ finishedUs, dispatchedUs: -1, firstByteUs: -1 }), null);
    }
    const buckets = collected(metrics)('http_server_request_duration_seconds', 'bucket');
    expect(buckets['GET list-orders 200 0.005']).toBe(2);
    expect(buckets['GET list-orders 200 0.01']).toBe(3);
    expect(buckets['GET list-orders 200 10']).toBe(4);
    expect(buckets['GET list-orders 200 +Inf']).toBe(5);
    const sum = collected(metrics)('http_server_request_duration_seconds', 'sum');
    expect(sum['GET list-orders 200']).toBeCloseTo(20.010002, 9);
  });

  it('tell the gateway’s own time apart from the service’s', () => {
    const metrics = createRequestMetrics(100);
    metrics.accept(record({ dispatchedUs: 30, firstByteUs: 1_030, finishedUs: 20_030, attempts: 2 }), null);
    metrics.accept(
      record({ dispatchedUs: -1, firstByteUs: -1, finishedUs: 40, attempts: 0, status: 403 }),
      null,
    );
    const of = collected(metrics);
    expect(of('portunus_overhead_seconds', 'sum')['']).toBeCloseTo(0.00007, 12);
    expect(of('portunus_overhead_seconds', 'count')['']).toBe(2);
    expect(of('http_client_request_duration_seconds', 'sum')['list-orders']).toBeCloseTo(0.02, 12);
    expect(of('portunus_upstream_first_byte_seconds', 'sum')['list-orders']).toBeCloseTo(0.001, 12);
    expect(of('portunus_upstream_attempts_total')).toEqual({ 'list-orders': 2 });
  });

  it('name the rule of each decision, and the code of each answer of our own', () => {
    const metrics = createRequestMetrics(100);
    metrics.accept(record({ decidingRule: 'base/open', warnedRules: ['keys/old/v1'] }), null);
    metrics.accept(
      record({
        decidingRule: 'plans/pace',
        code: 'limit_exceeded',
        status: 429,
        alsoDenied: ['plans/day'],
        shadowDenied: ['trial/x', 'trial/y'],
      }),
      null,
    );
    metrics.accept(
      record({ decidingRule: '', code: 'route_not_found', status: 404, clientAborted: true }),
      null,
    );
    const of = collected(metrics);
    expect(of('portunus_decisions_total')).toEqual({
      'permitted base open': 1,
      'warned keys old/v1': 1,
      'refused plans pace': 1,
      'also-refused plans day': 1,
      'would-refuse trial x': 1,
      'would-refuse trial y': 1,
    });
    expect(of('portunus_answers_total')).toEqual({ limit_exceeded: 1, route_not_found: 1 });
    expect(of('portunus_requests_aborted_total')).toEqual({ '': 1 });
  });

  it('keep no more label sets than they may, lose no request, and count what was left out', () => {
    const metrics = createRequestMetrics(10);
    for (let i = 0; i < 60; i++) {
      metrics.accept(record({ route: `r${i % 30}`, decidingRule: `p/${i % 30}` }), null);
    }
    const of = collected(metrics);
    const requests = of('http_server_request_duration_seconds', 'count');
    expect(Object.keys(requests)).toHaveLength(11);
    expect(requests[`${OTHERS} ${OTHERS} ${OTHERS}`]).toBe(40);
    expect(Object.values(requests).reduce((sum, count) => sum + count)).toBe(60);
    expect(Object.keys(of('portunus_decisions_total'))).toHaveLength(11);
    expect(of('portunus_metric_series_left_out_total')).toEqual({
      http_server_request_duration_seconds: 40,
      portunus_decisions_total: 40,
    });
  });

  it('add up amounts, and leave out what a request does not have', () => {
    const metrics = createRequestMetrics(10);
    metrics.accept(
      record({ inputTokens: 5, outputTokens: 7, costNano: 11, requestBytes: 13, responseBytes: 17 }),
      null,
    );
    metrics.accept(record({ requestBytes: 1, responseBytes: 1 }), null);
    const of = collected(metrics);
    expect(of('portunus_tokens_total')).toEqual({ input: 5, output: 7 });
    expect(of('portunus_cost_nano_units_total')).toEqual({ '': 11 });
    expect(of('http_server_request_body_bytes_total')).toEqual({ 'list-orders': 14 });
    expect(of('http_server_response_body_bytes_total')).toEqual({ 'list-orders': 18 });
  });
});
