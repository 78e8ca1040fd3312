/** Pictures, sound and rankings of the mock provider, in OpenAI's words and those of its kin. */
import { type JsonObject, type MockCall, type MockFile, textOf } from './call.ts';
import type { MockAnswer } from './dialect.ts';

const CREATED_S = 1_767_225_600;

/** Null: there is nothing at that path. */
export function mediaAnswer(path: string, call: MockCall): MockAnswer | null {
  switch (path) {
    case '/images/generations':
    case '/images/edits':
    case '/images/variations':
      return { kind: 'json', body: pictures(call) };
    case '/audio/speech':
      return { kind: 'bytes', contentType: 'audio/mpeg', bytes: soundOf(call) };
    case '/audio/transcriptions':
      return call.stream ? transcriptStream(call) : transcript(call, tokens(call));
    case '/audio/translations':
      return transcript(call, { type: 'duration', seconds: 3 });
    case '/rerank':
      return { kind: 'json', body: ranking(call) };
    default:
      return null;
  }
}

/** Each is a text about what was asked: no one looks at it. */
function pictures(call: MockCall): JsonObject {
  const about = [textOf(call), ...call.files.map(fileInWords)].join(' ');
  const picture = { b64_json: Buffer.from(about).toString('base64') };
  return {
    created: CREATED_S,
    data: Array.from({ length: call.choices }, () => picture),
    usage: { ...tokens(call), output_tokens: call.words.length * call.choices },
  };
}

function tokens({ inputTokens, words }: MockCall): JsonObject {
  return {
    type: 'tokens',
    input_tokens: inputTokens,
    output_tokens: words.length,
    total_tokens: inputTokens + words.length,
  };
}

/** All bytes that there are, so that whoever takes it for text breaks it. */
function soundOf({ words }: MockCall): Uint8Array {
  return Uint8Array.from({ length: 256 * words.length }, (_, at) => at & 0xff);
}

/** Says what came, so that a caller sees that it came as it was. */
function fileInWords({ field, name, bytes, hash }: MockFile): string {
  return `${field} ${name}: ${bytes} bytes, ${hash}.`;
}

function transcript(call: MockCall, usage: JsonObject): MockAnswer {
  const text = [textOf(call), ...call.files.map(fileInWords)].join(' ');
  if (call.format === 'text')
    return { kind: 'bytes', contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(`${text}\n`) };
  return { kind: 'json', body: { text, usage } };
}

function transcriptStream(call: MockCall): MockAnswer {
  const event = (data: JsonObject): string => `data: ${JSON.stringify(data)}\n\n`;
  const deltas = call.words.map((delta) => event({ type: 'transcript.text.delta', delta }));
  const done = event({ type: 'transcript.text.done', text: textOf(call), usage: tokens(call) });
  return { kind: 'events', events: [...deltas, done] };
}

/** Models that are named as Cohere's tell searches, as Cohere does, and all others tokens. */
function ranking({ model, documents, inputTokens }: MockCall): JsonObject {
  const results = Array.from({ length: documents }, (_, index) => ({
    index,
    relevance_score: 1 / (index + 1),
  }));
  const searches = Math.max(1, Math.ceil(documents / 100));
  return model.startsWith('rerank-')
    ? { id: 'ranking', results, meta: { billed_units: { search_units: searches } } }
    : { model, results, usage: { total_tokens: inputTokens } };
}
