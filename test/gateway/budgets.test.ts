/** Budgets of the built product: money is counted by the service itself, over every way in which a request ends. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminStatus } from '../../src/admin/actions.ts';
import { freePort, type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;

const ROUTES = ['flat', 'aborted', 'refused', 'silent', 'killed', 'edited'] as const;

/** Paths that the service has come to answer. */
const answers = new Set<string>();

/** How the service answers, by the route that was asked. */
function answer({ url }: IncomingMessage, response: ServerResponse): void {
  if (url!.startsWith('/refused')) response.writeHead(429).end();
  else if (url === '/told-in-header') response.writeHead(200, { 'x-cost': '0.002' }).end('{}');
  else if (url === '/told-in-body')
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"usage":{"cost":0.002}}');
  else if (answers.has(url!) || (url !== '/silent' && url !== '/aborted')) response.end('{}');
}

const routes = (port: number, nobody: number, price: string): string => `services:
  s: { endpoints: [{ url: "http://127.0.0.1:${port}" }] }
  slow: { endpoints: [{ url: "http://127.0.0.1:${port}" }], timeouts: { firstByte: 300ms } }
  nobody: { endpoints: [{ url: "http://127.0.0.1:${nobody}" }] }
routes:
${ROUTES.map((name) => `  ${name}: { service: ${name === 'silent' ? 'slow' : 's'}, match: { path: "/${name}" }, auth: none, cost: ${price} per request }`).join('\n')}
  told-in-header: { service: s, match: { path: /told-in-header }, auth: none, cost: { header: x-cost, atMost: $0.01 } }
  told-in-body: { service: s, match: { path: /told-in-body }, auth: none, cost: { body: usage.cost, atMost: $0.01 } }
  unreached: { service: nobody, match: { path: /unreached }, auth: none, cost: ${price} per request }
`;

// Of a year, so that hardly a test meets the end of its period.
const POLICY = `language 1
policy "p" applies to every route {
    permit
    budget "year" $0.70 per year for each request.ip and route
        when exhausted status 402 because "{limit.used} of {limit.amount}"
}
`;

async function start(): Promise<void> {
  gateway = await RunningGateway.start(project, { arguments: ['--log', '/dev/null'] });
}

let nobody = 0;
beforeAll(async () => {
  upstream = await startUpstream(answer);
  nobody = await freePort();
  project = await writeProject(
    { 'routes/r.yaml': routes(upstream.port, nobody, '$0.001'), 'policies/p.policy': POLICY },
    { dataThreads: 2 },
  );
  await start();
});
afterAll(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await upstream?.close();
});

interface Answered {
  readonly status: number;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
afterAll(() => agent.destroy());

/** Status 0: cut off, or left by the client. */
function one(path: string, leaving = new AbortController()): Promise<Answered> {
  return new Promise((resolve) => {
    const sent = request(`${gateway.url}${path}`, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('close', () => resolve({ status: response.statusCode!, body }));
    });
    sent.on('error', () => resolve({ status: 0, body: '' }));
    sent.end();
    leaving.signal.addEventListener('abort', () => sent.destroy());
  });
}

async function send(path: string, requests: number): Promise<Map<number, number>> {
  const answered = await Promise.all(Array.from({ length: requests }, () => one(path)));
  const statuses = new Map<number, number>();
  for (const { status } of answered) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return statuses;
}

function reached(path: string): number {
  return upstream.requests.filter((line) => line === `GET ${path}`).length;
}

describe('a budget', () => {
  it('is spent to its end and no further, by two threads at once', async () => {
    expect(await send('/flat', 900)).toEqual(
      new Map([
        [200, 700],
        [402, 200],
      ]),
    );
    expect(reached('/flat')).toBe(700);
    const { body } = await one('/flat');
    expect(JSON.parse(body)).toMatchObject({ code: 'budget_exhausted', detail: '$0.7 of $0.7' });
  });

  it('counts what the service got although the client left', async () => {
    const leaving = new AbortController();
    const left = Array.from({ length: 20 }, () => one('/aborted', leaving));
    await expect.poll(() => reached('/aborted')).toBe(20);
    leaving.abort();
    expect((await Promise.all(left)).every(({ status }) => status === 0)).toBe(true);
    answers.add('/aborted');
    expect(await send('/aborted', 720)).toEqual(
      new Map([
        [200, 680],
        [402, 40],
      ]),
    );
    expect(reached('/aborted')).toBe(700);
  });

  it('counts what the service got and did not answer in time', async () => {
    expect((await send('/silent', 10)).get(504)).toBe(10);
    answers.add('/silent');
    // a machine that is busy may make it wait for some more
    const statuses = await send('/silent', 800);
    expect(statuses.get(402)).toBe(110);
    expect(reached('/silent')).toBe(700);
  });

  it('gives back what a service that refuses did not do', async () => {
    expect(await send('/refused', 750)).toEqual(new Map([[429, 750]]));
    expect(reached('/refused')).toBe(750);
  });

  it('gives back what no service got', async () => {
    expect(await send('/unreached', 750)).toEqual(new Map([[502, 750]]));
  });

  it.each(['/told-in-header', '/told-in-body'])('is spent by what answers tell: %s', async (path) => {
    // $0.36, beside what is reserved at most: 32 at once, each $0.01.
    expect(await send(path, 180)).toEqual(new Map([[200, 180]]));
    for (let sent = 0; sent < 160; sent++) expect((await one(path)).status).toBe(200);
    // What an answer tells may be settled after its client has it: the next one may be too early.
    const all = 346;
    await expect.poll(async () => ((await one(path)).status === 402 ? reached(path) : 0)).toBe(all);
    expect(await send(path, 20)).toEqual(new Map([[402, 20]]));
    expect(reached(path)).toBe(all);
    const { detail } = JSON.parse((await one(path)).body) as { readonly detail: string };
    expect(detail).toBe('$0.692 of $0.7');
  });

  it('takes a new price for what comes from then on', async () => {
    expect((await send('/edited', 100)).get(200)).toBe(100);
    await project.write('routes/r.yaml', routes(upstream.port, nobody, '$0.002'));
    await gateway.printed(/live/);
    expect((await send('/edited', 400)).get(200)).toBe(300);
    await project.write('routes/r.yaml', routes(upstream.port, nobody, '$0.001'));
    await gateway.printed(/live[\s\S]*live/);
  });

  it('is never overspent over kill -9, and loses at most the slices that status told', async () => {
    let told = 0;
    for (let kill = 0; kill < 2; kill++) {
      await send('/killed', 100);
      const { stdout } = await runPortunus(['status', project.folder, '--json']);
      const [counter] = (JSON.parse(stdout) as AdminStatus).counters;
      expect(counter!.currency).toBe('USD');
      told += counter!.openSlice!;
      await gateway.stop('SIGKILL');
      await start();
    }
    // and in the middle of traffic, where nobody could ask before
    const cut = send('/killed', 300);
    await expect.poll(() => reached('/killed')).toBeGreaterThan(250);
    await gateway.stop('SIGKILL');
    await cut;
    await start();
    expect((await send('/killed', 900)).get(402)).toBeGreaterThan(0);
    expect(reached('/killed')).toBeLessThanOrEqual(700);
    // a tenth of the amount is the largest slice there is
    expect(reached('/killed')).toBeGreaterThanOrEqual(700 - told / 1_000_000 - 70 - 32);
  }, 120_000);
});
