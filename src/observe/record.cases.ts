import fc from 'fast-check';
import type { AccessRecord } from '../pipeline/record.ts';

/** A permitted request as the gateway records it; `changes` on top. */
export function record(changes: Partial<AccessRecord> = {}): AccessRecord {
  return {
    version: 2,
    timeMs: 1_795_456_000_123,
    requestId: '01JD3ZK8W5V6Q1N0A2B3C4D5E6',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    parentSpanId: '',
    traceSampled: false,
    tenant: 'acme',
    team: 'shop',
    consumer: 'web-shop',
    credential: 'web-1',
    person: '',
    method: 'GET',
    path: '/orders/12345',
    route: 'list-orders',
    routeVersion: '1.2.0',
    configurationHash: '0123456789abcdef',
    status: 200,
    code: '',
    fault: '',
    decidingRule: 'subscriptions/permit when consumer is subscribed to route',
    alsoDenied: [],
    shadowDenied: [],
    warnedRules: [],
    waivedRules: [],
    model: '',
    target: 'http://127.0.0.1:9001',
    providerKey: '',
    inputTokens: -1,
    outputTokens: -1,
    costNano: -1,
    requestBytes: 0,
    responseBytes: 512,
    decidedUs: 12.5,
    dispatchedUs: 20,
    firstByteUs: 180,
    finishedUs: 200,
    attempts: 1,
    clientAborted: false,
    ...changes,
  };
}

const name = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text.length <= 200),
  fc.integer({ min: 0, max: 200 }).map((units) => 'n'.repeat(units)),
);
const path = fc.oneof(
  name,
  fc.integer({ min: 0, max: 2_048 }).map((units) => '/'.repeat(units)),
  fc.integer({ min: 0, max: 2_048 }).map((units) => '€'.repeat(units)),
);
const names = fc.array(name, { maxLength: 8 });
const number = fc.oneof(fc.constant(-1), fc.double({ noNaN: true }), fc.maxSafeInteger());
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** Any record within the bounds of the binary form: it must come back as it is. */
export const anyRecord: fc.Arbitrary<AccessRecord> = fc.record({
  version: fc.constant(2 as const),
  timeMs: number,
  requestId: name,
  traceId: name,
  parentSpanId: name,
  traceSampled: fc.boolean(),
  tenant: name,
  team: name,
  consumer: name,
  credential: name,
  person: name,
  method: name,
  path,
  route: name,
  routeVersion: name,
  configurationHash: name,
  status: int32,
  code: name,
  fault: name,
  decidingRule: name,
  alsoDenied: names,
  shadowDenied: names,
  warnedRules: names,
  waivedRules: names,
  model: name,
  target: name,
  providerKey: name,
  inputTokens: number,
  outputTokens: number,
  costNano: number,
  requestBytes: number,
  responseBytes: number,
  decidedUs: number,
  dispatchedUs: number,
  firstByteUs: number,
  finishedUs: number,
  attempts: int32,
  clientAborted: fc.boolean(),
});
