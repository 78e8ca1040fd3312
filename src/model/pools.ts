/** Providers, their keys and their models as the configuration has them: plain data, without any secret in it. */
import type { MeterSpec, MeterUnit } from './provider-limits.ts';
import type { TokenizerName } from './tokenizers.ts';
import type { Place, SecretReference, Service } from './world.ts';

/** How a provider is spoken to. */
export const DIALECTS = ['openai', 'anthropic'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** How providers write when a limit resets, or when to try again. */
export const RESET_FORMATS = [
  'duration',
  'seconds',
  'milliseconds',
  'rfc3339',
  'unix-seconds',
  'unix-milliseconds',
] as const;
export type ResetFormat = (typeof RESET_FORMATS)[number];

/** One limit that a provider reports: lower-case names of fields, null where it has none. */
export interface LimitHeaders {
  readonly unit: MeterUnit;
  readonly windowMs: number;
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly reset: string | null;
  readonly resetFormat: ResetFormat;
}

/** Where the answer to a refused call says when to try again; the first one that is there counts. */
export interface RetryHeader {
  readonly name: string;
  readonly format: ResetFormat | 'http-date';
}

/**
 * What an answer of an error means:
 * `throttled` – a limit of the account and model was met; `out-of-credit` – the account has nothing left; `unauthorised` – the key is not
 * known; `overloaded` – the provider has too much to do, which says nothing of the key; `context-too-long` – another model may take it;
 * `request` – the request itself is at fault, and is answered as it came.
 */
export const CALL_ERRORS = [
  'throttled',
  'out-of-credit',
  'unauthorised',
  'overloaded',
  'context-too-long',
  'request',
] as const;
export type CallError = (typeof CALL_ERRORS)[number];

/** One row of a provider's errors; the first whose conditions all hold counts. */
export interface ErrorRule {
  /** Empty: any. */
  readonly statuses: readonly number[];
  /** Values of `error.code` or `error.type` in the body (`code`, `type` or `error` at its top too); empty: any. */
  readonly codes: readonly string[];
  /** What the message of the error contains, in lower case; null: anything. */
  readonly messageContains: string | null;
  readonly means: CallError;
}

/** From a value to one within it: names of members, and places in lists. */
export type MemberPath = readonly string[];

/** Where answers tell what was used beside where their dialect has it; each is looked for there first, and null where it is not told. */
export interface UsageFields {
  /** From an event of a stream to what tells the usage. */
  readonly inStreams: readonly MemberPath[];
  /** From there on. */
  readonly input: MemberPath | null;
  readonly output: MemberPath | null;
  /** Input and output together: what it has above both is output that `output` leaves out. */
  readonly total: MemberPath | null;
  readonly cached: MemberPath | null;
  readonly reasoning: MemberPath | null;
  readonly cost: ToldCost | null;
}

/** A cost that answers tell. */
export interface ToldCost {
  readonly path: MemberPath;
  readonly currency: string;
  /** How many of its last digits stand behind the point. */
  readonly decimals: number;
  /** Nano-units of the accounting currency for one of `currency`. */
  readonly rateNano: number;
}

export interface Provider {
  readonly name: string;
  readonly dialect: Dialect;
  /** Where it is, and how it is reached: its name is that of the provider. The base path of its endpoints ends in `/v1` or the like. */
  readonly service: Service;
  readonly region: string | null;
  /** The field that carries the key: lower-case name, and what stands before the key: `Bearer `, or nothing. */
  readonly auth: { readonly header: string; readonly prefix: string };
  /** Fields that every call carries unless the caller sent one of that name: lower-case name, value. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly limitHeaders: readonly LimitHeaders[];
  readonly retryHeaders: readonly RetryHeader[];
  readonly errors: readonly ErrorRule[];
  /** Of the tokens that a call reserved and did not use: `reserved` – counted all the same; `used` – given back. */
  readonly tokensCounted: 'reserved' | 'used';
  /** At whose midnight what was used of a day's limits comes back; null: it comes back evenly. */
  readonly dailyZone: string | null;
  /** The member of a chat that bounds its answer, of those that the dialect has had: the one that the provider knows. */
  readonly outputCapMember: 'max_tokens' | 'max_completion_tokens';
  /** Members, in small letters, by which a request has other models serve it than the one that it names. */
  readonly modelMembers: readonly string[];
  /** Streams tell their usage when `stream_options.include_usage` asks for it. */
  readonly streamUsage: 'asked' | 'always' | 'never';
  readonly usage: UsageFields;
  readonly place: Place;
}

export const POOL_STRATEGIES = ['headroom', 'priority', 'weighted', 'cheapest'] as const;
export type PoolStrategy = (typeof POOL_STRATEGIES)[number];

/** What a key of a provider can be; what each of them means and leads to is `pools/key-states`. */
export const KEY_STATE_NAMES = [
  'active',
  'suspect',
  'exhausted',
  'invalid',
  'draining',
  'retired',
  'disabled',
] as const;
export type KeyState = (typeof KEY_STATE_NAMES)[number];

export interface Pool {
  readonly name: string;
  readonly provider: string;
  readonly choose: PoolStrategy;
  /** `conversation`: the same beginning of a conversation goes to the same key while that has room. */
  readonly sticky: 'conversation' | null;
  /** How long calls may wait for a key, and how many of them on one data thread. 0: none waits. */
  readonly queue: { readonly upToMs: number; readonly waiting: number };
  /** What is asked for a new secret of a key; null: people are. */
  readonly rotationHook: RotationHook | null;
  readonly keys: readonly PoolKey[];
  readonly place: Place;
}

export type RotationHook = (
  | {
      readonly kind: 'command';
      /** Absolute. */
      readonly program: string;
      readonly options: readonly string[];
    }
  | { readonly kind: 'webhook'; readonly url: string; readonly secretFile: string }
) & { readonly withinMs: number };

export interface PoolKey {
  readonly name: string;
  /** Keys of one account and provider share its limits; its own name where none is given. */
  readonly account: string;
  readonly secret: SecretReference;
  /** 1 goes first, with `choose: priority`. */
  readonly priority: number;
  /** With `choose: weighted`. */
  readonly weight: number;
  /** Of the account, for each model (see {@link LimitScope}). */
  readonly limits: readonly KeyLimit[];
  readonly place: Place;
}

export interface KeyLimit extends MeterSpec {
  /** A model that it is for, by its name in `models`; null: every model, each for itself, as providers have it. */
  readonly model: string | null;
  /** `account`: all models together. */
  readonly per: 'model' | 'account';
  /** Of whose days and months it is; null: as its provider has it. */
  readonly zone: string | null;
}

/** What tokens cost, and when that changes. */
export interface Prices {
  /** In nano-units of the accounting currency for a million tokens; null: not known. */
  readonly price: ModelPrice | null;
  /** In order: from its moment on, each counts in place of that before it, and the first in place of `price`. */
  readonly datedPrices: readonly DatedPrice[];
}

/** Prices are those of the model itself: what keys cost that say nothing else. */
export interface Model extends Prices {
  /** What callers write. */
  readonly name: string;
  /** What its providers call it. */
  readonly upstreamName: string;
  /** In order: the next one where no key of one before has room. */
  readonly pools: readonly string[];
  readonly tags: readonly string[];
  /** Of pools in which calls cost something else. */
  readonly poolPrices: readonly PoolPrices[];
  /** The most tokens of a prompt and its answer together; null: not known. */
  readonly contextTokens: number | null;
  /** The most tokens of an answer that the model makes; null: not known. */
  readonly outputTokensMax: number | null;
  /**
   * The most tokens that an answer has at any of its providers, whatever is asked for: as they say, or else those of the context. Nobody
   * has to be told, and one that is told a context as the bound of an answer refuses it. Null: not known of one of them.
   */
  readonly answerTokensMost: number | null;
  /** It searches by itself, and what it finds is paid for beside the prompt. */
  readonly searches: boolean;
  /** What makes tokens of its prompts; null: not known, or not published. */
  readonly tokenizer: TokenizerName | null;
  readonly place: Place;
}

export interface PoolPrices extends Prices {
  readonly pool: string;
  /** Of its keys that cost something else than the others. */
  readonly keys: readonly (Prices & { readonly key: string })[];
}

export interface ModelPrice {
  readonly inputNano: number;
  readonly outputNano: number;
  /** Input that the provider had in its cache. */
  readonly cachedNano: number;
  /** For each request. */
  readonly requestNano: number;
  /** `2026-11-30`: the day that it is from. */
  readonly asOf: string;
  /** Who says so: the files of the project, or the catalogue of prices. */
  readonly source: 'project' | 'catalogue';
}

export interface DatedPrice {
  readonly fromMs: number;
  readonly price: ModelPrice;
}

/** What tokens cost at a moment. */
export function priceAt({ price, datedPrices }: Prices, wallMs: number): ModelPrice | null {
  return datedPrices.findLast(({ fromMs }) => fromMs <= wallMs)?.price ?? price;
}

/** What a model costs with the keys of a pool, by their names. */
export function pricesIn(model: Model, pool: string): (key: string) => Prices {
  const ofPool = model.poolPrices.find((one) => one.pool === pool);
  const ofKeys = new Map(ofPool?.keys.map((own) => [own.key, own]));
  return (key) => ofKeys.get(key) ?? ofPool ?? model;
}

/** The keys of a pool with which nobody knows what a call costs at a moment; at the end of all time: nobody ever will. */
export function unpricedKeys(model: Model, { name, keys }: Pool, wallMs: number): readonly PoolKey[] {
  const prices = pricesIn(model, name);
  return keys.filter((key) => priceAt(prices(key.name), wallMs) === null);
}

/** Of each kind of token the most: no call costs more. */
export function dearerPrice(a: ModelPrice, b: ModelPrice): ModelPrice {
  return {
    inputNano: Math.max(a.inputNano, b.inputNano),
    outputNano: Math.max(a.outputNano, b.outputNano),
    cachedNano: Math.max(a.cachedNano, b.cachedNano),
    requestNano: Math.max(a.requestNano, b.requestNano),
    asOf: a.asOf,
    source: a.source,
  };
}

/** All that the configuration says of models. */
export interface Models {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly models: ReadonlyMap<string, Model>;
}

export const NO_MODELS: Models = { providers: new Map(), pools: new Map(), models: new Map() };

/** By which callers of Anthropic's dialect are told from others where paths are the same: all its SDKs send it, with the version they mean. */
const ANTHROPIC_FIELDS = ['anthropic-version'] as const;

/** What can be asked of a model, and where it is asked; `ai/operations` says more of each. */
export const OPERATION_TARGETS = {
  'openai/chat': post('/chat/completions'),
  'openai/responses': post('/responses'),
  'openai/completions': post('/completions'),
  'openai/embeddings': post('/embeddings'),
  'openai/moderations': post('/moderations'),
  'openai/images': post('/images/generations'),
  'openai/image-edits': post('/images/edits'),
  'openai/image-variations': post('/images/variations'),
  'openai/speech': post('/audio/speech'),
  'openai/transcriptions': post('/audio/transcriptions'),
  'openai/translations': post('/audio/translations'),
  'openai/rerank': post('/rerank'),
  'openai/models': get('/models'),
  'openai/model': get('/models/{model...}'),
  'anthropic/messages': post('/messages'),
  'anthropic/count-tokens': post('/messages/count_tokens'),
  'anthropic/models': get('/models', ANTHROPIC_FIELDS),
  'anthropic/model': get('/models/{model...}', ANTHROPIC_FIELDS),
} as const satisfies Readonly<Record<string, OperationTarget>>;
export type OperationName = keyof typeof OPERATION_TARGETS;

/** A request of an operation. */
export interface OperationTarget {
  readonly method: 'GET' | 'POST';
  /** Below the base URL of a provider, which ends in `/v1` or the like; with a parameter it is asked of no provider. */
  readonly path: string;
  /** Header fields that its requests have, in lower case. */
  readonly fields: readonly string[];
}

function post(path: string): OperationTarget {
  return { method: 'POST', path, fields: [] };
}

function get(path: string, fields: OperationTarget['fields'] = []): OperationTarget {
  return { method: 'GET', path, fields };
}

export function dialectOf(operation: OperationName): Dialect {
  return operation.startsWith('anthropic/') ? 'anthropic' : 'openai';
}

export function isDialect(name: string): name is Dialect {
  return (DIALECTS as readonly string[]).includes(name);
}
