/** Keys of the built gateway, with two data threads: by its command line, over kills, and under traffic. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdminAccess } from '../../src/admin/access-file.ts';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { type AdminRequest, callAdmin } from '../../src/admin/client.ts';
import type { IssuedView, KeyView } from '../../src/governance/key-views.ts';
import { startIssuer, type TestIssuer } from './issuer.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

let upstream: UpstreamServer;
let issuer: TestIssuer;
let project: Project;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
  issuer = await startIssuer();
  project = await writeProject(
    {
      'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes:
  all: { service: s, match: { path: "/{rest...}" } }
  tokens: { service: s, match: { path: /tokens }, identify: ["jwt:corporate"] }
  found: { service: s, match: { path: /found }, identify: ["jwt:found"] }
`,
      'tenants/acme.yaml':
        'tenants: { acme: { plan: free, consumers: { web: { roles: [buyer] }, app: { roles: [buyer] } } } }\n',
      'policies/p.policy':
        'language 1\npolicy "p" applies to every route { permit when consumer has role "buyer" }\n',
    },
    {
      dataThreads: 2,
      settings: `tokenIssuers:
  corporate: { issuer: us, audience: [them], keys: "${issuer.keys}", tenant: acme }
  found: { issuer: "${issuer.address}", audience: [them], keys: discovery, tenant: acme }`,
    },
  );
  gateway = await RunningGateway.start(project);
});
afterAll(async () => {
  await gateway.stop('SIGKILL');
  await upstream.close();
  await issuer.close();
  await project.remove();
});

async function status(key: string): Promise<number> {
  return (await fetch(`${gateway.url}/x`, { headers: { 'x-api-key': key } })).status;
}

async function keys(...commandLine: readonly string[]) {
  const [subcommand, ...rest] = commandLine;
  return await runPortunus(['keys', subcommand!, ...rest, project.folder]);
}

async function keysJson<Value>(...commandLine: readonly string[]): Promise<Value> {
  const { code, stdout, stderr } = await keys(...commandLine, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Value;
}

async function admin<Value>(asked: AdminRequest): Promise<Value> {
  const access = await readAdminAccess(join(project.folder, 'data', 'admin-access.json'));
  if (!access.ok) throw new Error(access.error.message);
  const answer = await callAdmin<Value>(access.value, asked);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}

const issue = (consumer: string) =>
  admin<IssuedView>({ method: 'POST', path: '/v1/keys', body: { tenant: 'acme', consumer } });
const revoke = ({ tenant, consumer, name }: KeyView) =>
  admin<KeyView>({ method: 'DELETE', path: `/v1/keys/${tenant}/${consumer}/${name}` });

describe('portunus keys', () => {
  it('issues, lists, rotates, expires and revokes', async () => {
    const issued = await keys('issue', 'acme/app', '--expires-in', '90d');
    expect(issued).toMatchObject({ code: 0, stderr: '' });
    expect(issued.stdout).toMatch(/^Issued acme\/app\/app-\d, until 20\d\d-.*This key is shown once/);
    const [key] = /ptn_live_\w+/.exec(issued.stdout)!;
    expect(await status(key)).toBe(200);

    const old = await keysJson<IssuedView>('issue', 'acme/app', '--name', 'night', '--environment', 'test');
    const fresh = await keysJson<IssuedView>('rotate', 'acme/app/night', '--overlap', '1h');
    expect(fresh).toMatchObject({ name: 'night-1', expiresMs: null });
    expect([await status(old.key), await status(fresh.key)]).toEqual([200, 200]);

    const listed = await keys('list', '--consumer', 'acme/app');
    expect(listed.stdout).toMatch(/^key +kind +id +state +in +created +expires\n/);
    expect(listed.stdout).toContain('acme/app/night-1');
    const views = await keysJson<readonly KeyView[]>('list', '--tenant', 'acme');
    expect(views.map(({ name }) => name)).toEqual(['app-1', 'app-2', 'night', 'night-1', 'web-1']);

    expect((await keys('expire', 'acme/app/night-1', '--expires-in', '1h')).stdout).toMatch(/ ends 20\d\d-/);
    const revoked = await keys('revoke', 'acme/app/night-1');
    expect(revoked.stdout).toBe('acme/app/night-1 is revoked: no request is let in by it any more.\n');
    expect(await status(fresh.key)).toBe(401);
    const replaced = await keys('rotate', 'acme/app/night', '--overlap', '0s');
    expect(replaced.stdout).toMatch(
      /^Issued acme\/app\/night-2, until .*Z\. acme\/app\/night has ended\. This key/,
    );
    expect(await status(old.key)).toBe(401);
  });

  it.each([
    [['issue', 'acme'], 2, '"acme" is not TENANT/CONSUMER.'],
    [['issue', 'acme/app', '--expires-in', '90'], 2, 'needs a unit here'],
    [['issue', 'acme/nobody'], 3, 'There is no consumer "nobody" in a tenant "acme".'],
    [['revoke', 'acme/app/none'], 3, 'Consumer "app" of "acme" has no key "none".'],
    [['expire', 'acme/app/app-1'], 2, 'Say when: --expires-in 7d, or --expires 2027-05-01.'],
  ])('says what is wrong: %j', async (commandLine, code, words) => {
    const refused = await keys(...commandLine);
    expect(refused).toMatchObject({ code, stdout: '' });
    expect(refused.stderr).toContain(words);
  });
});

describe('a token', () => {
  const ask = async (path: string, token: string): Promise<number> =>
    (await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

  it('lets its consumer in where the route accepts its issuer, and nobody else', async () => {
    const [web, stranger, forged] = [
      await issuer.token('web'),
      await issuer.token('x'),
      await issuer.forged('web'),
    ];
    for (let round = 0; round < 4; round++) {
      expect([await ask('/tokens', web), await ask('/x', web)]).toEqual([200, 401]);
      expect([await ask('/tokens', stranger), await ask('/tokens', forged)]).toEqual([401, 401]);
    }
    const { key } = await issue('web');
    expect(await ask('/tokens', key)).toBe(401);
    expect(issuer.asked()).toBeLessThanOrEqual(2);
  });
});

it('a token of an issuer that says itself where its keys are', async () => {
  const ask = async (token: string): Promise<number> =>
    (await fetch(`${gateway.url}/found`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect(await ask(await issuer.token('web', issuer.address))).toBe(200);
  expect(await ask(await issuer.token('web'))).toBe(401);
});

describe('a revocation', () => {
  it('holds on every data thread before it is answered, however many requests are under way', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 12 });
    const issued: IssuedView[] = [];
    for (let n = 0; n < 12; n++) issued.push(await issue('web'));
    const ended = new Set<string>();
    const wrong: string[] = [];
    const counts = { permitted: 0, refused: 0 };
    let going = true;
    const ask = (key: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { 'x-api-key': key };
        request({ agent, port: project.port, host: '127.0.0.1', path: '/x', headers }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode!));
        })
          .on('error', reject)
          .end();
      });
    const caller = async (start: number): Promise<void> => {
      for (let turn = start; going; turn++) {
        const { key } = issued[turn % issued.length]!;
        const endedBefore = ended.has(key);
        const answer = await ask(key);
        if (answer === 200) counts.permitted++;
        else counts.refused++;
        if (answer === 200 && endedBefore) wrong.push(`${key.slice(0, 21)} was let in after its revocation`);
        if (answer !== 200 && answer !== 401) wrong.push(`answered ${answer}`);
      }
    };
    const callers = Array.from({ length: 12 }, (_, start) => caller(start));
    for (const view of issued) {
      const before = counts.permitted;
      await revoke(view);
      ended.add(view.key);
      // As many requests again, some of which were under way.
      await expect.poll(() => counts.permitted + counts.refused).toBeGreaterThan(before + 24);
    }
    going = false;
    await Promise.all(callers);
    agent.destroy();
    expect(wrong).toEqual([]);
    expect(counts.permitted).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(0);
    for (const { key } of issued) expect(await ask(key)).toBe(401);
  });
});

describe('a consumer that is made while the gateway runs', () => {
  it('calls with its key until it is deleted, and is in the export', async () => {
    const path = '/v1/directory/tenants/acme/consumers/night';
    const versionNow = async () =>
      (await admin<AdminStatus>({ method: 'GET', path: '/v1/status' })).configuration.epoch;
    const version = await versionNow();
    const made = await admin({ method: 'PUT', path, body: { roles: ['buyer'] } });
    expect(made).toMatchObject({ name: 'night', in: 'store', roles: ['buyer'], team: null });
    const { key } = await issue('night');
    expect(await status(key)).toBe(200);
    await admin({ method: 'PUT', path, body: { roles: [] } });
    expect(await status(key)).toBe(403);
    const told = await runPortunus(['status', project.folder]);
    expect(told.stdout).toMatch(
      /callers +\d+ keys of at most 1250000, .*; 1 tenants, teams and consumers made at run time/,
    );
    const exported = await runPortunus(['export', 'directory', project.folder]);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect(exported.stdout).toMatch(/tenants:\n {2}acme:[\s\S]*night:/);
    await admin({ method: 'DELETE', path });
    expect(await status(key)).toBe(401);
    // The directory has an epoch of its own: no version of the rules was made for it.
    expect(await versionNow()).toBe(version);
    await expect(admin({ method: 'PUT', path: path.replace('night', 'web'), body: {} })).rejects.toThrow(
      'is defined in tenants/acme.yaml',
    );
  });
});

describe('what was answered', () => {
  it('holds after kill -9: keys count, revoked ones do not, and the audit log has each change', async () => {
    const kept = await issue('web');
    const gone = await issue('web');
    await revoke(gone);
    await gateway.stop('SIGKILL');
    gateway = await RunningGateway.start(project);
    expect([await status(kept.key), await status(gone.key)]).toEqual([200, 401]);
    const { records } = await admin<{ records: readonly { action: string; target: string }[] }>({
      method: 'GET',
      path: '/v1/audit?limit=100',
    });
    const target = (view: KeyView) => `consumer acme/web, key ${view.name}`;
    expect(records).toContainEqual(expect.objectContaining({ action: 'keys.issue', target: target(kept) }));
    expect(records).toContainEqual(expect.objectContaining({ action: 'keys.revoke', target: target(gone) }));
    const store = await readFile(join(project.folder, 'data', 'store.mdb'), 'latin1');
    expect(store).not.toContain(kept.key.slice(-38));
  });

  it('a consumer whose keys were all revoked gets no first key at the next start', async () => {
    for (const view of await keysJson<readonly KeyView[]>('list', '--consumer', 'acme/app'))
      await revoke(view);
    await gateway.stop();
    gateway = await RunningGateway.start(project);
    expect(await keysJson('list', '--consumer', 'acme/app')).toEqual([]);
  });

  it('without a gateway, says what to do', async () => {
    await gateway.stop();
    const refused = await keys('list');
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stdout).toBe('');
    expect(refused.stderr).toMatch(/No gateway is running.*Start it with "(npx )?portunus start /);
    expect(await keys('issue')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not TENANT/CONSUMER'),
    });
  });
});
