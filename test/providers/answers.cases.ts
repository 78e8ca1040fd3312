import type { TokenUsage } from '../../src/model/model-call.ts';
import type { CallError } from '../../src/model/pools.ts';
import type { MeterReport } from '../../src/model/provider-limits.ts';
import type { KeyPlace } from '../../src/tools/mock-provider/key-places.ts';

/** An answer as the provider documents it, or as it was seen, and what the shipped description makes of it. */
export interface ProviderAnswer {
  readonly provider: string;
  readonly status: number;
  readonly fields?: Readonly<Record<string, string>>;
  /** A list is the events of a stream. */
  readonly body?: object;
  /** Of a call that was answered: what that says of its use, in US dollars where of money. */
  readonly usage?: Partial<TokenUsage>;
  /** What was asked for; a chat, or Anthropic's messages, where nothing is said. */
  readonly operation?: 'openai/responses';
  readonly reports?: readonly MeterReport[];
  readonly means?: CallError;
  /** What its fields say of when to try again, or else its sentence. */
  readonly waitMs?: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const UNSAID = Number.NaN;

/** The body that OpenAI and its kin send. */
function error(code: string | null, type: string, message = 'In words.'): object {
  return { error: { message, type, param: null, code } };
}

function report(
  unit: MeterReport['unit'],
  windowMs: number,
  amount: number,
  remaining: number,
  resetMs = UNSAID,
): MeterReport {
  return { unit, windowMs, amount, remaining, resetMs };
}

/** Where it wants its keys, unless that is where OpenAI wants them. */
export const KEY_PLACES: Readonly<Record<string, KeyPlace>> = {
  anthropic: { header: 'x-api-key', prefix: '' },
  'azure-openai': { header: 'api-key', prefix: '' },
};
export const USUAL_KEY_PLACE: KeyPlace = { header: 'authorization', prefix: 'Bearer ' };

/** Errors that are documented by their status alone: nothing in their bodies decides what they mean. */
const BY_STATUS: readonly (readonly [provider: string, means: CallError, ...statuses: number[]])[] = [
  ['azure-openai', 'unauthorised', 401],
  ['cerebras', 'out-of-credit', 402],
  ['cerebras', 'unauthorised', 401],
  ['cerebras', 'request', 422],
  ['deepinfra', 'out-of-credit', 402],
  ['deepinfra', 'unauthorised', 401],
  ['deepinfra', 'request', 404],
  ['deepseek', 'unauthorised', 401],
  ['deepseek', 'request', 422],
  ['fireworks', 'out-of-credit', 402],
  ['fireworks', 'unauthorised', 401],
  ['fireworks', 'overloaded', 503],
  ['fireworks', 'request', 404],
  ['gemini', 'out-of-credit', 402],
  ['gemini', 'unauthorised', 401],
  ['gemini', 'overloaded', 503],
  ['gemini', 'request', 403],
  ['groq', 'unauthorised', 401],
  ['groq', 'overloaded', 503],
  ['groq', 'request', 422],
  ['huggingface', 'unauthorised', 401],
  ['huggingface', 'overloaded', 503],
  ['huggingface', 'request', 422],
  ['hyperbolic', 'unauthorised', 401],
  ['hyperbolic', 'overloaded', 503],
  ['hyperbolic', 'request', 422],
  ['lm-studio', 'overloaded', 500],
  ['mistral', 'out-of-credit', 402],
  ['mistral', 'overloaded', 503],
  ['mistral', 'request', 422],
  ['moonshot', 'unauthorised', 401],
  ['moonshot', 'overloaded', 500],
  ['moonshot', 'request', 404],
  ['nebius', 'out-of-credit', 402],
  ['nebius', 'unauthorised', 401],
  ['nebius', 'overloaded', 503],
  ['nebius', 'request', 422],
  ['novita', 'out-of-credit', 402],
  ['novita', 'unauthorised', 401],
  ['novita', 'overloaded', 503],
  ['novita', 'request', 400],
  ['nvidia', 'out-of-credit', 402],
  ['nvidia', 'unauthorised', 401],
  ['nvidia', 'overloaded', 503],
  ['nvidia', 'request', 422],
  ['ollama', 'request', 404],
  ['openrouter', 'unauthorised', 401],
  // what its moderation flags is 403
  ['openrouter', 'request', 403],
  ['openrouter', 'overloaded', 408, 529],
  ['perplexity', 'overloaded', 503, 524],
  ['perplexity', 'request', 400],
  ['sambanova', 'out-of-credit', 402],
  ['sambanova', 'unauthorised', 401],
  ['sambanova', 'overloaded', 503],
  ['sambanova', 'request', 410],
  ['together', 'unauthorised', 401],
  ['together', 'request', 422],
  ['vllm', 'overloaded', 503],
  ['vllm', 'request', 404],
  ['xai', 'unauthorised', 401],
  ['xai', 'overloaded', 503],
  ['xai', 'request', 422],
];

function chat(usage: object): object {
  return { object: 'chat.completion', choices: [], usage };
}

const WORD = { choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: null }] };
const END = { index: 0, delta: {}, finish_reason: 'stop' };

