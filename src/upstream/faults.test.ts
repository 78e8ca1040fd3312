import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClientHarness, exchange, OK, post, request, turns } from '../../test/upstream/harness.ts';
import { type Peer, RawServer } from '../../test/upstream/raw-server.ts';
import type { UpstreamErrorCode } from '../pipeline/upstream.ts';

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

/** A port nobody listens on. */
async function deadPort(): Promise<number> {
  const server = await RawServer.start(() => undefined);
  const { port } = server;
  await server.stop();
  return port;
}

afterEach(async () => {
  for (const harness of clients.splice(0)) harness.upstream.close();
  for (const server of servers.splice(0)) await server.stop();
});

const HEAD_5 = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n';
const HEAD_CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

interface Fault {
  readonly name: string;
  /** What the upstream does after it has read the request. */
  readonly script: (peer: Peer) => void | Promise<void>;
  readonly code: UpstreamErrorCode;
  /** Whether a repeatable request is sent again. */
  readonly repeated: boolean;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'dies before the head',
    script: (peer) => peer.end(),
    code: 'upstream_closed_before_answer',
    repeated: true,
  },
  {
    name: 'resets before the head',
    script: (peer) => peer.reset(),
    code: 'upstream_closed_before_answer',
    repeated: true,
  },
  sendThenEnd('dies in the head', 'HTTP/1.1 200 OK\r\ncontent-', 'upstream_closed_in_answer'),
  sendThenEnd('dies after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n', 'upstream_closed_in_answer'),
  sendThenEnd('dies after the head', HEAD_5, 'upstream_closed_in_answer'),
  sendThenEnd('dies in the body', `${HEAD_5}abc`, 'upstream_closed_in_answer'),
  sendThenEnd('dies in a chunk', `${HEAD_CHUNKED}5\r\nab`, 'upstream_closed_in_answer'),
  sendThenEnd('dies before the last chunk', `${HEAD_CHUNKED}2\r\nab\r\n`, 'upstream_closed_in_answer'),
  send('sends a malformed chunk', `${HEAD_CHUNKED}2\r\nabX`, 'upstream_malformed_answer'),
  send(
    'sends two lengths',
    `HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello`,
    'upstream_malformed_answer',
  ),
  send(
    'sends a bad length',
    'HTTP/1.1 200 OK\r\ncontent-length: 5x\r\n\r\nhello',
    'upstream_malformed_answer',
  ),
  send('sends junk', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'upstream_malformed_answer'),
  send('sends a TLS alert', '\x15\x03\x01\0\x02\x02\x46', 'upstream_malformed_answer'),
  send(
    'switches protocols',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
    'upstream_malformed_answer',
  ),
  send(
    'floods with interim answers',
    'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000),
    'upstream_header_too_large',
  ),
  send('never ends its head', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(2_000)}`, 'upstream_header_too_large'),
];

function send(name: string, text: string, code: UpstreamErrorCode): Fault {
  return { name, script: (peer) => peer.send(text), code, repeated: false };
}

function sendThenEnd(name: string, text: string, code: UpstreamErrorCode): Fault {
  const script = async (peer: Peer) => {
    await peer.send(text);
    peer.end();
  };
  return { name, script, code, repeated: false };
}

/** No answer of these is whole, so a kept connection and a new one end alike for a POST. */
const REUSE = [
  ['new', false],
  ['kept', true],
] as const;

describe('an upstream that', () => {
  for (const fault of FAULTS) {
    test.each(REUSE)(`${fault.name}: a POST on a %s connection is sent once`, async (_, isKept) => {
      const server = await serve(async (peer, index) => {
        if (isKept && index === 0) {
          await peer.request();
          await peer.send(OK);
        }
        if ((await peer.request()) !== null) await fault.script(peer);
      });
      const service = client({ responseHeaderBytes: 8_192 }).service(server.port);
      if (isKept) await exchange(service, request()).outcome;
      const { outcome, callsAfterEnd } = exchange(service, post('hello'), 'hello');
      const { error } = await outcome;
      expect(error).toMatchObject({ code: fault.code, endpoint: 0, attempts: 1, unprocessed: false });
      await turns(10);
      expect(server.requestsSeen).toBe(isKept ? 2 : 1);
      expect(callsAfterEnd()).toBe(0);
      // The connection is not used again.
      await server.peers[0]!.closed;
    });

    test.each(REUSE)(`${fault.name}: a GET on a %s connection`, async (_, isKept) => {
      let isBroken = false;
      const server = await serve(async (peer, index) => {
        if (isKept && index === 0) {
          await peer.request();
          await peer.send(OK);
        }
        if ((await peer.request()) === null) return;
        if (isBroken) return peer.send(OK);
        isBroken = true;
        await fault.script(peer);
      });
      const service = client({ responseHeaderBytes: 8_192 }).service(server.port);
      if (isKept) await exchange(service, request()).outcome;
      const { error, head } = await exchange(service, request({ repeatable: true })).outcome;
      if (fault.repeated) expect(head).toMatchObject({ status: 200, attempts: 2 });
      else expect(error).toMatchObject({ code: fault.code, attempts: 1 });
      expect(server.requestsSeen).toBe((isKept ? 2 : 1) + (fault.repeated ? 1 : 0));
    });
  }

  test('answers byte by byte', async () => {
    const answers = [
      'HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\ncontent-length: 5\r\n\r\nhello',
      `${HEAD_CHUNKED}3;x="y"\r\nhel\r\n2\r\nlo\r\n0\r\nt: u\r\n\r\n`,
    ];
    const server = await serve(async (peer) => {
      for (const answer of answers) {
        await peer.request();
        await peer.sendSlowly(answer);
      }
    });
    const service = client().service(server.port);
    for (const _ of answers) expect((await exchange(service, request()).outcome).body).toBe('hello');
    expect(server.peers.length).toBe(1);
  });

  test('answers before the request body is complete: delivered, and the connection closed', async () => {
    const server = await serve(async (peer) => {
      await peer.sees('\r\n\r\n');
      await peer.send('HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig');
    });
    const service = client().service(server.port);
    const { call, outcome, callsAfterEnd } = exchange(service, request({ method: 'POST', bodyBytes: 10 }));
    call.write(Buffer.from('abc'));
    expect(await outcome).toMatchObject({ head: { status: 413 }, body: 'big', error: null });
    expect(call.write(Buffer.from('defghij'))).toBe(true);
    call.end();
    await server.peers[0]!.closed;
    expect(server.peers[0]!.received).not.toContain('defghij');
    expect(callsAfterEnd()).toBe(0);
  });

  test('takes the body while it answers', async () => {
    const server = await serve(async (peer) => {
      await peer.sees('one');
      await peer.send(`${HEAD_CHUNKED}3\r\nuno\r\n`);
      await peer.sees('two');
      await peer.send('3\r\ndos\r\n0\r\n\r\n');
      await peer.request();
      await answerAll(peer);
    });
    const service = client().service(server.port);
    const { call, head, outcome } = exchange(service, request({ method: 'POST', bodyBytes: 6 }));
    call.write(Buffer.from('one'));
    await head;
    call.write(Buffer.from('two'));
    expect((await outcome).body).toBe('unodos');
    // Request and answer were whole: the connection stays.
    expect((await exchange(service, request()).outcome).body).toBe('ok');
    expect(server.peers.length).toBe(1);
  });
});

async function answerAll(peer: Peer): Promise<void> {
  while ((await peer.request()) !== null) await peer.send(OK);
}

describe('connections that cannot be made', () => {
  test('a refused connection is unprocessed', async () => {
    const service = client().service(await deadPort());
    const { error } = await exchange(service, post('x'), 'x').outcome;
    expect(error).toMatchObject({ code: 'upstream_connect_failed', attempts: 1, unprocessed: true });
    expect(error!.detail).toContain('ECONNREFUSED');
  });

  test('another endpoint gets what one refused, whatever the method', async () => {
    const server = await serve(answerAll);
    const service = client().service(await deadPort(), server.port);
    for (let round = 0; round < 10; round++) {
      const { head, error } = await exchange(service, post('hello'), 'hello').outcome;
      expect(error).toBeNull();
      expect(head).toMatchObject({ status: 200, endpoint: 1 });
    }
    expect(server.requestsSeen).toBe(10);
    expect(server.peers.every((peer) => peer.received.endsWith('\r\n\r\nhello'))).toBe(true);
  });

  test('an ejected endpoint is asked again after its time, by one request', async () => {
    const dead = await deadPort();
    const server = await serve(answerAll);
    const harness = client();
    const service = harness.service(dead, { port: server.port, weight: 1 });
    const attempts: number[] = [];
    const rounds = async (count: number) => {
      for (let round = 0; round < count; round++) {
        attempts.push((await exchange(service, request()).outcome).head!.attempts);
      }
    };
    await rounds(30);
    expect(attempts.filter((count) => count > 1).length).toBe(1);
    harness.advance(1_001);
    await rounds(30);
    expect(attempts.filter((count) => count > 1).length).toBe(2);
  });

  test('when every endpoint is out the least bad one is still tried', async () => {
    const service = client().service(await deadPort(), await deadPort());
    for (let round = 0; round < 4; round++) {
      const { error } = await exchange(service, request()).outcome;
      expect(error).toMatchObject({ code: 'upstream_connect_failed', unprocessed: true });
      expect(error!.attempts).toBeGreaterThan(0);
    }
  });

  test('attempts are bounded', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      peer.end();
    });
    const service = client().service(server.port);
    const { error } = await exchange(service, request({ repeatable: true })).outcome;
    expect(error).toMatchObject({ code: 'upstream_closed_before_answer', attempts: 3, unprocessed: false });
    expect(server.requestsSeen).toBe(3);
  });

  test('retries are bounded by the budget of the service', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      peer.end();
    });
    const service = client().service(server.port);
    const requests = 100;
    for (let round = 0; round < requests; round++) {
      await exchange(service, request({ repeatable: true })).outcome;
    }
    // 10 at the start and one for every ten requests.
    expect(server.requestsSeen).toBe(requests + 10 + requests / 10);
  });
});

describe('bodies and repetition', () => {
  test('a small body of a repeatable request is sent again, whole', async () => {
    const server = await serve(async (peer, index) => {
      await peer.request();
      if (index === 0) peer.end();
      else await peer.send(OK);
    });
    const service = client().service(server.port);
    const what = request({ method: 'PUT', bodyBytes: -1, repeatable: true });
    const { head } = await exchange(service, what, 'hello').outcome;
    expect(head!.attempts).toBe(2);
    expect(server.peers[1]!.received).toBe(server.peers[0]!.received);
  });

  test('a body too large to keep is not sent again', async () => {
    const body = 'x'.repeat(100_000);
    const server = await serve(async (peer) => {
      await peer.request();
      peer.end();
    });
    const service = client().service(server.port);
    const what = request({ method: 'PUT', bodyBytes: body.length, repeatable: true });
    const { error } = await exchange(service, what, body).outcome;
    expect(error).toMatchObject({ code: 'upstream_closed_before_answer', attempts: 1, unprocessed: false });
    expect(server.requestsSeen).toBe(1);
  });

  test('a repeated request whose body is still coming goes on where it is', async () => {
    const server = await serve(async (peer, index) => {
      await peer.sees('abc');
      if (index === 0) return peer.reset();
      await peer.request();
      await peer.send(OK);
    });
    const service = client().service(server.port);
    const { call, outcome } = exchange(service, request({ method: 'PUT', bodyBytes: 6, repeatable: true }));
    call.write(Buffer.from('abc'));
    await (await server.peer(1)).sees('abc');
    call.write(Buffer.from('def'));
    call.end();
    expect((await outcome).head).toMatchObject({ status: 200, attempts: 2 });
    expect(server.peers[1]!.received).toMatch(/\r\n\r\nabcdef$/);
  });

  test.each([
    ['GET', 0],
    ['POST', 5],
    ['POST', 20_000],
  ])(
    'a reset that came but was not read yet: nothing of the %s with %i bytes left',
    async (method, bytes) => {
      const server = await serve(answerAll);
      const service = client().service(server.port);
      await exchange(service, request()).outcome;
      // In the same turn: the kernel knows of the reset, the event loop does not.
      server.peers[0]!.reset();
      const body = 'b'.repeat(bytes);
      const { head, error } = await exchange(service, request({ method, bodyBytes: body.length }), body)
        .outcome;
      expect(error).toBeNull();
      expect(head).toMatchObject({ status: 200, attempts: 2 });
      expect(server.peers[1]!.received.endsWith(`\r\n\r\n${body}`)).toBe(true);
      expect(server.requestsSeen).toBe(2);
    },
  );

  test('an end that came but was not read yet: the POST was written, so it is not sent twice', async () => {
    const server = await serve(answerAll);
    const service = client().service(server.port);
    await exchange(service, request()).outcome;
    server.peers[0]!.socket.destroy();
    const { error } = await exchange(service, post('hello'), 'hello').outcome;
    expect(error).toMatchObject({ code: 'upstream_closed_before_answer', attempts: 1, unprocessed: false });
    expect(server.peers.length).toBe(1);
    const again = await exchange(service, post('hello'), 'hello').outcome;
    expect(again.head).toMatchObject({ status: 200, attempts: 1 });
  });

  test('an answer that came before its request is none', async () => {
    const server = await serve(async (peer, index) => {
      await peer.request();
      await peer.send(OK);
      if (index > 0) await answerAll(peer);
    });
    const service = client().service(server.port);
    await exchange(service, request()).outcome;
    // The head waits for the first piece of the body: with that turn held back, the bytes are read first.
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const { call, outcome } = exchange(service, request({ method: 'POST', bodyBytes: 5 }));
    await server.peers[0]!.send('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake');
    await server.peers[0]!.closed;
    vi.runOnlyPendingTimers();
    vi.useRealTimers();
    call.write(Buffer.from('hello'));
    call.end();
    const { body } = await outcome;
    expect(body).toBe('ok');
    expect(server.peers.length).toBe(2);
  });

  test('a connection that ends while the first piece waits for its head loses nothing of the body', async () => {
    const bodies: string[] = [];
    const server = await serve(async (peer) => {
      for (;;) {
        const asked = await peer.request();
        if (asked === null) return;
        bodies.push(asked.slice(asked.indexOf('\r\n\r\n') + 4));
        await peer.send(OK);
      }
    });
    const service = client().service(server.port);
    await exchange(service, request()).outcome;
    // By now the connection is idle, and is the one that the next request takes.
    await new Promise((resolve) => setImmediate(resolve));
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const { call, outcome } = exchange(service, request({ method: 'POST', bodyBytes: 5 }));
    call.write(Buffer.from('hello'));
    server.peers[0]!.reset();
    await server.peers[0]!.closed;
    // Not `vi.waitUntil`: it would run what is held back.
    await server.peer(1);
    vi.runOnlyPendingTimers();
    vi.useRealTimers();
    expect((await outcome).body).toBe('ok');
    expect(bodies.at(-1)).toBe('hello');
  });

  test('a stale connection is not followed by another one as stale', async () => {
    let isRestarted = false;
    const server = await serve(async (peer) => {
      for (;;) {
        if ((await peer.request()) === null) return;
        if (isRestarted && server.peers.indexOf(peer) < 3) return peer.reset();
        await peer.send(OK);
      }
    });
    const service = client().service(server.port);
    await Promise.all([1, 2, 3].map(() => exchange(service, request()).outcome));
    isRestarted = true;
    const { head } = await exchange(service, request({ repeatable: true })).outcome;
    expect(head!.attempts).toBe(2);
    expect(server.peers.length).toBe(4);
  });
});

describe('deadlines', () => {
  test('connect', async () => {
    // A listener whose backlog is full accepts nobody; an unroutable address needs a network. A TLS peer that never
    // answers the handshake is as silent, and the deadline covers the handshake.
    const server = await serve(() => undefined);
    const harness = client();
    const service = harness.service({ port: server.port, protocol: 'https' });
    const { outcome } = exchange(service, post('x', { connectMs: 500 }), 'x');
    await server.peer(0);
    harness.advance(499);
    await turns(5);
    harness.advance(60);
    const { error } = await outcome;
    expect(error).toMatchObject({ code: 'upstream_connect_timeout', unprocessed: true });
    expect(error!.detail).toContain('500 ms');
    await server.peers[0]!.closed;
  });

  test('first byte: counted from the end of the request, and not extended by interim answers', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      await peer.send('HTTP/1.1 100 Continue\r\n\r\n');
      await peer.send('HTTP/1.1 200 OK\r\n');
    });
    const harness = client();
    const service = harness.service(server.port);
    const { call, outcome } = exchange(service, post('hello', { firstByteMs: 500 }));
    await (await server.peer(0)).sees('\r\n\r\n');
    harness.advance(10_000);
    call.write(Buffer.from('hello'));
    await server.peers[0]!.sees('hello');
    await turns(5);
    harness.advance(400);
    await turns(5);
    harness.advance(200);
    const { error } = await outcome;
    expect(error).toMatchObject({ code: 'upstream_first_byte_timeout', attempts: 1, unprocessed: false });
    await server.peers[0]!.closed;
  });

  test('idle: each piece of the answer gives it new time', async () => {
    const server = await serve(async (peer) => {
      await peer.request();
      await peer.send(`${HEAD_CHUNKED}1\r\na\r\n`);
    });
    const harness = client();
    const { outcome, head, body } = exchange(harness.service(server.port), request({ idleMs: 500 }));
    await head;
    for (const expected of ['ab', 'abb', 'abbb']) {
      harness.advance(450);
      await server.peers[0]!.send('1\r\nb\r\n');
      while (body() !== expected) await turns(1);
    }
    harness.advance(600);
    const { error } = await outcome;
    expect(error).toMatchObject({ code: 'upstream_idle_timeout', unprocessed: false });
  });

  test('an upstream that takes no more of the body', async () => {
    const server = await serve((peer) => {
      peer.socket.pause();
    });
    const harness = client();
    const { call, outcome } = exchange(
      harness.service(server.port),
      request({ method: 'POST', bodyBytes: -1, idleMs: 500 }),
    );
    await server.peer(0);
    await turns(10);
    const piece = Buffer.alloc(1_000_000);
    for (let count = 0; call.write(piece) && count < 100; count++);
    harness.advance(600);
    const { error } = await outcome;
    expect(error).toMatchObject({ code: 'upstream_idle_timeout', unprocessed: false });
    expect(error!.detail).toContain('no more of the request was taken');
  });

  test('a caller that is slow to send its body is not the upstream’s fault', async () => {
    const server = await serve(answerAll);
    const harness = client();
    const { call, outcome } = exchange(
      harness.service(server.port),
      request({ method: 'POST', bodyBytes: -1 }),
    );
    call.write(Buffer.from('a'));
    await (await server.peer(0)).sees('a');
    harness.advance(3_600_000);
    call.end();
    expect((await outcome).body).toBe('ok');
  });
});
