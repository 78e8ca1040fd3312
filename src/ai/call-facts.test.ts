import { describe, expect, it } from 'vitest';
import { scanJson } from '../base/json/scan.ts';
import type { CallFacts } from '../model/model-call.ts';
import type { CallOperation } from '../model/route-calls.ts';
import { readCall } from './call-facts.ts';
import { OPERATIONS } from './operations.ts';

function read(operation: CallOperation, body: unknown): ReturnType<typeof readCall> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const bounds = { depthMax: 32, nodesMax: 1_000, membersMax: 1_000, numberBytesMax: 40 };
  const scanned = scanJson(bytes, { ...bounds, bytesMax: bytes.length, stringBytesMax: bytes.length });
  if (!scanned.ok) throw new Error('the case is JSON');
  return readCall(scanned.value, OPERATIONS[operation]);
}

function facts(operation: CallOperation, body: unknown): CallFacts {
  const found = read(operation, body);
  if ('why' in found) throw new Error(`${found.member} ${found.why}`);
  return found;
}

const HELLO = [{ role: 'user', content: 'hello' }];

describe('facts of a call', () => {
  it('are those that limits and prices need', () => {
    const body = {
      model: 'gpt-4o',
      messages: HELLO,
      max_tokens: 50,
      max_completion_tokens: 40,
      n: 3,
      stream: true,
    };
    expect(facts('openai/chat', body)).toEqual({
      model: 'gpt-4o',
      streams: true,
      outputCap: 40,
      capsDiffer: true,
      capByNewName: false,
      thinkingTokens: null,
      choices: 3,
      asksForUsage: false,
      promptBytes: JSON.stringify(body).length,
      images: 0,
      hasTools: false,
      writesCache: false,
      unbounded: null,
      dearer: null,
    });
  });

  it('take what is null as not there', () => {
    const body = {
      model: 'm',
      messages: HELLO,
      max_tokens: null,
      n: null,
      stream: null,
      stream_options: null,
    };
    expect(facts('openai/chat', body)).toMatchObject({ outputCap: null, choices: 1, streams: false });
  });

  it.each([
    ['one', 1],
    [[1, 2, 3], 1],
    [['one', 'two'], 2],
    [[[1], [2, 3], [4]], 3],
    [['one', 5], 2],
    [[], 1],
  ])('of completions have an answer for each prompt of %j', (prompt, prompts) => {
    expect(facts('openai/completions', { model: 'm', prompt }).choices).toBe(prompts);
    expect(facts('openai/completions', { model: 'm', prompt, n: 2, best_of: 3 }).choices).toBe(3 * prompts);
  });

  it('know whether usage was asked for', () => {
    const body = { model: 'm', messages: HELLO, stream: true, stream_options: { include_usage: true } };
    expect(facts('openai/chat', body).asksForUsage).toBe(true);
  });

  it.each([
    [
      'openai/chat',
      { messages: [{ content: [{ type: 'image_url', image_url: { url: 'https://a/b.png' } }] }] },
      'image_by_url',
    ],
    [
      'openai/chat',
      { messages: [{ content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] }] },
      null,
    ],
    ['openai/responses', { input: [{ type: 'input_file', file_id: 'file-1' }] }, 'file_by_reference'],
    ['openai/responses', { input: 'x', previous_response_id: 'resp_1' }, 'earlier_answer'],
    ['openai/responses', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 'earlier_answer'],
    ['openai/responses', { input: 'x', prompt: { id: 'pmpt_1' } }, 'stored_prompt'],
    ['openai/completions', { prompt: ['x'] }, null],
    ['openai/chat', { messages: HELLO, plugins: [{ id: 'web' }] }, 'server_tools'],
    ['openai/chat', { messages: HELLO, search_parameters: { mode: 'on' } }, 'server_tools'],
    [
      'openai/chat',
      { messages: [{ content: [{ video_url: { url: 'data:video/mp4;base64,A' } }] }] },
      'file_by_reference',
    ],
    ['anthropic/messages', { max_tokens: 5, messages: HELLO, container: 'c' }, 'server_tools'],
    ['openai/responses', { input: 'x', tools: [{ type: 'web_search' }] }, 'server_tools'],
    ['openai/chat', { messages: HELLO, tools: [{ type: 'function', function: { name: 'f' } }] }, null],
    [
      'anthropic/messages',
      { max_tokens: 5, messages: [{ content: [{ type: 'image', source: { type: 'url', url: 'x' } }] }] },
      'image_by_url',
    ],
    [
      'anthropic/messages',
      { max_tokens: 5, messages: [{ content: [{ type: 'image', source: { type: 'base64', data: 'x' } }] }] },
      null,
    ],
  ] as const)('%s %j: %s', (operation, body, unbounded) => {
    expect(facts(operation, { model: 'm', ...body }).unbounded).toBe(unbounded);
  });

  const said = (...content: unknown[]) => ({ max_tokens: 5, messages: [{ role: 'user', content }] });
  const text = { type: 'text', text: 'a' };
  const REASONED = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'a' }] };

  it.each([
    ['openai/responses', { input: [{ id: 'msg_1' }] }, 'earlier_answer'],
    ['openai/responses', { input: [{ id: 'msg_1', type: null }] }, 'earlier_answer'],
    ['openai/responses', { input: [{ id: 'msg_1', type: 'message' }] }, 'earlier_answer'],
    ['openai/responses', { input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }, 'earlier_answer'],
    ['openai/responses', { input: [{ type: 'reasoning', id: 'rs_1', encrypted_content: 'x' }] }, null],
    ['openai/responses', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'a' }] }] }, null],
    ['openai/responses', { input: [{ type: 'function_call_output', call_id: 'c', output: 'a' }] }, null],
    ['openai/responses', { input: [{ type: 'computer_call', id: 'c' }] }, 'unknown_part'],
    ['openai/responses', { input: [{ type: 'shell_call_output', output: [{ stdout: 'a' }] }] }, null],
    ['openai/responses', { input: [REASONED], store: false }, null],
    ['openai/responses', { input: [{ ...REASONED, summary: [] }], store: false }, 'earlier_answer'],
    ['openai/responses', { input: [REASONED] }, 'earlier_answer'],
    ['openai/responses', { input: { type: 'video', video: 'https://a/b.mp4' } }, 'unknown_part'],
    [
      'openai/responses',
      { input: [{ type: 'function_call_output', output: { type: 'x' } }] },
      'unknown_part',
    ],
    ['openai/embeddings', { input: { image: 'https://a/b.png' } }, 'unknown_part'],
    ['openai/chat', { messages: { content: 'a' } }, 'unknown_part'],
    ['openai/chat', { messages: [{ content: text }] }, 'unknown_part'],
    ['anthropic/messages', { ...said(text), system: text }, 'unknown_part'],
    ['openai/chat', { messages: HELLO, tools: { type: 'web_search' } }, 'server_tools'],
    ...['bash_20250124', 'text_editor_20250728', 'memory_20250818', 'computer_20251124'].map(
      (type) =>
        ['anthropic/messages', { ...said(text), tools: [{ type, name: 'a' }] }, 'described_tools'] as const,
    ),
    [
      'anthropic/messages',
      { ...said(text), tools: [{ type: 'bash_20250124' }, { type: 'web_search_20250305' }] },
      'server_tools',
    ],
    ['openai/chat', { messages: HELLO, plugins: [], mcp_servers: [] }, null],
    ['openai/chat', { messages: HELLO, search_parameters: { mode: 'off' } }, null],
    ['openai/chat', { messages: HELLO, search_parameters: {} }, 'server_tools'],
    ['openai/chat', { messages: HELLO, metadata: { file_id: 'a', image_url: 'https://a/b' } }, null],
    ['openai/chat', { messages: [{ content: 'a', metadata: { file_id: 'a' } }] }, 'file_by_reference'],
    [
      'anthropic/messages',
      said({ type: 'tool_use', input: { file_id: 'a', source: { type: 'url' } } }),
      null,
    ],
    ['anthropic/messages', said({ type: 'text', input: { file_id: 'a' } }), 'file_by_reference'],
    ['anthropic/messages', said({ type: 'tool_result', content: [{ type: 'tool_reference' }] }), null],
    [
      'openai/responses',
      { type: 'tool_use', input: [{ type: 'input_file', file_id: 'a' }] },
      'file_by_reference',
    ],
    ['openai/responses', { input: [{}] }, 'unknown_part'],
    ['openai/embeddings', { input: ['a', [1, 2], { text: 'a' }] }, null],
    ['openai/embeddings', { input: [{ image: 'https://a/b.png' }] }, 'unknown_part'],
    ['openai/chat', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }, 'earlier_answer'],
    ['openai/chat', said({ type: 'input_audio', input_audio: { data: 'A', format: 'wav' } }), 'sound_inside'],
    ['openai/chat', said(text, { type: 'image', image: 'https://a/b.png' }), 'unknown_part'],
    ['openai/chat', said({ type: 'image_url', image_url: { address: 'https://a/b.png' } }), 'unknown_part'],
    ['openai/chat', said({ image: 'https://a/b.png' }), 'unknown_part'],
    ['openai/chat', said({ type: 'next_year' }), 'unknown_part'],
    ['openai/chat', said('a', text), null],
    ['openai/chat', { messages: HELLO, chat_template: '{{ x }}' }, 'template'],
    ['openai/chat', { messages: HELLO, documents: [{ text: 'a' }] }, 'template'],
    ['openai/rerank', { query: 'a', documents: ['b'] }, null],
    ['openai/chat', { messages: HELLO, web_search_options: null, chat_template: null }, null],
    ['openai/chat', { messages: HELLO, extra_body: { google: { cached_content: 'c' } } }, 'stored_prompt'],
    ['openai/chat', { messages: HELLO, tools: [{ google_search: {} }] }, 'server_tools'],
    [
      'anthropic/messages',
      { max_tokens: 5, messages: HELLO, tools: [{ name: 'f', input_schema: {} }] },
      null,
    ],
    ['anthropic/messages', said({ type: 'tool_result', tool_use_id: 't', content: [text] }), null],
    ['anthropic/messages', said({ type: 'tool_result', content: [{ type: 'x' }] }), 'unknown_part'],
    ['anthropic/messages', said({ type: 'tool_use', id: 't', name: 'f', input: { content: [{}] } }), null],
    ['anthropic/messages', said({ type: 'container_upload', file: 'f' }), 'unknown_part'],
    ['anthropic/messages', { ...said(text), system: [text, { type: 'x' }] }, 'unknown_part'],
    ['anthropic/messages', said({ type: 'document', source: { type: 'text', data: 'a' } }), null],
    [
      'anthropic/messages',
      said({ type: 'document', source: { type: 'content', content: [{ type: 'film' }] } }),
      'unknown_part',
    ],
  ] as const)('%s with parts that bytes bound, or not: %j: %s', (operation, body, unbounded) => {
    expect(facts(operation, { model: 'm', ...body }).unbounded).toBe(unbounded);
  });

  it.each([
    [{ service_tier: 'priority' }, 'service_tier'],
    [{ service_tier: 'next_year' }, 'service_tier'],
    [{ service_tier: 'auto' }, null],
    [{ service_tier: 'flex', speed: 'standard', inference_geo: 'global' }, null],
    [{ service_tier: null, speed: 1.25 }, null],
    [{ speed: 'fast' }, 'speed'],
    [{ inference_geo: 'us' }, 'place'],
    [{ modalities: ['text', 'audio'] }, 'media'],
    [{ modalities: ['text'], audio: null }, null],
    [{ audio: { voice: 'alloy' } }, 'media'],
    [{ prediction: { type: 'content', content: 'a' } }, 'prediction'],
  ])('%j may cost more than tokens do: %s', (more, dearer) => {
    expect(facts('openai/chat', { model: 'm', messages: HELLO, ...more }).dearer).toBe(dearer);
  });

  it('count what the bytes of a prompt do not bound', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } };
    const block = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'x' } };
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'x' } };
    const content = (...parts: object[]) => ({ model: 'm', max_tokens: 1, messages: [{ content: parts }] });
    expect(facts('openai/chat', content(image, image)).images).toBe(2);
    expect(facts('anthropic/messages', content(block))).toMatchObject({ images: 1, unbounded: null });
    const loud = { ...block, source: { ...block.source, media_type: 'Image/PNG' } };
    expect(facts('anthropic/messages', content(loud))).toMatchObject({ images: 1, unbounded: null });
    expect(facts('anthropic/messages', content(pdf)).unbounded).toBe('file_inside');
    for (const media_type of ['Application/PDF', 'application/pdf; a=b', 'video/mp4'])
      expect(
        facts('anthropic/messages', content({ ...pdf, source: { ...pdf.source, media_type } })).unbounded,
      ).toBe('file_inside');
    const film = { type: 'image_url', image_url: { url: 'data:video/mp4;base64,AA' } };
    expect(facts('openai/chat', content(film)).unbounded).not.toBeNull();
    const shouted = { type: 'image_url', image_url: { url: 'data:Image/PNG;base64,AA' } };
    expect(facts('openai/chat', content(shouted))).toMatchObject({ images: 1, unbounded: null });
    expect(
      facts('openai/responses', { model: 'm', input: [{ content: [{ file_data: 'data:x' }] }] }).unbounded,
    ).toBe('file_inside');
    const cached = {
      ...content({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }),
      tools: [{}],
    };
    expect(facts('anthropic/messages', cached)).toMatchObject({ writesCache: true, hasTools: true });
    expect(facts('openai/chat', { ...content(), web_search_options: {} }).unbounded).toBe('server_tools');
  });

  it.each([
    [{ model: 5 }, 'model'],
    [{ model: 'm', stream: 'yes' }, 'stream'],
    [{ model: 'm', max_tokens: -1 }, 'max_tokens'],
    [{ model: 'm', max_tokens: 1.5 }, 'max_tokens'],
    [{ model: 'm', n: 0 }, 'n'],
    [{ model: 'm', best_of: '5' }, 'best_of'],
    [{ model: 'm', best_of: 0 }, 'best_of'],
    [[], ''],
  ])('%j is refused for %j', (body, member) => {
    expect(read('openai/chat', body)).toMatchObject({ member });
  });
});

describe('searches', () => {
  const ranked = (query: string, documents: readonly string[]): number =>
    facts('openai/rerank', { model: 'm', query, documents }).choices;

  it('are for a hundred documents each, and long documents count for each part that fits beside the query', () => {
    expect(ranked('key', ['door'])).toBe(1);
    expect(
      ranked(
        'key',
        Array.from({ length: 150 }, () => 'a'),
      ),
    ).toBe(2);
    // some 60,000 bytes in parts of 495
    expect(ranked('key', ['x'.repeat(60_000)])).toBe(2);
    expect(ranked('key '.repeat(200), ['x'.repeat(1_000)])).toBe(19);
  });
});
