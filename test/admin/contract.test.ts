/** The OpenAPI document of the admin API and the server that answers, held against each other both ways. */
import { validate } from '@readme/openapi-parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminActions } from '../../src/admin/actions.ts';
import { actions, LIVE, LOCAL, REFUSED, serverOptions } from '../../src/admin/admin.cases.ts';
import { openApiDocument } from '../../src/admin/openapi.ts';
import type { EntityView } from '../../src/admin/routes/directory.ts';
import { ADMIN_ROUTES } from '../../src/admin/routes.ts';
import { type AdminServer, createAdminServer } from '../../src/admin/server.ts';
import { err, ok } from '../../src/base/result.ts';
import { compileRequestSchema } from '../../src/config/request-schema.ts';
import { consumer, directory, tenant } from '../../src/governance/directory.cases.ts';
import { ACTOR, liveDirectory, worldOf } from '../../src/governance/live-directory.cases.ts';
import type { EntityName } from '../../src/governance/stored-directory.ts';
import { checkAnswer, type Document, type Operation, operationsOf } from './described.ts';

const document = openApiDocument(ADMIN_ROUTES, '0.0.0') as Document;
const operations = operationsOf(document);

const opened: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function open(changes: Partial<AdminActions> = {}): Promise<string> {
  const options = serverOptions({ keys: keysOf('app-1'), directory: DIRECTORY, ...changes });
  const server = await createAdminServer({
    ...options,
    makeCheck: (schema) => compileRequestSchema(schema, 1_000),
  });
  if (!server.ok) throw new Error(server.error);
  opened.push(server.value);
  return `http://127.0.0.1:${server.value.listen.port}`;
}

/** Of the consumer acme/app, who has this key. */
function keysOf(name: string): AdminActions['keys'] {
  const { directory: live } = liveDirectory();
  const prepared = live.load().ok && live.prepare(worldOf(directory(tenant('acme', [consumer('app', [])]))));
  if (prepared === false || !prepared.ok) throw new Error('the directory is not as it should be');
  prepared.value.takeUp();
  const issued = live.keys.issue(
    { tenant: 'acme', consumer: 'app', name, environment: 'live', expiresMs: null },
    ACTOR,
  );
  if (!issued.ok) throw new Error(issued.error.message);
  return live.keys;
}

/** One of each kind, as it is shown. */
function entity({ kind, tenant: of, name }: EntityName): EntityView {
  const shared = { tenant: of, name, in: 'store', attributes: {} } as const;
  if (kind === 'team') return { kind, ...shared };
  if (kind === 'tenant')
    return { kind, ...shared, plan: 'free', priority: 'normal', share: 1, teams: [], consumers: ['web'] };
  return { kind, ...shared, team: null, roles: ['buyer'], subscriptions: [] };
}
const DIRECTORY: AdminActions['directory'] = {
  ...actions().directory,
  get: entity,
  put: (made) => Promise.resolve(ok({ view: entity(made), was: 'made' })),
};

interface Asked {
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
}

async function ask(url: string, { method, path }: Operation, asked: Asked): Promise<Response> {
  const headers = new Headers({ authorization: `Bearer ${asked.token ?? LOCAL.token}`, ...asked.headers });
  if (asked.body !== undefined) headers.set('content-type', 'application/json');
  const body = asked.body === undefined ? null : JSON.stringify(asked.body);
  return await fetch(url + (asked.path ?? path), { method, headers, body });
}

