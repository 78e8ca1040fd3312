/** Answers that are coded though they were asked for plain: what they used is read, and what passes on is plain. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { Decoders } from '../../src/gateway/decoded-body.ts';
import type { ModelRequest } from '../../src/pipeline/model-request.ts';
import { Caller, HELLO, Models, type ModelsOptions, TWO_KEYS } from '../../src/pools/model-call.cases.ts';

const CODINGS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const;
const events = (...data: readonly string[]): string => data.map((each) => `data: ${each}\n\n`).join('');
const HELLO_CHUNK = '{"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}';
const STREAM = events(
  HELLO_CHUNK,
  '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}',
  '[DONE]',
);
/** Decoders answer in later turns. */
const SOON = { interval: 1, timeout: 20_000 };
const JSON_ANSWER = '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}';

function begun(body: object, options: Partial<ModelsOptions> = {}) {
  const decoders = new Decoders(4);
  const models = new Models({ pools: TWO_KEYS, decoders, ...options });
  const plan = models.read(body) as ModelRequest;
  const caller = new Caller();
  const call = models.send(plan, caller);
  const [sent] = models.newCalls();
  return { models, decoders, plan, caller, call, sent: sent! };
}

/** In pieces, each in memory that is used again at once. */
function answer(
  sent: ReturnType<typeof begun>['sent'],
  fields: readonly string[],
  bytes: Buffer,
  status = 200,
): void {
  sent.handler.onHead(
    { status, fields, bodyBytes: bytes.length, hasBody: true, untilClose: false, endpoint: 0, attempts: 1 },
    new Uint8Array(0),
    false,
  );
  const length = Math.ceil(bytes.length / 20);
  for (let at = 0; at < bytes.length; at += length) {
    const piece = Buffer.from(bytes.subarray(at, at + length));
    if (!sent.aborted) sent.handler.onData(piece, at + length >= bytes.length);
    piece.fill('#');
  }
}

async function ended(caller: Caller): Promise<void> {
  await expect.poll(() => caller.ended, SOON).toBe(true);
}

it.each(['gzip', 'deflate', 'br'] as const)(
  'a stream in %s passes on plain, its usage read and hidden',
  async (coding) => {
    const { decoders, plan, caller, sent } = begun({ ...HELLO, stream: true });
    const fields = [
      'content-type',
      'Text/Event-Stream',
      'content-encoding',
      coding,
      'etag',
      '"x"',
      'x-own',
      '1',
    ];
    answer(sent, fields, CODINGS[coding](STREAM));
    await ended(caller);
    expect(caller.head).toMatchObject({
      fields: ['content-type', 'Text/Event-Stream', 'x-own', '1'],
      bodyBytes: -1,
    });
    expect(caller.body).toBe(
      events(HELLO_CHUNK, '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', '[DONE]'),
    );
    expect(plan.use).toMatchObject({
      charged: 'told',
      isWhole: true,
      usage: { inputTokens: 5, outputTokens: 3 },
    });
    expect(decoders.open).toBe(0);
  },
);

it('JSON does, too, and tells its usage', async () => {
  const { plan, caller, sent } = begun(HELLO);
  answer(sent, ['content-type', 'application/json', 'content-encoding', 'x-gzip'], gzipSync(JSON_ANSWER));
  await ended(caller);
  expect([caller.body, caller.head!.fields]).toEqual([JSON_ANSWER, ['content-type', 'application/json']]);
  expect(plan.use).toMatchObject({ charged: 'told', usage: { inputTokens: 5, outputTokens: 3 } });
});

it('a refusal means what it says', async () => {
  const errors = [
    { statuses: [], codes: ['no_money'], messageContains: null, means: 'out-of-credit' as const },
  ];
  const { models, sent } = begun(HELLO, { provider: { errors } });
  const fields = ['content-type', 'application/json', 'content-encoding', 'gzip'];
  answer(sent, fields, gzipSync('{"error":{"code":"no_money"}}'), 402);
  await expect.poll(() => models.newCalls().length, SOON).toBe(1);
  expect(models.registry.inspect(models.models)[0]!.keys[0]).toMatchObject({ state: 'exhausted' });
});

it('that has bytes after its end is over before its provider has ended it, and what comes then is not heard', async () => {
  const { decoders, plan, caller, sent } = begun({ ...HELLO, stream: true });
  const bytes = Buffer.concat([deflateSync(STREAM), Buffer.alloc(1)]);
  sent.head(200, '', false, ['content-type', 'text/event-stream', 'content-encoding', 'deflate']);
  sent.handler.onData(bytes, false);
  await ended(caller);
  expect([sent.aborted, decoders.open, caller.error]).toEqual([true, 0, null]);
  expect(plan.use).toMatchObject({ charged: 'told', isWhole: true });
});

