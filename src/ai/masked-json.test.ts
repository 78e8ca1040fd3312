import { describe, expect, it } from 'vitest';
import { editJson } from '../base/json/edit.ts';
import { scanJson } from '../base/json/scan.ts';
import { Masker } from '../model/masks/masker.ts';
import { maskModelJson } from './masked-json.ts';

const MASKER = new Masker([{ kinds: ['email', 'card'], patterns: [], text: '*' }]);
const MAIL = 'ann@mail.example';

/** The body as it passes, or why it does not. */
function masked(text: string, masker = MASKER): string {
  const bytes = new TextEncoder().encode(text);
  const scanned = scanJson(bytes, {
    ...{
      depthMax: 64,
      nodesMax: 1e5,
      membersMax: 1e5,
      bytesMax: 1e6,
      stringBytesMax: 1e6,
      numberBytesMax: 99,
    },
  });
  if (!scanned.ok) throw new Error(scanned.error.why);
  const edits = maskModelJson(scanned.value, masker);
  return Array.isArray(edits)
    ? new TextDecoder().decode(editJson(bytes, edits))
    : `refused: ${(edits as { why: string }).why}`;
}

describe('text is masked wherever it is', () => {
  it.each([
    ['a message', { messages: [{ role: 'user', content: MAIL }] }],
    ['a part', { messages: [{ role: 'user', content: [{ type: 'text', text: MAIL }] }] }],
    [
      'arguments of a tool',
      { messages: [{ tool_calls: [{ type: 'function', function: { arguments: `{"to":"${MAIL}"}` } }] }] },
    ],
    ['a system prompt', { system: [{ type: 'text', text: MAIL, cache_control: { type: 'ephemeral' } }] }],
    [
      'instructions',
      { instructions: MAIL, input: [{ role: 'user', content: [{ type: 'input_text', text: MAIL }] }] },
    ],
    ['input for embeddings', { input: ['x', MAIL] }],
    [
      'input of a tool, whatever its members are called',
      {
        messages: [
          {
            content: [
              { type: 'tool_use', input: { id: MAIL, type: MAIL, image_url: MAIL, deep: [{ role: MAIL }] } },
            ],
          },
        ],
      },
    ],
    [
      'a text document',
      {
        messages: [
          { content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: MAIL } }] },
        ],
      },
    ],
    [
      'a prompt, a user, metadata, a description',
      {
        prompt: MAIL,
        user: MAIL,
        metadata: { id: MAIL },
        tools: [{ type: 'function', function: { description: MAIL, parameters: { description: MAIL } } }],
      },
    ],
    [
      'an answer',
      {
        choices: [{ message: { role: 'assistant', content: MAIL, reasoning_content: MAIL, refusal: null } }],
      },
    ],
    [
      'an answer of Responses',
      {
        output: [
          { type: 'message', content: [{ type: 'output_text', text: MAIL, annotations: [] }] },
          { type: 'reasoning', summary: [{ type: 'summary_text', text: MAIL }] },
        ],
      },
    ],
  ])('%s', (_, body) => {
    const text = JSON.stringify(body);
    expect(masked(text)).toBe(text.replaceAll(MAIL, '*'));
  });

  it('every other byte stays as it was', () => {
    const text = `{ "model" : "a@b.example", "temperature":1.0e0, "messages":[ {"role":"user","content":"\\u0061nn\\u0040mail.example, \\u00e9"} ]\n}`;
    expect(masked(text)).toBe(text.replace('\\u0061nn\\u0040mail.example, \\u00e9', '*, é'));
  });

  it('a number that is a card', () => {
    const call = (card: string) =>
      `{"messages":[{"content":[{"type":"tool_use","input":{"card":${card}}}]}]}`;
    expect(masked(call('4111111111111111'))).toBe(call('"*"'));
    expect(masked(call('0.4111111111111111'))).toBe(call('0.4111111111111111'));
  });
});

describe('a text of the protocol', () => {
  const NAMES = ['role', 'status', 'format', 'id', 'signature', 'finish_reason', 'call_id', 'media_type'];

  it.each(NAMES)('is masked in `%s`, where it is no word of it', (name) => {
    for (const text of [MAIL, '4111111111111111', `x ${MAIL}`]) {
      const body = JSON.stringify({
        [name]: text,
        messages: [{ [name]: text, content: [{ [name]: text }] }],
      });
      expect(masked(body)).toBe(body.replaceAll(text, text.startsWith('x') ? 'x *' : '*'));
    }
  });

  it('is the name of a model where that stands, and nowhere else', () => {
    const body = JSON.stringify({ model: MAIL, messages: [{ model: MAIL, content: 'x' }] });
    expect(masked(body)).toBe(body.replace(`[{"model":"${MAIL}"`, '[{"model":"*"'));
  });

  it.each([
    ['role', 'assistant'],
    ['format', 'json_schema'],
    ['id', 'resp_5031ed401395a9935d2da2d74429afb3c35063201057394821'],
    ['id', 'chatcmpl-5b6b60bd-0074-4696-8146-c5cc175ef7e5'],
    ['signature', `EqQBCgIYAhIM${'A1b+/'.repeat(40)}4111111111111111==`],
  ])('stays in `%s` as it is: %s', (name, text) => {
    const own = new Masker([{ kinds: ['email', 'card', 'phone'], patterns: [], text: '*' }]);
    const body = JSON.stringify({ messages: [{ [name]: text, content: 'x' }] });
    expect(masked(body, own)).toBe(body);
  });
});

