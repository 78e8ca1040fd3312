import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Masker } from '../model/masks/masker.ts';
import type { OperationName } from '../model/pools.ts';
import { EventStream, eventData } from './event-stream.ts';
import { MaskedEvents } from './masked-events.ts';
import { parsedJson } from './parsed-json.ts';

const MASKER = new Masker([{ kinds: ['email', 'secret'], patterns: ['ORD-[0-9]{4}'], text: '[removed]' }]);
const BOUNDS = { eventBytesMax: 100_000, depthMax: 64, valuesMax: 10_000 };
const SAID = 'Write to ann@mail.example about ORD-1234, not bob.b@mail.example';
const ARGUMENTS = `{"to":"ann@mail.example","key":"sk-${'a1'.repeat(20)}"}`;

interface Golden {
  readonly operation: OperationName;
  /** A stream that says these texts, each cut into pieces of this length. */
  readonly stream: (texts: readonly string[], length: number) => string;
  /** What a client puts together of the texts. */
  readonly read: (stream: string) => readonly string[];
}

const cut = (text: string, length: number): string[] => text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: { readonly type: string }): string => `event: ${value.type}\n${data(value)}`;

function events(stream: string): Record<string, never>[] {
  const cutter = new EventStream(1e6);
  const whole = cutter.push(new TextEncoder().encode(stream)) ?? [];
  return whole.flatMap((event) => {
    const parsed = parsedJson(eventData(event) ?? '');
    return parsed === null ? [] : [parsed as Record<string, never>];
  });
}

/** Two choices in turn, and the arguments of a tool. */
const CHAT: Golden = {
  operation: 'openai/chat',
  stream([first = '', second = '', third = ''], length) {
    const chunk = (index: number, delta: object, reason: string | null = null) =>
      data({
        id: 'c',
        model: 'm',
        choices: [{ index, delta, logprobs: { content: [{ token: first }] }, finish_reason: reason }],
      });
    const a = cut(first, length);
    const b = cut(second, length);
    const both = Array.from({ length: Math.max(a.length, b.length) }, (_, at) => [
      ...(a[at] === undefined ? [] : [chunk(0, { content: a[at] })]),
      ...(b[at] === undefined ? [] : [chunk(1, { reasoning_content: b[at] })]),
    ]).flat();
    const call = cut(third, length).map((piece, at) =>
      chunk(1, {
        tool_calls: [
          {
            index: 0,
            ...(at === 0 ? { id: 't', type: 'function' } : {}),
            function: { ...(at === 0 ? { name: 'f' } : {}), arguments: piece },
          },
        ],
      }),
    );
    return [
      chunk(0, { role: 'assistant', content: '' }),
      ...both,
      chunk(0, {}, 'stop'),
      ...call,
      chunk(1, {}, 'tool_calls'),
      data({ id: 'c', model: 'm', choices: [], usage: {} }),
      'data: [DONE]\n\n',
    ].join('');
  },
  read(stream) {
    const said = ['', '', ''];
    const ended = new Set<number>();
    for (const { choices } of events(stream) as unknown as {
      choices: {
        index: number;
        delta: Record<string, string> & { tool_calls?: { function: { arguments: string } }[] };
        finish_reason: string | null;
      }[];
    }[])
      for (const { index, delta, finish_reason } of choices) {
        expect(ended.has(index)).toBe(false);
        if (finish_reason !== null) ended.add(index);
        said[0] += delta.content ?? '';
        said[1] += delta.reasoning_content ?? '';
        said[2] += delta.tool_calls?.[0]?.function.arguments ?? '';
      }
    return said;
  },
};

const MESSAGES: Golden = {
  operation: 'anthropic/messages',
  stream([first = '', second = '', third = ''], length) {
    const block = (index: number, start: object, deltas: readonly object[]) => [
      named({ type: 'content_block_start', index, content_block: start } as never),
      ...deltas.map((delta) => named({ type: 'content_block_delta', index, delta } as never)),
      named({ type: 'content_block_stop', index } as never),
    ];
    return [
      named({
        type: 'message_start',
        message: { id: 'm', type: 'message', role: 'assistant', content: [] },
      } as never),
      ...block(
        0,
        { type: 'thinking', thinking: '' },
        cut(first, length).map((thinking) => ({ type: 'thinking_delta', thinking })),
      ),
      named({ type: 'ping' }),
      ...block(
        1,
        { type: 'text', text: '' },
        cut(second, length).map((text) => ({ type: 'text_delta', text })),
      ),
      ...block(
        2,
        { type: 'tool_use', id: 't', name: 'f', input: {} },
        cut(third, length).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      ),
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} } as never),
      named({ type: 'message_stop' }),
    ].join('');
  },
  read(stream) {
    const said = ['', '', ''];
    for (const { type, index, delta } of events(stream) as unknown as {
      type: string;
      index: number;
      delta: Record<string, string>;
    }[])
      if (type === 'content_block_delta')
        said[index] += delta.thinking ?? delta.text ?? delta.partial_json ?? '';
    return said;
  },
};

