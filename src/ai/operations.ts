import type { OutputCapMember } from '../model/facts.ts';
import { type Dialect, OPERATION_TARGETS, type OperationTarget } from '../model/pools.ts';
import type { CallOperation } from '../model/route-calls.ts';

/**
 * What can be asked of a model, one row each: where it is asked (below the base path of the dialect), and where in its messages the
 * things stand that limits and prices speak of. Requests and answers pass byte for byte; nothing else of them is known here.
 */
export interface Operation extends OperationTarget {
  readonly dialect: Dialect;
  /** Members that bound the tokens of the answer: the least of those that are there counts. Every provider knows the last one, or refuses it. */
  readonly outputCaps: readonly OutputCapMember[];
  /** The least that such a member may say. */
  readonly outputCapLeast: 0 | 1;
  /** The path to the member that says how much of the answer, which has more, may be thought; null: there is none. */
  readonly thinking: readonly [string, string] | null;
  /** The member that says how many answers are made of one prompt, each up to the cap; null: one. */
  readonly choices: string | null;
  /** What its requests may bring as files of a form; `none`: they are JSON. */
  readonly files: 'none' | 'images' | 'sound';
  /** The member that holds what is to be ranked, which is paid in searches of a hundred; null: it ranks nothing. */
  readonly documents: string | null;
  /** Where an answer says how many searches are paid for; null: none does. */
  readonly searches: readonly string[] | null;
  /** The most tokens that an image within a prompt can be, and that tools add to what is written of them. */
  readonly imageTokensMax: number;
  readonly toolsTokensMax: number;
  /** The member that may hold several prompts, each answered for itself; null: there is one. */
  readonly prompts: string | null;
  /**
   * Which tokens it answers with: those that a member of the request caps, those that only the model bounds, for each of which it is
   * paid anew, or none.
   */
  readonly answer: 'capped' | 'uncapped' | 'none';
  readonly streams: boolean;
  /** Null: the answer tells none. */
  readonly usage: UsagePaths | null;
  /** Members that name what the account has kept that gave it: an answer of before, or a conversation. None: each call stands alone. */
  readonly buildsUpon: readonly string[];
  /** The member that, where it is true, has the answer made later, to be fetched by its id, which no route offers. Null: there is none. */
  readonly later: string | null;
}

/** Paths of members from the object that holds the usage. */
export interface UsagePaths {
  /** The members that lead to the usage, in an answer that does not stream. */
  readonly at: readonly string[];
  readonly input: readonly string[];
  /** Null: the dialect answers this with no tokens. */
  readonly output: readonly string[] | null;
  /** Part of the input; null where the dialect does not tell it. */
  readonly cached: readonly string[] | null;
  /** Part of the output. */
  readonly reasoning: readonly string[] | null;
  /** Input that the dialect counts beside `input` instead of in it. */
  readonly besideInput: readonly string[];
  /** Parts of the input that cost more than the rest, and by which share of its price. */
  readonly surcharged: readonly { readonly path: readonly string[]; readonly share: number }[];
}

const CHAT_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['prompt_tokens'],
  output: ['completion_tokens'],
  cached: ['prompt_tokens_details', 'cached_tokens'],
  reasoning: ['completion_tokens_details', 'reasoning_tokens'],
  besideInput: [],
  surcharged: [],
};

const EMBEDDING_USAGE: UsagePaths = { ...CHAT_USAGE, output: null, reasoning: null };

const ITEMS_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['input_tokens'],
  output: ['output_tokens'],
  cached: ['input_tokens_details', 'cached_tokens'],
  reasoning: ['output_tokens_details', 'reasoning_tokens'],
  besideInput: [],
  surcharged: [],
};

const MESSAGES_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['input_tokens'],
  output: ['output_tokens'],
  cached: ['cache_read_input_tokens'],
  reasoning: null,
  besideInput: ['cache_read_input_tokens', 'cache_creation_input_tokens'],
  // "Prompt caching", prices: writes cost 1.25 times the input, those for an hour twice as much
  surcharged: [
    { path: ['cache_creation_input_tokens'], share: 0.25 },
    { path: ['cache_creation', 'ephemeral_1h_input_tokens'], share: 0.75 },
  ],
};

