/** The admin API of the running product: tokens, audit log, configuration history, over kills of the process. */
import { copyFile, readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { ADMIN_ROUTES } from '../../src/admin/routes.ts';
import type { AuditRecord } from '../../src/pipeline/audit.ts';
import { checkAnswer, type Document, operationsOf } from '../admin/described.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;

const policy = (code: string): string =>
  `language 1\npolicy "p" { permit\n  forbid "f" when request.path is "/no" code "${code}" }\n`;

async function start(): Promise<void> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', join(project.folder, 'access.log')] });
}

beforeAll(async () => {
  upstream = await startUpstream();
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': policy('first'),
    'tenants/base.yaml': 'tenants: { base: { plan: free, teams: { shop: {} }, consumers: { web: {} } } }\n',
    'providers/p.yaml': `providers: { openai: { extends: builtin/openai, baseUrl: "http://127.0.0.1:${upstream.port}/v1" } }
pools: { spare: { provider: openai, keys: { one: { secret: store:spare } } } }
models: { spare: { pools: [spare], as: gpt-4o } }
`,
  });
  const set = await runPortunus(['secrets', 'set', 'spare', project.folder], { input: 'a-secret-of-nobody' });
  expect(set.code).toBe(0);
  await start();
});
afterAll(async () => {
  await gateway.stop('SIGKILL');
  await project.remove();
  await upstream.close();
});

async function run(
  ...commandLine: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return await runPortunus(commandLine);
}

async function localToken(): Promise<string> {
  const access = await readFile(join(project.folder, 'data', 'admin-access.json'), 'utf8');
  return (JSON.parse(access) as { readonly token: string }).token;
}

interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly body?: object;
  readonly key?: string;
}

async function call(path: string, { method = 'GET', token, body, key }: Call = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${project.adminPort}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token ?? (await localToken())}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

async function refusalCode(): Promise<string> {
  return ((await (await fetch(`${gateway.url}/no`)).json()) as { code: string }).code;
}

async function edit(code: string): Promise<void> {
  await project.write('policies/p.policy', policy(code));
  await expect.poll(refusalCode, { timeout: 20_000 }).toBe(code);
}

async function records(): Promise<readonly AuditRecord[]> {
  const { stdout, stderr } = await run('audit', 'export', project.folder);
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditRecord);
}

/** Operations that change something, in an order in which each has something to change, and the record that each leaves. */
const CHANGES: readonly (readonly [operation: string, action: string, body?: object])[] = [
  ['issueToken', 'tokens.issue', { name: 'audited', scopes: ['read'] }],
  ['revokeToken', 'tokens.revoke'],
  ['putTenant', 'directory.put-tenant', { plan: 'free' }],
  ['putTeam', 'directory.put-team', {}],
  ['putConsumer', 'directory.put-consumer', { team: 'crew' }],
  ['issueKey', 'keys.issue', { tenant: 'made', consumer: 'night', name: 'audited' }],
  ['expireKey', 'keys.expire', { expiresMs: Date.UTC(2100, 0) }],
  ['rotateKey', 'keys.rotate', { overlapMs: 60_000 }],
  ['revokeKey', 'keys.revoke'],
  ['deleteConsumer', 'directory.delete-consumer'],
  ['deleteTeam', 'directory.delete-team'],
  ['deleteTenant', 'directory.delete-tenant'],
  ['drainProviderKey', 'provider-keys.drain'],
  ['disableProviderKey', 'provider-keys.disable'],
  ['enableProviderKey', 'provider-keys.enable'],
  ['rotateProviderKey', 'secrets.rotate', { secret: 'second', overlapMs: 60_000 }],
  ['setSecret', 'secrets.set', { value: 'audited' }],
  ['removeSecret', 'secrets.remove'],
];

/** Those that leave no record of a change of their own. */
const WITHOUT_CHANGE: Readonly<Record<string, string>> = {
  recordBackup: 'records a copy of the store, which changes nothing: see "notices a store that was put back"',
  reload: 'what it loads is recorded as the load of a version, and what is unchanged is not',
  rollBack: 'recorded as a version is loaded: see "brings back the files of a version"',
};

const status = async (): Promise<AdminStatus> => (await (await call('/v1/status')).json()) as AdminStatus;

