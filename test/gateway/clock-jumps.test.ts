/** The built gateway on a wall clock that jumps: counted by the service itself, no period and no window gets more than its amount. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultShim } from './fault-shim.ts';
import { type Project, RunningGateway, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

const HOUR_MS = 3_600_000;
const AMOUNT = 5;

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;
let shim: FaultShim | null = null;
/** The provider of models refuses calls. */
let isThrottled = false;

beforeAll(async () => {
  upstream = await startUpstream(({ url }, response) => {
    response.setHeader('content-type', 'application/json');
    if (url!.startsWith('/v1/') && isThrottled) response.writeHead(429, { 'retry-after': '3600' });
    response.end('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}');
  });
  const services = `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }`;
  const routes = ['day', 'month', 'money', 'window', 'pace'].map(
    (name) =>
      `  ${name}: { service: s, match: { path: "/${name}/{id}" }, auth: none${name === 'money' ? ', cost: $0.001 per request' : ''} }`,
  );
  project = await writeProject(
    {
      'routes/r.yaml': `${services}\nroutes:\n${routes.join('\n')}\n`,
      'providers/p.yaml': `providers: { openai: { extends: builtin/openai, baseUrl: "http://127.0.0.1:${upstream.port}/v1" } }
pools: { idle: { provider: openai, keys: { a: { secret: "env:IDLE_KEY" } } } }
models: { gpt-4o: { pools: [idle] } }
`,
      'routes/models.yaml': 'routes: { chat: { ai: openai/chat, auth: none } }\n',
      'policies/p.policy': `language 1
policy "p" { permit }
policy "day" applies to route "day" { quota "day" ${AMOUNT} requests per day in Europe/Berlin for each request.path }
policy "month" applies to route "month" { quota "month" ${AMOUNT} requests per month in Europe/Berlin for each request.path }
policy "money" applies to route "money" { budget "day" $0.005 per day in Europe/Berlin for each request.path when exhausted status 429 }
policy "window" applies to route "window" { limit "window" at most ${AMOUNT} requests in any 1h for each request.path }
policy "pace" applies to route "pace" { limit "pace" ${AMOUNT} requests per 24h, burst ${AMOUNT} for each request.path }
`,
    },
    { dataThreads: 2 },
  );
  shim = FaultShim.build(join(project.folder, 'data'));
  if (shim === null) return;
  setClock('2027-03-27T12:00:00Z');
  await start();
});
afterAll(async () => {
  await gateway?.stop('SIGKILL');
  await upstream?.close();
  shim?.close();
  await project?.remove();
});

async function start(): Promise<void> {
  gateway = await RunningGateway.start(project, {
    arguments: ['--log', '/dev/null'],
    environment: { ...shim!.environment, IDLE_KEY: 'of-idle' },
  });
}

/** The gateway's clock shows this moment, and goes on from there. */
function setClock(at: string | number): void {
  shim!.setWallOffset(new Date(at).getTime() - Date.now());
}

/** Asks for all that there is; answers how many requests the service got of it. */
async function drain(path: string): Promise<number> {
  const before = upstream.requests.length;
  let refused = 0;
  for (let asked = 0; asked < 2 * AMOUNT; asked++) {
    const { status } = await fetch(gateway.url + path);
    if (status === 429) refused++;
    else expect(status).toBe(200);
  }
  const arrived = upstream.requests.length - before;
  expect(arrived + refused).toBe(2 * AMOUNT);
  return arrived;
}

/** The clock jumps to and fro around a moment; answers what there was each time. */
async function drainAround(at: string, path: string): Promise<readonly number[]> {
  const left: number[] = [];
  for (const hours of [-0.5, 0.5, -0.5, 0.5, -1.5, 1.5]) {
    setClock(Date.parse(at) + hours * HOUR_MS);
    left.push(await drain(path));
  }
  return left;
}

