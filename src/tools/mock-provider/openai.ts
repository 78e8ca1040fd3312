/** The mock provider in OpenAI's words: answers, events, errors and limit fields (platform.openai.com/docs, 2026-11). */
import { type LimitName, type LimitState, limitKind } from './accounts.ts';
import { type JsonObject, type MockCall, textOf } from './call.ts';
import type { Dialect, MockAnswer, MockError } from './dialect.ts';
import { mediaAnswer } from './openai-media.ts';
import { hashOf } from './words.ts';

const CREATED_S = 1_767_225_600;

export const openai: Dialect = {
  keyOf: (headers) => headers.authorization?.replace(/^Bearer /, '') ?? '',
  settles: false,
  limitFields,
  errorBody,
  answer(path, call, id) {
    switch (path) {
      case '/chat/completions':
        return call.stream ? chatStream(call, id) : { kind: 'json', body: chat(call, id) };
      case '/responses':
        return call.stream
          ? responsesStream(call, id)
          : { kind: 'json', body: response(call, id, 'completed') };
      case '/completions':
        return call.stream ? completionStream(call, id) : { kind: 'json', body: completion(call, id) };
      case '/embeddings':
        return { kind: 'json', body: embedding(call) };
      case '/moderations':
        return { kind: 'json', body: { id, model: call.model, results: [{ flagged: false }] } };
      default:
        return mediaAnswer(path, call);
    }
  },
};

function usageOf({ inputTokens, words, choices }: MockCall): JsonObject {
  const output = words.length * choices;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: output,
    total_tokens: inputTokens + output,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

function chat(call: MockCall, id: string): JsonObject {
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: CREATED_S,
    model: call.model,
    choices: Array.from({ length: call.choices }, (_, index) => ({
      index,
      message: message(call, id),
      logprobs: null,
      finish_reason: finishOf(call),
    })),
    usage: usageOf(call),
  };
}

function message(call: MockCall, id: string): JsonObject {
  const { tool } = call;
  if (tool === null) return { role: 'assistant', content: textOf(call), refusal: null };
  const called = { id: `call_${id}`, type: 'function', function: { name: tool.name, arguments: tool.input } };
  return { role: 'assistant', content: null, refusal: null, tool_calls: [called] };
}

function finishOf({ tool, words, outputMax }: MockCall): string {
  if (tool !== null) return 'tool_calls';
  return words.length === outputMax ? 'length' : 'stop';
}

function chatStream(call: MockCall, id: string): MockAnswer {
  const chunk = (delta: JsonObject, finish: string | null): string =>
    JSON.stringify({
      id: `chatcmpl-${id}`,
      object: 'chat.completion.chunk',
      created: CREATED_S,
      model: call.model,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(call.includeUsage ? { usage: null } : {}),
    });
  const { tool } = call;
  const pieces =
    tool === null
      ? (call.json ? [textOf(call)] : call.words).map((content) => chunk({ content }, null))
      : [
          chunk(
            {
              tool_calls: [
                {
                  index: 0,
                  id: `call_${id}`,
                  type: 'function',
                  function: { name: tool.name, arguments: tool.input },
                },
              ],
            },
            null,
          ),
        ];
  const events = [chunk({ role: 'assistant', content: '' }, null), ...pieces, chunk({}, finishOf(call))];
  if (call.includeUsage) {
    const last = {
      id: `chatcmpl-${id}`,
      object: 'chat.completion.chunk',
      created: CREATED_S,
      model: call.model,
    };
    events.push(JSON.stringify({ ...last, choices: [], usage: usageOf(call) }));
  }
  return { kind: 'events', events: [...events.map(dataOf), dataOf('[DONE]')] };
}

function dataOf(data: string): string {
  return `data: ${data}\n\n`;
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

/** What a response puts out: as it begins, and whole. */
function outputItem(call: MockCall, id: string, status: 'in_progress' | 'completed'): JsonObject {
  const { tool } = call;
  const isDone = status === 'completed';
  if (tool === null)
    return {
      ...{ id: `msg_${id}`, type: 'message', status, role: 'assistant' },
      content: isDone ? [textPart(textOf(call))] : [],
    };
  return {
    ...{ id: `fc_${id}`, type: 'function_call', call_id: `call_${id}`, name: tool.name, status },
    arguments: isDone ? tool.input : '',
  };
}

function response(call: MockCall, id: string, status: 'in_progress' | 'completed'): JsonObject {
  const usage = {
    input_tokens: call.inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: call.words.length,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: call.inputTokens + call.words.length,
  };
  const isDone = status === 'completed';
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: CREATED_S,
    status,
    model: call.model,
    error: null,
    incomplete_details: null,
    output: isDone ? [outputItem(call, id, status)] : [],
    usage: isDone ? usage : null,
  };
}