/** One request for each operation that succeeds; an operation without one fails the test. */
const SAMPLES: Readonly<Record<string, Asked>> = {
  health: {},
  status: {},
  openApi: {},
  reload: {},
  listTokens: {},
  issueToken: { body: { name: 'scraper', scopes: ['metrics'], expiresMs: null } },
  readToken: { path: `/v1/tokens/${LOCAL.id}` },
  revokeToken: { path: `/v1/tokens/${LOCAL.id}` },
  metrics: {},
  searchLog: {},
  usage: { path: '/v1/usage?from=0&to=1' },
  live: {},
  exportDirectory: {},
  leftOut: {},
  getTenant: { path: '/v1/directory/tenants/acme' },
  putTenant: { path: '/v1/directory/tenants/acme', body: { plan: 'free' } },
  deleteTenant: { path: '/v1/directory/tenants/acme' },
  getTeam: { path: '/v1/directory/tenants/acme/teams/shop' },
  putTeam: { path: '/v1/directory/tenants/acme/teams/shop', body: {} },
  deleteTeam: { path: '/v1/directory/tenants/acme/teams/shop' },
  getConsumer: { path: '/v1/directory/tenants/acme/consumers/web' },
  putConsumer: { path: '/v1/directory/tenants/acme/consumers/web', body: { roles: ['buyer'] } },
  deleteConsumer: { path: '/v1/directory/tenants/acme/consumers/web' },
  listKeys: {},
  issueKey: { body: { tenant: 'acme', consumer: 'app' } },
  rotateKey: { path: '/v1/keys/acme/app/app-1/rotation', body: { overlapMs: 0 } },
  expireKey: { path: '/v1/keys/acme/app/app-1/expiry', body: { expiresMs: 1_895_456_000_000 } },
  revokeKey: { path: '/v1/keys/acme/app/app-1' },
  listPools: {},
  listModels: {},
  disableProviderKey: { path: '/v1/pools/openai-main/keys/k1/disable' },
  enableProviderKey: { path: '/v1/pools/openai-main/keys/k1/enable' },
  rotateProviderKey: { path: '/v1/pools/openai-main/keys/k1/rotation', body: { secret: 'x', overlapMs: 0 } },
  drainProviderKey: { path: '/v1/pools/openai-main/keys/k1/drain' },
  listSecrets: {},
  setSecret: { path: '/v1/secrets/openai%2Fk2', body: { value: 'x' } },
  removeSecret: { path: '/v1/secrets/openai%2Fk2' },
  listAudit: { path: '/v1/audit?after=0&limit=10' },
  auditAnchor: {},
  recordBackup: { body: { path: '/srv/backup.mdb' } },
  listVersions: {},
  readVersion: { path: '/v1/configuration/versions/1' },
  compareVersions: { path: '/v1/configuration/changes?from=1&to=2' },
  rollBack: { body: { version: 1 } },
};

describe('the OpenAPI document', () => {
  it('is one of OpenAPI 3.1, whose schemas are schemas', async () => {
    const copy = structuredClone(document) as never;
    expect(await validate(copy)).toMatchObject({ valid: true });
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    for (const { responses, requestBody } of operations) {
      const contents = [...Object.values(responses), ...(requestBody === undefined ? [] : [requestBody])];
      for (const { content = {} } of contents)
        for (const { schema } of Object.values(content))
          if (!('$ref' in (schema as object))) expect(ajv.validateSchema(schema)).toBe(true);
    }
  });

  it('describes exactly the routes that are answered', () => {
    const described = operations.map(({ method, path }) => `${method} ${path}`);
    expect(described.toSorted()).toEqual(
      ADMIN_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted(),
    );
  });

  it('names the scope that the server asks for', () => {
    for (const { operationId, security } of operations) {
      const { scope } = ADMIN_ROUTES.find(({ operation }) => operation === operationId)!;
      expect(security).toEqual(scope === 'anyone' ? [] : [{ token: [scope] }]);
    }
  });
});

describe.each(operations.map((operation) => [operation.operationId, operation] as const))(
  '%s',
  (name, operation) => {
    it('answers as it is described', async () => {
      const answer = await ask(await open(), operation, SAMPLES[name]!);
      expect(answer.status).toBeLessThan(300);
      await checkAnswer(document, operation, answer);
    });

    it('is refused as it is described', async () => {
      const url = await open();
      const unknown = await ask(url, operation, { ...SAMPLES[name], token: 'x' });
      expect(unknown.status).toBe(operation.security.length === 0 ? 200 : 401);
      await checkAnswer(document, operation, unknown);
      const odd = await ask(url, operation, {
        ...SAMPLES[name],
        path: `${SAMPLES[name]!.path ?? operation.path}${(SAMPLES[name]!.path ?? '').includes('?') ? '&' : '?'}odd=1`,
      });
      expect(odd.status).toBe(400);
      await checkAnswer(document, operation, odd);
    });

    it('takes the bodies that are described, and no others', async () => {
      const url = await open();
      const { body, ...rest } = SAMPLES[name]!;
      if (operation.requestBody === undefined) {
        if (operation.method === 'GET') return;
        const answer = await ask(url, operation, { ...rest, body: {} });
        expect(answer.status).toBe(413);
        await checkAnswer(document, operation, answer);
        return;
      }
      for (const [wrong, code] of [
        [{ ...(body as object), odd: 1 }, 'body_invalid'],
        [[], 'body_invalid'],
        [null, 'body_invalid'],
      ] as const) {
        const answer = await ask(url, operation, { ...rest, body: wrong });
        expect(answer.status).toBe(400);
        expect((await checkAnswer(document, operation, answer)) as object).toMatchObject({ code });
      }
      const untyped = await ask(url, operation, { ...rest, headers: { 'content-type': 'text/plain' } });
      expect(untyped.status).toBe(415);
      await checkAnswer(document, operation, untyped);
    });
  },
);

