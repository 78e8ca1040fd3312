import type { Dialect, OperationName } from '../model/pools.ts';

/**
 * What can be asked of a model, one row each: where it is asked (below the base path of the dialect), and where in its messages the
 * things stand that limits and prices speak of. Requests and answers pass byte for byte; nothing else of them is known here.
 */
export interface Operation {
  readonly dialect: Dialect;
  readonly method: 'GET' | 'POST';
  /** Below the base URL of a provider, which ends in `/v1` or the like. */
  readonly path: string;
  readonly body: 'json' | 'multipart' | 'none';
  /** Members that bound the tokens of the answer: the least of those that are there counts, and the first one is set. */
  readonly outputCaps: readonly string[];
  /** The member that says how many answers are made of one prompt, each up to the cap; null: one. */
  readonly choices: string | null;
  /** Whether an answer of text is made at all: where not, nothing is taken of output tokens. */
  readonly answersInTokens: boolean;
  readonly streams: boolean;
  /** Null: the answer tells none. */
  readonly usage: UsagePaths | null;
}

/** Paths of members from the object that holds the usage; the object itself is `usage` unless `within` says otherwise. */
export interface UsagePaths {
  /** The members that lead to the usage, in an answer that does not stream. */
  readonly at: readonly string[];
  readonly input: readonly string[];
  readonly output: readonly string[];
  /** Part of the input; null where the dialect does not tell it. */
  readonly cached: readonly string[] | null;
  /** Part of the output. */
  readonly reasoning: readonly string[] | null;
  /** Input that the dialect counts beside `input` instead of in it. */
  readonly besideInput: readonly string[];
}

const CHAT_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['prompt_tokens'],
  output: ['completion_tokens'],
  cached: ['prompt_tokens_details', 'cached_tokens'],
  reasoning: ['completion_tokens_details', 'reasoning_tokens'],
  besideInput: [],
};

const ITEMS_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['input_tokens'],
  output: ['output_tokens'],
  cached: ['input_tokens_details', 'cached_tokens'],
  reasoning: ['output_tokens_details', 'reasoning_tokens'],
  besideInput: [],
};

const MESSAGES_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['input_tokens'],
  output: ['output_tokens'],
  cached: ['cache_read_input_tokens'],
  reasoning: null,
  besideInput: ['cache_read_input_tokens', 'cache_creation_input_tokens'],
};

const OPENAI = {
  dialect: 'openai',
  method: 'POST',
  body: 'json',
  outputCaps: [],
  choices: null,
  answersInTokens: false,
  streams: false,
  usage: null,
} as const;

export const OPERATIONS = {
  'openai/chat': {
    ...OPENAI,
    path: '/chat/completions',
    outputCaps: ['max_completion_tokens', 'max_tokens'],
    choices: 'n',
    answersInTokens: true,
    streams: true,
    usage: CHAT_USAGE,
  },
  'openai/responses': {
    ...OPENAI,
    path: '/responses',
    outputCaps: ['max_output_tokens'],
    answersInTokens: true,
    streams: true,
    usage: ITEMS_USAGE,
  },
  'openai/completions': {
    ...OPENAI,
    path: '/completions',
    outputCaps: ['max_tokens'],
    choices: 'n',
    answersInTokens: true,
    streams: true,
    usage: CHAT_USAGE,
  },
  'openai/embeddings': { ...OPENAI, path: '/embeddings', usage: CHAT_USAGE },
  'openai/moderations': { ...OPENAI, path: '/moderations' },
  'openai/images': { ...OPENAI, path: '/images/generations', usage: ITEMS_USAGE },
  'openai/speech': { ...OPENAI, path: '/audio/speech' },
  'openai/transcriptions': {
    ...OPENAI,
    path: '/audio/transcriptions',
    body: 'multipart',
    usage: ITEMS_USAGE,
  },
  'openai/rerank': { ...OPENAI, path: '/rerank' },
  'openai/models': { ...OPENAI, method: 'GET', path: '/models', body: 'none' },
  'anthropic/messages': {
    dialect: 'anthropic',
    method: 'POST',
    path: '/messages',
    body: 'json',
    outputCaps: ['max_tokens'],
    choices: null,
    answersInTokens: true,
    streams: true,
    usage: MESSAGES_USAGE,
  },
  'anthropic/count-tokens': {
    dialect: 'anthropic',
    method: 'POST',
    path: '/messages/count_tokens',
    body: 'json',
    outputCaps: [],
    choices: null,
    answersInTokens: false,
    streams: false,
    usage: null,
  },
} as const satisfies Readonly<Record<OperationName, Operation>>;
