import { expect, test } from 'vitest';
import type { Identity } from '../pipeline/identity.ts';
import { cacheKey, type KeptCall, type KeptRequest } from './cache-key.ts';

const CALL: KeptCall = {
  model: 'gpt',
  pools: ['near', 'far'],
  outputTokens: 100,
  body: Buffer.from('{"model":"gpt"}'),
};
const REQUEST: KeptRequest = {
  route: 'chat',
  identity: callerOf('acme', 'shop', ['buyer', 'clerk'], 'app'),
  method: 'POST',
  host: 'a.test',
  target: '/v1/chat/completions?a=b',
  fieldLines: 'accept: */*\r\nuser-agent: curl\r\nx-color: red\r\n',
  fieldsSet: new Set(),
  call: CALL,
};

test.each<[string, Partial<KeptRequest>]>([
  ['route', { route: 'other' }],
  ['nobody known', { identity: null }],
  ['tenant', { identity: callerOf('globex', 'shop', ['buyer', 'clerk'], 'app') }],
  ['team', { identity: callerOf('acme', null, ['buyer', 'clerk'], 'app') }],
  ['role', { identity: callerOf('acme', 'shop', ['buyer'], 'app') }],
  ['method', { method: 'GET' }],
  ['host', { host: 'b.test' }],
  ['query', { target: '/v1/chat/completions?a=c' }],
  ['field', { fieldLines: 'accept: */*\r\nuser-agent: curl\r\nx-color: blue\r\n' }],
  ['field that a rule sets', { fieldsSet: new Set(['user-agent']) }],
  ['model', { call: { ...CALL, model: 'mini' } }],
  ['order of pools', { call: { ...CALL, pools: ['far', 'near'] } }],
  ['cap of the output', { call: { ...CALL, outputTokens: 99 } }],
  ['byte of the body', { call: { ...CALL, body: Buffer.from('{"model":"gpu"}') } }],
  ['no call', { call: null }],
])('another %s is another key', (_, change) => {
  expect(cacheKey({ ...REQUEST, ...change })).not.toBe(cacheKey(REQUEST));
});

test.each<[string, Partial<KeptRequest>]>([
  ['consumer of the same team and roles', { identity: callerOf('acme', 'shop', ['clerk', 'buyer'], 'web') }],
  ['order of fields', { fieldLines: 'x-color: red\r\nuser-agent: curl\r\naccept: */*\r\n' }],
  [
    'client',
    { fieldLines: 'accept: */*\r\nuser-agent: openai\r\nx-color: red\r\nx-stainless-os: Linux\r\n' },
  ],
])('another %s is the same key', (_, change) => {
  expect(cacheKey({ ...REQUEST, ...change })).toBe(cacheKey(REQUEST));
});

function callerOf(tenant: string, team: string | null, roles: readonly string[], name: string): Identity {
  const entity = (of: string) => ({ name: of, attributes: {}, keyHash: { high: 0, low: 0 } });
  return {
    tenant: { ...entity(tenant), plan: 'gold', priority: 'normal', share: 1 },
    team: team === null ? null : entity(team),
    consumer: { ...entity(name), roles, subscriptions: new Set() },
    credential: {
      name: `${name}-1`,
      kind: 'key',
      keyHash: { high: 0, low: 0 },
      createdMs: 0,
      expiresMs: null,
    },
  };
}
