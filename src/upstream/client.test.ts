import { afterEach, describe, expect, test } from 'vitest';
import { ClientHarness, exchange, OK, post, request, serviceOf, turns } from '../../test/upstream/harness.ts';
import { type Peer, RawServer } from '../../test/upstream/raw-server.ts';

const servers: RawServer[] = [];
const clients: ClientHarness[] = [];

async function serve(script: (peer: Peer, index: number) => void | Promise<void>): Promise<RawServer> {
  const server = await RawServer.start(script);
  servers.push(server);
  return server;
}

function client(...options: ConstructorParameters<typeof ClientHarness>): ClientHarness {
  const harness = new ClientHarness(...options);
  clients.push(harness);
  return harness;
}

/** Answers every request alike. */
async function answering(peer: Peer, answer = OK): Promise<void> {
  while ((await peer.request()) !== null) await peer.send(answer);
}

afterEach(async () => {
  for (const harness of clients.splice(0)) harness.upstream.close();
  for (const server of servers.splice(0)) await server.stop();
});

describe('requests on the wire', () => {
  const cases: readonly [name: string, what: Parameters<typeof request>[0], body: string, wire: string][] = [
    ['GET has no framing', {}, '', 'GET /v1/items?x=1 HTTP/1.1\r\nhost: H\r\nx-test: 1\r\n\r\n'],
    [
      'the caller may name the host',
      { host: 'api.example:8' },
      '',
      'GET /v1/items?x=1 HTTP/1.1\r\nhost: api.example:8\r\nx-test: 1\r\n\r\n',
    ],
    ['no field lines', { fieldLines: '' }, '', 'GET /v1/items?x=1 HTTP/1.1\r\nhost: H\r\n\r\n'],
    [
      'an empty POST says so',
      { method: 'POST' },
      '',
      'POST /v1/items?x=1 HTTP/1.1\r\nhost: H\r\nx-test: 1\r\ncontent-length: 0\r\n\r\n',
    ],
    [
      'DELETE without body',
      { method: 'DELETE' },
      '',
      'DELETE /v1/items?x=1 HTTP/1.1\r\nhost: H\r\nx-test: 1\r\n\r\n',
    ],
    [
      'a known length',
      { method: 'POST', bodyBytes: 5 },
      'hello',
      'POST /v1/items?x=1 HTTP/1.1\r\nhost: H\r\nx-test: 1\r\ncontent-length: 5\r\n\r\nhello',
    ],
    [
      'an unknown length',
      { method: 'PUT', bodyBytes: -1 },
      'hello world, hello',
      'PUT /v1/items?x=1 HTTP/1.1\r\nhost: H\r\nx-test: 1\r\ntransfer-encoding: chunked\r\n\r\n12\r\nhello world, hello\r\n0\r\n\r\n',
    ],
    [
      'bytes stay bytes',
      { method: 'POST', bodyBytes: 4, fieldLines: 'x: \xe4\r\n' },
      '\0\xff\r\n',
      'POST /v1/items?x=1 HTTP/1.1\r\nhost: H\r\nx: \xe4\r\ncontent-length: 4\r\n\r\n\0\xff\r\n',
    ],
  ];

  test.each(cases)('%s', async (_, what, body, wire) => {
    const server = await serve((peer) => answering(peer));
    const service = client().service({ port: server.port, basePath: '/v1' });
    for (const round of ['on a new connection', 'on a kept one']) {
      const { head, body: answer, error } = await exchange(service, request(what), body).outcome;
      expect(error, round).toBeNull();
      expect(head).toMatchObject({ status: 200, bodyBytes: 2, endpoint: 0, attempts: 1 });
      expect(answer).toBe('ok');
    }
    const expected = wire.replace('host: H', `host: 127.0.0.1:${server.port}`);
    expect(server.peers.map((peer) => peer.received)).toEqual([expected + expected]);
  });

  const refused: readonly [name: string, what: Parameters<typeof request>[0]][] = [
    ['CR LF in the target', { target: '/a HTTP/1.1\r\nx: y' }],
    ['a space in the target', { target: '/a b' }],
    ['a target above ASCII', { target: '/\u010a' }],
    ['an absolute target', { target: 'http://other/' }],
    ['an empty target', { target: '' }],
    ['a method with a space', { method: 'GET /a' }],
    ['an empty method', { method: '' }],
    ['CONNECT', { method: 'CONNECT' }],
    ['CR LF in the host', { host: 'a\r\nx: y' }],
    ['an empty host', { host: '' }],
    ['field lines without the last CRLF', { fieldLines: 'a: b' }],
    ['a bare LF in the id lines', { idLines: 'a: b\nc: d\r\n' }],
    ['an empty line among the field lines', { fieldLines: 'a: b\r\n\r\nGET /' }],
    ['a bare LF in the field lines', { fieldLines: 'a: b\nc: d\r\n' }],
    ['a bare CR in the field lines', { fieldLines: 'a: b\rc: d\r\n' }],
    ['NUL in the field lines', { fieldLines: 'a: b\0\r\n' }],
    ['field lines that begin with an empty one', { fieldLines: '\r\n' }],
    ['U+010A, which latin1 would make a line feed', { fieldLines: 'a: \u010aHost: b\r\n' }],
  ];

  test.each(refused)('%s never leaves (RFC 9112, 11.2)', async (_, what) => {
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    expect(() => exchange(service, request(what))).toThrow(/RFC 911/);
    expect(server.peers).toEqual([]);
  });

  test('body bytes beyond the declared length, and too few, are assertion errors', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    const over = exchange(service, request({ method: 'POST', bodyBytes: 2 }));
    expect(() => over.call.write(Buffer.from('abc'))).toThrow('more body bytes than declared');
    over.call.abort();
    const under = exchange(service, request({ method: 'POST', bodyBytes: 2 }));
    under.call.write(Buffer.from('a'));
    expect(() => under.call.end()).toThrow('before its declared length');
    under.call.abort();
  });
});

