/** What of a request to a model limits, prices and the choice of a key depend on. */
export interface CallFacts {
  /** As the caller wrote it; null where the body names none. */
  readonly model: string | null;
  readonly streams: boolean;
  /** The least of the caller's own bounds; null: it set none. */
  readonly outputCap: number | null;
  /** It set two that differ: only one of them may leave, as providers honour either. */
  readonly capsDiffer: boolean;
  /** It set it by a name that some providers don't know, and no other. */
  readonly capByNewName: boolean;
  /** The most of the answer that may be thought; null: the caller does not say. */
  readonly thinkingTokens: number | null;
  /** Answers that are made of the prompts together, 1 or more. */
  readonly choices: number;
  /** The caller asked for the usage at the end of a stream. */
  readonly asksForUsage: boolean;
  /** Bytes of the body, and of what of it the model reads more than once: no tokenizer makes more tokens of a text than it has bytes. */
  readonly promptBytes: number;
  /** Images within the prompt: what they count by their size in pixels their bytes don't bound. */
  readonly images: number;
  /** The caller has tools, which dialects describe to the model in words of their own. */
  readonly hasTools: boolean;
  /** The caller asks for parts of the prompt to be put into the cache of the provider, which costs more than to read them. */
  readonly writesCache: boolean;
  /** Why the prompt has no sound bound; null: it has. */
  readonly unbounded: Unbounded | null;
  /** What of the call may cost more than its price by the token says; null: nothing. */
  readonly dearer: Dearer | null;
}

/** What prices by the token don't bound, though its tokens have a bound. */
export const DEARER = {
  service_tier: 'a service tier that is dearer than the price of the model (service_tier)',
  speed: 'a speed that is dearer than the price of the model (speed)',
  place: 'a place to compute that is dearer than the price of the model (inference_geo)',
  media: 'an answer that is not text, and has another price (modalities)',
  prediction: 'a prediction, of which the provider charges what it does not use as if it were an answer',
} as const;
export type Dearer = keyof typeof DEARER;

/** What a prompt may hold whose tokens its bytes don't bound. */
export const UNBOUNDED = {
  image_by_url: 'an image by its URL',
  file_by_reference: 'a file by its id or URL',
  file_inside: 'a file, whose pages count as images too',
  server_tools: 'tools that the provider runs, and whose results it puts into the prompt',
  described_tools: 'tools that the provider describes to the model in words of its own, more for some models',
  model_that_searches: 'a model that searches by itself, and puts what it finds into the prompt',
  earlier_answer: 'an earlier answer by its id',
  stored_prompt: 'a prompt that the provider keeps, by its id',
  unknown_part: 'a part of a message of a type that is not known to be text or an image',
  template: 'a template of its own, or documents that one writes into the prompt',
  sound_inside: 'sound, whose length its bytes do not bound',
} as const;
export type Unbounded = keyof typeof UNBOUNDED;

/** What limits can count of calls, besides money: `tokens` is input and output together. */
export const TOKEN_MEASURES = [
  'tokens',
  'input-tokens',
  'output-tokens',
  'cached-tokens',
  'reasoning-tokens',
] as const;
export type TokenMeasure = (typeof TOKEN_MEASURES)[number];

/** Of the tokens of a call: those of the prompt and of its answer, and parts of these. */
export type TokenKind = 'input' | 'output' | 'cached' | 'reasoning';

/** What is reserved at admission and known at the end. Money in nano-units of the accounting currency. */
export type EstimatedMeasure = TokenMeasure | 'money';

/** Of each measure so much; of a call that is over, null where nobody has told it. */
export type CallBounds = Readonly<Record<EstimatedMeasure, number>>;
export type CallActuals = Readonly<Record<EstimatedMeasure, number | null>>;

export const NOTHING_USED: CallBounds = {
  tokens: 0,
  'input-tokens': 0,
  'output-tokens': 0,
  'cached-tokens': 0,
  'reasoning-tokens': 0,
  money: 0,
};

/** What the answer to a call says that it has used: one of its two halves, or both. */
export interface TokenUsage {
  /** All tokens of the prompt, cached ones included; null: it does not say. */
  readonly inputTokens: number | null;
  /** Null: it does not say, though its dialect has them. */
  readonly outputTokens: number | null;
  /** Parts of the above. */
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** What tokens cost above their price, as so many tokens of the prompt: those that were put into the provider's cache. */
  readonly surcharge: number;
  /** What it cost, in nano-units of the accounting currency, as the provider says; null: it does not. */
  readonly costNano: number | null;
}