it('a refusal that has bytes after its end leaves nothing behind for the next call', async () => {
  const { models, sent } = begun(HELLO);
  sent.head(429, '', false, ['content-type', 'application/json', 'content-encoding', 'deflate']);
  sent.handler.onData(Buffer.concat([deflateSync('{"error":{}}'), Buffer.alloc(1)]), false);
  await expect.poll(() => models.newCalls().length, SOON).toBe(1);
  expect(sent.aborted).toBe(true);
});

it('a refusal is learned from also where no more answers may be decoded', () => {
  const { models, plan, sent } = begun(HELLO, { decoders: new Decoders(0) });
  const fields = ['content-type', 'application/json', 'content-encoding', 'gzip'];
  sent.head(401, '(coded)', false, fields);
  sent.stream('(coded)', true);
  expect(plan.use.charged).toBe('reserve');
  expect(models.registry.health.state(0)).toBe('suspect');
  const [second] = models.newCalls();
  second!.head(429, '(coded)', true, fields);
  expect(plan.use.charged).toBe('nothing');
});

it('a refusal costs nothing where its caller leaves before all of it has come', () => {
  const { plan, call, sent } = begun(HELLO);
  sent.head(400, '{"error":', false, ['content-type', 'application/json']);
  call.abort();
  expect(plan.use.charged).toBe('nothing');
});

it('that is cut, damaged or too large ends in words of its dialect, and its reserve is spent', async () => {
  const whole = gzipSync(events(...Array.from({ length: 200 }, (_, nth) => `{"id":"${nth * 7919}"}`)));
  const cases = [
    [whole.subarray(0, -20), 'upstream_unreadable_body', {}],
    [Buffer.concat([whole.subarray(0, 40), Buffer.alloc(100, 1)]), 'upstream_unreadable_body', {}],
    [gzipSync(Buffer.alloc(2_000_000)), 'upstream_body_too_large', { responseBodyDecodedBytes: 1_048_576 }],
  ] as const;
  for (const [bytes, code, limits] of cases) {
    const { decoders, plan, caller, sent } = begun({ ...HELLO, stream: true }, { limits });
    answer(sent, ['content-type', 'text/event-stream', 'content-encoding', 'gzip'], bytes);
    await ended(caller);
    expect(caller.body).toContain(`"code":"${code}"`);
    expect(plan.use).toMatchObject({ charged: 'reserve', brokenOff: code });
    expect([sent.aborted, decoders.open]).toEqual([true, 0]);
  }
});

it('passes as it came where its coding is not known, and a refusal in one is not passed on', async () => {
  const { plan, caller, sent } = begun({ ...HELLO, stream: true });
  const fields = ['content-type', 'text/event-stream', 'content-encoding', 'zstd'];
  answer(sent, fields, Buffer.from('(zstd) coded'));
  expect([caller.ended, caller.head!.fields, caller.body]).toEqual([true, fields, '(zstd) coded']);
  expect(plan.use.charged).toBe('reserve');
  const refused = begun(HELLO);
  answer(refused.sent, fields, Buffer.from('secret-of-a'), 400);
  refused.models.pass(0);
  expect(refused.caller).toMatchObject({ body: '', error: { code: 'upstream_unreadable_body' } });
});

it('waits for its reader, and its decoder goes with the caller', async () => {
  const { decoders, caller, call, sent } = begun({ ...HELLO, stream: true });
  const onData = caller.onData.bind(caller);
  let pieces = 0;
  caller.onData = (chunk, last) => {
    if (chunk.length > 0) pieces++;
    onData(chunk, last);
    call.pause();
  };
  const text = events(...Array.from({ length: 20_000 }, (_, nth) => `{"id":"${nth}"}`));
  answer(sent, ['content-type', 'text/event-stream', 'content-encoding', 'gzip'], gzipSync(text));
  await expect.poll(() => pieces, SOON).toBe(1);
  for (let nth = 0; nth < 20; nth++) await new Promise((resolve) => setImmediate(resolve));
  expect(pieces).toBe(1);
  call.resume();
  await expect.poll(() => pieces, SOON).toBe(2);
  call.abort();
  expect(decoders.open).toBe(0);
});

it('is refused where as many are being decoded as may be', () => {
  const { models, caller, sent } = begun({ ...HELLO, stream: true }, { decoders: new Decoders(0) });
  answer(sent, ['content-type', 'text/event-stream', 'content-encoding', 'gzip'], gzipSync(STREAM));
  models.pass(0);
  expect(caller.error).toMatchObject({ code: 'upstream_queue_full' });
});