describe('outcomes beside the usual one', () => {
  const NO_ROOM = { code: 'store_write_failed', message: 'No room.', place: '', remedy: 'Make some.' };
  const operation = (name: string) => operations.find(({ operationId }) => operationId === name)!;

  it.each([
    ['health', {}, { health: () => 'draining' }, 503],
    ['reload', {}, { reload: () => Promise.resolve(ok(REFUSED)) }, 422],
    ['reload', {}, { reload: () => Promise.resolve(err(NO_ROOM)) }, 503],
    [
      'status',
      {},
      {
        status: () => {
          throw new Error('boom');
        },
      },
      500,
    ],
    [
      'listAudit',
      {},
      {
        audit: {
          ...actions().audit,
          records: () => err(NO_ROOM),
          anchor: () => ({ sequence: 0, hash: '', mac: '' }),
        },
      },
      500,
    ],
    ['readVersion', { path: '/v1/configuration/versions/9' }, {}, 404],
    ['readVersion', { path: '/v1/configuration/versions/x' }, {}, 400],
    ['compareVersions', { path: '/v1/configuration/changes' }, {}, 400],
    ['compareVersions', { path: '/v1/configuration/changes?from=9' }, {}, 404],
    ['rollBack', { body: { version: 9 } }, {}, 404],
    ['issueToken', { body: { name: 'local', scopes: ['read'] } }, {}, 409],
    ['revokeToken', { path: '/v1/tokens/unknown' }, {}, 404],
    ['issueToken', { body: { name: 'a', scopes: ['read'] }, headers: { 'idempotency-key': 'a b' } }, {}, 400],
    ['issueToken', { body: { name: 'a', scopes: ['read'] }, headers: { 'if-match': '"x"' } }, {}, 400],
  ] as const)('%s %j: %j → %i', async (name, asked, changes, status) => {
    const answer = await ask(await open(changes as Partial<AdminActions>), operation(name), asked);
    expect(answer.status).toBe(status);
    await checkAnswer(document, operation(name), answer);
  });

  it('says 304 to whoever has the answer, and gives the same tag while nothing changes', async () => {
    const url = await open();
    const first = await ask(url, operation('listVersions'), {});
    const tag = first.headers.get('etag')!;
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    const again = await ask(url, operation('listVersions'), {
      headers: { 'if-none-match': `"other", ${tag}` },
    });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
    const other = await ask(url, operation('listVersions'), { headers: { 'if-none-match': '"other"' } });
    expect(other.status).toBe(200);
  });
});

describe('If-Match', () => {
  const path = `/v1/tokens/${LOCAL.id}`;
  const named = (name: string) => operations.find(({ operationId }) => operationId === name)!;

  it('lets a change be made only to what was read', async () => {
    const url = await open();
    const tag = (await ask(url, named('readToken'), { path })).headers.get('etag')!;
    for (const stale of ['"other"', `W/${tag}`]) {
      const refused = await ask(url, named('revokeToken'), { path, headers: { 'if-match': stale } });
      expect(refused.status).toBe(412);
      await checkAnswer(document, named('revokeToken'), refused);
    }
    const changed = await ask(url, named('revokeToken'), {
      path,
      headers: { 'if-match': `"other", ${tag}` },
    });
    expect(changed.status).toBe(204);
  });

  it('is not met by what is not there', async () => {
    const asked = { path: '/v1/tokens/unknown', headers: { 'if-match': '*' } };
    expect((await ask(await open(), named('revokeToken'), asked)).status).toBe(412);
  });

  it('lets one of two win who read the same', async () => {
    const url = await open();
    const tag = (await ask(url, named('readToken'), { path })).headers.get('etag')!;
    const both = await Promise.all(
      [1, 2].map(() => ask(url, named('revokeToken'), { path, headers: { 'if-match': tag } })),
    );
    // the second finds that its token is gone, which was this very one
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 401]);
  });
});

