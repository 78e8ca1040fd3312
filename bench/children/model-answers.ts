/** What a provider in OpenAI's dialect answers to a chat completion: shapes and sizes as the API reference has them (2026-11). */
const ID = 'chatcmpl-0123456789abcdefghijABCDEFGHI';
const MODEL = 'gpt-4o-mini';
const CREATED_S = 1_767_225_600;
const USAGE = {
  prompt_tokens: 256,
  completion_tokens: 98,
  total_tokens: 354,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
};

/** Its limits are so high that none is ever met. */
export const LIMIT_FIELDS = [
  'x-ratelimit-limit-requests: 100000000',
  'x-ratelimit-limit-tokens: 100000000000',
  'x-ratelimit-remaining-requests: 99999999',
  'x-ratelimit-remaining-tokens: 99999999000',
  'x-ratelimit-reset-requests: 1ms',
  'x-ratelimit-reset-tokens: 1ms',
  '',
].join('\r\n');

export function modelAnswer(): string {
  const content = 'The gate opens when the key turns, and what goes through is counted. '.repeat(6);
  return JSON.stringify({
    id: ID,
    object: 'chat.completion',
    created: CREATED_S,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: USAGE,
    system_fingerprint: 'fp_0123456789',
  });
}

/** One hundred with content between the first, which names the role, and those that end the answer. */
export function modelEvents(asked: 'usage' | 'no usage'): readonly string[] {
  const more = asked === 'usage' ? { usage: null } : {};
  const event = (choices: readonly object[], last: object = more): string =>
    `data: ${JSON.stringify({
      id: ID,
      object: 'chat.completion.chunk',
      created: CREATED_S,
      model: MODEL,
      system_fingerprint: 'fp_0123456789',
      choices,
      ...last,
    })}\n\n`;
  const choice = (delta: object, finish: string | null): object => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finish,
  });
  return [
    event([choice({ role: 'assistant', content: '', refusal: null }, null)]),
    ...Array.from({ length: 98 }, (_, index) => event([choice({ content: ` word${index}` }, null)])),
    event([choice({}, 'stop')]),
    ...(asked === 'usage' ? [event([], { usage: USAGE })] : []),
    'data: [DONE]\n\n',
  ];
}
