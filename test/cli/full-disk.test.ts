/** A data folder on a disk that is full: traffic and changes go on, and the history catches up when there is room again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { systemClock, systemRandom } from '../../src/cli/run/system-clock.ts';
import { openStore } from '../../src/state/store.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';

let upstream: UpstreamServer | undefined;
let project: Project | undefined;
let gateway: RunningGateway | undefined;
let mounted: string | undefined;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await upstream?.close();
  if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
  await project?.remove();
  [upstream, project, gateway, mounted] = [undefined, undefined, undefined, undefined];
});

/** A file system of 4 MiB at `folder`; false where this user may not mount one. */
function mountSmall(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return false;
  }
  mounted = folder;
  return true;
}

function fill(folder: string): string {
  const filler = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  expect(statfsSync(folder).bavail).toBe(0);
  return filler;
}

const policy = (code: string, more = ''): string =>
  `language 1\n${more}policy "p" { permit\n  forbid "f" when request.path is "/no" code "${code}" }\n`;

/** For more than the room that a store has made ahead of use. */
const LONG_COMMENT = `# ${'x'.repeat(98)}\n`.repeat(3_000);

/** Resolves when the edited policy answers. */
async function edit(code: string, more?: string): Promise<void> {
  await project!.write('policies/p.policy', policy(code, more));
  await expect.poll(refusalCode, { timeout: 20_000 }).toBe(code);
}

