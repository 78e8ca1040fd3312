/** Bodies that rules change on their way, in both directions, over the simulated exchange. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentCoding } from '../model/content-coding.ts';
import type { BodyFault, BodyTransform } from '../pipeline/body-transform.ts';
import {
  type ScriptedCall,
  type SimulatedClient,
  type Simulation,
  simulate,
  simulatedRoute,
} from './exchange.cases.ts';

const HOST = ['host', 'a.test'];
const ALL = [simulatedRoute('/{rest...}', { maxBodyBytes: 100_000 })];

/** Capitals; keeps back an unfinished `<…` until its `>`, and refuses `!`. */
class Capitals implements BodyTransform {
  #held = '';

  push(chunk: Uint8Array, last: boolean): Uint8Array | BodyFault {
    const text = this.#held + Buffer.from(chunk).toString('latin1');
    const open = last ? -1 : text.lastIndexOf('<');
    const end = open > text.lastIndexOf('>') ? open : text.length;
    this.#held = text.slice(end);
    if (text.includes('!')) return { status: 422, code: 'no_shouting', detail: 'No "!".' };
    return Buffer.from(text.slice(0, end).toUpperCase(), 'latin1');
  }

  get heldBytes(): number {
    return this.#held.length;
  }
}

const TRANSFORMS = {
  requestTransform: () => new Capitals(),
  responseTransform: () => new Capitals(),
};

function changing(limits = {}): Simulation {
  return simulate({ routes: ALL, pipeline: TRANSFORMS, limits });
}

function post(simulation: Simulation, body: Uint8Array | string, fields: string[] = []): SimulatedClient {
  const length = ['content-length', `${body.length}`];
  return simulation.request('POST', '/', [...HOST, ...length, ...fields]);
}

function settled(simulation: Simulation, requests = 1): void {
  expect(simulation.thread.inFlight).toBe(0);
  expect(simulation.records).toHaveLength(requests);
  expect(simulation.releases).toHaveLength(requests);
  expect([simulation.thread.decoders.open, simulation.thread.buffered.used]).toEqual([0, 0]);
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Turns pass until it holds: decoding happens on other threads. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 20_000) throw new Error('it never came to hold');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Decoding happens on other threads: what began there later and has more to do ends later. */
async function decodersDone(): Promise<void> {
  await gunzip(MUCH);
}
const gunzip = promisify(zlib.gunzip);
const MUCH = zlib.gzipSync(Buffer.alloc(1_000_000));

function problemOf(client: SimulatedClient): unknown {
  return [client.status, (JSON.parse(client.body) as { code: string }).code];
}