/** How each tells what was used. */
const USED: readonly ProviderAnswer[] = [
  {
    provider: 'openai',
    status: 200,
    body: chat({
      prompt_tokens: 2_006,
      completion_tokens: 300,
      total_tokens: 2_306,
      prompt_tokens_details: { cached_tokens: 1_920 },
      completion_tokens_details: { reasoning_tokens: 7, accepted_prediction_tokens: 0 },
    }),
    usage: { inputTokens: 2_006, outputTokens: 300, cachedTokens: 1_920, reasoningTokens: 7 },
  },
  {
    provider: 'anthropic',
    status: 200,
    body: {
      type: 'message',
      content: [],
      usage: {
        input_tokens: 50,
        cache_read_input_tokens: 100_000,
        cache_creation_input_tokens: 248,
        output_tokens: 503,
      },
    },
    usage: { inputTokens: 100_298, outputTokens: 503, cachedTokens: 100_000, surcharge: 62 },
  },
  {
    provider: 'mistral',
    status: 200,
    body: chat({
      prompt_tokens: 1_013,
      completion_tokens: 30,
      total_tokens: 1_043,
      prompt_tokens_details: { cached_tokens: 1_008 },
    }),
    usage: { inputTokens: 1_013, outputTokens: 30, cachedTokens: 1_008 },
  },
  {
    provider: 'deepseek',
    status: 200,
    body: chat({
      prompt_tokens: 120,
      completion_tokens: 30,
      total_tokens: 150,
      prompt_cache_hit_tokens: 64,
      prompt_cache_miss_tokens: 56,
      completion_tokens_details: { reasoning_tokens: 12 },
    }),
    usage: { inputTokens: 120, outputTokens: 30, cachedTokens: 64, reasoningTokens: 12 },
  },
  {
    // reasoning is beside completion_tokens
    provider: 'xai',
    status: 200,
    body: chat({
      prompt_tokens: 10_120,
      completion_tokens: 1_499,
      total_tokens: 14_428,
      prompt_tokens_details: { cached_tokens: 128 },
      completion_tokens_details: { reasoning_tokens: 2_809 },
      cost_in_usd_ticks: 232_856_000,
    }),
    usage: {
      inputTokens: 10_120,
      outputTokens: 4_308,
      cachedTokens: 128,
      reasoningTokens: 2_809,
      costNano: 23_285_600,
    },
  },
  {
    provider: 'xai',
    status: 200,
    body: chat({ prompt_tokens: 12, completion_tokens: 1, total_tokens: 399 }),
    usage: { inputTokens: 12, outputTokens: 387, costNano: null },
  },
  {
    provider: 'groq',
    status: 200,
    body: [
      WORD,
      {
        choices: [END],
        x_groq: {
          id: 'req_1',
          usage: { queue_time: 0.1, prompt_tokens: 24, completion_tokens: 377, total_tokens: 401 },
        },
      },
      '[DONE]',
    ],
    usage: { inputTokens: 24, outputTokens: 377 },
  },
  {
    provider: 'gemini',
    status: 200,
    body: chat({ prompt_tokens: 20, completion_tokens: 424, total_tokens: 1_016 }),
    usage: { inputTokens: 20, outputTokens: 996 },
  },
  {
    provider: 'moonshot',
    status: 200,
    body: chat({ prompt_tokens: 19, completion_tokens: 21, total_tokens: 40, cached_tokens: 10 }),
    usage: { inputTokens: 19, outputTokens: 21, cachedTokens: 10 },
  },
  {
    provider: 'moonshot',
    status: 200,
    body: [
      WORD,
      {
        choices: [{ ...END, usage: { prompt_tokens: 19, completion_tokens: 13, total_tokens: 32 } }],
      },
      '[DONE]',
    ],
    usage: { inputTokens: 19, outputTokens: 13 },
  },
  {
    provider: 'openrouter',
    status: 200,
    body: chat({
      prompt_tokens: 194,
      completion_tokens: 2,
      total_tokens: 196,
      prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 100, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
      cost: 0.95,
      cost_details: { upstream_inference_cost: 19 },
    }),
    usage: { inputTokens: 194, outputTokens: 2, costNano: 950_000_000 },
  },
  {
    provider: 'perplexity',
    status: 200,
    operation: 'openai/responses',
    body: {
      object: 'response',
      output: [],
      usage: {
        input_tokens: 100,
        output_tokens: 50,
        total_tokens: 150,
        input_tokens_details: { cache_creation_input_tokens: 0, cache_read_input_tokens: 40 },
        cost: { currency: 'USD', input_cost: 0.0001, output_cost: 0.001, total_cost: 0.0061 },
      },
    },
    usage: { inputTokens: 100, outputTokens: 50, cachedTokens: 40, costNano: 6_100_000 },
  },
];