describe('a short id', () => {
  const own = new Masker([
    { kinds: ['email', 'card', 'phone', 'iban', 'ip', 'secret'], patterns: [], text: '*' },
  ]);

  it('of a call or an answer stays what it is, so that two stay two', () => {
    const [one, other] = ['call_4111111111111111', 'call_5555555555554444'];
    const body = JSON.stringify({
      id: 'resp_4111111111111111',
      previous_response_id: 'resp_5555555555554444',
      conversation: 'conv_4111111111111111',
      messages: [
        { role: 'assistant', tool_calls: [one, other].map((id) => ({ id, type: 'function' })) },
        { role: 'tool', tool_call_id: one, content: 'x' },
        { role: 'tool', tool_call_id: other, content: 'y' },
        { id: 'fc_4111111111111111', content: [{ type: 'tool_use', id: 'toolu_4111111111111111' }] },
      ],
    });
    expect(masked(body, own)).toBe(body);
  });

  it.each([
    ['another prefix', 'card_4111111111111111', 'card_*'],
    ['none', '4111111111111111', '*'],
    ['groups behind it', 'fc_4111-1111-1111-1111', 'fc_*'],
    ['an address behind it', `call_${MAIL}`, '*'],
    ['a space before it', ' call_4111111111111111', ' call_*'],
    ['something in front', 'x call_4111111111111111', 'x call_*'],
    ['two prefixes', 'fc_fc_4111111111111111', 'fc_fc_*'],
    ['a line behind it', 'call_4111111111111111\n', 'call_*\n'],
    ['a prefix in capitals', 'CALL_4111111111111111', 'CALL_*'],
  ])('is masked with %s: %j', (_what, id, left) => {
    for (const name of ['id', 'tool_call_id', 'conversation']) {
      const body = (text: string) =>
        JSON.stringify({ [name]: text, messages: [{ [name]: text, content: 'x' }] });
      expect(masked(body(id), own)).toBe(body(left));
    }
  });

  it('is masked where a pattern takes its prefix, too', () => {
    const pattern = new Masker([{ kinds: [], patterns: ['all_[0-9]{4}'], text: '*' }]);
    expect(masked('{"id":"call_4111111111111111"}', pattern)).toBe('{"id":"c*111111111111"}');
  });

  it('stands in text as text', () => {
    expect(masked('{"messages":[{"content":"call_4111111111111111"}]}', own)).toContain('"call_*"');
  });
});

describe('what is not known to be text is refused', () => {
  it.each([
    [
      'an image',
      { messages: [{ content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }] },
    ],
    [
      'an image of Anthropic',
      { messages: [{ content: [{ type: 'image', source: { type: 'base64', data: 'AAAA' } }] }] },
    ],
    ['a file', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] }],
    [
      'a document by its URL',
      { messages: [{ content: [{ type: 'document', source: { type: 'url', url: 'https://x' } }] }] },
    ],
    ['sound', { choices: [{ message: { content: null, audio: { data: 'AAAA' } } }] }],
    ['tokens', { input: [[1, 2, 3]] }],
    ['a picture made', { data: [{ b64_json: 'AAAA' }] }],
    ['a part that nobody knows', { output: [{ type: 'hologram' }] }],
    ['a name that is itself one', { messages: [{ content: [{ type: 'tool_use', input: { [MAIL]: 1 } }] }] }],
  ])('%s', (_, body) => {
    expect(masked(JSON.stringify(body))).toMatch(/^refused: /);
  });
});

it('log probabilities tell the answer once more: they are removed', () => {
  expect(masked('{"choices":[{"logprobs":{"content":[{"token":"ann@"}]},"message":{"content":"x"}}]}')).toBe(
    '{"choices":[{"logprobs":null,"message":{"content":"x"}}]}',
  );
  expect(
    masked(
      '{"logprobs":true,"output":[{"type":"message","content":[{"type":"output_text","text":"x","logprobs":[{"token":"a@"}]}]}]}',
    ),
  ).toBe(
    '{"logprobs":true,"output":[{"type":"message","content":[{"type":"output_text","text":"x","logprobs":[]}]}]}',
  );
});

it('embeddings pass as they are', () => {
  const answer =
    '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.4111111111111111,-1e-3]}]}';
  expect(masked(answer)).toBe(answer);
});
