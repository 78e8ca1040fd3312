/** Rate windows of the built product over the ends of its process: two data threads, counted by the service itself. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { readState, StateFile } from '../../src/state/rates/state-file.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { statusesOf } from './statuses.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await upstream?.close();
});

const policy = (limit: string): string =>
  `language 1\npolicy "p" applies to every route { permit  ${limit} }\n`;

async function startWith(policies: string): Promise<void> {
  upstream = await startUpstream((request, response) => {
    if (request.url !== '/held') response.end('fine');
  });
  project = await writeProject(
    {
      'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
      'policies/p.policy': policies,
    },
    { dataThreads: 2, settings: 'limits: { rateJournalBytes: 256KiB }' },
  );
  await startAgain();
}

async function startAgain(): Promise<void> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
}

const send = (requests: number) => statusesOf(`${gateway.url}/x`, { requests, connections: 32 });

async function status(): Promise<AdminStatus> {
  const { stdout } = await runPortunus(['status', project.folder, '--json']);
  return JSON.parse(stdout) as AdminStatus;
}

const stateFile = () => join(project.folder, 'data', 'windows', 'state');

describe('a rate window', () => {
  it('goes on after kill -9 where it was: exactly its amount reaches the service', async () => {
    await startWith(policy('limit "hour" at most 1200 requests in any 1h in total'));
    expect((await send(300)).get(200)).toBe(300);
    await gateway.stop('SIGKILL');
    await startAgain();
    expect((await status()).rateWindows).toMatchObject({ state: 'exact', problem: null });
    expect((await send(200)).get(200)).toBe(200);
    // And in the middle of traffic.
    const cut = send(600);
    await expect.poll(() => upstream.requests.length).toBeGreaterThan(650);
    await gateway.stop('SIGKILL');
    await cut;
    const before = upstream.requests.length;
    await startAgain();
    const { stdout } = await runPortunus(['status', project.folder]);
    expect(stdout).toMatch(/rate windows +a crash now would lose none of what was taken/);
    const last = await send(900);
    expect(last.get(429)).toBeGreaterThan(0);
    expect(upstream.requests.length).toBeLessThanOrEqual(1_200);
    // What was written down and had not left when the process ended is all that may be missing: a turn of each connection.
    expect(upstream.requests.length).toBeGreaterThanOrEqual(1_200 - 32);
    expect(last.get(200)).toBe(upstream.requests.length - before);
  }, 120_000);

  it('keeps what was used over a graceful stop, under its new name and with its new amount', async () => {
    await startWith(policy('limit "hour" at most 300 requests in any 1h in total'));
    expect((await send(200)).get(200)).toBe(200);
    expect(await gateway.stop('SIGTERM')).toBe(0);
    await project.write(
      'policies/p.policy',
      policy('limit "calls" at most 350 requests in any 1h in total was "hour"'),
    );
    await startAgain();
    expect((await send(400)).get(200)).toBe(150);
  });

  it('that was edited while nothing ran stays in force as it was, and a quota goes on, as with a reload', async () => {
    const policies = (limit: string, quota: string): string => `language 1
policy "open" applies to every route { permit }
policy "p" applies to every route { limit "pace" ${limit} in total  when request.path is "/x" }
policy "q" applies to every route { quota "days" ${quota} in total  when request.path is "/q" }
`;
    await startWith(policies('at most 30 requests in any 1h', '50 requests per day'));
    const sendQuota = (requests: number) => statusesOf(`${gateway.url}/q`, { requests, connections: 4 });
    expect([(await send(20)).get(200), (await sendQuota(15)).get(200)]).toEqual([20, 15]);
    expect(await gateway.stop('SIGTERM')).toBe(0);
    await project.write(
      'policies/p.policy',
      policies('at most 100 requests in any 2h', '50 requests per month'),
    );
    await startAgain();
    expect((await status()).lastLoad.outcome).toMatchObject({
      notes: [
        expect.stringMatching(/^p\/pace in total: .*; as it was it stays in force for 60 min\.$/),
        expect.stringMatching(/^q\/days in total: goes on from what was counted per day/),
      ],
    });
    expect([(await send(40)).get(200), (await sendQuota(60)).get(200)]).toEqual([10, 35]);
  });

  it('slots of "at once" that were in use at a kill -9 are free', async () => {
    await startWith(policy('limit "slots" at most 2 requests at once in total'));
    const held = [1, 2].map(() => fetch(`${gateway.url}/held`).catch(() => null));
    await expect.poll(() => upstream.requests.length).toBe(2);
    expect((await fetch(`${gateway.url}/x`)).status).toBe(429);
    await gateway.stop('SIGKILL');
    await Promise.all(held);
    await startAgain();
    const free = [1, 2].map(() => fetch(`${gateway.url}/held`).catch(() => null));
    await expect.poll(() => upstream.requests.length).toBe(4);
    expect((await fetch(`${gateway.url}/x`)).status).toBe(429);
    await gateway.stop('SIGKILL');
    await Promise.all(free);
  });

  it('begins full after the machine has ended, and after its files were damaged, and says so', async () => {
    await startWith(policy('limit "hour" at most 300 requests in any 1h in total'));
    expect((await send(10)).get(200)).toBe(10);
    await gateway.stop('SIGKILL');
    const state = readState(stateFile());
    if (state === 'absent' || state === 'unreadable') throw new Error(`the state is ${state}`);
    const file = new StateFile(stateFile(), state.sequence);
    file.write({ ...state, boot: 'an earlier boot', wallMs: Date.now() }, 'both');
    file.close();
    await startAgain();
    expect(await send(20)).toEqual(new Map([[429, 20]]));
    expect((await status()).alerts.map(({ kind }) => kind)).toContain('rate-windows-full');
    await gateway.stop('SIGKILL');
    const bytes = await readFile(stateFile());
    await writeFile(stateFile(), bytes.fill(0, 4_000, 4_200).fill(0, 0, 8));
    await startAgain();
    expect(await send(20)).toEqual(new Map([[429, 20]]));
    expect(gateway.output).not.toMatch(/Error/);
  });
});
