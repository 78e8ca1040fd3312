/** What a data thread turns away while it has too much to do, over real sockets. */
import { afterEach, expect, test } from 'vitest';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, route } from './rules.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

let upstream: UpstreamServer;
let gateway: Gateway;
afterEach(async () => {
  gateway.close();
  await upstream.close();
});

const ROUTES = [
  route('plain', '/plain', { auth: 'optional' }),
  route('payments', '/payments', { auth: 'optional', priority: 'high' }),
  route('reports', '/reports', { auth: 'optional', priority: 'low' }),
  route('slow', '/slow'),
];

async function status(path: string, key = ''): Promise<number> {
  const headers: Record<string, string> = key === '' ? {} : { authorization: `Bearer ptn_test_${key}` };
  const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers });
  const text = await answer.text();
  if (answer.status === 503) {
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(JSON.parse(text)).toMatchObject({ code: 'overloaded' });
  }
  return answer.status;
}

test('by requests in flight: low first, then normal; the route’s word goes before the tenant’s', async () => {
  const held: (() => void)[] = [];
  upstream = await startUpstream((request, response) => {
    if (request.url === '/slow') held.push(() => response.end());
    else response.end();
  });
  gateway = await startGateway({
    bundle: bundle(ROUTES, upstream.port),
    limits: { exchangesPerThread: 3, normalExchangesPerThread: 2, lowExchangesPerThread: 1 },
  });
  const slow = [fetch(`http://127.0.0.1:${gateway.port}/slow`)];
  while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
  expect(await status('/reports')).toBe(503);
  expect(await status('/plain', 'low')).toBe(503);
  expect(await status('/payments', 'low')).toBe(200);
  expect(await status('/plain')).toBe(200);
  slow.push(fetch(`http://127.0.0.1:${gateway.port}/slow`));
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(await status('/plain', 'anyone')).toBe(503);
  expect(await status('/reports', 'high')).toBe(503);
  expect(await status('/plain', 'high')).toBe(200);
  for (const answer of held) answer();
  for (const answered of slow) expect((await answered).status).toBe(200);
  expect(await status('/plain', 'low')).toBe(200);
  const shed = gateway.records.filter(({ code }) => code === 'overloaded');
  expect(shed.map(({ route: name }) => name)).toEqual(['reports', 'plain', 'plain', 'reports']);
});

test('by the delay of the thread, until it is calm again', async () => {
  upstream = await startUpstream((_, response) => response.end());
  let delayMs = 0;
  gateway = await startGateway({
    bundle: bundle(ROUTES, upstream.port),
    limits: { eventLoopDelayMs: 100 },
    eventLoopDelayMs: () => delayMs,
  });
  const until = async (path: string, expected: number) => {
    while ((await status(path)) !== expected);
  };
  expect(await status('/reports')).toBe(200);
  delayMs = 250;
  await until('/plain', 503);
  expect(await status('/reports')).toBe(503);
  expect(await status('/payments')).toBe(200);
  delayMs = 0;
  await until('/reports', 200);
  expect(await status('/plain')).toBe(200);
});