const OPENAI = {
  dialect: 'openai',
  outputCaps: [],
  outputCapLeast: 1,
  thinking: null,
  choices: null,
  // gpt-4o-mini takes most: 2,833 and 5,667 for each of up to eight tiles ("Images and vision", calculating costs)
  imageTokensMax: 48_169,
  toolsTokensMax: 0,
  buildsUpon: [],
  later: null,
  prompts: null,
  files: 'none',
  documents: null,
  searches: null,
  answer: 'none',
  streams: false,
  usage: null,
} as const;

const PICTURES = { ...OPENAI, choices: 'n', answer: 'uncapped', streams: true, usage: ITEMS_USAGE } as const;

const SOUND_IN_WORDS = {
  ...OPENAI,
  files: 'sound',
  answer: 'uncapped',
  streams: true,
  usage: ITEMS_USAGE,
} as const;

/** As Jina, Voyage, Together and vLLM tell it; Cohere tells searches. */
const RANKING_USAGE: UsagePaths = {
  at: ['usage'],
  input: ['total_tokens'],
  output: null,
  cached: null,
  reasoning: null,
  besideInput: [],
  surcharged: [],
};

const ANTHROPIC = {
  dialect: 'anthropic',
  // 0 writes the prompt into the cache, and makes no answer ("Prompt caching")
  outputCapLeast: 0,
  thinking: ['thinking', 'budget_tokens'],
  choices: null,
  buildsUpon: [],
  later: null,
  prompts: null,
  files: 'none',
  documents: null,
  searches: null,
  // images of more than 8,000 pixels on a side are refused, larger ones than the model sees are scaled down ("Vision")
  imageTokensMax: 5_000,
  // the system prompt of tool use is at most 735 of the models that there have been ("Tool use", pricing)
  toolsTokensMax: 800,
} as const;

export const OPERATIONS = {
  'openai/chat': {
    ...OPERATION_TARGETS['openai/chat'],
    ...OPENAI,
    outputCaps: ['max_completion_tokens', 'max_tokens'],
    choices: 'n',
    answer: 'capped',
    streams: true,
    usage: CHAT_USAGE,
  },
  'openai/responses': {
    ...OPERATION_TARGETS['openai/responses'],
    ...OPENAI,
    buildsUpon: ['previous_response_id', 'conversation'],
    later: 'background',
    outputCaps: ['max_output_tokens'],
    answer: 'capped',
    streams: true,
    usage: ITEMS_USAGE,
  },
  'openai/completions': {
    ...OPERATION_TARGETS['openai/completions'],
    ...OPENAI,
    outputCaps: ['max_tokens'],
    choices: 'n',
    prompts: 'prompt',
    answer: 'capped',
    streams: true,
    usage: CHAT_USAGE,
  },
  'openai/embeddings': { ...OPERATION_TARGETS['openai/embeddings'], ...OPENAI, usage: EMBEDDING_USAGE },
  'openai/moderations': { ...OPERATION_TARGETS['openai/moderations'], ...OPENAI },
  'openai/images': { ...OPERATION_TARGETS['openai/images'], ...PICTURES },
  'openai/image-edits': { ...OPERATION_TARGETS['openai/image-edits'], ...PICTURES, files: 'images' },
  'openai/image-variations': {
    ...OPERATION_TARGETS['openai/image-variations'],
    ...PICTURES,
    files: 'images',
  },
  'openai/speech': {
    ...OPERATION_TARGETS['openai/speech'],
    ...OPENAI,
    answer: 'uncapped',
    streams: true,
    usage: ITEMS_USAGE,
  },
  'openai/transcriptions': { ...OPERATION_TARGETS['openai/transcriptions'], ...SOUND_IN_WORDS },
  'openai/translations': { ...OPERATION_TARGETS['openai/translations'], ...SOUND_IN_WORDS },
  'openai/rerank': {
    ...OPERATION_TARGETS['openai/rerank'],
    ...OPENAI,
    documents: 'documents',
    searches: ['meta', 'billed_units', 'search_units'],
    usage: RANKING_USAGE,
  },
  'anthropic/messages': {
    ...OPERATION_TARGETS['anthropic/messages'],
    ...ANTHROPIC,
    outputCaps: ['max_tokens'],
    answer: 'capped',
    streams: true,
    usage: MESSAGES_USAGE,
  },
  'anthropic/count-tokens': {
    ...OPERATION_TARGETS['anthropic/count-tokens'],
    ...ANTHROPIC,
    outputCaps: [],
    answer: 'none',
    streams: false,
    usage: null,
  },
} as const satisfies Readonly<Record<CallOperation, Operation>>;
