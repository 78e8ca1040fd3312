/** Quotas of the built product over the ends of its process: two data threads, counted by the service itself. */
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminStatus } from '../../src/admin/actions.ts';
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

// Of a year, so that hardly a test meets the end of its period.
const policy = (limit: string): string =>
  `language 1\npolicy "p" applies to every route { permit  ${limit} }\n`;

async function startWith(limit: string): Promise<void> {
  upstream = await startUpstream();
  project = await writeProject(
    {
      'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
      'policies/p.policy': policy(limit),
    },
    { dataThreads: 2 },
  );
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
}

async function startAgain(): Promise<void> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
}

const send = (requests: number) => statusesOf(`${gateway.url}/x`, { requests, connections: 32 });

async function openSlice(): Promise<number> {
  const { stdout } = await runPortunus(['status', project.folder, '--json']);
  return (JSON.parse(stdout) as AdminStatus).counters[0]!.openSlice!;
}

describe('a quota', () => {
  it('admits exactly its amount, which a graceful stop takes nothing from', async () => {
    await startWith('quota "year" 700 requests per year in total');
    expect((await send(300)).get(200)).toBe(300);
    expect(await gateway.stop('SIGTERM')).toBe(0);
    await startAgain();
    expect(await send(600)).toEqual(
      new Map([
        [200, 400],
        [429, 200],
      ]),
    );
    expect(upstream.requests).toHaveLength(700);
    const status = () => runPortunus(['status', project.folder]);
    await expect
      .poll(async () => (await status()).stdout, { timeout: 10_000 })
      .toContain('a key has used all of it');
  });

  it('is never exceeded over kill -9, and loses at most the open slices that status told', async () => {
    await startWith('quota "year" 900 requests per year in total');
    let told = 0;
    for (let kill = 0; kill < 3; kill++) {
      await send(120);
      told += await openSlice();
      await gateway.stop('SIGKILL');
      await startAgain();
    }
    // And in the middle of traffic, where nobody could ask before.
    const cut = send(300);
    await expect.poll(() => upstream.requests.length).toBeGreaterThan(450);
    await gateway.stop('SIGKILL');
    const statuses = await cut;
    expect([...statuses.keys()].filter((status) => status !== 0 && status !== 200)).toEqual([]);
    await startAgain();
    const last = await send(1_200);
    expect(last.get(429)).toBeGreaterThan(0);
    expect(upstream.requests.length).toBeLessThanOrEqual(900);
    // A tenth of the amount is the largest slice there is.
    expect(upstream.requests.length).toBeGreaterThanOrEqual(900 - told - 90);
  }, 120_000);

  it('keeps what was used when its amount is edited under traffic', async () => {
    await startWith('quota "year" 200 requests per year in total');
    expect((await send(250)).get(200)).toBe(200);
    await project.write('policies/p.policy', policy('quota "year" 240 requests per year in total'));
    await gateway.printed(/live/);
    expect((await send(100)).get(200)).toBe(40);
  });

  it('goes on under the name that it is given, also once the old one is forgotten', async () => {
    await startWith('quota "year" 200 requests per year in total');
    expect((await send(150)).get(200)).toBe(150);
    await project.write(
      'policies/p.policy',
      policy('quota "calls" 200 requests per year in total was "year"'),
    );
    await gateway.printed(/live/);
    await gateway.stop('SIGTERM');
    await project.write('policies/p.policy', policy('quota "calls" 200 requests per year in total'));
    await startAgain();
    expect((await send(100)).get(200)).toBe(50);
  });
});
