/**
 * `kill -9` can't show that a mark is on the disk: what a process wrote survives it in the page cache. So the system calls are looked at:
 * the mark is synced before the request that it covers leaves for the service (runtime.md §3).
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Project, RunningGateway, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
const traceFile = join(tmpdir(), `portunus-trace-${process.pid}.txt`);
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await upstream?.close();
  rmSync(traceFile, { force: true });
});

/** What is shown of each call: whole pages of the store, in which a record is looked for. */
const WRITTEN_BYTES_MAX = 65_536;

/** The system calls that write and sync, of all threads, in the order in which they ended, while `run` runs. */
async function traced(run: () => Promise<void>): Promise<readonly string[]> {
  const calls = 'trace=fdatasync,write,writev,pwrite64,pwritev,sendto,sendmsg';
  const strace = spawn(
    'strace',
    [
      '-f',
      '-y',
      '-s',
      String(WRITTEN_BYTES_MAX),
      '-e',
      calls,
      '-o',
      traceFile,
      '-p',
      String(gateway.child.pid),
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = once(strace, 'close');
  let said = '';
  strace.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await expect.poll(() => said).toContain('attached');
  await run();
  strace.kill('SIGINT');
  await ended;
  return readFileSync(traceFile, 'utf8').split('\n');
}

it('makes a mark durable before the request that it covers leaves', async ({ skip }) => {
  if (spawnSync('strace', ['-V']).error !== undefined) return skip('strace is not installed');
  upstream = await startUpstream();
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes:
  free: { service: s, match: { path: "/free" }, auth: none }
  counted: { service: s, match: { path: "/counted" }, auth: none }
  paid: { service: s, match: { path: "/paid" }, auth: none, cost: $0.002 per request }
`,
    'tenants/t.yaml': 'tenants: { acme: { plan: free, consumers: { app: {} } } }\n',
    'policies/p.policy': `language 1
policy "p" applies to every route { permit }
policy "q" applies to route "counted" { quota "year" 10_000 requests per year in total }
policy "b" applies to route "paid" { budget "year" $20 per year in total }
`,
  });
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
  const calls = await traced(async () => {
    for (const path of ['/free', '/counted', '/free', '/counted', '/paid', '/paid']) {
      expect((await fetch(gateway.url + path)).status).toBe(200);
    }
  });
  const sent = calls.flatMap((call, at) => (/"GET \/(free|counted|paid) /.test(call) ? [at] : []));
  const syncs = syncsIn(calls);
  expect(sent).toHaveLength(6);
  // The first slice is ten requests, of the quota as of the budget: one sync each, before the first that they are for.
  expect(syncs).toHaveLength(2);
  for (const [index, before] of [0, 3].entries()) {
    expect(syncs[index]).toBeGreaterThan(sent[before]!);
    expect(syncs[index]).toBeLessThan(sent[before + 1]!);
  }
  // LMDB's meta page, which makes the synced pages count, is written synchronously before it, too.
  const meta = calls.findIndex((call, at) => at > syncs[0]! && /pwrite64\(\d+<.*store\.mdb>/.test(call));
  expect(meta).toBeGreaterThan(syncs[0]!);
  expect(meta).toBeLessThan(sent[1]!);

  // So it is with changes of the admin API, and their audit records, before they are answered.
  const access = readFileSync(join(project.folder, 'data', 'admin-access.json'), 'utf8');
  const { token } = JSON.parse(access) as { readonly token: string };
  const changed = await traced(async () => {
    for (const [method, path, body, status] of CHANGES) {
      const answer = await fetch(`http://127.0.0.1:${project.adminPort}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
      });
      expect([path, answer.status]).toEqual([path, status]);
    }
  });
  const answers = changed.flatMap((call, at) => (/"HTTP\/1\.1 20[01] /.test(call) ? [at] : []));
  expect(answers).toHaveLength(CHANGES.length);
  for (const [index, [, path, , , action]] of CHANGES.entries()) {
    const from = index === 0 ? 0 : answers[index - 1]!;
    const steps = changed.slice(from, answers[index]);
    const written = steps.findIndex((call) => isStoreWrite(call) && call.includes(action));
    const synced = syncsIn(steps).find((at) => at > written) ?? -1;
    const counts = steps.findIndex((call, at) => at > synced && isStoreWrite(call));
    expect([path, written], 'the audit record is written').not.toEqual([path, -1]);
    expect([path, synced], 'then synced').not.toEqual([path, -1]);
    expect([path, counts], 'then made to count, before the answer').not.toEqual([path, -1]);
  }
});

const SYNC = /^(\d+) +fdatasync\(\d+<.*store\.mdb>(.*)/;
const SYNC_ENDED = /^(\d+) +<\.\.\. fdatasync resumed>.* = 0/;

/** Where syncs of the store have ended: strace tells one in two lines where another thread calls meanwhile. */
function syncsIn(calls: readonly string[]): number[] {
  const begun = new Set<string>();
  return calls.flatMap((call, at) => {
    const [, thread = '', rest = ''] = SYNC.exec(call) ?? SYNC_ENDED.exec(call) ?? [];
    if (thread === '') return [];
    if (SYNC.test(call) && rest.includes('<unfinished')) begun.add(thread);
    else if (SYNC.test(call)) return rest.includes(' = 0') ? [at] : [];
    else if (begun.delete(thread)) return [at];
    return [];
  });
}

function isStoreWrite(call: string): boolean {
  return /(pwrite64|pwritev|writev)\(\d+<.*store\.mdb>/.test(call);
}

const CHANGES = [
  ['POST', '/v1/tokens', '{"name":"viewer","scopes":["read"]}', 201, 'tokens.issue'],
  ['POST', '/v1/keys', '{"tenant":"acme","consumer":"app","name":"k"}', 201, 'keys.issue'],
  ['DELETE', '/v1/keys/acme/app/k', null, 200, 'keys.revoke'],
  ['PUT', '/v1/directory/tenants/acme/consumers/other', '{}', 201, 'directory.put-consumer'],
] as const;
