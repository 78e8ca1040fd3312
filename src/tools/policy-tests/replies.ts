/** What models answer in tests, in the words of each dialect, and what callers read of it once rules have changed it. */
import type { CheckedReply } from '../../language/typed-tests.ts';
import type { CallOperation } from '../../model/route-calls.ts';
import type { BodyTransform } from '../../pipeline/body-transform.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import type { RoutePipeline } from '../../pipeline/program.ts';
import type { ResponseHead } from '../../pipeline/upstream.ts';

export type ShapedReply =
  | { readonly kind: 'text'; readonly text: string }
  /** Why nothing of it is passed on. */
  | { readonly kind: 'fault'; readonly code: string; readonly detail: string };

/** The answer as the caller gets it. Null: operations of this kind answer nothing in words, or the test says nothing of them. */
export function shapedReply(
  { pieces, kind }: CheckedReply,
  operation: CallOperation,
  context: RequestContext,
  { responseTransform }: RoutePipeline,
): ShapedReply | null {
  const form = FORMS[operation];
  if (form === undefined || pieces.length === 0) return null;
  const isStream = kind === 'chunks';
  const head = isStream ? STREAMED : WHOLE;
  const sent = isStream ? eventsOf(form, pieces) : [JSON.stringify(form.whole(pieces.join('')))];
  const change = responseTransform === null ? null : responseTransform(context, head);
  const passed = change === null ? sent.join('') : changed(change, sent);
  if (typeof passed !== 'string') return passed;
  return { kind: 'text', text: isStream ? streamedText(form, passed) : form.text(JSON.parse(passed)) };
}

/** Each piece in a turn of its own, as it may come from a provider. */
function changed(change: BodyTransform, sent: readonly string[]): string | ShapedReply {
  const bytes = change.takesWhole ? [ENCODER.encode(sent.join(''))] : sent.map((one) => ENCODER.encode(one));
  let text = '';
  for (const [at, chunk] of bytes.entries()) {
    const passed = change.push(chunk, at === bytes.length - 1);
    if (!(passed instanceof Uint8Array)) return { kind: 'fault', code: passed.code, detail: passed.detail };
    text += DECODER.decode(passed);
  }
  return text;
}

function eventsOf({ events }: Form, pieces: readonly string[]): string[] {
  return events(pieces).map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
}

function streamedText({ delta }: Form, stream: string): string {
  const data = stream.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice(6)] : []));
  return data.map((event) => delta(JSON.parse(event))).join('');
}

/** Of one operation: a whole answer and the events of a stream, and the texts in them. */
interface Form {
  readonly whole: (text: string) => Json;
  readonly events: (pieces: readonly string[]) => readonly (Json | '[DONE]')[];
  readonly text: (answer: Json) => string;
  /** '' for an event that brings none. */
  readonly delta: (event: Json) => string;
}
// biome-ignore lint/suspicious/noExplicitAny: what was just written here is read again
type Json = any;

/** platform.openai.com/docs and docs.anthropic.com, 2026-11; the members that masks and callers look at. */
const FORMS: Partial<Record<CallOperation, Form>> = {
  'openai/chat': {
    whole: (content) => ({ choices: [{ index: 0, message: { role: 'assistant', content } }] }),
    events: (pieces) => [
      ...pieces.map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      '[DONE]',
    ],
    text: ({ choices }) => choices[0].message.content,
    delta: ({ choices }) => choices[0]?.delta?.content ?? '',
  },
  'openai/completions': {
    whole: (text) => ({ choices: [{ index: 0, text }] }),
    events: (pieces) => [
      ...pieces.map((text) => ({ choices: [{ index: 0, text }] })),
      { choices: [{ index: 0, text: '', finish_reason: 'stop' }] },
      '[DONE]',
    ],
    text: ({ choices }) => choices[0].text,
    delta: ({ choices }) => choices[0]?.text ?? '',
  },
  'openai/responses': {
    whole: (text) => ({
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
    }),
    events: (pieces) => [
      ...pieces.map((delta) => ({
        ...{ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0 },
        delta,
      })),
      { type: 'response.completed', response: { status: 'completed', output: [] } },
    ],
    text: ({ output }) => output[0].content[0].text,
    delta: ({ type, delta }) => (type === 'response.output_text.delta' ? delta : ''),
  },
  'anthropic/messages': {
    whole: (text) => ({ type: 'message', role: 'assistant', content: [{ type: 'text', text }] }),
    events: (pieces) => [
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...pieces.map((text) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text },
      })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_stop' },
    ],
    text: ({ content }) => content[0].text,
    delta: ({ type, delta }) => (type === 'content_block_delta' ? (delta.text ?? '') : ''),
  },
};

const HEAD = { status: 200, bodyBytes: -1, hasBody: true, untilClose: false, endpoint: 0, attempts: 1 };
const STREAMED: ResponseHead = { ...HEAD, fields: ['content-type', 'text/event-stream'] };
const WHOLE: ResponseHead = { ...HEAD, fields: ['content-type', 'application/json'] };
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