describe('streaming', () => {
  test('a body in pieces goes out in order, before and after the connection opens', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    for (const bodyBytes of [-1, 9]) {
      const { call, outcome } = exchange(service, request({ method: 'POST', bodyBytes }));
      call.write(Buffer.from('abc'));
      await turns(5);
      call.write(Buffer.from('def'));
      call.write(Buffer.from('ghi'));
      call.end();
      expect((await outcome).body).toBe('ok');
    }
    const [peer] = server.peers;
    expect(peer!.received).toContain('3\r\nabc\r\n3\r\ndef\r\n3\r\nghi\r\n0\r\n\r\n');
    expect(peer!.received).toMatch(/content-length: 9\r\n\r\nabcdefghi$/);
  });

  test('the head goes out although no body byte comes', async () => {
    const server = await serve(async (peer) => {
      await peer.sees('\r\n\r\n');
      await peer.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      while (await peer.sees('\r\nping\r\n')) {
        await peer.send('4\r\npong\r\n0\r\n\r\n');
        return;
      }
    });
    const service = client().service(server.port);
    await exchange(service, request()).head;
    const both = exchange(service, request({ method: 'POST', bodyBytes: -1 }));
    await both.head;
    both.call.write(Buffer.from('ping'));
    const { body } = await both.outcome;
    expect(body).toBe('pong');
  });

  test('a piece larger than any buffer arrives whole', async () => {
    const large = Buffer.alloc(3_000_000, 'abcdefghij');
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    for (const bodyBytes of [large.length, -1]) {
      const { outcome } = exchange(service, request({ method: 'POST', bodyBytes }), large.toString('latin1'));
      expect((await outcome).body).toBe('ok');
    }
    const received = server.peers[0]!.received;
    expect(received.split(large.toString('latin1')).length).toBe(3);
  });

  test('bytes are copied: the caller may overwrite them at once', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    for (const bytes of [10, 20_000, 16_000_000]) {
      for (const when of ['before the connection is open', 'on an open one']) {
        const { call, outcome } = exchange(service, request({ method: 'POST', bodyBytes: bytes + 1 }));
        call.write(Buffer.from('-'));
        if (when === 'on an open one') await turns(5);
        const piece = Buffer.alloc(bytes, 'x');
        call.write(piece);
        piece.fill('y');
        expect((await outcome).body, when).toBe('ok');
      }
    }
    for (const { received } of server.peers) expect(received).not.toContain('y');
  });

  test('an upstream that never reads stops the writer, and the drain lets it go on', async () => {
    const server = await serve((peer) => {
      peer.socket.pause();
    });
    const service = client().service(server.port);
    const { call, outcome, drained } = exchange(service, request({ method: 'POST', bodyBytes: -1 }));
    const piece = Buffer.alloc(65_536, 'x');
    const peer = await server.peer(0);
    let pieces = 0;
    const push = () => {
      while (pieces < 1_000) {
        pieces++;
        if (!call.write(piece)) return;
      }
    };
    push();
    await turns(10);
    const drain = drained();
    push();
    expect(pieces).toBeLessThan(1_000);
    peer.socket.resume();
    await drain;
    call.end();
    await peer.request();
    await peer.send(OK);
    expect((await outcome).body).toBe('ok');
  });

  test('a paused answer stays with the upstream until it is resumed', async () => {
    const megabytes = 'y'.repeat(8_000_000);
    const server = await serve(async (peer) => {
      await peer.request();
      await peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${megabytes.length}\r\n\r\n${megabytes}`);
    });
    const harness = client();
    const { call, outcome, head, body } = exchange(harness.service(server.port), request({ idleMs: 1_000 }));
    await head;
    call.pause();
    const before = body().length;
    await turns(50);
    expect(body().length).toBe(before);
    expect(before).toBeLessThan(megabytes.length);
    // A caller that is slow is no reason to blame the upstream.
    harness.advance(100_000);
    call.resume();
    const { body: whole, error } = await outcome;
    expect(error).toBeNull();
    expect(whole.length).toBe(megabytes.length);
  });

  test('pausing inside the callback holds back the next read', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab');
      await turns(10);
      await peer.send('cd');
    });
    const service = client().service(server.port);
    let seen = '';
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const call = service.dispatch(request(), {
      onHead: (_, chunk) => {
        seen += Buffer.from(chunk).toString();
        call.pause();
      },
      onData: (chunk, last) => {
        seen += Buffer.from(chunk).toString();
        if (last) ended();
      },
      onDrain: () => undefined,
      onError: () => ended(),
    });
    await (await server.peer(0)).sees('\r\n\r\n');
    await turns(60);
    expect(seen).toBe('ab');
    call.resume();
    await end;
    expect(seen).toBe('abcd');
    // The connection reads again: it can carry the next exchange.
    expect(server.peers.length).toBe(1);
  });
});

describe('keep-alive connections', () => {
  test('the last one used is reused first', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    await Promise.all([1, 2, 3].map(() => exchange(service, request()).outcome));
    expect(server.peers.length).toBe(3);
    for (let round = 0; round < 5; round++) await exchange(service, request()).outcome;
    const counts = server.peers.map((peer) => peer.received.split('GET ').length - 1);
    expect(counts.sort()).toEqual([1, 1, 6]);
  });

  const closing: readonly [name: string, answer: string][] = [
    ['Connection: close', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'],
    ['junk after the answer', `${OK}junk`],
    ['Keep-Alive: timeout=0', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=0\r\ncontent-length: 2\r\n\r\nok'],
  ];
  test.each(closing)('%s: not reused', async (_, answer) => {
    const server = await serve((peer) => answering(peer, answer));
    const service = client().service(server.port);
    for (let round = 0; round < 3; round++)
      expect((await exchange(service, request()).outcome).body).toBe('ok');
    expect(server.peers.length).toBe(3);
    await server.peers[0]!.closed;
  });

  test.each([
    ['the end of the connection', (peer: Peer) => peer.end()],
    ['a reset', (peer: Peer) => peer.reset()],
    [
      'bytes nobody asked for',
      (peer: Peer) => void peer.send('HTTP/1.1 408 Timeout\r\ncontent-length: 0\r\n\r\n'),
    ],
  ])('%s while idle retires the connection', async (_, disturb) => {
    const server = await serve((peer) => answering(peer));
    const harness = client();
    const service = harness.service(server.port);
    await exchange(service, request()).outcome;
    disturb(server.peers[0]!);
    await server.peers[0]!.closed;
    await turns(5);
    expect(harness.isTicking).toBe(false);
    const { head, body } = await exchange(service, post('x'), 'x').outcome;
    expect(body).toBe('ok');
    expect(head!.attempts).toBe(1);
    expect(server.peers.length).toBe(2);
  });

  test('idle connections go before the time the peer announced', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=5\r\ncontent-length: 2\r\n\r\nok';
    const server = await serve((peer) => answering(peer, answer));
    const harness = client();
    const service = harness.service(server.port);
    await exchange(service, request()).outcome;
    harness.advance(3_900);
    await exchange(service, request()).outcome;
    expect(server.peers.length).toBe(1);
    harness.advance(4_100);
    await server.peers[0]!.closed;
    await exchange(service, request()).outcome;
    expect(server.peers.length).toBe(2);
  });

  test('the time after which a peer closes is learned', async () => {
    const server = await serve((peer) => answering(peer));
    const harness = client();
    const service = harness.service(server.port);
    await exchange(service, request()).outcome;
    harness.advance(10_000);
    server.peers[0]!.end();
    await server.peers[0]!.closed;
    await turns(5);
    await exchange(service, request()).outcome;
    harness.advance(9_100);
    await server.peers[1]!.closed;
  });

  test('services opened twice share connections, which end with the last use', async () => {
    const server = await serve((peer) => answering(peer));
    const harness = client();
    const before = harness.upstream.service(serviceOf(server.port), [0]);
    await exchange(before, request()).outcome;
    const after = harness.upstream.service(serviceOf(server.port), [0]);
    before.retire();
    await exchange(after, request()).outcome;
    expect(server.peers.length).toBe(1);
    after.retire();
    await server.peers[0]!.closed;
    expect(harness.isTicking).toBe(false);
    const { error } = await exchange(after, request()).outcome;
    expect(error).toMatchObject({ code: 'upstream_none_available', unprocessed: true });
    expect(() => after.retire()).toThrow('retired once');
  });

  test('an exchange under way survives the end of its service', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no');
    });
    const harness = client();
    const { outcome, head } = exchange(harness.service(server.port), request());
    await head;
    harness.upstream.close();
    await server.peers[0]!.send('k');
    expect((await outcome).body).toBe('ok');
    await server.peers[0]!.closed;
    expect(harness.isTicking).toBe(false);
  });
});

describe('waiting for a connection', () => {
  test('requests beyond the cap wait their turn', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client({ upstreamConnectionsPerEndpoint: 2 }).service(server.port);
    const targets = Array.from({ length: 12 }, (_, index) => `/${index}`);
    const all = targets.map((target) => exchange(service, request({ target })).outcome);
    for (const { body } of await Promise.all(all)) expect(body).toBe('ok');
    expect(server.peers.length).toBe(2);
  });

  test('a full queue refuses, from a later turn', async () => {
    const server = await serve(() => undefined);
    const harness = client({ upstreamConnectionsPerEndpoint: 1, upstreamWaiting: 1 });
    const service = harness.service(server.port);
    const first = exchange(service, request());
    const second = exchange(service, request());
    // Another service has connections and a queue of its own.
    const other = harness.open({ ...serviceOf(server.port), name: 'other' });
    const elsewhere = [exchange(other, request()), exchange(other, request())];
    let failed = false;
    const third = exchange(service, request());
    void third.outcome.then(() => {
      failed = true;
    });
    await Promise.resolve();
    expect(failed).toBe(false);
    expect((await third.outcome).error).toMatchObject({
      code: 'upstream_queue_full',
      attempts: 0,
      unprocessed: true,
    });
    expect(harness.upstream.load()).toEqual({ waiting: 2, waitingMost: 1, connectionsMost: 1, refused: 1 });
    for (const { call } of [first, second, ...elsewhere]) call.abort();
    expect(harness.upstream.load()).toEqual({ waiting: 0, waitingMost: 0, connectionsMost: 0, refused: 1 });
  });

  test('waiting has a deadline', async () => {
    const server = await serve(() => undefined);
    const harness = client({ upstreamConnectionsPerEndpoint: 1, upstreamWaitMs: 500 });
    const service = harness.service(server.port);
    const first = exchange(service, request());
    harness.advance(0);
    const second = exchange(service, request());
    harness.advance(300);
    const third = exchange(service, request());
    harness.advance(260);
    expect((await second.outcome).error).toMatchObject({ code: 'upstream_queue_timeout', unprocessed: true });
    third.call.abort();
    first.call.abort();
    await turns(2);
    expect(third.callsAfterEnd()).toBe(0);
  });

  test('an aborted exchange makes room for the one that waits', async () => {
    const server = await serve(async (peer, index) => {
      if (index > 0) await answering(peer);
    });
    const service = client({ upstreamConnectionsPerEndpoint: 1 }).service(server.port);
    const first = exchange(service, request());
    const waiting = exchange(service, post('abc'), 'abc');
    await (await server.peer(0)).request();
    first.call.abort();
    expect((await waiting.outcome).body).toBe('ok');
    await server.peers[0]!.closed;
  });
});

describe('abort', () => {
  test('closes the connection and silences the handler', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab');
    });
    const harness = client();
    const { call, head, callsAfterEnd } = exchange(harness.service(server.port), request());
    await head;
    call.abort();
    call.abort();
    expect(call.write(Buffer.from('x'))).toBe(true);
    call.end();
    await server.peers[0]!.closed;
    await turns(5);
    expect(callsAfterEnd()).toBe(0);
    expect(harness.isTicking).toBe(false);
  });

  test('after the end of the answer it leaves the connection alone', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client().service(server.port);
    const { call, outcome } = exchange(service, request());
    await outcome;
    call.abort();
    await exchange(service, request()).outcome;
    expect(server.peers.length).toBe(1);
  });

  test('tells whether a service can have anything of the request', async () => {
    const server = await serve((peer) => answering(peer));
    const service = client({ upstreamConnectionsPerEndpoint: 1 }).service(server.port);
    const first = exchange(service, request());
    const waiting = exchange(service, request());
    expect([first.call.unsent, waiting.call.unsent]).toEqual([true, true]);
    waiting.call.abort();
    expect(waiting.call.unsent).toBe(true);
    await first.outcome;
    expect(first.call.unsent).toBe(false);
    first.call.abort();
    expect(first.call.unsent).toBe(false);
    const silent = await serve(() => undefined);
    const unanswered = exchange(client().service(silent.port), request());
    await (await silent.peer(0)).request();
    expect(unanswered.call.unsent).toBe(false);
    unanswered.call.abort();
    expect(unanswered.call.unsent).toBe(false);
  });

  test('before the connection is open', async () => {
    const server = await serve((peer) => answering(peer));
    const harness = client();
    const { call, callsAfterEnd } = exchange(harness.service(server.port), request());
    call.abort();
    await turns(10);
    expect(callsAfterEnd()).toBe(0);
    expect(harness.isTicking).toBe(false);
  });
});