describe('Idempotency-Key', () => {
  const issue = operations.find(({ operationId }) => operationId === 'issueToken')!;
  const body = { name: 'ci', scopes: ['operate'] };
  const headers = { 'idempotency-key': 'e7d1' };

  it('gives the answer of the first attempt again, and does nothing twice', async () => {
    const url = await open();
    const first = await ask(url, issue, { body, headers });
    const again = await ask(url, issue, { body, headers });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.json()).toEqual(await first.json());
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ]);
    const without = await ask(url, issue, { body });
    expect(without.status).toBe(409);
  });

  it('does it once for several at the same time', async () => {
    let reloads = 0;
    const url = await open({ reload: () => Promise.resolve(ok({ ...LIVE, tookMs: ++reloads })) });
    const reload = operations.find(({ operationId }) => operationId === 'reload')!;
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(url, reload, { headers })));
    expect(
      await Promise.all(answers.map(async (answer) => ((await answer.json()) as { tookMs: number }).tookMs)),
    ).toEqual([1, 1, 1, 1, 1]);
  });

  it('is refused for another request', async () => {
    const url = await open();
    await ask(url, issue, { body, headers });
    const other = await ask(url, issue, { body: { ...body, name: 'cd' }, headers });
    expect(other.status).toBe(422);
    expect(await checkAnswer(document, issue, other)).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('may be used again after a refusal, which has done nothing', async () => {
    const url = await open();
    const refused = await ask(url, issue, { body: { ...body, name: 'local' }, headers });
    expect(refused.status).toBe(409);
    expect((await ask(url, issue, { body, headers })).status).toBe(201);
  });

  it('keeps its key where it was done but could not be recorded: a repetition would do it twice', async () => {
    let reloads = 0;
    const problem = { code: 'store_write_failed', message: 'No room.', place: 'p', remedy: 'Make some.' };
    const url = await open({
      reload: () => {
        reloads++;
        return Promise.resolve(err(problem));
      },
    });
    const reload = operations.find(({ operationId }) => operationId === 'reload')!;
    for (let attempt = 1; attempt <= 2; attempt++) {
      const answer = await ask(url, reload, { headers });
      expect(await checkAnswer(document, reload, answer)).toMatchObject({ code: 'live_not_recorded' });
    }
    expect(reloads).toBe(1);
  });

  it('says that the outcome is not known after an attempt that failed on its way', async () => {
    let fails = true;
    const url = await open({
      reload: () => (fails ? Promise.reject(new Error('boom')) : Promise.resolve(ok(LIVE))),
    });
    const reload = operations.find(({ operationId }) => operationId === 'reload')!;
    expect((await ask(url, reload, { headers })).status).toBe(500);
    fails = false;
    const again = await ask(url, reload, { headers });
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([
      409,
      'idempotency_outcome_unknown',
    ]);
    expect((await ask(url, reload, {})).status).toBe(200);
  });

  it('keeps no answer that its store could show: a token is sealed with the token that asked for it', async () => {
    const options = serverOptions();
    const server = await createAdminServer(options);
    if (!server.ok) throw new Error(server.error);
    opened.push(server.value);
    const answer = await ask(`http://127.0.0.1:${server.value.listen.port}`, issue, { body, headers });
    const { token } = (await answer.json()) as { token: string };
    const kept = JSON.stringify([...options.attempts.kept]);
    const sealed = [...options.attempts.kept.values()][0]!.sealedAnswer!;
    expect(kept + Buffer.from(sealed, 'base64').toString('latin1')).not.toContain(token);
    options.attempts.keysMax = 1;
    const full = await ask(`http://127.0.0.1:${server.value.listen.port}`, issue, {
      body,
      headers: { 'idempotency-key': 'other' },
    });
    expect([full.status, ((await full.json()) as { code: string }).code]).toEqual([
      503,
      'idempotency_keys_full',
    ]);
  });
});