describe('the admin API of a running gateway', () => {
  it('answers every read as its own document says', async () => {
    const document = (await (await call('/v1/openapi.json')).json()) as Document;
    const paths: Record<string, string> = {
      readVersion: '/v1/configuration/versions/1',
      compareVersions: '/v1/configuration/changes?from=1',
      getTenant: '/v1/directory/tenants/base',
      getTeam: '/v1/directory/tenants/base/teams/shop',
      getConsumer: '/v1/directory/tenants/base/consumers/web',
      readToken: `/v1/tokens/${(await localToken()).split('_')[2]}`,
    };
    for (const operation of operationsOf(document).filter(({ method }) => method === 'GET')) {
      const answer = await call(paths[operation.operationId] ?? operation.path);
      expect([operation.operationId, answer.status]).toEqual([operation.operationId, 200]);
      await checkAnswer(document, operation, answer);
    }
  });

  it('lets a token do what its scopes say until it is revoked, and records both', async () => {
    const issued = await run('tokens', 'issue', 'viewer', project.folder, '--scope', 'read', '--json');
    expect(issued.code).toBe(0);
    const { token, id } = JSON.parse(issued.stdout) as { readonly token: string; readonly id: string };
    expect((await call('/v1/status', { token })).status).toBe(200);
    expect((await call('/v1/reload', { token, method: 'POST' })).status).toBe(403);
    expect((await call('/v1/audit', { token })).status).toBe(403);
    expect((await run('tokens', 'list', project.folder)).stdout).toMatch(/viewer +never ends +read\n/);
    expect((await run('tokens', 'issue', 'viewer', project.folder, '--scope', 'read')).stderr).toContain(
      'There is a token named viewer',
    );
    expect((await run('tokens', 'revoke', id, project.folder)).code).toBe(0);
    expect((await call('/v1/status', { token })).status).toBe(401);
    const found = (await records()).filter(({ target }) => target.includes(id));
    expect(found.map(({ action, actor }) => [action, actor.kind === 'token' && actor.name])).toEqual([
      ['tokens.issue', 'local'],
      ['tokens.revoke', 'local'],
    ]);
    expect(JSON.stringify(found)).not.toContain(token);
  });

  it('leaves one record of each change, with what was before and what is after it', async () => {
    const changing = ADMIN_ROUTES.filter(({ method }) => method !== 'GET');
    expect(changing.map(({ operation }) => operation).sort()).toEqual(
      [...CHANGES.map(([operation]) => operation), ...Object.keys(WITHOUT_CHANGE)].sort(),
    );
    const names: Record<string, string> = {
      tenant: 'made',
      team: 'crew',
      consumer: 'night',
      name: 'audited',
    };
    Object.assign(names, { pool: 'spare', key: 'one' });
    const recordsAfter = async (sequence: number): Promise<readonly AuditRecord[]> => {
      const answer = await call(`/v1/audit?after=${sequence}`);
      return ((await answer.json()) as { readonly records: readonly AuditRecord[] }).records;
    };
    let last = ((await (await call('/v1/audit/anchor')).json()) as { readonly sequence: number }).sequence;
    for (const [operation, action, body] of CHANGES) {
      const { method, path } = changing.find((route) => route.operation === operation)!;
      const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => names[name]!);
      const answer = await call(filled, { method, ...(body === undefined ? {} : { body }) });
      const text = await answer.text();
      expect([operation, answer.status, text]).toEqual([operation, expect.toBeOneOf([200, 201, 204]), text]);
      if (operation === 'issueToken') names.id = (JSON.parse(text) as { readonly id: string }).id;
      const left = await recordsAfter(last);
      expect([operation, ...left.map((record) => record.action)]).toEqual([operation, action]);
      const [{ sequence, actor, before, after }] = left as [AuditRecord];
      last = sequence;
      expect(actor).toMatchObject({ kind: 'token', name: 'local' });
      expect(before, `${operation}: what it was before is not what it is after`).not.toEqual(after);
    }
    expect((await call('/v1/reload', { method: 'POST' })).status).toBe(200);
    expect(await recordsAfter(last)).toEqual([]);
  });

  it('brings back the files of a version, which the next file event does not undo', async () => {
    await edit('second');
    await project.write('tenants/t.yaml', 'tenants: { t: { plan: free, consumers: { c: {} } } }\n');
    await gateway.printed(/Version 3 \(/);
    const listed = await run('history', 'list', project.folder);
    expect(listed.stdout).toMatch(/ {2}1 .* start\n {2}2 .* file change\n\* 3 .* file change\n/);
    const diff = await run('history', 'diff', '1', project.folder, '--to', '2');
    expect(diff.stdout).toMatch(/-.*code "first"[\s\S]*\+.*code "second"/);

    await project.write('policies/p.policy', 'unsaved and broken');
    await gateway.printed(/Not loaded/);
    const back = await run('rollback', '1', project.folder);
    expect([back.code, back.stderr]).toEqual([0, '']);
    expect(back.stdout).toMatch(/Version 4 .* is live/);
    expect(back.stdout).toContain('replaced-files');
    expect(await refusalCode()).toBe('first');
    expect(await readFile(join(project.folder, 'policies/p.policy'), 'utf8')).toBe(policy('first'));
    expect(await readdir(join(project.folder, 'tenants'))).toEqual(['base.yaml']);
    const [saved] = await readdir(join(project.folder, 'data', 'replaced-files'));
    const kept = join(project.folder, 'data', 'replaced-files', saved!, 'policies/p.policy');
    expect(await readFile(kept, 'utf8')).toBe('unsaved and broken');

    await utimes(join(project.folder, 'policies/p.policy'), new Date(), new Date());
    expect((await run('reload', project.folder)).stdout).toContain('Nothing changed: version 4');
    expect((await run('history', 'diff', '1', project.folder)).stdout).toContain('have the same files');
    expect((await run('rollback', '99', project.folder)).stderr).toContain('Version 99 is not kept');
    const last = (await records()).filter(({ action }) => action.startsWith('configuration.')).at(-1);
    expect(last).toMatchObject({
      action: 'configuration.rollback',
      target: 'version 4 (rollback to 1)',
      actor: { kind: 'token', name: 'local' },
      before: { version: 3 },
      after: { version: 4 },
    });
  });

  it('gives an answer again after a kill -9, and has lost nothing that it acknowledged', async () => {
    const body = { name: 'deploy', scopes: ['operate'] };
    const first = await call('/v1/tokens', { method: 'POST', body, key: 'once' });
    const issued = (await first.json()) as { readonly token: string };
    await gateway.stop('SIGKILL');
    const verified = await run('audit', 'verify', project.folder);
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringContaining('The log is as it was written.'),
    ]);
    await start();
    expect((await call('/v1/status', { token: issued.token })).status).toBe(403);
    const again = await call('/v1/tokens', { method: 'POST', body, key: 'once' });
    expect([again.status, again.headers.get('idempotency-replayed'), await again.json()]).toEqual([
      201,
      'true',
      issued,
    ]);
    // the same files are the same version
    expect((await status()).configuration.epoch).toBe(4);
    expect((await status()).alerts).toEqual([]);
  });

  it('notices a store that was put back behind its back, and none that its owner restored', async () => {
    const store = join(project.folder, 'data', 'store.mdb');
    const older = join(project.folder, 'older.mdb');
    expect((await run('backup', project.folder, '--to', older)).code).toBe(0);
    expect((await records()).at(-1)).toMatchObject({
      action: 'store.backup',
      target: older,
      actor: { name: 'local' },
    });
    await run('tokens', 'issue', 'late', project.folder, '--scope', 'read');
    await gateway.stop();

    await copyFile(older, store);
    const verified = await run('audit', 'verify', project.folder);
    expect([verified.code, verified.stdout]).toEqual([
      1,
      expect.stringMatching(/missing at the end: an anchor names record \d+/),
    ]);
    expect((await run('restore', project.folder, '--from', older)).code).toBe(0);
    const restored = await run('audit', 'verify', project.folder);
    expect([restored.code, restored.stdout]).toEqual([0, expect.stringContaining('the store was put back')]);
    expect((await records()).at(-1)).toMatchObject({
      action: 'store.restore',
      target: older,
      actor: { kind: 'account' },
    });

    await start();
    expect((await status()).alerts).toEqual([]);
    await gateway.stop();
    await copyFile(older, store);
    await start();
    expect((await status()).alerts.map(({ kind }) => kind)).toEqual(['audit-not-sound']);
  });
});
