/** A disk that fails under the built gateway: each limit does what it says for that, no lie is told, and all goes on without a restart. */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readAdminAccess } from '../../src/admin/access-file.ts';
import type { AdminStatus } from '../../src/admin/actions.ts';
import type { IssuedView, KeyView } from '../../src/governance/key-views.ts';
import { type DiskFault, FaultShim } from './fault-shim.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
let shim: FaultShim | null = null;
let token = '';

/** Small, so that a slice is one request or two, and nearly each needs a mark of its own on the disk. */
const AMOUNT = 20;

/** What may be granted ahead of use, and is lost with the process: the largest slice, and the next one. */
const LEASE_MOST = 5;

beforeAll(async () => {
  upstream = await startUpstream();
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes:
  free: { service: s, match: { path: "/free" }, auth: none }
  keyed: { service: s, match: { path: "/keyed" } }
  strict: { service: s, match: { path: "/strict/{id}" }, auth: none }
  lenient: { service: s, match: { path: "/lenient/{id}" }, auth: none }
  money: { service: s, match: { path: "/money/{id}" }, auth: none, cost: $0.001 per request }
  generous: { service: s, match: { path: "/generous/{id}" }, auth: none, cost: $0.001 per request }
  rated: { service: s, match: { path: "/rated/{id}" }, auth: none }
`,
    'tenants/acme.yaml': 'tenants: { acme: { plan: free, consumers: { web: {} } } }\n',
    'policies/p.policy': `language 1
policy "p" { permit }
policy "strict" applies to route "strict" { quota "year" ${AMOUNT} requests per year for each request.path }
policy "lenient" applies to route "lenient" { quota "year" ${AMOUNT} requests per year for each request.path on failure allow }
policy "money" applies to route "money" { budget "year" $0.020 per year for each request.path when exhausted status 402 }
policy "generous" applies to route "generous" { budget "year" $0.020 per year for each request.path when exhausted status 402 on failure allow }
policy "rated" applies to route "rated" { limit "hour" at most ${AMOUNT} requests in any 1h for each request.path }
`,
  });
  shim = FaultShim.build(join(project.folder, 'data'));
  if (shim !== null) await start(shim.environment);
});
afterEach(() => shim?.end());
afterAll(async () => {
  await gateway?.stop('SIGKILL');
  await upstream?.close();
  shim?.close();
  await project?.remove();
});

async function start(environment: Readonly<Record<string, string>>): Promise<void> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'], environment });
  const access = await readAdminAccess(join(project.folder, 'data', 'admin-access.json'));
  if (!access.ok) throw new Error(access.error.message);
  token = access.value.token;
}

interface Answered {
  readonly status: number;
  readonly body: unknown;
}

async function admin(method: string, path: string, body?: object): Promise<Answered> {
  const answer = await fetch(`http://127.0.0.1:${project.adminPort}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

function problemOf({ body }: Answered): { readonly code: string; readonly detail: string } {
  return body as { readonly code: string; readonly detail: string };
}

async function ask(path: string, key?: string): Promise<number> {
  const answer = await fetch(gateway.url + path, key === undefined ? {} : { headers: { 'x-api-key': key } });
  await answer.arrayBuffer();
  return answer.status;
}

async function many(path: string, requests: number): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let at = 0; at < requests; at++) {
    const status = await ask(path);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

const arrived = (path: string): number => upstream.requests.filter((line) => line === `GET ${path}`).length;

async function alertKinds(): Promise<readonly string[]> {
  return ((await admin('GET', '/status')).body as AdminStatus).alerts.map(({ kind }) => kind);
}

async function issue(name: string): Promise<Answered> {
  return await admin('POST', '/keys', { tenant: 'acme', consumer: 'web', name });
}

async function keyNames(): Promise<readonly string[]> {
  const { body } = await admin('GET', '/keys?tenant=acme&consumer=web');
  return (body as { keys: readonly KeyView[] }).keys.map(({ name }) => name);
}

const FAULTS: readonly (readonly [string, DiskFault])[] = [
  ['has no room', { writes: 'ENOSPC' }],
  ['takes no writes', { writes: 'EIO', syncedWrites: 'EIO' }],
  ['can not sync', { syncs: 'EIO' }],
  ['loses the page that makes a change count', { syncedWrites: 'EIO' }],
  ['has that page all the same', { syncedWrites: 'EIO', leaves: 'content' }],
  ['has it and does not give it up', { syncedWrites: 'EIO', leaves: 'content for good' }],
  ['is read-only', { writes: 'EROFS', syncedWrites: 'EROFS', opening: 'EROFS' }],
];

/** What was answered as done, over all faults. */
const issued: string[] = [];

async function failAndRecover(at: number, fault: DiskFault, skip: (why: string) => void): Promise<void> {
  if (shim === null) return skip('there is no C compiler');
  const before = await issue(`before-${at}`);
  expect(before.status).toBe(201);
  const { key } = before.body as IssuedView;
  const holders = [`/strict/holder-${at}`, `/money/holder-${at}`] as const;
  for (const path of holders) expect(await ask(path)).toBe(200);
  expect(await ask('/keyed', key)).toBe(200);
  expect(await many(`/rated/${at}`, 5)).toEqual({ 200: 5 });
  const names = await keyNames();

  shim.begin(fault);
  expect(await many(`/strict/${at}`, 2)).toEqual({ 503: 2 });
  // One who holds a lease goes on with it, and no further.
  for (const path of holders) expect(Object.keys(await many(path, LEASE_MOST + 1))).toContain('503');
  expect(await ask(`/money/${at}`)).toBe(503);
  expect(await many(`/lenient/${at}`, AMOUNT + 3)).toEqual({ 200: AMOUNT, 429: 3 });
  expect(await many(`/generous/${at}`, AMOUNT + 3)).toEqual({ 200: AMOUNT, 402: 3 });
  // Rate windows go on in memory, those that were begun before and new ones.
  expect(await many(`/rated/${at}`, 10)).toEqual({ 200: 10 });
  expect(await many(`/rated/full-${at}`, AMOUNT + 3)).toEqual({ 200: AMOUNT, 429: 3 });
  expect(shim.failed).toBeGreaterThan(0);
  const reached = ['strict', 'money', 'lenient', 'generous'].map((route) => arrived(`/${route}/${at}`));
  expect(reached).toEqual([0, 0, AMOUNT, AMOUNT]);
  const revoked = await admin('DELETE', `/keys/acme/web/before-${at}`);
  for (const refused of [
    revoked,
    await issue(`during-${at}`),
    await admin('POST', '/tokens', { name: `during-${at}`, scopes: ['read'] }),
  ]) {
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(['not_durable', 'store_unreadable']).toContain(problemOf(refused).code);
  }
  // What protects is done at once, and said to be no more than that; all else is not done, nor half of it.
  const holds = problemOf(revoked).code === 'not_durable';
  if (holds) expect(problemOf(revoked).detail).toContain('only until this process ends');
  expect([await ask('/keyed', key), await ask('/free')]).toEqual([holds ? 401 : 200, 200]);
  expect(await alertKinds()).toContain('quotas-not-kept');
  // What takes were written into can't be synced, but outlives the process all the same.
  if (fault.writes !== undefined) await expect.poll(alertKinds).toContain('rate-windows-not-kept');

  shim.end();
  await expect.poll(alertKinds, { timeout: 10_000 }).not.toContain('quotas-not-kept');
  expect(await keyNames()).toEqual(names);
  for (const path of holders) expect(await ask(path)).toBe(200);
  expect(await many(`/rated/${at}`, 2)).toEqual({ 200: 2 });
  expect([await ask(`/rated/full-${at}`), await ask(`/generous/${at}`)]).toEqual([429, 402]);
  expect((await admin('DELETE', `/keys/acme/web/before-${at}`)).status).toBe(200);
  expect(await ask('/keyed', key)).toBe(401);
  expect((await issue(`after-${at}`)).status).toBe(201);
  issued.push(`after-${at}`);
}

describe('a disk that', () => {
  for (const [at, [title, fault]] of FAULTS.entries())
    it(title, ({ skip }) => failAndRecover(at, fault, skip));

  it('recovered has lost nothing that was answered, though the machine falls', async ({ skip }) => {
    if (shim === null) return skip('there is no C compiler');
    await expect.poll(alertKinds, { timeout: 30_000, interval: 250 }).toEqual([]);
    const metrics = await fetch(`http://127.0.0.1:${project.adminPort}/metrics`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await metrics.text()).toMatch(/^portunus_alerts_open\{severity="critical"\} 0$/m);
    const tokens = (await admin('GET', '/tokens')).body as { tokens: readonly { name: string }[] };
    expect(tokens.tokens.map(({ name }) => name)).toEqual(['local']);
    await gateway.stop('SIGKILL');
    for (const file of readdirSync(shim.durableFolder))
      copyFileSync(join(shim.durableFolder, file), join(project.folder, 'data', file));
    const verified = await runPortunus(['audit', 'verify', project.folder]);
    expect([verified.stdout + verified.stderr, verified.code]).toEqual([
      expect.stringContaining('as it was written'),
      0,
    ]);
    await start({});
    expect(await keyNames()).toEqual(expect.arrayContaining(issued));
    const doctor = await runPortunus(['doctor', project.folder]);
    expect([doctor.stdout, doctor.code]).toEqual([expect.stringContaining('Nothing is wrong.'), 0]);
    for (const at of FAULTS.keys()) {
      await many(`/lenient/${at}`, 1);
      await many(`/generous/${at}`, 1);
      await many(`/rated/${at}`, AMOUNT);
      await many(`/rated/full-${at}`, 1);
      for (const path of [`/strict/holder-${at}`, `/money/holder-${at}`]) {
        await many(path, AMOUNT + 1);
        expect(arrived(path)).toBeLessThanOrEqual(AMOUNT);
        expect(arrived(path)).toBeGreaterThanOrEqual(AMOUNT - LEASE_MOST);
      }
    }
    for (const path of ['/lenient/', '/generous/', '/rated/', '/rated/full-'])
      expect([path, ...FAULTS.map((_, at) => arrived(path + at))]).toEqual([
        path,
        ...FAULTS.map(() => AMOUNT),
      ]);
  });
});
