/** The mock provider in Anthropic's words (docs.anthropic.com, 2026-11). */
import type { LimitName, LimitState } from './accounts.ts';
import { type JsonObject, type MockCall, textOf } from './call.ts';
import type { Dialect, MockAnswer, MockError } from './dialect.ts';

export const anthropic: Dialect = {
  /** SDKs before 1.0 send the one, since then the other. */
  keyOf: (headers) => String(headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '') ?? ''),
  settles: true,
  limitFields,
  errorBody,
  answer(path, call, id) {
    if (path === '/messages/count_tokens') return { kind: 'json', body: { input_tokens: call.inputTokens } };
    if (path !== '/messages') return null;
    return call.stream ? messageStream(call, id) : { kind: 'json', body: message(call, id) };
  },
};

function usage(inputTokens: number, outputTokens: number): JsonObject {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  };
}

function stopOf({ tool, words, outputMax }: MockCall): string {
  if (tool !== null) return 'tool_use';
  return words.length === outputMax ? 'max_tokens' : 'end_turn';
}

function message(call: MockCall, id: string): JsonObject {
  const { tool } = call;
  const block =
    tool === null
      ? { type: 'text', text: textOf(call) }
      : { type: 'tool_use', id: `toolu_${id}`, name: tool.name, input: JSON.parse(tool.input) };
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: call.model,
    content: [block],
    stop_reason: stopOf(call),
    stop_sequence: null,
    usage: usage(call.inputTokens, call.words.length),
  };
}

function messageStream(call: MockCall, id: string): MockAnswer {
  const event = (type: string, more: JsonObject): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const { tool } = call;
  const begun = { ...message(call, id), content: [], stop_reason: null, usage: usage(call.inputTokens, 1) };
  const block =
    tool === null
      ? { type: 'text', text: '' }
      : { type: 'tool_use', id: `toolu_${id}`, name: tool.name, input: {} };
  const deltas =
    tool === null
      ? (call.json ? [textOf(call)] : call.words).map((text) => ({ type: 'text_delta', text }))
      : [{ type: 'input_json_delta', partial_json: tool.input }];
  return {
    kind: 'events',
    events: [
      event('message_start', { message: begun }),
      event('content_block_start', { index: 0, content_block: block }),
      event('ping', {}),
      ...deltas.map((delta) => event('content_block_delta', { index: 0, delta })),
      event('content_block_stop', { index: 0 }),
      event('message_delta', {
        delta: { stop_reason: stopOf(call), stop_sequence: null },
        usage: { output_tokens: call.words.length },
      }),
      event('message_stop', {}),
    ],
  };
}

const FIELD_UNITS: Readonly<Partial<Record<LimitName, string>>> = {
  rpm: 'requests',
  itpm: 'input-tokens',
  otpm: 'output-tokens',
  tpm: 'tokens',
};

function limitFields(states: readonly LimitState[], wallMs: number): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const { name, amount, remaining, resetMs } of states) {
    const unit = FIELD_UNITS[name];
    if (unit === undefined) continue;
    fields[`anthropic-ratelimit-${unit}-limit`] = String(amount);
    fields[`anthropic-ratelimit-${unit}-remaining`] = String(remaining);
    fields[`anthropic-ratelimit-${unit}-reset`] = `${new Date(wallMs + resetMs).toISOString().slice(0, 19)}Z`;
  }
  return fields;
}

function errorBody(error: MockError): { readonly status: number; readonly body: JsonObject } {
  const of = (status: number, type: string, message: string) => ({
    status,
    body: { type: 'error', error: { type, message } },
  });
  switch (error.kind) {
    case 'limit':
      return of(
        429,
        'rate_limit_error',
        `This request would exceed your organization's rate limit of ${error.amount} (${error.limit}).`,
      );
    case 'credit':
      return of(400, 'invalid_request_error', 'Your credit balance is too low to access the API.');
    case 'key':
      return of(401, 'authentication_error', 'invalid x-api-key');
    case 'model':
      return of(404, 'not_found_error', `model: ${error.model}`);
    case 'path':
      return of(404, 'not_found_error', 'Not Found');
    case 'body':
      return of(400, 'invalid_request_error', error.why);
    case 'fault':
      return of(error.status, error.status === 529 ? 'overloaded_error' : 'api_error', 'Overloaded');
  }
}