describe('a request body', () => {
  test('is changed as it streams, with its length made afresh and what no longer holds taken away', () => {
    const simulation = changing();
    const client = post(simulation, 'ab<cd>e', [
      'content-digest',
      'x',
      'range',
      'bytes=0-1',
      'accept-encoding',
      'br',
    ]);
    const call = simulation.calls[0]!;
    expect(call.request.bodyBytes).toBe(-1);
    expect(call.request.fieldLines).not.toMatch(/content-digest|range|br\r/);
    expect(call.request.fieldLines).toContain('accept-encoding: identity\r\n');
    client.handler!.onBody(Buffer.from('ab<c'), false);
    expect(call.body).toBe('AB');
    client.handler!.onBody(Buffer.from('d>e'), true);
    expect([call.body, call.bodyEnded]).toEqual(['AB<CD>E', true]);
    call.head(true, '');
    settled(simulation);
    expect(simulation.records[0]!.requestBytes).toBe(7);
  });

  test('that is held back beyond the bound ends the request', () => {
    const simulation = changing({ bodyHoldBackBytes: 4 });
    const client = post(simulation, 'ab<cdef>');
    client.handler!.onBody(Buffer.from('ab<cdef'), false);
    expect(problemOf(client)).toEqual([500, 'body_held_back_too_long']);
    expect([simulation.calls[0]!.state, simulation.calls[0]!.body]).toEqual(['aborted', '']);
    settled(simulation);
  });

  test('that a transform refuses is answered with its words, and the call is given up', () => {
    const simulation = changing();
    const client = post(simulation, 'ab!');
    client.handler!.onBody(Buffer.from('a'), false);
    client.handler!.onBody(Buffer.from('b!'), true);
    expect(problemOf(client)).toEqual([422, 'no_shouting']);
    expect([simulation.calls[0]!.body, simulation.calls[0]!.bodyEnded]).toEqual(['A', false]);
    settled(simulation);
  });

  test.each([
    ['gzip', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['br', zlib.brotliCompressSync],
  ])('in %s is read as its text, and sent on as text', async (coding, encode) => {
    const simulation = changing();
    const body = encode('ab<cd>e'.repeat(5_000));
    const client = post(simulation, body, ['content-encoding', coding]);
    const call = simulation.calls[0]!;
    expect(call.request.fieldLines).not.toContain('content-encoding');
    for (let at = 0; at < body.length; at += 7)
      client.handler!.onBody(body.subarray(at, at + 7), at + 7 >= body.length);
    await until(() => call.bodyEnded);
    expect(call.body).toBe('AB<CD>E'.repeat(5_000));
    call.head(true, '');
    settled(simulation);
  });

  test('pauses the client while the service is full, also behind a decoder', async () => {
    const simulation = changing();
    const text = Buffer.alloc(90_000, 'abcdefghij');
    const body = zlib.gzipSync(text, { level: 0 });
    const client = post(simulation, body, ['content-encoding', 'gzip']);
    const call = simulation.calls[0]!;
    call.hasRoom = false;
    client.handler!.onBody(body.subarray(0, 60_000), false);
    expect(client.paused).toBe(true);
    await until(() => call.body.length > 0);
    const before = call.body.length;
    await decodersDone();
    expect([call.body.length, client.paused]).toEqual([before, true]);
    call.hasRoom = true;
    call.handler.onDrain();
    await until(() => !client.paused);
    client.handler!.onBody(body.subarray(60_000), true);
    await until(() => call.bodyEnded);
    expect(call.body).toBe(text.toString().toUpperCase());
    call.head(true, '');
    settled(simulation);
  });

  test.each([
    ['an unknown coding', 'zstd', 'abc', 415, 'unsupported_content_coding'],
    ['two codings', 'gzip, br', 'abc', 415, 'unsupported_content_coding'],
    ['damaged bytes', 'gzip', 'abcdefghijklmnop', 400, 'undecodable_body'],
    ['a cut end', 'gzip', latin1(zlib.gzipSync('abc').subarray(0, -4)), 400, 'undecodable_body'],
    ['a bomb', 'gzip', latin1(zlib.gzipSync(Buffer.alloc(100_001))), 413, 'body_too_large'],
    ['a bomb, br', 'br', latin1(zlib.brotliCompressSync(Buffer.alloc(2_000_000))), 413, 'body_too_large'],
  ])('of %s is refused, never passed unread', async (_name, coding, body, status, code) => {
    const simulation = changing();
    const client = post(simulation, body, ['content-encoding', coding]);
    if (client.status === 0) client.handler!.onBody(Buffer.from(body, 'latin1'), true);
    await until(() => client.status !== 0);
    expect(problemOf(client)).toEqual([status, code]);
    if (status === 415) expect(client.fields).toContain('accept-encoding: gzip, deflate, br\r\n');
    expect(simulation.calls.map((call) => [call.state, call.bodyEnded])).toEqual(
      status === 415 ? [] : [['aborted', false]],
    );
    settled(simulation);
  });

  test('is refused when as many are decoded as may be', () => {
    const simulation = changing({ bodyDecodersPerThread: 1 });
    const body = zlib.gzipSync('abc');
    const first = post(simulation, body, ['content-encoding', 'gzip']);
    const second = post(simulation, body, ['content-encoding', 'gzip']);
    expect([first.status, second.status]).toEqual([0, 503]);
    expect(simulation.thread.load()).toMatchObject({ decodersOpen: 1, bodyDecodersPerThreadRefused: 1 });
    first.disconnect();
    settled(simulation, 2);
  });
});

describe('an answer', () => {
  const get = (simulation: Simulation) => simulation.request('GET', '/');

  test('that comes at once is changed at once, with its new length and no old digests', () => {
    const simulation = changing();
    const client = get(simulation);
    simulation.calls[0]!.head(true, 'ab<c', {
      bodyBytes: 4,
      fields: ['etag', '"1"', 'last-modified', 'x', 'content-digest', 'y', 'a', 'b'],
    });
    expect([client.state, client.body]).toEqual(['done', 'AB<C']);
    expect(client.fields).toMatch(/portunus\r\na: b\r\n$/);
    settled(simulation);
    expect(simulation.records[0]!.responseBytes).toBe(4);
  });

  test('that streams is changed across pieces, without a declared length, and with backpressure', () => {
    const simulation = changing();
    const client = get(simulation);
    const call = simulation.calls[0]!;
    call.head(false, 'a<', { bodyBytes: 9 });
    expect([client.body, client.status]).toEqual(['A', 200]);
    client.hasRoom = false;
    call.data('b>', false);
    expect(call.paused).toBe(true);
    client.drain();
    expect(call.paused).toBe(false);
    call.data('c<d', true);
    expect([client.state, client.body]).toEqual(['done', 'A<B>C<D']);
    settled(simulation);
    expect(simulation.records[0]).toMatchObject({ status: 200, responseBytes: 7 });
  });

  test('without a body loses only what its fields say of one', () => {
    const simulation = changing();
    const client = simulation.request('HEAD', '/');
    simulation.calls[0]!.head(true, '', { hasBody: false, bodyBytes: 7, fields: ['etag', '"1"'] });
    expect([client.state, client.status, client.fields.includes('etag')]).toEqual(['done', 200, false]);
    settled(simulation);
  });

  test.each([
    ['gzip', zlib.gzipSync],
    ['br', zlib.brotliCompressSync],
  ])('in %s is read as its text, and sent on as text', async (coding, encode) => {
    const simulation = changing();
    const client = get(simulation);
    const call = simulation.calls[0]!;
    const body = latin1(encode('ab<cd>e'.repeat(9_000)));
    client.hasRoom = false;
    call.head(false, body.slice(0, 20), { fields: ['content-encoding', coding] });
    for (let at = 20; at < body.length; at += 9) call.data(body.slice(at, at + 9), at + 9 >= body.length);
    await until(() => client.body !== '');
    while (client.state === 'begun') {
      client.drain();
      client.hasRoom = false;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (client.state === 'flushing') client.drain();
    expect(client.body).toBe('AB<CD>E'.repeat(9_000));
    expect(client.fields).not.toContain('content-encoding');
    settled(simulation);
  });

  test.each([
    ['of an unknown coding', { fields: ['content-encoding', 'zstd'] }, 'abc', 'upstream_unreadable_body'],
    ['of a part', { status: 206 }, 'abc', 'upstream_unreadable_body'],
    [
      'of damaged bytes',
      { fields: ['content-encoding', 'gzip'] },
      'abcdefghijkl',
      'upstream_unreadable_body',
    ],
    [
      'that is a bomb at its first piece',
      { fields: ['content-encoding', 'gzip'] },
      latin1(zlib.gzipSync(Buffer.alloc(2_000_000))),
      'upstream_body_too_large',
    ],
  ])('%s is refused with 502, never passed unread', async (_name, head, body, code) => {
    const simulation = changing({ responseBodyDecodedBytes: 10 });
    const client = get(simulation);
    simulation.calls[0]!.head(true, body, head);
    await until(() => client.status !== 0);
    expect(problemOf(client)).toEqual([502, code]);
    settled(simulation);
  });

  describe('that is changed as a whole', () => {
    const whole = (limits = {}) =>
      simulate({
        routes: ALL,
        limits,
        pipeline: {
          responseTransform: () => ({
            heldBytes: 0,
            takesWhole: true,
            push: (text: Uint8Array, last: boolean) => Buffer.from(`${last} ${latin1(text)}`),
          }),
        },
      });

    test('is held until it is there, and changed once', () => {
      const simulation = whole();
      const client = get(simulation);
      const call = simulation.calls[0]!;
      call.head(false, 'ab');
      call.data('cd', false);
      expect([client.status, client.body]).toEqual([0, '']);
      call.data('e', true);
      expect([client.status, client.body]).toEqual([200, 'true abcde']);
      settled(simulation);
    });

    test.each([
      ['is too large', { maskedAnswerBytes: 1_024 }, 1_025, [502, 'answer_too_large_to_mask']],
      ['finds no room', { bodiesBufferedPerThreadBytes: 1_048_576 }, 1_048_577, [503, 'overloaded']],
    ])('%s', (_, limits, bytes, problem) => {
      const simulation = whole(limits);
      const client = get(simulation);
      simulation.calls[0]!.head(false, 'a'.repeat(bytes - 10));
      simulation.calls[0]!.data('b'.repeat(10), false);
      expect(problemOf(client)).toEqual(problem);
      settled(simulation);
    });

    test('is let go with its client', () => {
      const simulation = whole();
      const client = get(simulation);
      simulation.calls[0]!.head(false, 'ab');
      client.disconnect();
      settled(simulation);
    });
  });

  test('for which no decoder is left is refused, and nothing of it follows', () => {
    const simulation = changing({ bodyDecodersPerThread: 0 });
    const client = get(simulation);
    simulation.calls[0]!.head(false, latin1(zlib.gzipSync('abc')), { fields: ['content-encoding', 'gzip'] });
    expect(problemOf(client)).toEqual([503, 'overloaded']);
    settled(simulation);
  });

  test('whose coding is damaged behind its beginning breaks off', async () => {
    const simulation = changing();
    const client = get(simulation);
    const call = simulation.calls[0]!;
    const body = latin1(zlib.gzipSync(Buffer.alloc(50_000, 'abc'), { level: 0 }));
    call.head(false, body.slice(0, 40_000), { fields: ['content-encoding', 'gzip'] });
    await until(() => client.body.length > 10_000);
    call.data('rubbish'.repeat(20_000), true);
    await until(() => client.state === 'broken');
    expect(simulation.records[0]).toMatchObject({ status: 200, code: 'upstream_unreadable_body' });
    settled(simulation);
  });

  test('is not decoded any further once the client has gone', async () => {
    const simulation = changing();
    const client = get(simulation);
    simulation.calls[0]!.head(false, latin1(zlib.gzipSync('abc')), { fields: ['content-encoding', 'gzip'] });
    client.disconnect();
    settled(simulation);
    await decodersDone();
    expect(client.body).toBe('');
  });
});

test.each([
  [[], 'identity'],
  [['content-encoding', 'identity'], 'identity'],
  [['content-encoding', ''], 'identity'],
  [['content-encoding', 'X-GZip'], 'gzip'],
  [['content-encoding', 'gzip, identity'], 'gzip'],
  [['content-encoding', 'gzip', 'content-encoding', 'gzip'], null],
  [['content-encoding', 'compress'], null],
])('the coding of %j is %s', (fields, coding) => {
  expect(contentCoding(fields)).toBe(coding);
});

interface Act {
  readonly on: 'client' | 'service';
  readonly what: 'body' | 'full' | 'room' | 'leave' | 'turn' | 'expire';
  readonly bytes: number;
}
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    on: fc.constantFrom('client' as const, 'service' as const),
    what: fc.constantFrom(
      ...(['body', 'body', 'body', 'full', 'room', 'turn', 'turn', 'leave', 'expire'] as const),
    ),
    bytes: fc.integer({ min: 1, max: 40 }),
  }),
  { maxLength: 30 },
);

