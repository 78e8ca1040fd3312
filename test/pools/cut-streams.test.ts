/**
 * Golden streams of all dialects, cut at every byte: whoever ends a stream, and wherever, its usage is recorded once, limits of key and
 * policies get back what was not used, and the caller is told in words of its dialect that something is missing.
 */
import { APIError as AnthropicError } from '@anthropic-ai/sdk/core/error';
import { Stream as AnthropicStream } from '@anthropic-ai/sdk/core/streaming';
import { APIError as OpenAIError } from 'openai/core/error';
import { Stream as OpenAIStream } from 'openai/core/streaming';
import { afterAll, describe, expect, it } from 'vitest';
import { RESERVE, type Simulation, simulate, simulatedRoute } from '../../src/gateway/exchange.cases.ts';
import type { KeyLimit } from '../../src/model/pools.ts';
import type { AccessRecord } from '../../src/pipeline/record.ts';
import { Models, type ProviderCall } from '../../src/pools/model-call.cases.ts';
import {
  type AfterCut,
  afterCut,
  bytesOf,
  type CutKind,
  dataIn,
  GOLDEN_STREAMS,
  type GoldenStream,
  type GoldenUsage,
} from './golden-streams.ts';

const EVENT_STREAM = ['content-type', 'text/event-stream'];
/** In nano-units for a token. */
const PRICE = { input: 2, output: 10 };
const costOf = ({ input, output }: GoldenUsage): number => PRICE.input * input + PRICE.output * output;

/** What a key's limits have lost to one call: while it was under way, and for good. */
interface Taken {
  readonly slots: number;
  readonly tokens: number;
  readonly cost: number;
}

/** One golden stream after another through the exchange, each to the same key. */
class Calls {
  readonly simulation: Simulation;
  readonly models: Models;
  readonly #stream: GoldenStream;