/** In the order of time: periods never go back. */
const BOUNDARIES: readonly (readonly [what: string, at: string, paths: readonly string[]])[] = [
  ['a day of 23 hours begins', '2027-03-27T23:00:00Z', ['/day/spring', '/money/spring']],
  ['a day of 23 hours ends', '2027-03-28T22:00:00Z', ['/day/spring', '/money/spring']],
  ['a month ends', '2027-04-30T22:00:00Z', ['/month/april', '/day/april']],
  ['a day of 25 hours begins', '2027-10-30T22:00:00Z', ['/day/autumn', '/money/autumn']],
  ['a day of 25 hours ends', '2027-10-31T23:00:00Z', ['/day/autumn', '/money/autumn', '/month/october']],
  ['a leap day begins', '2028-02-28T23:00:00Z', ['/day/leap', '/money/leap']],
  ['a leap day and its month end', '2028-02-29T23:00:00Z', ['/day/leap', '/month/leap', '/money/leap']],
];

for (const [what, at, paths] of BOUNDARIES) {
  it(what, async ({ skip }) => {
    if (shim === null) return skip('there is no C compiler');
    for (const path of paths) {
      const [first, ...left] = await drainAround(at, path);
      // What the test before has used up is not there again in front of this one.
      expect([path, [0, AMOUNT]]).toEqual([path, expect.arrayContaining([first])]);
      expect([path, left]).toEqual([path, [AMOUNT, 0, 0, 0, 0]]);
    }
  });
}

it('where clocks change within a day, it goes on', async ({ skip }) => {
  if (shim === null) return skip('there is no C compiler');
  for (const [at, path] of [
    ['2029-03-25T01:00:00Z', '/day/forward'],
    ['2029-10-28T01:00:00Z', '/day/back'],
  ] as const) {
    expect([path, await drainAround(at, path)]).toEqual([path, [AMOUNT, 0, 0, 0, 0, 0]]);
  }
});

it('windows and buckets heed no wall clock', async ({ skip }) => {
  if (shim === null) return skip('there is no C compiler');
  for (const path of ['/window/one', '/pace/one']) {
    const left: number[] = [];
    for (const hours of [0, 1, -1, 2, 48, -48, 0]) {
      setClock(Date.parse('2029-11-01T12:00:00Z') + hours * HOUR_MS);
      left.push(await drain(path));
    }
    expect([path, left]).toEqual([path, [AMOUNT, 0, 0, 0, 0, 0, 0]]);
  }
});

it('a clock that was set back over a boundary while the gateway was down begins no period again', async ({
  skip,
}) => {
  if (shim === null) return skip('there is no C compiler');
  setClock('2030-01-01T00:30:00+01:00');
  expect([await drain('/day/down'), await drain('/month/down'), await drain('/money/down')]).toEqual([
    AMOUNT,
    AMOUNT,
    AMOUNT,
  ]);
  await gateway.stop('SIGKILL');
  setClock('2029-12-31T23:30:00+01:00');
  await start();
  expect([await drain('/day/down'), await drain('/month/down'), await drain('/money/down')]).toEqual([
    0, 0, 0,
  ]);
  setClock('2030-01-01T23:30:00+01:00');
  expect([await drain('/day/down'), await drain('/month/down')]).toEqual([0, 0]);
  setClock('2030-01-02T00:30:00+01:00');
  expect([await drain('/day/down'), await drain('/month/down'), await drain('/money/down')]).toEqual([
    AMOUNT,
    0,
    AMOUNT,
  ]);
});

it('a provider key that was throttled takes its first call after a week, and its provider hears of nothing before (keys-acceptance 21)', async ({
  skip,
}) => {
  if (shim === null) return skip('there is no C compiler');
  const calls = (): number => upstream.requests.filter((line) => line.startsWith('POST /v1/')).length;
  const call = async (): Promise<number> => {
    const body = JSON.stringify({ model: 'gpt-4o', max_tokens: 5, messages: [] });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).status;
  };
  isThrottled = true;
  expect([await call(), await call(), calls()]).toEqual([429, 429, 1]);
  isThrottled = false;
  await gateway.stop('SIGTERM');
  setClock('2030-01-09T00:30:00+01:00');
  await start();
  expect(calls()).toBe(1);
  expect([await call(), calls()]).toEqual([200, 2]);
});