/** The same promise as for streams that pass unchanged, with decoders on both sides that answer in later turns. */
test('for every interleaving with coded bodies: one release, one record, nothing after the end, no decoder left', async () => {
  await fc.assert(
    fc.asyncProperty(acts, fc.boolean(), fc.boolean(), async (steps, coded, damage) => {
      const simulation = changing();
      const text = 'some <text> to change';
      const body = latin1(coded ? zlib.gzipSync(text) : Buffer.from(text));
      const answer = damage ? `${body.slice(0, -9)}rubbish!!` : body;
      const fields = coded ? ['content-encoding', 'gzip'] : [];
      const client = post(simulation, body, fields);
      const call = simulation.calls[0]!;
      const state = { sent: 0, answered: 0 };
      for (const step of steps) await act(step, { simulation, client, call, body, answer, fields, state });
      await decodersDone();
      if (client.state === 'done' && state.answered === answer.length && client.status === 200 && !damage)
        expect(client.body).toBe(text.toUpperCase());
      expect(text.toUpperCase().startsWith(call.body)).toBe(true);
      if (client.state !== 'done' && client.state !== 'broken') client.disconnect();
      settled(simulation);
    }),
    { numRuns: 300 },
  );
});

interface Scene {
  readonly simulation: Simulation;
  readonly client: SimulatedClient;
  readonly call: ScriptedCall;
  readonly body: string;
  readonly answer: string;
  readonly fields: string[];
  readonly state: { sent: number; answered: number };
}

