/** A data thread's life: versions come and go while it serves, bounds hold, and it drains. */
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createAddressConnections } from '../../src/gateway/address-connections.ts';
import { ConnectionRecount } from '../../src/gateway/connection-recount.ts';
import { CLOCK, type Gateway, type GatewayOptions, prepared, startGateway } from './gateway.ts';
import { bundle, route, service } from './rules.ts';
import { ok, RawClient, type RawServer, rawServer } from './sockets.ts';

let gateway: Gateway;
let upstream: RawServer;
const services: Socket[] = [];

afterEach(() => {
  gateway.close();
  upstream.close();
  services.length = 0;
});

/** `/slow` is answered by the test, all else at once. */
async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  upstream = await rawServer((socket, request) => {
    if (request.includes(' /slow ')) services.push(socket);
    else socket.write(ok('ok'));
  });
  gateway = await startGateway({ bundle: bundle([route('v1', '/{rest...}')], upstream.port), ...options });
}

async function send(path: string, fields = ''): Promise<RawClient> {
  const client = await RawClient.connect(gateway.port);
  client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  return client;
}

test('a request is handled from start to end by the version it began with', async () => {
  await start();
  const slow = await send('/slow');
  await upstream.arrived(1);
  await gateway.change(2, bundle([route('v2', '/{rest...}')], upstream.port, { hash: 'second' }));
  await (await send('/fast')).answer();
  expect(gateway.messages.some((message) => message.kind === 'rules-retired')).toBe(false);
  services[0]!.write(ok('done'));
  expect((await slow.answer()).body).toBe('done');
  expect(await gateway.said('rules-retired')).toEqual({ kind: 'rules-retired', epoch: 1 });
  expect(gateway.records.map((record) => [record.route, record.configurationHash])).toEqual([
    ['v2', 'second'],
    ['v1', '0123456789abcdef'],
  ]);
});

test('without traffic an old version goes all the same', async () => {
  await start();
  await gateway.change(2, bundle([route('v2', '/{rest...}')], upstream.port));
  expect(await gateway.said('rules-retired')).toEqual({ kind: 'rules-retired', epoch: 1 });
});

test('a version that can’t be prepared is told, and the running one stays', async () => {
  await start();
  const secured = {
    ...service(upstream.port),
    tls: { ...service(upstream.port).tls, caFile: '/nowhere/ca.pem' },
  };
  const bad = bundle([route('bad', '/bad')], upstream.port, { services: [secured] });
  gateway.send({ kind: 'prepare-rules', epoch: 2, rules: prepared(bad) });
  await expect(gateway.said('prepare-failed')).rejects.toThrow('no certificates');
  gateway.send({ kind: 'discard', rules: 2, directory: null });
  expect((await (await send('/')).answer()).status).toBe(200);
});

test('a prepared version that is discarded leaves nothing', async () => {
  await start();
  gateway.send({
    kind: 'prepare-rules',
    epoch: 2,
    rules: prepared(bundle([route('x', '/x')], upstream.port)),
  });
  await gateway.said('prepared', 2);
  gateway.send({ kind: 'discard', rules: 2, directory: null });
  expect((await (await send('/')).answer()).status).toBe(200);
});

test('a large version is prepared while requests are served', async () => {
  await start();
  const functions = Array.from({ length: 500_000 }, (_, index) => `return ${index}`);
  const prepared = gateway.change(2, bundle([route('v2', '/v2')], upstream.port, { functions }));
  expect((await (await send('/')).answer()).status).toBe(200);
  expect(gateway.messages.filter((message) => message.kind === 'prepared')).toHaveLength(1);
  await prepared;
  expect((await (await send('/v2')).answer()).status).toBe(200);
});

test('among 100,000 routes the one that is asked for is read', async () => {
  await start();
  const routes = Array.from({ length: 100_000 }, (_, index) => route(`r${index}`, `/r${index}/{id}`));
  await gateway.change(2, bundle(routes, upstream.port));
  expect((await (await send('/r99999/7')).answer()).status).toBe(200);
  await gateway.recorded(1);
  expect(gateway.records[0]!.route).toBe('r99999');
});

test('draining: no new connections, what is in flight ends, idle connections are closed', async () => {
  await start();
  const idle = await send('/');
  await idle.answer();
  const slow = await send('/slow');
  await upstream.arrived(2);
  const { port } = gateway;
  gateway.send({ kind: 'drain', withinMs: 60_000 });
  await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  services[0]!.write(ok('done'));
  const answer = await slow.answer();
  expect([answer.body, answer.fields.get('connection')]).toEqual(['done', 'close']);
  expect(await gateway.said('drained')).toEqual({ kind: 'drained', unfinished: 0 });
  await idle.untilClosed();
});

