import { afterEach, describe, expect, test } from 'vitest';
import { ClientHarness, exchange, OK, request } from '../../test/upstream/harness.ts';
import { type Peer, RawServer } from '../../test/upstream/raw-server.ts';
import type { UpstreamService } from '../pipeline/upstream.ts';

const servers: RawServer[] = [];
let harness: ClientHarness;

async function serve(script: (peer: Peer) => void | Promise<void>, port = 0): Promise<RawServer> {
  const server = await RawServer.start(script, null, port);
  servers.push(server);
  return server;
}

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
    expect(good.requestsSeen).toBeGreaterThan(50);
    expect(back.requestsSeen).toBeGreaterThan(10);
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
