import { afterEach, describe, expect, test } from 'vitest';
import { ClientHarness, exchange, OK, request, serviceOf } from '../../test/upstream/harness.ts';
import { type Peer, RawServer } from '../../test/upstream/raw-server.ts';
import type { UpstreamService } from '../pipeline/upstream.ts';
import { endpointKey } from './endpoint-key.ts';
import { ENDPOINT_CELLS, endpointMemory } from './endpoint-memory.ts';

const servers: RawServer[] = [];
let harness: ClientHarness;

async function serve(
  script: (peer: Peer) => void | Promise<void>,
  port = 0,
  address = '127.0.0.1',
): Promise<RawServer> {
  const server = await RawServer.start(script, null, port, address);
  servers.push(server);
  return server;
}

const UNWELL = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n';

async function answering(peer: Peer): Promise<void> {
  while ((await peer.request()) !== null) await peer.send(OK);
}

async function inTurn(service: UpstreamService, count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    expect((await exchange(service, request({ repeatable: true })).outcome).error).toBeNull();
  }
}

afterEach(async () => {
  harness.upstream.close();
  for (const server of servers.splice(0)) await server.stop();
});

describe('several endpoints', () => {
  test('finished exchanges are no load: an endpoint that is back gets its share, not all', async () => {
    const [good, gone] = [await serve(answering), await serve(answering)];
    const { port } = gone;
    await gone.stop();
    harness = new ClientHarness();
    const service = harness.service(good.port, port);
    await inTurn(service, 40);
    expect(good.requestsSeen).toBe(40);
    servers.splice(servers.indexOf(gone), 1);
    const back = await serve(answering, port);
    harness.advance(2_000);
    await inTurn(service, 40);
    // Slow start: a tenth of its share.
    expect(back.requestsSeen).toBeGreaterThan(0);
    expect(back.requestsSeen).toBeLessThan(12);
    const before = back.requestsSeen;
    harness.advance(10_000);
    await inTurn(service, 40);
    expect(good.requestsSeen).toBeGreaterThan(50);
    expect(back.requestsSeen - before).toBeGreaterThan(10);
  });

  test('what one thread met the others know', async () => {
    const [good, gone] = [await serve(answering), await serve(answering)];
    const { port } = gone;
    await gone.stop();
    servers.splice(servers.indexOf(gone), 1);
    harness = new ClientHarness();
    const other = new ClientHarness({}, {}, harness.memory);
    const services = [harness.service(good.port, port), other.service(good.port, port)] as const;
    await inTurn(services[0], 20);
    const back = await serve(answering, port);
    await inTurn(services[1], 20);
    expect(back.requestsSeen).toBe(0);
    other.upstream.close();
  });

  test('one that answers with errors is left alone, while others don’t', async () => {
    const good = await serve(answering);
    const bad = await serve(async (peer) => {
      while ((await peer.request()) !== null) await peer.send(UNWELL);
    });
    harness = new ClientHarness();
    const service = harness.service(good.port, bad.port);
    await inTurn(service, 100);
    const seen = bad.requestsSeen;
    expect(seen).toBeLessThan(60);
    await inTurn(service, 50);
    expect(bad.requestsSeen).toBe(seen);
  });

  test('no more than half of a service is left alone for what it answers', async () => {
    const broken = async (peer: Peer) => {
      await peer.request();
      peer.reset();
    };
    const all = [await serve(broken), await serve(broken), await serve(broken)];
    harness = new ClientHarness();
    const service = harness.service(...all.map(({ port }) => port));
    for (let round = 0; round < 40; round++) await exchange(service, request()).outcome;
    const before = all.map(({ requestsSeen }) => requestsSeen);
    for (let round = 0; round < 20; round++) await exchange(service, request()).outcome;
    const met = all.filter(({ requestsSeen }, index) => requestsSeen > before[index]!);
    expect(met).toHaveLength(2);
  });

  test('all addresses of a name are used; those that it loses are not', async () => {
    const one = await serve(answering);
    harness = new ClientHarness();
    // The name stands for two machines, whose port is the same.
    const service = harness.open(serviceOf({ host: 'orders.test', port: one.port }));
    const two = await serve(answering, one.port, '127.0.0.3');
    const key = endpointKey('orders', {
      ...serviceOf({ host: 'orders.test', port: one.port }).endpoints[0]!,
    });
    const [first, second] = [
      { address: '127.0.0.1', slot: 10 },
      { address: '127.0.0.3', slot: 11 },
    ];
    harness.upstream.resolved([{ key, addresses: [first, second] }]);
    await inTurn(service, 40);
    expect(one.requestsSeen).toBeGreaterThan(8);
    expect(two.requestsSeen).toBeGreaterThan(8);
    const closed = (await one.peer(0)).closed;
    harness.upstream.resolved([{ key, addresses: [second] }]);
    // Its idle connection ends at once.
    await closed;
    const before = one.requestsSeen;
    await inTurn(service, 10);
    expect(one.requestsSeen).toBe(before);
  });

  test('what becomes of exchanges with an address that is lost is no news of whoever has its slot by then', async () => {
    const peers: Peer[] = [];
    const old = await serve(async (peer) => {
      peers.push(peer);
      while ((await peer.request()) !== null)
        await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
    });
    await serve(answering, old.port, '127.0.0.3');
    harness = new ClientHarness();
    const named = { ...serviceOf({ host: 'orders.test', port: old.port }) };
    // One failure is enough to be left alone.
    const service = harness.open({ ...named, outliers: { ...named.outliers, failures: 1 } });
    const key = endpointKey('orders', named.endpoints[0]!);
    harness.upstream.resolved([{ key, addresses: [{ address: '127.0.0.1', slot: 10 }] }]);
    const streams = [exchange(service, request()), exchange(service, request())];
    for (const stream of streams) await stream.head;
    harness.upstream.resolved([{ key, addresses: [{ address: '127.0.0.3', slot: 11 }] }]);
    for (const peer of peers) peer.reset();
    for (const stream of streams)
      expect((await stream.outcome).error?.code).toBe('upstream_closed_in_answer');
    const memory = endpointMemory(harness.memory);
    expect([...memory.subarray(10 * ENDPOINT_CELLS, 11 * ENDPOINT_CELLS)]).toEqual(
      new Array<number>(ENDPOINT_CELLS).fill(0),
    );
    await inTurn(service, 1);
  });

  test('stale keep-alive connections do not put an endpoint out', async () => {
    let isRestarted = false;
    const restarted = await serve(async (peer) => {
      const isOld = !isRestarted;
      while ((await peer.request()) !== null) {
        if (isOld && isRestarted) return peer.reset();
        await peer.send(OK);
      }
    });
    const other = await serve(answering);
    harness = new ClientHarness();
    const service = harness.service(restarted.port, other.port);
    const wave = () => Promise.all(Array.from({ length: 12 }, () => inTurn(service, 1)));
    await wave();
    isRestarted = true;
    await wave();
    const before = restarted.requestsSeen;
    await inTurn(service, 30);
    expect(restarted.requestsSeen).toBeGreaterThan(before + 5);
  });

  test('a stream brings an endpoint back with its head, not with its end', async () => {
    const [good, gone] = [await serve(answering), await serve(answering)];
    const { port } = gone;
    await gone.stop();
    servers.splice(servers.indexOf(gone), 1);
    harness = new ClientHarness();
    const service = harness.service({ port: good.port, weight: 1 }, { port, weight: 1_000 });
    await inTurn(service, 1);
    let isFirst = true;
    const back = await serve(async (peer) => {
      while ((await peer.request()) !== null) {
        await peer.send(isFirst ? 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc' : OK);
        isFirst = false;
      }
    }, port);
    harness.advance(2_000);
    const stream = exchange(service, request());
    expect((await stream.head)?.status).toBe(200);
    expect(back.requestsSeen).toBe(1);
    harness.advance(10_000);
    await inTurn(service, 20);
    expect(back.requestsSeen).toBeGreaterThan(10);
    stream.call.abort();
  });

  test('who waits gets the endpoint that is back', async () => {
    const busy = await serve(() => undefined);
    const gone = await serve(answering);
    const { port } = gone;
    await gone.stop();
    servers.splice(servers.indexOf(gone), 1);
    harness = new ClientHarness({ upstreamConnectionsPerEndpoint: 1 });
    const service = harness.service({ port: busy.port, weight: 1 }, { port, weight: 1_000 });
    // The dead endpoint refuses, the other one takes the request and keeps it.
    const held = exchange(service, request());
    await (await busy.peer(0)).request();
    const waiting = exchange(service, request());
    await serve(answering, port);
    harness.advance(2_000);
    const next = exchange(service, request());
    expect((await waiting.outcome).body).toBe('ok');
    expect((await next.outcome).body).toBe('ok');
    held.call.abort();
  });
});

describe('a service whose endpoints are judged alone', () => {
  const alone = (...ports: number[]) => {
    const service = serviceOf(...ports);
    return { ...service, outliers: { ...service.outliers, judged: 'alone' as const, outMax: 1 } };
  };
  const outcomes = async (service: UpstreamService, count: number) => {
    const seen: unknown[] = [];
    for (let round = 0; round < count; round++) {
      const { head, error } = await exchange(service, request()).outcome;
      seen.push(error?.code ?? head?.status);
    }
    return seen;
  };

  test('sends nothing while all are left alone, then one request, and all again when that is answered well', async () => {
    let isWell = false;
    const server = await serve(async (peer) => {
      while ((await peer.request()) !== null) await peer.send(isWell ? OK : UNWELL);
    });
    harness = new ClientHarness();
    const service = harness.open(alone(server.port));
    expect(await outcomes(service, 5)).toEqual([503, 503, 503, ...Array(2).fill('upstream_none_available')]);
    expect(service.outForMs()).toBe(1_000);
    // Nothing is under way, so no timer runs: it is back by the clock alone.
    harness.nowMs += 1_000;
    expect(service.outForMs()).toBe(0);
    expect(await outcomes(service, 2)).toEqual([503, 'upstream_none_available']);
    expect(service.outForMs()).toBe(2_000);
    isWell = true;
    harness.nowMs += 2_000;
    expect(await outcomes(service, 3)).toEqual([200, 200, 200]);
    expect(server.requestsSeen).toBe(7);
  });

  test('refuses who waits for a connection when its last endpoint is left alone', async () => {
    const peers: Peer[] = [];
    const server = await serve(async (peer) => {
      await peer.request();
      peers.push(peer);
      if (peers.length >= 3) for (const each of peers.splice(0)) each.reset();
    });
    harness = new ClientHarness({ upstreamConnectionsPerEndpoint: 3 });
    const settings = alone(server.port);
    const service = harness.open({ ...settings, outliers: { ...settings.outliers, failures: 1 } });
    const ends = Array.from({ length: 6 }, () => exchange(service, request()).outcome);
    // The first one that fails makes room for one more before anybody knows.
    const failed = ends.slice(0, 3);
    expect((await Promise.all(failed)).map(({ error }) => error?.code)).toEqual(
      Array(3).fill('upstream_closed_before_answer'),
    );
    const refused = (await Promise.all(ends.slice(4))).map(({ error }) => error?.code);
    expect(refused).toEqual(Array(2).fill('upstream_none_available'));
    peers[0]?.reset();
    expect(server.requestsSeen).toBeLessThanOrEqual(4);
  });

  test('goes to what is well, and not to what is left alone, also after a failure', async () => {
    const broken = await serve(async (peer) => {
      await peer.request();
      peer.reset();
    });
    const good = await serve(answering);
    harness = new ClientHarness();
    const service = harness.open(alone(broken.port, good.port));
    await outcomes(service, 30);
    const { requestsSeen } = broken;
    expect(requestsSeen).toBe(3);
    expect(await outcomes(service, 10)).toEqual(Array(10).fill(200));
    expect(broken.requestsSeen).toBe(requestsSeen);
  });
});