  constructor(stream: GoldenStream) {
    this.#stream = stream;
    const limit = (unit: KeyLimit['unit'], kind: KeyLimit['kind'], windowMs: number): KeyLimit => {
      return {
        unit,
        kind,
        amount: 1e12,
        windowMs,
        source: 'declared',
        model: null,
        per: 'model',
        zone: null,
      };
    };
    const limits = [
      limit('slots', 'slots', 0),
      limit('tokens', 'bucket', 60_000),
      limit('cost', 'fixed', 1e9),
    ];
    this.models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }],
      provider: { dialect: stream.dialect },
      model: {
        price: {
          inputNano: PRICE.input * 1e6,
          outputNano: PRICE.output * 1e6,
          cachedNano: PRICE.input * 1e6,
          requestNano: 0,
          asOf: '2026-11-30',
          source: 'project',
        },
      },
    });
    this.simulation = simulate({
      routes: [simulatedRoute(stream.path, { ai: stream.operation, maxBodyBytes: 10_000 })],
      pipeline: { admit: RESERVE },
      models: this.models.bound,
    });
  }

  begin(): Call {
    const body = Buffer.from(JSON.stringify({ model: 'gpt', ...this.#stream.asks }));
    const fields = ['host', 'a.test', 'content-type', 'application/json', 'content-length', `${body.length}`];
    const before = this.#left();
    const client = this.simulation.request('POST', this.#stream.path, fields);
    client.handler!.onBody(body, true);
    const [provider] = this.models.newCalls() as [ProviderCall];
    const reserved = this.#since(before);
    return { client, provider, reserved, taken: () => this.#since(before) };
  }

  #left(): Taken {
    const { meters } = this.models.registry.lanes.read(0, this.models.nowMs);
    const of = (unit: KeyLimit['unit']): number => meters.find((meter) => meter.unit === unit)!.left;
    return { slots: of('slots'), tokens: of('tokens'), cost: of('cost') };
  }

  #since(before: Taken): Taken {
    const now = this.#left();
    return {
      slots: before.slots - now.slots,
      tokens: before.tokens - now.tokens,
      cost: before.cost - now.cost,
    };
  }
}

interface Call {
  readonly client: ReturnType<Simulation['request']>;
  readonly provider: ProviderCall;
  readonly reserved: Taken;
  readonly taken: () => Taken;
}

/** The one buffer that everything is read into. */
const READ = Buffer.alloc(65_536);

/** A piece of the stream is there until the next one is read. */
function read({ provider }: Call, bytes: Uint8Array, last: boolean): void {
  READ.fill(0x21);
  READ.set(bytes);
  provider.handler.onData(READ.subarray(0, bytes.length), last);
}

/** So many bytes of the stream, in three pieces. */
function send(call: Call, bytes: Buffer): void {
  const [first, second] = [bytes.length >> 2, bytes.length >> 1];
  call.provider.head(200, '', false, EVENT_STREAM);
  read(call, bytes.subarray(0, first), false);
  read(call, bytes.subarray(first, second), false);
  read(call, bytes.subarray(second), false);
}

/** By whom the stream is ended, as its record calls it; '': by its provider. */
type EndedBy = '' | 'upstream_closed_in_answer' | 'client_aborted' | 'total_timeout' | 'going_away';

/** Settled once, by as much as was told, or all of it; the key and its slot are as they were. */
function expectSettled(calls: Calls, call: Call, after: AfterCut, code: EndedBy): void {
  const { simulation, models } = calls;
  const { settled, counted } = after;
  const [end] = simulation.settled.splice(0) as [Simulation['settled'][number]];
  expect(simulation.settled).toEqual([]);
  expect(simulation.releases.splice(0)).toEqual([end.reservation]);
  const [record, ...others] = simulation.records.splice(0) as [AccessRecord];
  expect(others).toEqual([]);
  expect(record).toMatchObject({ status: 200, code, target: 'pool', providerKey: 'a', attempts: 1 });
  if (settled === null) {
    expect(new Set(Object.values(end.actuals))).toEqual(new Set([null]));
    expect(record.tokensFrom).toBe('bound');
  } else {
    const { input, output } = settled;
    expect(end.actuals).toMatchObject({
      'input-tokens': input,
      'output-tokens': output,
      money: costOf(settled),
    });
    expect(record).toMatchObject({
      tokensFrom: 'provider',
      inputTokens: input,
      outputTokens: output,
      costNano: costOf(settled),
    });
  }
  const { tokens, cost } =
    counted === null ? call.reserved : { tokens: counted.input + counted.output, cost: costOf(counted) };
  const taken = call.taken();
  expect(taken.slots).toBe(0);
  expect(taken.cost).toBe(cost);
  expect(taken.tokens).toBeCloseTo(tokens, 3);
  expect(models.registry.health.state(0)).toBe('active');
  expect(models.registry.health.inFlight(0)).toBe(0);
  expect(simulation.thread.inFlight).toBe(0);
}

/** What callers got, by what it has to be to their SDK: as few texts as there are different ones. */
const bodies = new Map<string, { readonly stream: GoldenStream; readonly isWhole: boolean }>();

/** What the caller got is what came of the provider's events, and a last one of the gateway's where something is missing. */
function expectEnd(stream: GoldenStream, { client }: Call, after: AfterCut, code: string): void {
  const body = Buffer.from(client.body, 'latin1').toString('utf8');
  const events = dataIn(`${body}\n\n`);
  const own = after.isToldOff ? 1 : 0;
  expect(events.slice(0, events.length - own)).toEqual(after.data);
  if (after.isToldOff) {
    const last = JSON.parse(events.at(-1)!) as { code?: string; error?: { code?: string; message: string } };
    expect(last.code ?? last.error?.code ?? last.error?.message).toContain(code);
  }
  bodies.set(body, { stream, isWhole: !after.isToldOff && after.ended !== 'badly' });
}

describe.each(GOLDEN_STREAMS)('$name', (stream) => {
  const whole = bytesOf(stream);

  it.each(['breaks', 'ends'] as const)('%s at any byte', (kind: CutKind) => {
    const calls = new Calls(stream);
    for (let cut = 0; cut <= whole.length; cut++) {
      const call = calls.begin();
      send(call, whole.subarray(0, cut));
      if (kind === 'breaks') call.provider.fail();
      else call.provider.stream('', true);
      const after = afterCut(stream, cut, kind);
      expect(call.client.state, `cut at ${cut}`).toBe('done');
      expectEnd(stream, call, after, 'upstream_closed_in_answer');
      expectSettled(calls, call, after, after.isToldOff ? 'upstream_closed_in_answer' : '');
    }
  });

  it('comes in any two pieces', () => {
    const calls = new Calls(stream);
    const after = afterCut(stream, whole.length, 'ends');
    for (let at = 0; at <= whole.length; at++) {
      const call = calls.begin();
      call.provider.head(200, '', false, EVENT_STREAM);
      read(call, whole.subarray(0, at), false);
      read(call, whole.subarray(at), true);
      expectEnd(stream, call, after, '');
      expectSettled(calls, call, after, '');
    }
  });

  it('whose caller leaves, whose time or that of its gateway is over, behind any event and within it', () => {
    let at = 0;
    const calls = new Calls(stream);
    for (const { text } of stream.events) {
      const length = Buffer.byteLength(text);
      for (const cut of [at + (length >> 1), at + length]) {
        const after = afterCut(stream, cut, 'breaks');
        const left = calls.begin();
        send(left, whole.subarray(0, cut));
        left.client.disconnect();
        expect(left.provider.aborted).toBe(true);
        expectSettled(calls, left, after, 'client_aborted');
        const late = calls.begin();
        send(late, whole.subarray(0, cut));
        calls.simulation.nowMs += 3_600_000;
        calls.simulation.thread.sweep();
        expect(late.provider.aborted).toBe(true);
        expect(late.client.state).toBe('done');
        expectEnd(stream, late, after, 'total_timeout');
        expectSettled(calls, late, after, 'total_timeout');
        // a thread ends but once
        const ending = new Calls(stream);
        const last = ending.begin();
        send(last, whole.subarray(0, cut));
        ending.simulation.thread.goAway();
        expect(last.client.state).toBe('begun');
        ending.simulation.thread.breakOff();
        expect(last.provider.aborted).toBe(true);
        expect(last.client.state).toBe('done');
        expectEnd(stream, last, after, 'going_away');
        expectSettled(ending, last, after, 'going_away');
      }
      at += length;
    }
  });
});

/** As the official SDKs read them: to the end, or to an error of their own kind. */
describe('what callers got', () => {
  it('is read by the SDK of its dialect', async () => {
    const isWhole = { seen: 0 };
    for (const [body, { stream, isWhole: expected }] of bodies) {
      const end = await readBy(stream, body);
      expect([stream.name, body, end]).toEqual([stream.name, body, expected ? 'whole' : 'error']);
      if (expected) isWhole.seen++;
    }
    expect(isWhole.seen).toBeGreaterThan(GOLDEN_STREAMS.length - 3);
    expect(bodies.size).toBeGreaterThan(50);
  });
  afterAll(() => bodies.clear());
});

async function readBy({ dialect, operation }: GoldenStream, body: string): Promise<'whole' | 'error'> {
  const [answer, controller] = [new Response(body), new AbortController()];
  const events: AsyncIterable<{ readonly type?: string }> =
    dialect === 'anthropic'
      ? AnthropicStream.fromSSEResponse(answer, controller)
      : OpenAIStream.fromSSEResponse(answer, controller);
  try {
    for await (const event of events) {
      // The SDK hands on what responses tell of errors.
      if (operation === 'openai/responses' && (event.type === 'error' || event.type === 'response.failed'))
        return 'error';
    }
    return 'whole';
  } catch (error) {
    expect([OpenAIError, AnthropicError].some((own) => error instanceof own)).toBe(true);
    return 'error';
  }
}
