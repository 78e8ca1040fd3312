/** Streams as providers send them, event by event, each with what is known once it has come. */
import type { Dialect } from '../../src/model/pools.ts';
import type { CallOperation } from '../../src/model/route-calls.ts';

/** What a stream tells of the tokens of its call. */
export interface GoldenUsage {
  readonly input: number;
  readonly output: number;
}

export interface GoldenEvent {
  /** All of its bytes, the blank line that ends it among them. */
  readonly text: string;
  /** Tokens of the prompt, told before the answer is whole. */
  readonly tellsInput?: number;
  /** Those of the whole answer, though that may not have ended: limits of keys count so much, budgets rely on nothing but the end. */
  readonly tells?: GoldenUsage;
  /** All that it has used, told once every choice is finished: settles where the stream ends between two events, without a word of its end. */
  readonly closes?: GoldenUsage;
  /** The end of the answer, with all that it has used. */
  readonly settles?: GoldenUsage;
  /** The stream ends with it: nothing need be said behind it. */
  readonly ends?: 'well' | 'badly';
  /** Asked for by the gateway, and not passed on. */
  readonly isHidden?: true;
}

export interface GoldenStream {
  readonly name: string;
  readonly operation: CallOperation;
  readonly dialect: Dialect;
  readonly path: string;
  /** Of the body of the call, beside its model. */
  readonly asks: Readonly<Record<string, unknown>>;
  /** The most tokens of its answer. */
  readonly outputMax: number;
  /** Whether every stream of the dialect ends with an event that says so. */
  readonly alwaysTellsEnd: boolean;
  readonly events: readonly GoldenEvent[];
}

const OUTPUT_MAX = 50;
const MESSAGES = [{ role: 'user', content: 'Grüße!' }];

function data(value: unknown, more: Omit<GoldenEvent, 'text'> = {}): GoldenEvent {
  return { text: `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`, ...more };
}

