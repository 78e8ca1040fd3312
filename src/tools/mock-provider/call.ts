/** A call of the mock provider, whatever dialect it came in. */
import { OUTPUT_CAP_MEMBERS } from '../../model/facts.ts';
import { instanceOf } from './schema-instance.ts';
import { hashOf, promptTokensOf, wordsOf } from './words.ts';

export interface MockCall {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly inputTokens: number;
  /** The most that the caller allows. */
  readonly outputMax: number;
  readonly choices: number;
  /** Of each choice. */
  readonly words: readonly string[];
  /** The first tool of the call, when it asks for one to be used. */
  readonly tool: { readonly name: string; readonly input: string } | null;
  /** The text is JSON because the caller asked for that. */
  readonly json: boolean;
  /** What that JSON has to be like; null: anything. */
  readonly schema: JsonObject | null;
  /** Texts that are each to be made a vector. */
  readonly inputs: readonly string[];
  /** Vectors are asked for as bytes in base64. */
  readonly base64: boolean;
  /** Of a form, in order. */
  readonly files: readonly MockFile[];
  /** As the call names it: of sound, of a transcription. */
  readonly format: string | null;
  /** To be ranked. */
  readonly documents: number;
}

export interface MockFile {
  readonly field: string;
  readonly name: string;
  readonly bytes: number;
  /** FNV-1a of its content, so that a test sees that it came as it was. */
  readonly hash: number;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Where a caller sets no bound. */
const OUTPUT_TOKENS_DEFAULT = 64;
/** As OpenAI's API reference says of `n`. */
const CHOICES_MAX = 128;

export function readMockCall(body: JsonObject, seed: number): MockCall {
  const prompt = JSON.stringify(body.messages ?? body.input ?? body.prompt ?? body.query ?? '');
  const caps = OUTPUT_CAP_MEMBERS.map((name) => body[name]).filter(
    (cap): cap is number => typeof cap === 'number',
  );
  const outputMax = caps.length === 0 ? OUTPUT_TOKENS_DEFAULT : Math.min(...caps);
  const hash = hashOf(prompt, seed);
  // Most answers end before the bound, as those of models do.
  const length = Math.max(1, Math.min(outputMax, 1 + (hash % OUTPUT_TOKENS_DEFAULT)));
  const options = body.stream_options as JsonObject | undefined;
  return {
    model: String(body.model ?? ''),
    stream: body.stream === true,
    includeUsage: options?.include_usage === true,
    inputTokens: promptTokensOf(prompt),
    outputMax,
    choices: typeof body.n === 'number' ? Math.max(1, Math.min(CHOICES_MAX, Math.floor(body.n))) : 1,
    words: wordsOf(length, hash),
    tool: toolOf(body),
    json: formatOf(body) !== null,
    schema: schemaIn(formatOf(body)),
    inputs: inputsOf(body.input),
    base64: body.encoding_format === 'base64',
    files: Array.isArray(body.files) ? (body.files as readonly MockFile[]) : [],
    format: typeof body.response_format === 'string' ? body.response_format : null,
    documents: Array.isArray(body.documents) ? body.documents.length : 0,
  };
}

/** A body of JSON, or a form as if it were: numbers and flags are written as texts there. Null where it is neither. */
export async function bodyOfCall(bytes: Buffer, contentType: string | undefined): Promise<JsonObject | null> {
  if (contentType?.startsWith('multipart/form-data') !== true) return parsedObject(bytes.toString('utf8'));
  const files: MockFile[] = [];
  const members: Record<string, unknown> = { files };
  try {
    const form = await new Response(bytes, { headers: { 'content-type': contentType } }).formData();
    for (const [field, value] of form) {
      if (typeof value === 'string')
        members[field] = /^(?:\d+|true|false)$/.test(value) ? JSON.parse(value) : value;
      else {
        const content = Buffer.from(await value.arrayBuffer());
        files.push({
          field,
          name: value.name,
          bytes: content.length,
          hash: hashOf(content.toString('latin1'), 0),
        });
      }
    }
    return members;
  } catch {
    // Told to the caller as what it is.
    return null;
  }
}

export function parsedObject(text: string): JsonObject | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : null;
  } catch {
    // Told to the caller as what it is.
    return null;
  }
}

function toolOf(body: JsonObject): MockCall['tool'] {
  const [tool] = Array.isArray(body.tools) ? (body.tools as readonly JsonObject[]) : [];
  if (tool === undefined || body.tool_choice === 'none' || endsWithResult(body)) return null;
  const described = (tool.function ?? tool) as JsonObject;
  return { name: String(described.name), input: '{"place":"Berlin"}' };
}

/** A tool has answered: now it is the model's turn to speak. */
function endsWithResult(body: JsonObject): boolean {
  const said = body.messages ?? body.input;
  const last = Array.isArray(said) ? (said.at(-1) as JsonObject | undefined) : undefined;
  if (last?.role === 'tool' || last?.type === 'function_call_output') return true;
  const parts = Array.isArray(last?.content) ? (last.content as readonly JsonObject[]) : [];
  return parts.some(({ type }) => type === 'tool_result');
}

/** Null: any text will do. */
function formatOf(body: JsonObject): JsonObject | null {
  const text = body.text as JsonObject | undefined;
  const config = body.output_config as JsonObject | undefined;
  const format = (body.response_format ?? text?.format ?? config?.format) as JsonObject | undefined;
  return format?.type === 'json_object' || format?.type === 'json_schema' ? format : null;
}

/** In chats it has a member of its own. */
function schemaIn(format: JsonObject | null): JsonObject | null {
  const named = format?.json_schema as JsonObject | undefined;
  return ((named ?? format)?.schema ?? null) as JsonObject | null;
}

/** One text, a list of texts, or tokens of one or of several. */
function inputsOf(input: unknown): readonly string[] {
  const isList = Array.isArray(input) && typeof input[0] !== 'number';
  return isList ? input.map((each) => JSON.stringify(each)) : [JSON.stringify(input ?? '')];
}

/** What a choice says. */
export function textOf(call: MockCall): string {
  const text = call.words.join('');
  if (call.schema !== null) return JSON.stringify(instanceOf(call.schema, text));
  return call.json ? JSON.stringify({ answer: text }) : text;
}