function responsesStream(call: MockCall, id: string): MockAnswer {
  let number = 0;
  const event = (type: string, more: JsonObject): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...more })}\n\n`;
  const begun = response(call, id, 'in_progress');
  return {
    kind: 'events',
    events: [
      event('response.created', { response: begun }),
      event('response.in_progress', { response: begun }),
      event('response.output_item.added', { output_index: 0, item: outputItem(call, id, 'in_progress') }),
      ...(call.tool === null ? textEvents(call, id, event) : argumentEvents(call.tool, id, event)),
      event('response.output_item.done', { output_index: 0, item: outputItem(call, id, 'completed') }),
      event('response.completed', { response: response(call, id, 'completed') }),
    ],
  };
}

type EventOf = (type: string, more: JsonObject) => string;

function textEvents(call: MockCall, id: string, event: EventOf): readonly string[] {
  const place = { item_id: `msg_${id}`, output_index: 0, content_index: 0 };
  const text = textOf(call);
  const deltas = call.json ? [text] : call.words;
  return [
    event('response.content_part.added', { ...place, part: textPart('') }),
    ...deltas.map((delta) => event('response.output_text.delta', { ...place, delta, logprobs: [] })),
    event('response.output_text.done', { ...place, text, logprobs: [] }),
    event('response.content_part.done', { ...place, part: textPart(text) }),
  ];
}

function argumentEvents(
  { name, input }: NonNullable<MockCall['tool']>,
  id: string,
  event: EventOf,
): readonly string[] {
  const place = { item_id: `fc_${id}`, output_index: 0 };
  return [
    event('response.function_call_arguments.delta', { ...place, delta: input }),
    event('response.function_call_arguments.done', { ...place, name, arguments: input }),
  ];
}

function completion(call: MockCall, id: string): JsonObject {
  const choices = Array.from({ length: call.choices }, (_, index) => ({
    text: textOf(call),
    index,
    logprobs: null,
    finish_reason: finishOf(call),
  }));
  return {
    id: `cmpl-${id}`,
    object: 'text_completion',
    created: CREATED_S,
    model: call.model,
    choices,
    usage: usageOf(call),
  };
}

function completionStream(call: MockCall, id: string): MockAnswer {
  const frame = { id: `cmpl-${id}`, object: 'text_completion', created: CREATED_S, model: call.model };
  const event = (text: string, finish: string | null): string =>
    dataOf(
      JSON.stringify({
        ...frame,
        choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
        ...(call.includeUsage ? { usage: null } : {}),
      }),
    );
  const told = call.includeUsage
    ? [dataOf(JSON.stringify({ ...frame, choices: [], usage: usageOf(call) }))]
    : [];
  const texts = call.words.map((word) => event(word, null));
  return { kind: 'events', events: [...texts, event('', finishOf(call)), ...told, dataOf('[DONE]')] };
}

function embedding({ model, inputTokens, inputs, base64 }: MockCall): JsonObject {
  const data = inputs.map((input, index) => {
    const numbers = Float32Array.from(
      { length: 8 },
      (_, place) => (hashOf(`${model} ${place} ${input}`, 0) % 1_024) / 1_024,
    );
    const embedding = base64 ? Buffer.from(numbers.buffer).toString('base64') : [...numbers];
    return { object: 'embedding', index, embedding };
  });
  return {
    object: 'list',
    data,
    model,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  };
}

const FIELD_UNITS: Readonly<Partial<Record<LimitName, string>>> = { rpm: 'requests', tpm: 'tokens' };

function limitFields(states: readonly LimitState[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const { name, amount, remaining, resetMs } of states) {
    const unit = FIELD_UNITS[name];
    if (unit === undefined) continue;
    fields[`x-ratelimit-limit-${unit}`] = String(amount);
    fields[`x-ratelimit-remaining-${unit}`] = String(remaining);
    fields[`x-ratelimit-reset-${unit}`] = durationText(resetMs);
  }
  return fields;
}

/** `12ms`, `1.574s`, `6m0s`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms) / 1_000;
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${Math.round((seconds % 60) * 1_000) / 1_000}s`;
}

const PERIODS = { second: 'sec', minute: 'min', day: 'day' } as const;

function errorBody(error: MockError): { readonly status: number; readonly body: JsonObject } {
  const of = (status: number, message: string, type: string, code: string | null) => ({
    status,
    body: { error: { message, type, param: null, code } },
  });
  switch (error.kind) {
    case 'limit': {
      const { counts, per } = limitKind(error.limit);
      const unit = counts === 'calls' ? 'requests' : 'tokens';
      const where = `in organization ${error.account} on ${unit} per ${PERIODS[per]} (${error.limit.toUpperCase()}): Limit ${error.amount}`;
      const sentence = Number.isFinite(error.waitMs)
        ? `Rate limit reached for ${error.model} ${where}. Please try again in ${durationText(error.waitMs)}.`
        : `Request too large for ${error.model} ${where}. The input or output tokens must be reduced in order to run successfully.`;
      return of(429, sentence, unit, 'rate_limit_exceeded');
    }
    case 'credit':
      return of(
        429,
        'You exceeded your current quota, please check your plan and billing details.',
        'insufficient_quota',
        'insufficient_quota',
      );
    case 'key':
      return of(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key');
    case 'model':
      return of(
        404,
        `The model '${error.model}' does not exist or you do not have access to it.`,
        'invalid_request_error',
        'model_not_found',
      );
    case 'path':
      return of(404, 'Unknown request URL.', 'invalid_request_error', 'unknown_url');
    case 'body':
      return of(400, error.why, 'invalid_request_error', null);
    case 'fault':
      return of(error.status, 'The server had an error while processing your request.', 'server_error', null);
  }
}