const RESPONSES: Golden = {
  operation: 'openai/responses',
  stream(texts, length) {
    const kinds = [
      'response.output_text',
      'response.reasoning_summary_text',
      'response.function_call_arguments',
    ];
    const spoken = texts.flatMap((text, at) => {
      const place = { item_id: `i${at}`, output_index: at, content_index: 0 };
      return [
        ...cut(text, length).map((delta) =>
          named({ type: `${kinds[at]}.delta`, ...place, delta, logprobs: [{ token: delta }] } as never),
        ),
        named({ type: `${kinds[at]}.done`, ...place, text } as never),
        named({
          type: 'response.output_item.done',
          output_index: at,
          item: { type: 'message', content: [{ type: 'output_text', text }] },
        } as never),
      ];
    });
    const output = texts.map((text) => ({ type: 'message', content: [{ type: 'output_text', text }] }));
    return [...spoken, named({ type: 'response.completed', response: { id: 'r', output } } as never)].join(
      '',
    );
  },
  read(stream) {
    const said = ['', '', ''];
    for (const event of events(stream) as unknown as {
      type: string;
      output_index: number;
      delta?: string;
      text?: string;
    }[]) {
      if (event.type.endsWith('.delta')) said[event.output_index]! += event.delta ?? '';
      if (event.type.endsWith('.done') && event.text !== undefined)
        expect(event.text).toBe(said[event.output_index]);
    }
    return said;
  },
};

function masked(operation: OperationName, pieces: readonly Uint8Array[]): string {
  const through = new MaskedEvents(operation, MASKER, BOUNDS);
  const passed = pieces.map((piece, at) => through.push(piece, at === pieces.length - 1));
  expect(through.heldBytes).toBe(0);
  return passed
    .map((each) => (each instanceof Uint8Array ? Buffer.from(each).toString() : `refused: ${each.why}`))
    .join('');
}
const inOne = (stream: string): Uint8Array[] => [new TextEncoder().encode(stream)];

describe.each([CHAT, MESSAGES, RESPONSES])('$operation', ({ operation, stream, read }) => {
  const texts = [SAID, `${SAID} end`, ARGUMENTS];
  const wanted = texts.map((text) => MASKER.mask(text));

  it('is masked as its texts would be whole, in whatever pieces they come', () => {
    for (const length of [1, 3, 7, 16, 200]) {
      const passed = masked(operation, inOne(stream(texts, length)));
      expect(read(passed)).toEqual(wanted);
      expect(passed).not.toMatch(/mail\.example|ORD-\d|a1a1|ann@/);
      // whoever puts pieces together must not get a name late, or twice
      expect(passed.split('"name":"f"')).toHaveLength(stream(texts, length).split('"name":"f"').length);
    }
  });

  it('comes out the same wherever the bytes are cut', () => {
    const bytes = new TextEncoder().encode(stream(texts, 9));
    const whole = masked(operation, [bytes]);
    for (let at = 0; at <= bytes.length; at += 101)
      expect(masked(operation, [bytes.subarray(0, at), bytes.subarray(at)])).toBe(whole);
    expect(
      masked(
        operation,
        [...bytes].map((byte) => Uint8Array.of(byte)),
      ),
    ).toBe(whole);
  });

  it('any texts', () => {
    const text = fc
      .array(
        fc.constantFrom(
          'ann@',
          'mail.',
          'example',
          ' ',
          'ORD-',
          '12',
          'sk-',
          'a1b2c3d4e5',
          '"',
          '\\',
          'é',
          '\n',
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.tuple(text, text, text), fc.integer({ min: 1, max: 9 }), (said, length) => {
        const passed = masked(operation, inOne(stream(said, length)));
        expect(read(passed)).toEqual(said.map((each) => MASKER.mask(each)));
      }),
      { numRuns: Number(process.env.MASK_RUNS ?? 15) },
    );
  });

  it('what has nothing to be removed passes byte for byte, but for log probabilities', () => {
    const plain = stream(['nothing. ', 'to see. ', '{}'], 100).replaceAll(
      /"logprobs":(\{[^}]*\}\]\}|\[\{[^}]*\}\])/g,
      '"logprobs":null',
    );
    expect(read(masked(operation, inOne(plain)))).toEqual(['nothing. ', 'to see. ', '{}']);
  });
});

describe('a stream that can not be read', () => {
  it.each([
    ['is no JSON', 'data: {"choices":\n\n'],
    [
      'has an image',
      data({ choices: [{ index: 0, delta: { images: [{ type: 'image_url', image_url: {} }] } }] }),
    ],
    ['has sound', data({ choices: [{ index: 0, delta: { audio: { data: 'AAAA' } } }] })],
    ['has two members of one name', 'data: {"choices":[],"choices":[]}\n\n'],
  ])('%s', (_, stream) => {
    const passed = new MaskedEvents('openai/chat', MASKER, BOUNDS).push(
      new TextEncoder().encode(stream),
      true,
    );
    expect(passed).toMatchObject({ why: expect.any(String) });
  });
});