/** As Anthropic's and OpenAI's responses write them. */
function named(type: string, members: object, more: Omit<GoldenEvent, 'text'> = {}): GoldenEvent {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`, ...more };
}

function chunk(delta: object, finish: string | null = null, usage?: object | null): object {
  return {
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...(usage === undefined ? {} : { usage }),
  };
}

function chatUsage({ input, output }: GoldenUsage): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

const CHAT = {
  operation: 'openai/chat',
  dialect: 'openai',
  path: '/v1/chat/completions',
  outputMax: OUTPUT_MAX,
  alwaysTellsEnd: false,
} as const;
const RESPONSES = {
  ...CHAT,
  operation: 'openai/responses',
  path: '/v1/responses',
  alwaysTellsEnd: true,
} as const;
const MESSAGES_OF_ANTHROPIC = {
  operation: 'anthropic/messages',
  dialect: 'anthropic',
  path: '/v1/messages',
  asks: { messages: MESSAGES, max_tokens: OUTPUT_MAX, stream: true },
  outputMax: OUTPUT_MAX,
  alwaysTellsEnd: true,
} as const;
const ASKED = { messages: MESSAGES, max_tokens: OUTPUT_MAX, stream: true };
const DONE = data('[DONE]', { ends: 'well', settles: { input: 9, output: 4 } });
const USED = { input: 9, output: 4 };
const begun = (usage: object): object => ({
  message: { id: 'm', type: 'message', role: 'assistant', content: [], stop_reason: null, usage },
});
const text = (index: number, delta: object): GoldenEvent => named('content_block_delta', { index, delta });

export const GOLDEN_STREAMS: readonly GoldenStream[] = [
  {
    ...CHAT,
    name: 'a chat whose usage the gateway asked for',
    asks: ASKED,
    events: [
      data(chunk({ role: 'assistant', content: '' }, null, null)),
      data(chunk({ content: 'Grüße, 世界 👋 "usage":' }, null, null)),
      data(chunk({}, 'stop', null)),
      data({ id: 'c', choices: [], usage: chatUsage(USED) }, { tells: USED, closes: USED, isHidden: true }),
      DONE,
    ],
  },
  {
    ...CHAT,
    name: 'a chat that calls a tool, whose caller asked for its usage',
    asks: { ...ASKED, stream_options: { include_usage: true } },
    events: [
      data(
        chunk({
          tool_calls: [{ index: 0, id: 't', type: 'function', function: { name: 'f', arguments: '' } }],
        }),
      ),
      data(chunk({ tool_calls: [{ index: 0, function: { arguments: '{"ort":"Köln"}' } }] })),
      data(chunk({}, 'tool_calls')),
      data({ id: 'c', choices: [], usage: chatUsage(USED) }, { tells: USED, closes: USED }),
      DONE,
    ],
  },
  {
    ...CHAT,
    name: 'a chat that tells its usage as it grows, with lines that end in CRLF and comments between',
    asks: ASKED,
    events: [
      { text: ': working\r\n\r\n' },
      data(chunk({ content: 'é' }, null, chatUsage({ input: 9, output: 1 })), { tellsInput: 9 }),
      data(chunk({ content: '!' }, 'stop', chatUsage(USED)), { tellsInput: 9, closes: USED }),
      DONE,
    ].map((event) => ({ ...event, text: event.text.replaceAll(/\r?\n/g, '\r\n') })),
  },
  {
    ...CHAT,
    name: 'a chat that fails in the middle',
    asks: ASKED,
    events: [
      data(chunk({ content: 'Hallo' })),
      data(
        { error: { message: 'Überlastet.', type: 'server_error', param: null, code: null } },
        { ends: 'badly' },
      ),
    ],
  },
  {
    ...CHAT,
    name: 'a completion',
    operation: 'openai/completions',
    path: '/v1/completions',
    asks: { prompt: 'Grüße!', max_tokens: OUTPUT_MAX, stream: true },
    events: [
      data({
        id: 'c',
        object: 'text_completion',
        choices: [{ index: 0, text: 'ß…', finish_reason: 'length' }],
      }),
      data({ id: 'c', choices: [], usage: chatUsage(USED) }, { tells: USED, closes: USED, isHidden: true }),
      DONE,
    ],
  },
  {
    ...RESPONSES,
    name: 'a response',
    asks: { input: 'Grüße!', max_output_tokens: OUTPUT_MAX, stream: true },
    events: [
      named('response.created', { response: { id: 'r', status: 'in_progress', usage: null } }),
      named('response.output_text.delta', {
        delta: 'Grüße 👋',
        item_id: 'm',
        output_index: 0,
        content_index: 0,
      }),
      named(
        'response.completed',
        { response: { id: 'r', status: 'completed', usage: { input_tokens: 9, output_tokens: 4 } } },
        { settles: USED, ends: 'well' },
      ),
    ],
  },
  {
    ...RESPONSES,
    name: 'a response that fails',
    asks: { input: 'Grüße!', max_output_tokens: OUTPUT_MAX, stream: true },
    events: [
      named('response.created', { response: { id: 'r', status: 'in_progress', usage: null } }),
      named(
        'response.failed',
        {
          response: { id: 'r', status: 'failed', error: { code: 'server_error', message: 'Ö' }, usage: null },
        },
        { ends: 'badly' },
      ),
    ],
  },
  {
    ...MESSAGES_OF_ANTHROPIC,
    name: 'a message that uses a tool',
    events: [
      named('message_start', begun({ input_tokens: 6, cache_read_input_tokens: 3, output_tokens: 1 }), {
        tellsInput: 9,
      }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      named('ping', {}),
      text(0, { type: 'text_delta', text: 'Grüße 👋' }),
      named('content_block_stop', { index: 0 }),
      named('content_block_start', {
        index: 1,
        content_block: { type: 'tool_use', id: 't', name: 'f', input: {} },
      }),
      text(1, { type: 'input_json_delta', partial_json: '{"ort":"Köln"}' }),
      named('content_block_stop', { index: 1 }),
      named(
        'message_delta',
        { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 4 } },
        { tellsInput: 9 },
      ),
      named('message_stop', {}, { settles: USED, ends: 'well' }),
    ],
  },
  {
    ...MESSAGES_OF_ANTHROPIC,
    name: 'a message that fails in the middle',
    events: [
      named('message_start', begun({ input_tokens: 9, output_tokens: 1 }), { tellsInput: 9 }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      text(0, { type: 'text_delta', text: 'Hälfte' }),
      named('error', { error: { type: 'overloaded_error', message: 'Überlastet.' } }, { ends: 'badly' }),
    ],
  },
];

/** Where a stream stops: its connection breaks, or it ends as if that were all. */
export type CutKind = 'breaks' | 'ends';

/** What has to be true of a stream of which so many bytes came. */
export interface AfterCut {
  /** Data of the events that the caller gets from the provider. */
  readonly data: readonly string[];
  /** Whether the gateway has to say that something is missing. */
  readonly isToldOff: boolean;
  /** What the provider has said itself. */
  readonly ended: 'well' | 'badly' | null;
  /** By what budgets are settled; null: all that was reserved is spent. */
  readonly settled: GoldenUsage | null;
  /** What limits of the key count; null: as much as was reserved. */
  readonly counted: GoldenUsage | null;
}

/** The reference: read off the events, with nothing of how the gateway reads them. */
export function afterCut(stream: GoldenStream, bytes: number, kind: CutKind): AfterCut {
  const come: GoldenEvent[] = [];
  let at = 0;
  let restBytes = 0;
  for (const event of stream.events) {
    const length = Buffer.byteLength(event.text);
    // A CR ends a line as well, and an end of the answer the line that it comes in.
    const needed =
      kind === 'ends' ? length - endOf(event.text) : length - (event.text.endsWith('\r\n') ? 1 : 0);
    if (bytes >= at + needed) come.push(event);
    else if (bytes > at) restBytes = bytes - at;
    at += length;
  }
  const ended = come.find(({ ends }) => ends !== undefined)?.ends ?? null;
  const input = come.find(({ tellsInput }) => tellsInput !== undefined)?.tellsInput;
  const rest = restBytes === 0 ? '' : stream.events[come.length]!.text;
  const isWithin = rest !== '' && !rest.startsWith(':');
  const closed =
    kind === 'ends' && !isWithin ? come.find(({ closes }) => closes !== undefined)?.closes : undefined;
  const settled = come.find(({ settles }) => settles !== undefined)?.settles ?? closed ?? null;
  return {
    data: come.filter(({ isHidden }) => isHidden !== true).flatMap(({ text: own }) => dataIn(own)),
    isToldOff: ended === null && (kind === 'breaks' || isWithin || stream.alwaysTellsEnd),
    ended,
    settled,
    counted:
      settled ??
      come.find(({ tells }) => tells !== undefined)?.tells ??
      (input === undefined ? null : { input, output: stream.outputMax }),
  };
}

function endOf(event: string): number {
  return /[\r\n]*$/.exec(event)![0].length;
}

/** Data of each event of a stream (WHATWG HTML, 9.2.6): what no blank line ends is none. */
export function dataIn(stream: string): readonly string[] {
  const events = stream.replaceAll(/\r\n|\r/g, '\n').split('\n\n');
  return events.slice(0, -1).flatMap((event) => {
    const lines = event.split('\n').filter((line) => line.startsWith('data: '));
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(6)).join('\n')];
  });
}

/** All bytes of a stream. */
export function bytesOf({ events }: GoldenStream): Buffer {
  return Buffer.from(events.map(({ text: own }) => own).join(''));
}