async function act({ on, what, bytes }: Act, scene: Scene): Promise<void> {
  const { simulation, client, call, body, answer, fields, state } = scene;
  const clientLives = client.state !== 'done' && client.state !== 'broken';
  switch (what) {
    case 'body':
      if (on === 'client' && state.sent < body.length && client.state !== 'broken') {
        const chunk = body.slice(state.sent, state.sent + bytes);
        state.sent += chunk.length;
        client.handler!.onBody(Buffer.from(chunk, 'latin1'), state.sent === body.length);
      } else if (on === 'service' && call.state === 'open' && state.answered < answer.length) {
        const chunk = answer.slice(state.answered, state.answered + bytes);
        state.answered += chunk.length;
        if (call.hasHead) call.data(chunk, state.answered === answer.length);
        else call.head(state.answered === answer.length, chunk, { fields });
      }
      return;
    case 'full':
      if (on === 'client') client.hasRoom = false;
      else call.hasRoom = false;
      return;
    case 'room':
      if (on === 'client' && clientLives) client.drain();
      else if (on === 'service' && call.state === 'open') {
        call.hasRoom = true;
        call.handler.onDrain();
      }
      return;
    case 'leave':
      if (on === 'client' && clientLives) client.disconnect();
      else if (on === 'service' && call.state === 'open') call.fail();
      return;
    case 'expire':
      if (on === 'client') simulation.thread.sweep();
      else {
        simulation.nowMs += 6_000;
        simulation.thread.sweep();
      }
      return;
    case 'turn':
      return decodersDone();
  }
}