it.each(['openai/chat', 'openai/responses', 'anthropic/messages'] as const)(
  '%s: any JSON passes as JSON or is refused, and nothing is held in the end',
  (operation) => {
    const names = [
      'choices',
      'delta',
      'content',
      'text',
      'type',
      'index',
      'finish_reason',
      'error',
      'tool_calls',
    ];
    const kinds = [
      'content_block_delta',
      'content_block_stop',
      'response.output_text.delta',
      'x.done',
      'text',
    ];
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>('ann@mail.example', 'ann@', 'x', 0, 1, null, true, ...kinds),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), (values) => {
        const [stream = new Uint8Array(0)] = inOne(values.map(data).join(''));
        const through = new MaskedEvents(operation, MASKER, BOUNDS);
        const passed = through.push(stream, true);
        if (!(passed instanceof Uint8Array)) return;
        expect(through.heldBytes).toBe(0);
        const said =
          Buffer.from(passed)
            .toString()
            .match(/^data: .*$/gm) ?? [];
        expect(said.length).toBeGreaterThanOrEqual(values.length);
        for (const line of said) JSON.parse(line.slice('data: '.length));
      }),
      { numRuns: Number(process.env.MASK_RUNS ?? 100) },
    );
  },
);

it('what is held when a stream breaks off leaves before the error is told', () => {
  const chunk = data({ id: 'c', choices: [{ index: 0, delta: { content: 'to ann' }, finish_reason: null }] });
  const error = data({ error: { message: 'broken' } });
  const passed = masked('openai/chat', inOne(chunk + error));
  const rest = passed.indexOf('"content":"to ann"');
  expect(rest).toBeGreaterThan(0);
  expect(passed.indexOf('broken')).toBeGreaterThan(rest);
  expect(events(passed)[1]).toMatchObject({ id: 'c', choices: [{ index: 0, finish_reason: null }] });
});

describe('what providers write otherwise than their documents say', () => {
  const choice = (content: string, more: object = {}) => ({ index: 0, delta: { content }, ...more });
  const responses = (delta: string, id: string) =>
    named({
      type: 'response.output_text.delta',
      ...{ item_id: id, output_index: 0, content_index: 0, delta },
    });
  const block = (text: string) =>
    data({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });

  it.each([
    [
      'openai/chat',
      'an error that is none',
      data({ error: null, choices: [choice('x ann@mail.example y')] }),
    ],
    ['openai/chat', 'an error beside text', data({ error: {}, choices: [choice('x ann@mail.example y')] })],
    [
      'openai/chat',
      'a reason that is none',
      data({ choices: [choice('x ann@ma', { finish_reason: '' })] }) +
        data({ choices: [choice('il.example y', { finish_reason: '' })] }),
    ],
    ['openai/chat', 'a byte order mark', `\uFEFF${data({ choices: [choice('x ann@mail.example y')] })}`],
    [
      'openai/chat',
      'fields beside the data',
      `: ann@mail.example\nid: ann@mail.example\n${data({ choices: [] })}`,
    ],
    [
      'anthropic/messages',
      'a new event',
      block('x ann@ma') + data({ type: 'new_event' }) + block('il.example y'),
    ],
    ['openai/responses', 'an id for each event', responses('x ann@ma', 'a') + responses('il.example y', 'b')],
    ['openai/chat', 'details of an error', data({ detail: 'no ann@mail.example' })],
  ] as const)('%s: %s', (operation, _what, stream) => {
    const passed = masked(operation, inOne(stream));
    expect(passed).not.toContain('ann@ma');
    expect(passed).toContain('[removed]');
  });

  it.each([{ choices: 'ann@mail.example' }, { choices: ['ann@mail.example'] }])('refused: %j', (event) => {
    const through = new MaskedEvents('openai/chat', MASKER, BOUNDS);
    expect(through.push(Buffer.from(data(event)), true)).toHaveProperty('why');
  });
});

it('texts of the protocol are masked where they are no words of it', () => {
  const MAIL = 'ann@mail.example';
  for (const [operation, event] of [
    [
      'openai/chat',
      { id: MAIL, choices: [{ index: 0, status: MAIL, delta: { role: MAIL, id: MAIL, content: 'x' } }] },
    ],
    ['openai/responses', { type: 'response.output_text.delta', item_id: MAIL, note: MAIL, delta: 'x' }],
    [
      'anthropic/messages',
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', role: MAIL, text: 'x' } },
    ],
  ] as const) {
    const masked = new MaskedEvents(operation, MASKER, BOUNDS);
    const passed = masked.push(new TextEncoder().encode(data(event)), true) as Uint8Array;
    expect(new TextDecoder().decode(passed)).toContain('[removed]');
    expect(new TextDecoder().decode(passed)).not.toContain(MAIL);
  }
});