/** `nowMs`: what fields that name a moment count from. */
export function answersAt(nowMs: number): readonly ProviderAnswer[] {
  const byStatus = BY_STATUS.flatMap(([provider, means, ...statuses]) =>
    statuses.map((status) => ({ provider, status, body: error(null, ''), means })),
  );
  return [...inTheirWords(nowMs), ...byStatus, ...USED];
}

function inTheirWords(nowMs: number): readonly ProviderAnswer[] {
  const momentIn = (ms: number): string => `${new Date(nowMs + ms).toISOString().slice(0, 19)}Z`;
  return [
    {
      provider: 'openai',
      status: 200,
      fields: {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-limit-tokens': '150000',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-remaining-tokens': '149984',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-reset-tokens': '6m0s',
      },
      reports: [
        report('requests', MINUTE_MS, 60, 59, 1_000),
        report('tokens', MINUTE_MS, 150_000, 149_984, 360_000),
      ],
    },
    {
      provider: 'openai',
      status: 429,
      body: error(
        'rate_limit_exceeded',
        'tokens',
        'Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29410, Requested 1377. Please try again in 1.574s. Visit https://platform.openai.com/account/rate-limits to learn more.',
      ),
      means: 'throttled',
      waitMs: 1_574,
    },
    {
      provider: 'openai',
      status: 429,
      fields: { 'retry-after': '2', 'retry-after-ms': '1574' },
      body: error('rate_limit_exceeded', 'requests'),
      means: 'throttled',
      waitMs: 1_574,
    },
    {
      provider: 'openai',
      status: 429,
      body: error('insufficient_quota', 'insufficient_quota', 'You exceeded your current quota'),
      means: 'out-of-credit',
    },
    {
      provider: 'openai',
      status: 429,
      body: error('credit_balance_exhausted', 'insufficient_quota'),
      means: 'out-of-credit',
    },
    {
      provider: 'openai',
      status: 429,
      body: error(
        'rate_limit_exceeded',
        'tokens',
        'Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 91234. The input or output tokens must be reduced in order to run successfully.',
      ),
      means: 'context-too-long',
    },
    {
      provider: 'openai',
      status: 400,
      body: error('context_length_exceeded', 'invalid_request_error'),
      means: 'context-too-long',
    },
    {
      provider: 'openai',
      status: 401,
      body: error('invalid_api_key', 'invalid_request_error', 'Incorrect API key provided: sk-…'),
      means: 'unauthorised',
    },
    { provider: 'openai', status: 503, body: error(null, 'server_error'), means: 'overloaded' },
    {
      provider: 'openai',
      status: 400,
      body: error('content_policy_violation', 'invalid_request_error'),
      means: 'request',
    },
    {
      provider: 'openai',
      status: 403,
      body: error('unsupported_country_region_territory', 'request_forbidden'),
      means: 'request',
    },
    {
      provider: 'anthropic',
      status: 200,
      fields: {
        'anthropic-ratelimit-requests-limit': '1000',
        'anthropic-ratelimit-requests-remaining': '999',
        'anthropic-ratelimit-requests-reset': momentIn(1_000),
        'anthropic-ratelimit-input-tokens-limit': '80000',
        'anthropic-ratelimit-input-tokens-remaining': '79000',
        'anthropic-ratelimit-input-tokens-reset': momentIn(2_000),
        'anthropic-ratelimit-output-tokens-limit': '16000',
        'anthropic-ratelimit-output-tokens-remaining': '8000',
        'anthropic-ratelimit-output-tokens-reset': momentIn(30_000),
        'anthropic-ratelimit-tokens-limit': '96000',
        'anthropic-ratelimit-tokens-remaining': '87000',
        'anthropic-ratelimit-tokens-reset': momentIn(30_000),
      },
      reports: [
        report('requests', MINUTE_MS, 1_000, 999, 1_000),
        report('input-tokens', MINUTE_MS, 80_000, 79_000, 2_000),
        report('output-tokens', MINUTE_MS, 16_000, 8_000, 30_000),
      ],
    },
    {
      provider: 'anthropic',
      status: 429,
      fields: { 'retry-after': '41' },
      body: { type: 'error', error: { type: 'rate_limit_error', message: 'This request would exceed …' } },
      means: 'throttled',
      waitMs: 41_000,
    },
    {
      provider: 'anthropic',
      status: 400,
      body: {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message:
            'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
        },
      },
      means: 'out-of-credit',
    },
    {
      provider: 'anthropic',
      status: 402,
      body: { type: 'error', error: { type: 'billing_error', message: 'In words.' } },
      means: 'out-of-credit',
    },
    {
      provider: 'anthropic',
      status: 429,
      body: { type: 'error', error: { type: 'rate_limit_error', code: 'enforced_spend_limit_reached' } },
      means: 'out-of-credit',
    },
    {
      provider: 'anthropic',
      status: 400,
      body: {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'prompt is too long: 213462 tokens > 200000 maximum',
        },
      },
      means: 'context-too-long',
    },
    {
      provider: 'anthropic',
      status: 401,
      body: { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
      means: 'unauthorised',
    },
    {
      provider: 'anthropic',
      status: 529,
      body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      means: 'overloaded',
    },
    {
      provider: 'anthropic',
      status: 403,
      body: { type: 'error', error: { type: 'permission_error', message: 'In words.' } },
      means: 'request',
    },
    {
      provider: 'azure-openai',
      status: 200,
      fields: {
        'x-ratelimit-limit-requests': '300',
        'x-ratelimit-remaining-requests': '299',
        'x-ratelimit-limit-tokens': '50000',
        'x-ratelimit-remaining-tokens': '49000',
        'x-ratelimit-reset-tokens': '12',
      },
      reports: [report('requests', MINUTE_MS, 300, 299), report('tokens', MINUTE_MS, 50_000, 49_000, 12_000)],
    },
    {
      provider: 'azure-openai',
      status: 200,
      fields: {
        'x-ratelimit-limit-tokens': '-1',
        'x-ratelimit-remaining-tokens': '-1',
        'x-ratelimit-reset-tokens': '0',
      },
      reports: [],
    },
    {
      provider: 'azure-openai',
      status: 429,
      fields: { 'retry-after': '6', 'retry-after-ms': '5532' },
      body: error(
        '429',
        '',
        'Requests to the ChatCompletions_Create Operation have exceeded call rate limit.',
      ),
      means: 'throttled',
      waitMs: 5_532,
    },
    {
      provider: 'azure-openai',
      status: 429,
      body: error(
        '429',
        '',
        'The system is currently experiencing high demand and cannot process your request.',
      ),
      means: 'overloaded',
    },
    {
      provider: 'azure-openai',
      status: 429,
      body: error('insufficient_quota', 'insufficient_quota'),
      means: 'out-of-credit',
    },
    {
      provider: 'azure-openai',
      status: 400,
      body: error('context_length_exceeded', 'invalid_request_error'),
      means: 'context-too-long',
    },
    { provider: 'azure-openai', status: 400, body: error('content_filter', ''), means: 'request' },
    {
      provider: 'groq',
      status: 200,
      fields: {
        'x-ratelimit-limit-requests': '14400',
        'x-ratelimit-limit-tokens': '18000',
        'x-ratelimit-remaining-requests': '14370',
        'x-ratelimit-remaining-tokens': '17997',
        'x-ratelimit-reset-requests': '2m59.56s',
        'x-ratelimit-reset-tokens': '7.66s',
      },
      reports: [
        report('requests', DAY_MS, 14_400, 14_370, 179_560),
        report('tokens', MINUTE_MS, 18_000, 17_997, 7_660),
      ],
    },
    {
      provider: 'groq',
      status: 429,
      fields: { 'retry-after': '2' },
      body: error('rate_limit_exceeded', 'tokens'),
      means: 'throttled',
      waitMs: 2_000,
    },
    {
      provider: 'groq',
      status: 429,
      body: error(
        'rate_limit_exceeded',
        'tokens',
        'Rate limit reached for model gemma2-9b-it in organization org_1 service tier on_demand on tokens per minute (TPM): Limit 15000, Used 11972, Requested 4351. Please try again in 5.289s. Visit https://console.groq.com/docs/rate-limits for more information.',
      ),
      means: 'throttled',
      waitMs: 5_289,
    },
    {
      provider: 'groq',
      status: 413,
      body: error('rate_limit_exceeded', 'tokens'),
      means: 'context-too-long',
    },
    {
      provider: 'groq',
      status: 400,
      body: error('context_length_exceeded', 'invalid_request_error'),
      means: 'context-too-long',
    },
    { provider: 'groq', status: 498, body: error('capacity_exceeded', ''), means: 'overloaded' },
    {
      provider: 'mistral',
      status: 200,
      fields: {
        'x-ratelimit-limit-req-minute': '50',
        'x-ratelimit-remaining-req-minute': '49',
        'x-ratelimit-limit-tokens-minute': '50000',
        'x-ratelimit-remaining-tokens-minute': '47300',
        'x-ratelimit-tokens-query-cost': '1300',
      },
      reports: [report('requests', MINUTE_MS, 50, 49), report('tokens', MINUTE_MS, 50_000, 47_300)],
    },
    {
      provider: 'mistral',
      status: 429,
      fields: { 'retry-after': '7' },
      body: {
        object: 'error',
        message: 'Rate limit exceeded',
        type: 'rate_limited',
        param: null,
        code: '1300',
      },
      means: 'throttled',
      waitMs: 7_000,
    },
    { provider: 'mistral', status: 401, body: { detail: 'Unauthorized' }, means: 'unauthorised' },
    {
      provider: 'mistral',
      status: 400,
      body: {
        object: 'error',
        message:
          'Prompt contains 40960 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
        type: 'invalid_request_error',
        code: '3051',
      },
      means: 'context-too-long',
    },
    {
      provider: 'deepseek',
      status: 402,
      body: error('invalid_request_error', 'unknown_error', 'Insufficient Balance'),
      means: 'out-of-credit',
    },
    {
      provider: 'deepseek',
      status: 400,
      body: error(
        'invalid_request_error',
        'invalid_request_error',
        "This model's maximum context length is 131072 tokens. However, you requested 213462 tokens.",
      ),
      means: 'context-too-long',
    },
    { provider: 'deepseek', status: 429, body: error(null, ''), means: 'throttled' },
    { provider: 'deepseek', status: 503, body: error(null, ''), means: 'overloaded' },
    {
      provider: 'xai',
      status: 403,
      body: {
        code: 'The caller does not have permission to execute the specified operation',
        error:
          'Your team has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.',
      },
      means: 'out-of-credit',
    },
    {
      provider: 'xai',
      status: 400,
      body: {
        code: 'Client specified an invalid argument',
        error: 'Incorrect API key provided: xa***ab. You can obtain an API key from https://console.x.ai.',
      },
      means: 'unauthorised',
    },
    {
      provider: 'xai',
      status: 400,
      body: {
        code: 'Client specified an invalid argument',
        error: "This model's maximum prompt length is 131072 but the request contains 213462 tokens.",
      },
      means: 'context-too-long',
    },
    { provider: 'xai', status: 429, body: { code: '', error: 'Too many requests.' }, means: 'throttled' },
    {
      provider: 'together',
      status: 429,
      fields: { 'x-ratelimit-reset': '3' },
      body: { error: { message: 'In words.', type: 'rate_limit', error_type: 'dynamic_token_limited' } },
      means: 'throttled',
      waitMs: 3_000,
    },
    {
      provider: 'together',
      status: 403,
      body: error(null, 'invalid_request_error'),
      means: 'context-too-long',
    },
    { provider: 'together', status: 402, body: error(null, ''), means: 'out-of-credit' },
    { provider: 'together', status: 503, body: error(null, 'service_unavailable'), means: 'overloaded' },
    {
      provider: 'fireworks',
      status: 200,
      fields: {
        'x-ratelimit-limit-tokens-prompt': '7200000',
        'x-ratelimit-remaining-tokens-prompt': '7193993',
        'x-ratelimit-limit-tokens-generated': '72000',
        'x-ratelimit-remaining-tokens-generated': '69338',
      },
      reports: [
        report('input-tokens', MINUTE_MS, 7_200_000, 7_193_993),
        report('output-tokens', MINUTE_MS, 72_000, 69_338),
      ],
    },
    {
      provider: 'fireworks',
      status: 412,
      body: {
        error: {
          message:
            'Account acct-a is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.',
        },
      },
      means: 'out-of-credit',
    },
    {
      provider: 'fireworks',
      status: 400,
      body: error(null, 'invalid_request_error', 'The prompt is longer than the maximum context length.'),
      means: 'context-too-long',
    },
    { provider: 'fireworks', status: 429, body: error(null, ''), means: 'throttled' },
    {
      provider: 'openrouter',
      status: 429,
      fields: {
        'x-ratelimit-limit': '20',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(nowMs + 17_000),
      },
      body: { error: { code: 429, message: 'Rate limit exceeded: free-models-per-min.' } },
      means: 'throttled',
      waitMs: 17_000,
      reports: [],
    },
    {
      provider: 'openrouter',
      status: 402,
      body: { error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' } },
      means: 'out-of-credit',
    },
    {
      provider: 'openrouter',
      status: 400,
      body: {
        error: {
          code: 400,
          message:
            "This endpoint's maximum context length is 131072 tokens. However, you requested about 213462.",
        },
      },
      means: 'context-too-long',
    },
    {
      provider: 'openrouter',
      status: 502,
      body: { error: { code: 502, message: 'Provider returned error' } },
      means: 'overloaded',
    },
    { provider: 'perplexity', status: 429, body: error(null, 'rate_limit'), means: 'throttled' },
    {
      provider: 'perplexity',
      status: 401,
      body: error('401', 'insufficient_quota', 'You exceeded your current quota, please check your plan.'),
      means: 'out-of-credit',
    },
    {
      provider: 'perplexity',
      status: 401,
      body: error('401', 'authentication_error', 'Invalid API key'),
      means: 'unauthorised',
    },
    {
      provider: 'cerebras',
      status: 200,
      fields: {
        'x-ratelimit-limit-requests-day': '14400',
        'x-ratelimit-limit-tokens-minute': '60000',
        'x-ratelimit-remaining-requests-day': '13693',
        'x-ratelimit-remaining-tokens-minute': '60000',
        'x-ratelimit-reset-requests-day': '11726.2840924263',
        'x-ratelimit-reset-tokens-minute': '26.28409242630005',
      },
      reports: [
        report('requests', DAY_MS, 14_400, 13_693, 11_726_284.0924263),
        report('tokens', MINUTE_MS, 60_000, 60_000, 26_284.09242630005),
      ],
    },
    {
      provider: 'cerebras',
      status: 429,
      fields: { 'retry-after': '60' },
      body: {
        message: 'Requests per minute limit exceeded - too many requests sent.',
        type: 'too_many_requests_error',
        param: 'quota',
        code: 'request_quota_exceeded',
      },
      means: 'throttled',
      waitMs: 60_000,
    },
    {
      provider: 'cerebras',
      status: 429,
      body: {
        message: "We're experiencing high traffic right now! Please try again soon.",
        type: 'too_many_requests_error',
        param: 'queue',
        code: 'queue_exceeded',
      },
      means: 'overloaded',
    },
    {
      provider: 'cerebras',
      status: 400,
      body: { message: 'In words.', type: 'invalid_request_error', code: 'context_length_exceeded' },
      means: 'context-too-long',
    },
    {
      provider: 'sambanova',
      status: 200,
      fields: {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '42',
        'x-ratelimit-reset-requests': '30',
        'x-ratelimit-limit-requests-day': '12000',
        'x-ratelimit-remaining-requests-day': '11900',
        'x-ratelimit-reset-requests-day': '86400',
      },
      reports: [report('requests', MINUTE_MS, 60, 42), report('requests', DAY_MS, 12_000, 11_900)],
    },
    {
      provider: 'sambanova',
      status: 429,
      body: error('rate_limit_exceeded', 'rate_limit_exceeded'),
      means: 'throttled',
    },
    {
      provider: 'sambanova',
      status: 400,
      body: error('context_length_exceeded', 'invalid_request_error'),
      means: 'context-too-long',
    },
    { provider: 'deepinfra', status: 429, body: { detail: 'Rate limited' }, means: 'throttled' },
    {
      provider: 'deepinfra',
      status: 429,
      body: { detail: { error: 'Model busy, retry later' }, error: { message: 'Model busy, retry later' } },
      means: 'overloaded',
    },
    {
      provider: 'deepinfra',
      status: 400,
      body: error(null, '', "This model's maximum context length is 131072 tokens."),
      means: 'context-too-long',
    },
    { provider: 'nebius', status: 429, body: { detail: 'Rate limit exceeded' }, means: 'throttled' },
    {
      provider: 'nebius',
      status: 400,
      body: { detail: "This model's maximum context length is 131072 tokens." },
      means: 'context-too-long',
    },
    { provider: 'hyperbolic', status: 429, body: { detail: 'Rate limit exceeded' }, means: 'throttled' },
    { provider: 'hyperbolic', status: 402, body: { detail: 'Insufficient balance' }, means: 'out-of-credit' },
    {
      provider: 'moonshot',
      status: 429,
      body: error(
        null,
        'rate_limit_reached_error',
        'Your account org-1 request reached max organization RPM: 3, please try again after 1 seconds',
      ),
      means: 'throttled',
      waitMs: 1_000,
    },
    {
      provider: 'moonshot',
      status: 429,
      body: error(
        null,
        'exceeded_current_quota_error',
        'Your account is suspended due to insufficient balance, please recharge your account or check your plan and billing details',
      ),
      means: 'out-of-credit',
    },
    {
      provider: 'moonshot',
      status: 429,
      body: error(
        null,
        'engine_overloaded_error',
        'The engine is currently overloaded, please try again later',
      ),
      means: 'overloaded',
    },
    {
      provider: 'moonshot',
      status: 400,
      body: error(
        null,
        'invalid_request_error',
        'Invalid request: Your request exceeded model token limit: 8192',
      ),
      means: 'context-too-long',
    },
    {
      provider: 'gemini',
      status: 429,
      body: {
        error: {
          code: 429,
          message:
            'You exceeded your current quota, please check your plan and billing details. … Please retry in 12.5s.',
          status: 'RESOURCE_EXHAUSTED',
        },
      },
      means: 'throttled',
      waitMs: 12_500,
    },
    {
      provider: 'gemini',
      status: 400,
      body: {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
        },
      },
      means: 'unauthorised',
    },
    {
      provider: 'gemini',
      status: 400,
      body: {
        error: {
          code: 400,
          message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
          status: 'INVALID_ARGUMENT',
        },
      },
      means: 'context-too-long',
    },
    {
      provider: 'nvidia',
      status: 429,
      body: { status: 429, title: 'Too Many Requests' },
      means: 'throttled',
    },
    {
      provider: 'nvidia',
      status: 400,
      body: { object: 'error', message: "This model's maximum context length is 131072 tokens.", code: 400 },
      means: 'context-too-long',
    },
    {
      provider: 'huggingface',
      status: 402,
      body: { error: 'You have exceeded your monthly included credits for Inference Providers.' },
      means: 'out-of-credit',
    },
    { provider: 'huggingface', status: 429, body: { error: 'Too many requests' }, means: 'throttled' },
    {
      provider: 'novita',
      status: 403,
      body: { code: 403, reason: 'NOT_ENOUGH_BALANCE', message: 'not enough balance', metadata: {} },
      means: 'out-of-credit',
    },
    {
      provider: 'novita',
      status: 429,
      body: { code: 429, reason: 'RATE_LIMIT_EXCEEDED', message: 'request limit exceeded', metadata: {} },
      means: 'throttled',
    },
    {
      provider: 'ollama',
      status: 503,
      body: { error: 'server busy, please try again' },
      means: 'overloaded',
    },
    {
      provider: 'vllm',
      status: 400,
      body: {
        error: {
          message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
          type: 'BadRequestError',
          param: null,
          code: 400,
        },
      },
      means: 'context-too-long',
    },
    { provider: 'vllm', status: 401, body: { error: 'Unauthorized' }, means: 'unauthorised' },
    { provider: 'lm-studio', status: 404, body: error('model_not_found', ''), means: 'request' },
  ];
}