async function status(): Promise<AdminStatus> {
  const { code, stdout, stderr } = await runPortunus(['status', project!.folder, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as AdminStatus;
}

/** How long the disk stays full beyond what the test needs: `FULL_DISK_SECONDS=60` is the minute of RESULTS.md. */
const STAYS_FULL_MS = 1_000 * Number(process.env.FULL_DISK_SECONDS ?? 0);
const ASKS_EVERY_MS = 250;

async function alertKinds(): Promise<string[]> {
  return (await status()).alerts.map(({ kind }) => kind).sort();
}

/** Tokens that were made until the disk had no page left for one; the refused one says that nothing was changed. */
async function issueUntilRefused(): Promise<number> {
  const access = JSON.parse(await readFile(join(project!.folder, 'data/admin-access.json'), 'utf8'));
  for (let issued = 0; issued < 500; issued++) {
    const answer = await fetch(`http://127.0.0.1:${project!.adminPort}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `full-${issued}`, scopes: ['read'] }),
    });
    if (answer.status === 201) continue;
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'not_durable']);
    return issued;
  }
  throw new Error('the disk was never full');
}

async function refusalCode(): Promise<string> {
  const answer = await fetch(`${gateway!.url}/no`);
  return ((await answer.json()) as { code: string }).code;
}

it('keeps serving and changing on a full disk, says so, and keeps the missed version when there is room', async ({
  skip,
}) => {
  upstream = await startUpstream();
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': policy('first'),
  });
  const data = join(project.folder, 'data');
  if (!mountSmall(data)) return skip('only who may mount can make a full disk');
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
  expect(await refusalCode()).toBe('first');

  const filler = fill(data);
  await edit('second', LONG_COMMENT);
  expect((await fetch(`${gateway.url}/yes`)).status).toBe(200);
  await expect.poll(alertKinds, { timeout: 20_000 }).toContain('history-not-kept');
  const { alerts, configuration } = await status();
  expect(alerts.find(({ kind }) => kind === 'history-not-kept')!.message).toContain(
    `lacks version ${configuration.epoch}`,
  );
  const reloaded = await runPortunus(['reload', project.folder]);
  // nothing went live by it, so it lacks no record of its own
  expect([reloaded.code, reloaded.stdout]).toEqual([0, expect.stringContaining('Nothing changed')]);
  const issued = await issueUntilRefused();

  rmSync(filler);
  await expect.poll(async () => (await status()).alerts, { timeout: 30_000, interval: 500 }).toEqual([]);
  const { stdout } = await runPortunus(['tokens', 'list', project.folder]);
  expect(stdout.split('\n').filter((line) => line.includes('full-'))).toHaveLength(issued);
  await edit('third');
  await gateway.stop('SIGTERM');
  const unexamined = () => {
    throw new Error('the gateway has closed it');
  };
  const store = openStore(data, systemRandom(), unexamined, systemClock());
  if (!store.ok) throw new Error(store.error.message);
  const kept = store.value.history.versions().map(({ epoch }) => epoch);
  await store.value.close();
  expect(kept.slice(-3)).toEqual([configuration.epoch - 1, configuration.epoch, configuration.epoch + 1]);
}, 60_000);

it(
  'does on a full disk what each limit says for that, admits no more than the amount, and goes on by itself when there is room',
  async ({ skip }) => {
    upstream = await startUpstream();
    const route = (name: string, more = ''): string =>
      `  ${name}: { service: s, match: { path: "/${name}/{id}" }, auth: none${more} }\n`;
    project = await writeProject(
      {
        'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes:
${route('strict')}${route('lenient')}${route('money', ', cost: $0.001 per request')}${route('generous', ', cost: $0.001 per request')}${route('rated')}`,
        'policies/p.policy': `language 1
policy "p" { permit }
policy "strict" applies to route "strict" { quota "year" 300 requests per year for each request.path }
policy "lenient" applies to route "lenient" { quota "year" 100 requests per year in total on failure allow }
policy "money" applies to route "money" { budget "year" $3 per year for each request.path when exhausted status 402 }
policy "generous" applies to route "generous" { budget "year" $0.1 per year in total when exhausted status 402 on failure allow }
policy "rated" applies to route "rated" { limit "hour" at most 50 requests in any 1h for each request.path }
`,
      },
      { settings: 'limits: { rateJournalBytes: 256KiB }' },
    );
    const data = join(project.folder, 'data');
    if (!mountSmall(data)) return skip('only who may mount can make a full disk');
    gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
    const ask = async (path: string): Promise<number> => (await fetch(gateway!.url + path)).status;
    const answers = async (path: string, requests: number): Promise<Record<number, number>> => {
      const counts: Record<number, number> = {};
      for (let i = 0; i < requests; i++) {
        const status = await ask(path);
        counts[status] = (counts[status] ?? 0) + 1;
      }
      return counts;
    };
    for (const route of ['strict', 'lenient', 'money', 'generous', 'rated'])
      expect([route, await ask(`/${route}/0`)]).toEqual([route, 200]);

    const filler = fill(data);
    // New callers, until the free pages of the store are used up.
    let caller = 0;
    let refused = await fetch(`${gateway.url}/strict/${caller}`);
    while (refused.status === 200 && caller < 3_000)
      refused = await fetch(`${gateway.url}/strict/${++caller}`);
    expect([
      refused.status,
      refused.headers.get('retry-after'),
      ((await refused.json()) as { code: string }).code,
    ]).toEqual([503, '1', 'limit_unavailable']);
    expect(await ask('/money/new')).toBe(503);
    // A caller who holds a lease goes on with it; the others up to their amount, and no further.
    expect([await ask('/strict/0'), await ask('/money/0')]).toEqual([200, 200]);
    expect(await answers('/lenient/1', 110)).toEqual({ 200: 99, 429: 11 });
    expect(await answers('/generous/1', 110)).toEqual({ 200: 99, 402: 11 });
    expect(await answers('/rated/0', 60)).toEqual({ 200: 49, 429: 11 });
    expect(await answers('/rated/new', 60)).toEqual({ 200: 50, 429: 10 });
    await expect.poll(alertKinds, { timeout: 20_000 }).toContain('quotas-not-kept');
    for (const untilMs = Date.now() + STAYS_FULL_MS; Date.now() < untilMs; await pause(ASKS_EVERY_MS)) {
      expect([await ask(`/strict/${caller}`), await ask('/money/new')]).toEqual([503, 503]);
      expect([await ask('/lenient/1'), await ask('/generous/1'), await ask('/rated/0')]).toEqual([
        429, 402, 429,
      ]);
    }

    rmSync(filler);
    await expect.poll(async () => (await status()).alerts, { timeout: 30_000, interval: 500 }).toEqual([]);
    expect([await ask(`/strict/${caller}`), await ask('/money/new')]).toEqual([200, 200]);
    await gateway.stop('SIGKILL');
    gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
    // What was allowed without a lease is not forgotten, nor what was taken while nothing could be written.
    expect(await answers('/lenient/1', 10)).toEqual({ 429: 10 });
    expect(await answers('/generous/1', 10)).toEqual({ 402: 10 });
    expect([await answers('/rated/0', 5), await answers('/rated/new', 5)]).toEqual([{ 429: 5 }, { 429: 5 }]);
  },
  120_000 + STAYS_FULL_MS,
);
