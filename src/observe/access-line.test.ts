import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessLine } from './access-line.ts';
import { anyRecord, record } from './record.cases.ts';

describe('a line of the access log', () => {
  it('names what OpenTelemetry names as it does, and the rest with a prefix of ours', () => {
    const warned = record({ shadowDenied: ['residency/eu-only'], warnedRules: ['keys/old'] });
    expect(JSON.parse(accessLine(warned))).toEqual({
      level: 30,
      time: 1_795_456_000_123,
      msg: 'request',
      'http.request.method': 'GET',
      'url.path': '/orders/12345',
      'http.route': 'list-orders',
      'http.response.status_code': 200,
      'http.request.body.size': 0,
      'http.response.body.size': 512,
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      'portunus.request_id': '01JD3ZK8W5V6Q1N0A2B3C4D5E6',
      'portunus.configuration': '0123456789abcdef',
      'portunus.route_version': '1.2.0',
      'portunus.tenant': 'acme',
      'portunus.team': 'shop',
      'portunus.consumer': 'web-shop',
      'portunus.credential': 'web-1',
      'portunus.rule': 'subscriptions/permit when consumer is subscribed to route',
      'portunus.shadow_denied': ['residency/eu-only'],
      'portunus.warned': ['keys/old'],
      'portunus.target': 'http://127.0.0.1:9001',
      'portunus.decided_us': 12.5,
      'portunus.dispatched_us': 20,
      'portunus.first_byte_us': 180,
      'portunus.finished_us': 200,
      'portunus.attempts': 1,
    });
  });

  it('leaves out what a refused anonymous request does not have', () => {
    const anonymous = record({
      status: 401,
      code: 'unauthenticated',
      ...{ tenant: '', team: '', consumer: '', credential: '', decidingRule: '', target: '', traceId: '' },
      ...{ dispatchedUs: -1, firstByteUs: -1, attempts: 0, routeVersion: '' },
    });
    expect(Object.keys(JSON.parse(accessLine(anonymous)))).toEqual([
      'level',
      'time',
      'msg',
      'http.route',
      'portunus.configuration',
      'http.request.method',
      'error.type',
      'url.path',
      'http.response.status_code',
      'http.request.body.size',
      'http.response.body.size',
      'portunus.request_id',
      'portunus.attempts',
      'portunus.decided_us',
      'portunus.finished_us',
    ]);
  });

  it('holds every field of a record that is full', () => {
    const full = record({
      person: 'ann',
      code: 'limit_exceeded',
      fault: 'connect ECONNREFUSED 127.0.0.1:9001',
      ...{ alsoDenied: ['a/b'], waivedRules: ['c/d'], model: 'gpt-4o', providerKey: 'k1' },
      ...{ inputTokens: 10, outputTokens: 20, costNano: 3_000, clientAborted: true },
    });
    expect(JSON.parse(accessLine(full))).toMatchObject({
      'portunus.person': 'ann',
      'error.type': 'limit_exceeded',
      'error.message': 'connect ECONNREFUSED 127.0.0.1:9001',
      'portunus.also_denied': ['a/b'],
      'portunus.waived': ['c/d'],
      'portunus.provider_key': 'k1',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 20,
      'portunus.cost_nano': 3_000,
      'portunus.client_aborted': true,
    });
  });

  it('is one line of JSON for every record there can be', () => {
    fc.assert(
      fc.property(anyRecord, (any) => {
        const line = accessLine(any);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const parsed = JSON.parse(line);
        expect(parsed['url.path']).toBe(any.path);
        expect(parsed['portunus.consumer'] ?? '').toBe(any.consumer);
        expect(parsed['portunus.also_denied'] ?? []).toEqual(any.alsoDenied);
      }),
      { numRuns: 500 },
    );
  });

  it('writes null where a damaged record holds no number', () => {
    const line = accessLine(record({ finishedUs: Number.NaN, timeMs: Number.POSITIVE_INFINITY }));
    expect(JSON.parse(line)).toMatchObject({ 'portunus.finished_us': null, time: null });
  });
});