test('draining: requests that were sent before their clients could know are answered, too', async () => {
  await start();
  const clients = await Promise.all(Array.from({ length: 40 }, () => send('/')));
  for (const client of clients) {
    await client.answer();
    client.received = '';
  }
  for (const client of clients) client.write('POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  gateway.send({ kind: 'drain', withinMs: 60_000 });
  const answers = await Promise.all(clients.map((client) => client.answer()));
  expect(answers.map(({ status, fields }) => `${status} ${fields.get('connection')}`)).toEqual(
    Array(40).fill('200 close'),
  );
  expect(await gateway.said('drained')).toEqual({ kind: 'drained', unfinished: 0 });
});

test('draining ends in time even if a request does not', async () => {
  await start();
  const slow = await send('/slow');
  await upstream.arrived(1);
  gateway.send({ kind: 'drain', withinMs: 0 });
  expect(await gateway.said('drained')).toEqual({ kind: 'drained', unfinished: 1 });
  expect(await slow.untilClosed()).toMatch(
    /^HTTP\/1\.1 503 [\s\S]*connection: close\r\n[\s\S]*"code":"going_away"[^{]*}$/i,
  );
  expect(gateway.records).toMatchObject([{ status: 503, code: 'going_away', clientAborted: false }]);
});

test('a request too many is told to come back', async () => {
  await start({ limits: { exchangesPerThread: 1 } });
  const slow = await send('/slow');
  await upstream.arrived(1);
  const refused = await (await send('/')).answer();
  expect([refused.status, refused.fields.get('retry-after')]).toEqual([503, '1']);
  services[0]!.write(ok('done'));
  expect((await slow.answer()).status).toBe(200);
});

test('a connection too many is told so, and closed', async () => {
  await start({ limits: { connectionsPerThread: 1 } });
  const first = await send('/');
  await first.answer();
  const second = await RawClient.connect(gateway.port);
  expect(await second.untilClosed()).toMatch(
    /^HTTP\/1.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*"detail":"The gateway has as many connections as it may have."/,
  );
  expect(gateway.thread.load()).toMatchObject({ connections: 1, connectionsPerThreadRefused: 1 });
  first.received = '';
  first.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await first.answer()).status).toBe(200);
});

test('an address has no more connections than it may have, others and trusted proxies have theirs', async () => {
  const memory = createAddressConnections(new Uint8Array(8));
  await start({
    limits: { connectionsPerAddress: 2 },
    addressConnections: memory,
    server: { clientCertificates: { trustedProxies: ['127.0.0.3/32'], authoritiesFile: null } },
  });
  let onOutcome: (why: string | null) => void = () => {};
  const listen = { address: '127.0.0.1', port: gateway.port };
  const recount = new ConnectionRecount({ memory, listen, clock: CLOCK, onOutcome: (why) => onOutcome(why) });
  const counted = (): Promise<string | null> => {
    const outcome = new Promise<string | null>((resolve) => (onOutcome = resolve));
    recount.ask();
    return outcome;
  };
  try {
    expect(await counted()).toBeNull();
    const from = (localAddress: string): Promise<RawClient> => RawClient.connect(gateway.port, localAddress);
    const [first] = await Promise.all(['127.0.0.1', '127.0.0.1'].map(from));
    expect(await (await from('127.0.0.1')).untilClosed()).toContain(
      '"detail":"Your address has as many connections to the gateway as it may have.","code":"too_many_connections"',
    );
    const others = ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3', '127.0.0.3'];
    for (const client of await Promise.all(others.map(from))) {
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.answer()).status).toBe(200);
    }
    expect(gateway.thread.load()).toMatchObject({ connections: 7, connectionsPerAddressRefused: 1 });
    // It is not told whose connection has ended: one that comes too soon is refused, and asks for a recount.
    expect(gateway.messages.filter(({ kind }) => kind === 'recount-asked')).toHaveLength(1);
    first!.socket.destroy();
    while (gateway.thread.load().connections > 6) await new Promise((resolve) => setImmediate(resolve));
    expect(await (await from('127.0.0.1')).untilClosed()).toContain('too_many_connections');
    expect(await counted()).toBeNull();
    const next = await from('127.0.0.1');
    next.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await next.answer()).status).toBe(200);
  } finally {
    recount.stop();
  }
});

test('a key that is needed, missing, wrong and right', async () => {
  await start({ bundle: bundle([route('keyed', '/{rest...}', { auth: 'required' })], 1) });
  const missing = await (await send('/')).answer();
  expect([missing.status, missing.fields.get('www-authenticate')]).toEqual([401, 'Bearer realm="portunus"']);
  expect((await (await send('/', 'X-Api-Key: wrong\r\n')).answer()).fields.get('www-authenticate')).toContain(
    'invalid_token',
  );
  await gateway.change(2, bundle([route('keyed', '/{rest...}', { auth: 'required' })], upstream.port));
  expect((await (await send('/', 'Authorization: Bearer ptn_test_web\r\n')).answer()).status).toBe(200);
  expect(upstream.requests[0]).not.toContain('ptn_test');
  expect(gateway.records.at(-1)).toMatchObject({ consumer: 'web', credential: 'web-key', tenant: 'acme' });
});

test('many clients that send one byte now and then don’t disturb the rest', async () => {
  await start();
  const slow = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(gateway.port)));
  const text = 'GET /x HTTP/1.1\r\n';
  for (const character of text) {
    for (const client of slow) client.write(character);
    expect((await (await send('/')).answer()).status).toBe(200);
  }
  for (const client of slow) client.destroy();
  expect(gateway.records).toHaveLength(text.length);
});
