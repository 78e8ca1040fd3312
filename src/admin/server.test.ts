import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { err, ok } from '../base/result.ts';
import { ADMIN_SCOPE_NAMES, type AdminScope } from '../model/admin-scope.ts';
import type { AdminActions } from './actions.ts';
import {
  actions,
  LIVE,
  LOCAL,
  REFUSED,
  STATUS,
  serverOptions,
  TestTokens,
  testToken,
} from './admin.cases.ts';
import { ADMIN_ROUTES } from './routes.ts';
import { type AdminServer, createAdminServer } from './server.ts';

const { token, tokenHash } = LOCAL;

const opened: AdminServer[] = [];
let defects: unknown[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function open(changes: Partial<AdminActions> = {}, limits = LIMIT_DEFAULTS): Promise<AdminServer> {
  const options = serverOptions(changes, limits);
  defects = options.defects;
  const server = await createAdminServer(options);
  if (!server.ok) throw new Error(server.error);
  opened.push(server.value);
  return server.value;
}

/** Sends bytes as they are and gives back all that comes until the server closes. */
function raw(server: AdminServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.listen.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: readonly string[];
  readonly body?: string;
}

function bearer(presented: string): string[] {
  return ['Host: localhost', `Authorization: Bearer ${presented}`];
}

async function call(server: AdminServer, { method = 'GET', path = '/v1/status', fields, body = '' }: Call) {
  const lines = fields ?? ['Host: localhost', `Authorization: Bearer ${token}`];
  const answer = await raw(
    server,
    `${[`${method} ${path} HTTP/1.1`, ...lines, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`,
  );
  const [head = '', text = ''] = answer.split('\r\n\r\n');
  const json = text.startsWith('{') ? JSON.parse(text) : null;
  return { status: Number(head.split(' ')[1]), head, json };
}

describe('every route of the admin API', () => {
  const routes = ADMIN_ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);

  it('has a rule, and only the health check is open to anyone', () => {
    for (const { scope } of ADMIN_ROUTES) expect(['anyone', ...ADMIN_SCOPE_NAMES]).toContain(scope);
    const open = ADMIN_ROUTES.filter(({ scope }) => scope === 'anyone');
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /healthz']);
  });

  it.each(routes)(
    'is refused without a token, unless its rule is to ask for none: %s',
    async (_name, route) => {
      const { method, scope } = route;
      const path = route.path.replaceAll(/\{\w+\}/g, 'x');
      const { status } = await call(await open(), { method, path, fields: ['Host: localhost'] });
      expect(status).toBe(scope === 'anyone' ? 200 : 401);
    },
  );

  it.each(routes.filter(([, { scope }]) => scope !== 'anyone'))(
    'is refused to a token with every other scope, and not to one with its own: %s',
    async (_name, { method, path: pattern, scope }) => {
      const others = testToken(
        'others',
        ADMIN_SCOPE_NAMES.filter((other) => other !== scope),
      );
      const own = testToken('own', [scope as AdminScope]);
      const server = await open({ tokens: new TestTokens(others, own) });
      const path = pattern.replaceAll(/\{\w+\}/g, 'x');
      const refused = await call(server, { method, path, fields: bearer(others.token) });
      expect([refused.status, refused.json?.code]).toEqual([403, 'scope_missing']);
      expect(refused.json?.detail).toContain(`"${scope}"`);
      const admitted = await call(server, { method, path, fields: bearer(own.token) });
      expect([401, 403, 405, 421]).not.toContain(admitted.status);
    },
  );

  it('is listed once, and named once', () => {
    const names = ADMIN_ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(names).size).toBe(names.length);
    const operations = ADMIN_ROUTES.map(({ operation }) => operation);
    expect(new Set(operations).size).toBe(operations.length);
  });

  it('lies under /v1/, but for what others ask by well-known paths', () => {
    expect(ADMIN_ROUTES.filter(({ path }) => !path.startsWith('/v1/')).map(({ path }) => path)).toEqual([
      '/healthz',
      '/metrics',
    ]);
  });

  it('describes each parameter of its path, and what it says that it changes can be read', () => {
    for (const { path, parameters = {}, changes } of ADMIN_ROUTES) {
      expect(Object.keys(parameters)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      if (changes === undefined) continue;
      const reader = ADMIN_ROUTES.find(({ operation }) => operation === changes);
      expect(reader).toMatchObject({ method: 'GET', path });
    }
  });
});

