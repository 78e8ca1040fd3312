/** A call of the mock provider, whatever dialect it came in. */
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
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Where a caller sets no bound. */
const OUTPUT_TOKENS_DEFAULT = 64;
/** As OpenAI's API reference says of `n`. */
const CHOICES_MAX = 128;

export function readMockCall(body: JsonObject, seed: number): MockCall {
  const prompt = JSON.stringify(body.messages ?? body.input ?? body.prompt ?? '');
  const caps = ['max_completion_tokens', 'max_tokens', 'max_output_tokens']
    .map((name) => body[name])
    .filter((cap): cap is number => typeof cap === 'number');
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
    json: asksForJson(body),
  };
}

function toolOf(body: JsonObject): MockCall['tool'] {
  const [tool] = Array.isArray(body.tools) ? (body.tools as readonly JsonObject[]) : [];
  if (tool === undefined || body.tool_choice === 'none') return null;
  const described = (tool.function ?? tool) as JsonObject;
  return { name: String(described.name), input: '{"place":"Berlin"}' };
}

function asksForJson(body: JsonObject): boolean {
  const format = (body.response_format ?? (body.text as JsonObject | undefined)?.format) as
    | JsonObject
    | undefined;
  return format?.type === 'json_object' || format?.type === 'json_schema';
}

/** What a choice says. */
export function textOf(call: MockCall): string {
  const text = call.words.join('');
  return call.json ? JSON.stringify({ answer: text }) : text;
}
