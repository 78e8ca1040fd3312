import { expect, it } from 'vitest';
import type { OperationName } from '../model/pools.ts';
import type { Route } from '../model/world.ts';
import { type SimulationOptions, simulate, simulatedRoute } from './exchange.cases.ts';
import { dialectAt, modelApis, NO_MODEL_APIS } from './model-apis.ts';

const route = (
  name: string,
  path: string,
  ai: OperationName | null,
  hosts: readonly string[] = [],
): Route => {
  const made = simulatedRoute(path, { name, ai });
  const methods = ai?.endsWith('models') ? ['GET'] : ['POST'];
  return { ...made, match: { ...made.match, hosts, methods: ai === null ? ['GET'] : methods } };
};
const LINES = modelApis([
  route('openai/chat', '/base/chat/completions', 'openai/chat'),
  route('anthropic/messages', '/base/messages', 'anthropic/messages'),
  route('claude/messages', '/{who}/claude/messages', 'anthropic/messages', ['ai.test', '*.ai.test']),
  route('single', '/single/chat/completions', 'openai/chat'),
  route('shop', '/shop', null),
]);
const below = (path: string, host = 'a.test', headers: readonly string[] = []) =>
  dialectAt(LINES, { host, path, headers });
const VERSION = ['anthropic-version', '2023-06-01'];

it('tells in whose words a request speaks that is below a line of all operations', () => {
  expect(below('/base/files')).toBe('openai');
  expect(below('/base/files', 'a.test', VERSION)).toBe('anthropic');
  expect(below('/x/claude/files', 'ai.test')).toBe('anthropic');
  expect(below('/x/claude/files', 'eu.ai.test')).toBe('anthropic');
});

it('speaks nobody’s where it is below none', () => {
  expect(below('/base')).toBeNull();
  expect(below('/v2/files')).toBeNull();
  expect(below('/x/claude/files')).toBeNull();
  expect(below('/single/files')).toBeNull();
});

/** Base URLs as people write them, one `/v1` too many or too few among them. */
it.each([
  ['/v1/chat/completions', 'openai'],
  ['/chat/completions', 'openai'],
  ['/openai/deployments/d/chat/completions', 'openai'],
  ['/images/generations', 'openai'],
  ['/v1/responses', 'openai'],
  ['/v1/v1/embeddings', 'openai'],
  ['/v1/messages', 'anthropic'],
  ['/v1/v1/messages', 'anthropic'],
  ['/claude/v1/messages/count_tokens', 'anthropic'],
  ['/v1/models', 'openai'],
  ['/v1/models/a/b', 'openai'],
  // words that are anybody's
  ['/messages', null],
  ['/api/messages', null],
  ['/models', null],
  ['/v1/models/', null],
  ['/v1/messages/7', null],
  ['/v1/chat', null],
  ['/v1/achat/completions/x', null],
  ['/v1/orders', null],
  ['/', null],
] as const)('where there are routes to models, %s speaks the dialect %s', (path, dialect) => {
  const apis = modelApis([route('chat', '/x/chat/completions', 'openai/chat')]);
  expect(dialectAt(apis, { host: 'a.test', path, headers: [] })).toBe(dialect);
  expect(dialectAt(NO_MODEL_APIS, { host: 'a.test', path, headers: [] })).toBeNull();
  expect(modelApis([route('shop', '/v1/messages', null)])).toEqual(NO_MODEL_APIS);
});

it('tells the dialects apart by their fields where both have the endpoint, and by the path where one has it', () => {
  const apis = modelApis([route('chat', '/x/chat/completions', 'openai/chat')]);
  const at = (path: string) => dialectAt(apis, { host: '', path, headers: VERSION });
  expect([at('/v1/models'), at('/v1/models/m')]).toEqual(['anthropic', 'anthropic']);
  expect(at('/v1/chat/completions')).toBe('openai');
});

it('is asked for at hosts of routes to models alone, as far as the host could be read', () => {
  const apis = modelApis([
    route('a', '/v1/messages', 'anthropic/messages', ['ai.test']),
    route('b', '/v1/messages', 'anthropic/messages', ['*.ai.test']),
  ]);
  const at = (host: string) => dialectAt(apis, { host, path: '/v1/chat/completions', headers: [] });
  expect(['ai.test', 'eu.ai.test', ''].map(at)).toEqual(['openai', 'openai', 'openai']);
  expect(at('shop.test')).toBeNull();
});

/** A request that no route has taken, and what it is answered. */
interface Untaken {
  readonly method: string;
  readonly path: string;
  readonly fields: string[];
  readonly status: number;
  readonly code: string;
  readonly options?: Partial<SimulationOptions>;
}

const HOST = ['host', 'a.test'];
const CHAT = { method: 'POST', path: '/v1/chat/completions', fields: HOST };
const ROUTES = [route('chat', '/v1/chat/completions', 'openai/chat'), route('sms', '/v1/messages', null)];
const UNTAKEN: readonly (readonly [string, Untaken])[] = [
  ['no such route', { ...CHAT, path: '/chat/completions', status: 404, code: 'route_not_found' }],
  ['another method', { ...CHAT, method: 'GET', status: 405, code: 'method_not_allowed' }],
  ['no host', { ...CHAT, fields: [], status: 400, code: 'malformed_host' }],
  ['a malformed target', { ...CHAT, path: '/%zz/chat/completions', status: 400, code: 'malformed_target' }],
  [
    'two lengths',
    {
      ...CHAT,
      fields: [...HOST, 'content-length', '1', 'content-length', '2'],
      ...{ status: 400, code: 'ambiguous_length' },
    },
  ],
  [
    'a field that is not allowed',
    { ...CHAT, fields: [...HOST, 'x', 'a\u0001b'], status: 400, code: 'malformed_field' },
  ],
  [
    'chunks, by setting',
    {
      ...CHAT,
      fields: [...HOST, 'transfer-encoding', 'chunked'],
      options: { server: { refuseChunkedRequests: true } },
      ...{ status: 411, code: 'length_required' },
    },
  ],
  [
    'a body too large',
    { ...CHAT, fields: [...HOST, 'content-length', '1001'], status: 413, code: 'body_too_large' },
  ],
  [
    'too much to do',
    { ...CHAT, options: { limits: { exchangesPerThread: 0 } }, status: 503, code: 'overloaded' },
  ],
];

it.each(UNTAKEN)('an endpoint of models tells of %s as its SDK reads it', (_, request) => {
  const { method, path, fields, status, code, options } = request;
  const client = simulate({ routes: ROUTES, ...options }).request(method, path, fields);
  expect([client.status, client.fields]).toEqual([status, expect.stringContaining('application/json\r\n')]);
  expect(JSON.parse(client.body)).toMatchObject({ error: { code, message: expect.any(String) } });
});

it.each(UNTAKEN)('a project without models tells of %s as RFC 9457 has it', (_, request) => {
  const { method, path, fields, status, code, options } = request;
  const routes = ROUTES.map((each) => ({ ...each, ai: null }));
  const client = simulate({ routes, ...options }).request(method, path, fields);
  expect([client.status, client.fields]).toEqual([
    ...[status, expect.stringContaining('application/problem+json\r\n')],
  ]);
  expect(JSON.parse(client.body)).toMatchObject({ status, code });
});

it('a route of a service says by itself that it takes other methods, wherever it is', () => {
  const client = simulate({ routes: ROUTES }).request('POST', '/v1/messages', HOST);
  expect([client.status, JSON.parse(client.body)]).toMatchObject([405, { code: 'method_not_allowed' }]);
});