describe('the admin API', () => {
  it('tells what reads long when its caller goes away, and calls that no defect', async () => {
    const asked = new EventEmitter();
    const { observation } = actions();
    const server = await open({
      observation: {
        ...observation,
        usage: (_query, gone) => {
          asked.emit('usage');
          return new Promise((_resolve, reject) => {
            gone.addEventListener('abort', () => {
              reject(gone.reason as Error);
              asked.emit('left', gone.reason);
            });
          });
        },
      },
    });
    const socket = connect(server.listen.port, '127.0.0.1');
    socket.write(`GET /v1/usage HTTP/1.1\r\n${bearer(token).join('\r\n')}\r\n\r\n`);
    await once(asked, 'usage');
    socket.destroy();
    expect(await once(asked, 'left')).toMatchObject([{ name: 'AbortError' }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(defects).toEqual([]);
  });

  it('refuses a report of usage that is larger than the limits allow, and says what to do', async () => {
    const { observation } = actions();
    const tooLarge = (limit: 'usageSums' | 'usageNames') => ({
      observation: {
        ...observation,
        usage: () => Promise.resolve(err({ limit, max: 1_000_000 })),
      },
    });
    const sums = await call(await open(tooLarge('usageSums')), { path: '/v1/usage' });
    expect([sums.status, sums.json.code, sums.json.detail]).toEqual([
      422,
      'usage_too_large',
      'It would need more than 1,000,000 sums (limits.usageSums), one for each name in each period: ask for a shorter time or longer periods.',
    ]);
    const names = await call(await open(tooLarge('usageNames')), { path: '/v1/usage' });
    expect(names.json.detail).toBe(
      'It would add up more than 1,000,000 names (limits.usageNames): ask for a shorter time, or for some of them with "name".',
    );
  });

  it('answers the status', async () => {
    const { status, json, head } = await call(await open(), {});
    expect(status).toBe(200);
    expect(json).toEqual(STATUS);
    expect(head).toMatch(/content-type: application\/json/i);
    expect(head).toMatch(/cache-control: no-store/i);
    expect(head).toMatch(/x-content-type-options: nosniff/i);
  });

  it('answers a reload when the new version is live', async () => {
    const { status, json } = await call(await open(), { method: 'POST', path: '/v1/reload' });
    expect([status, json]).toEqual([200, LIVE]);
  });

  it('answers 422 with the diagnostics when the configuration was refused', async () => {
    const server = await open({ reload: () => Promise.resolve(ok(REFUSED)) });
    const { status, json } = await call(server, { method: 'POST', path: '/v1/reload' });
    expect([status, json]).toEqual([422, REFUSED]);
  });

  it.each([
    ['serving', 200],
    ['starting', 503],
    ['draining', 503],
  ] as const)('says %s with %i', async (health, status) => {
    const server = await open({ health: () => health });
    const answer = await call(server, { path: '/healthz', fields: ['Host: 127.0.0.1'] });
    expect([answer.status, answer.json]).toEqual([status, { health }]);
  });

  it.each([
    ['no token', []],
    ['another scheme', [`Authorization: Basic ${token}`]],
    ['the scheme alone', ['Authorization: Bearer']],
    ['something behind the token', [`Authorization: Bearer ${token} x`]],
    ['another token', [`Authorization: Bearer ${testToken('another').token}`]],
    ['the hash of the token', [`Authorization: Bearer ${tokenHash}`]],
    ['two fields', [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`]],
    ['the token in another field', [`X-Api-Key: ${token}`]],
  ])('refuses %s with 401, whatever the path', async (_what, fields) => {
    const server = await open();
    for (const path of ['/v1/status', '/v1/nothing', '/']) {
      const answer = await call(server, { path, fields: ['Host: localhost', ...fields] });
      expect(answer.status).toBe(401);
      expect(answer.head).toMatch(/www-authenticate: Bearer realm="portunus admin"/i);
      expect(answer.json).toMatchObject({ status: 401, code: 'unauthenticated', type: 'about:blank' });
    }
  });

  it.each([
    ['GET', '/v1/nothing', 404, 'not_found'],
    ['GET', '/v1/status?verbose', 400, 'parameter_invalid'],
    ['GET', '/v1/tokens/%zz', 404, 'not_found'],
    ['DELETE', '/v1/tokens/', 404, 'not_found'],
    ['GET', '/v1/status/', 404, 'not_found'],
    ['GET', '/v1/../v1/status', 404, 'not_found'],
    ['GET', 'http://localhost/v1/status', 404, 'not_found'],
    ['POST', '/v1/status', 405, 'method_not_allowed'],
    ['GET', '/v1/reload', 405, 'method_not_allowed'],
    ['OPTIONS', '/v1/reload', 405, 'method_not_allowed'],
  ])('answers %s %s with %i', async (method, path, status, code) => {
    const answer = await call(await open(), { method, path });
    expect([answer.status, answer.json?.code]).toEqual([status, code]);
    expect(/allow: /i.test(answer.head)).toBe(status === 405);
    expect(answer.head).toMatch(/content-type: application\/problem\+json/i);
  });

  it.each([['evil.example'], ['localhost.evil.example:9090'], ['']])(
    'is not reached under the name "%s"',
    async (host) => {
      const server = await open();
      for (const path of ['/v1/status', '/healthz']) {
        const answer = await call(server, {
          path,
          fields: [`Host: ${host}`, `Authorization: Bearer ${token}`],
        });
        expect([answer.status, answer.json?.code]).toEqual([421, 'host_not_allowed']);
      }
    },
  );

  it('is not reached with two Host fields', async () => {
    const fields = ['Host: localhost', 'Host: localhost', `Authorization: Bearer ${token}`];
    expect((await call(await open(), { fields })).status).not.toBe(200);
  });

  it('gives no page of another origin a word of CORS', async () => {
    const server = await open();
    const origin = ['Host: localhost', 'Origin: https://evil.example', 'Access-Control-Request-Method: POST'];
    const preflight = await call(server, { method: 'OPTIONS', path: '/v1/reload', fields: origin });
    expect(preflight.status).toBe(401);
    const read = await call(server, { fields: [...origin, `Authorization: Bearer ${token}`] });
    for (const { head } of [preflight, read]) expect(head.toLowerCase()).not.toContain('access-control');
  });

  it('takes no body, and does not reload for a request that has one', async () => {
    let reloads = 0;
    const reload = () => {
      reloads++;
      return Promise.resolve(ok(LIVE));
    };
    const server = await open({ reload });
    const auth = ['Host: localhost', `Authorization: Bearer ${token}`];
    const post = { method: 'POST', path: '/v1/reload' };
    const sized = await call(server, { ...post, fields: [...auth, 'Content-Length: 2'], body: '{}' });
    const chunked = await call(server, {
      ...post,
      fields: [...auth, 'Transfer-Encoding: chunked'],
      body: '0\r\n\r\n',
    });
    expect([sized.status, chunked.status, reloads]).toEqual([413, 413, 0]);
    const empty = await call(server, { ...post, fields: [...auth, 'Content-Length: 0'] });
    expect([empty.status, reloads]).toEqual([200, 1]);
  });

  it('refuses a header section beyond its limit', async () => {
    const server = await open({}, { ...LIMIT_DEFAULTS, adminHeaderBytes: 4_096 });
    const answer = await call(server, { fields: ['Host: localhost', `X-Long: ${'x'.repeat(5_000)}`] });
    expect(answer.status).toBe(431);
  });

  it('accepts no more connections than its limit', async () => {
    const server = await open({}, { ...LIMIT_DEFAULTS, adminConnections: 1 });
    const first = connect(server.listen.port, '127.0.0.1');
    await new Promise((resolve) => {
      first.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      first.once('data', resolve);
    });
    const second = await raw(server, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(String);
    expect(second).not.toContain('200 OK');
    expect(server.connections()).toEqual({ open: 1, refused: 1 });
    first.destroy();
    await expect.poll(() => server.connections().open).toBe(0);
  });

  it('ends a request that does not come to its end in time', async () => {
    const server = await open({}, { ...LIMIT_DEFAULTS, adminRequestMs: 50 });
    expect(await raw(server, 'GET /healthz HTTP/1.1\r\nHost: lo')).toMatch(/^HTTP\/1.1 408/);
  });

  it('ends a connection whose client takes nothing of its answer, but none that waits for one', async () => {
    const long = 'x'.repeat(32 * 1024 * 1024);
    const { directory } = actions();
    let finishLoad = (): void => {};
    const server = await open(
      {
        directory: { ...directory, exported: () => ok(long) },
        reload: () => new Promise((resolve) => (finishLoad = () => resolve(ok(LIVE)))),
      },
      { ...LIMIT_DEFAULTS, adminConnections: 2, adminStalledMs: 50 },
    );
    const waiting = call(server, { method: 'POST', path: '/v1/reload' });
    const stalled = connect(server.listen.port, '127.0.0.1');
    stalled.on('error', () => {});
    stalled.write(`GET /v1/directory HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    stalled.pause();
    // both connections that may be open are taken until the stalled one is ended
    await expect.poll(() => call(server, {}).then(({ status }) => status, String)).toBe(200);
    finishLoad();
    expect((await waiting).status).toBe(200);
    stalled.destroy();
  });

  it('answers 500 without a word of the reason when an action throws, and hands the reason on', async () => {
    const boom = new Error('secret detail');
    const failing = () => {
      throw boom;
    };
    const server = await open({ status: failing, reload: () => Promise.reject(boom) });
    for (const each of [{}, { method: 'POST', path: '/v1/reload' }]) {
      const answer = await call(server, each);
      expect([answer.status, answer.json?.code]).toEqual([500, 'internal_error']);
      expect(JSON.stringify(answer)).not.toContain('secret');
    }
    expect(defects).toEqual([boom, boom]);
  });

  it('says which address it can not have', async () => {
    const { listen } = await open();
    const second = await createAdminServer({ ...serverOptions(), listen });
    expect(second.ok ? '' : second.error).toMatch(
      /^The admin API can't listen on 127.0.0.1:\d+: .*EADDRINUSE/,
    );
  });

  it('lets changes of one kind wait for each other, and none be made by a token that was revoked meanwhile', async () => {
    const waiting = testToken('waiting');
    const finished: (() => void)[] = [];
    let begun = 0;
    const server = await open({
      tokens: new TestTokens(LOCAL, waiting),
      reload: () => {
        begun++;
        return new Promise((resolve) => finished.push(() => resolve(ok(LIVE))));
      },
    });
    const post = { method: 'POST', path: '/v1/reload' };
    const first = call(server, post);
    await expect.poll(() => begun).toBe(1);
    const second = call(server, { ...post, fields: bearer(waiting.token) });
    // answered after the second was admitted: both came to one event loop, in this order
    expect((await call(server, { fields: bearer(waiting.token) })).status).toBe(200);
    const revoked = await call(server, { method: 'DELETE', path: `/v1/tokens/${waiting.id}` });
    expect([revoked.status, begun]).toEqual([204, 1]);
    for (const finish of finished) finish();
    expect([(await first).status, (await second).status, begun]).toEqual([200, 401, 1]);
  });

  it('answers what is in flight before it closes, and then accepts nothing', async () => {
    let finish: (report: { readonly ok: true; readonly value: typeof LIVE }) => void = () => {};
    let begun: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const server = await open({
      reload: () => {
        begun();
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    const answer = call(server, { method: 'POST', path: '/v1/reload' });
    await started;
    const closed = server.close();
    finish(ok(LIVE));
    expect((await answer).status).toBe(200);
    await closed;
    await expect(call(server, {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
