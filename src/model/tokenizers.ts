/** Tokenizers that are published, so that a prompt can be counted as its provider will. */
export const TOKENIZERS = {
  o200k_base: { encoding: 'o200k_base', templateTokens: 0 },
  cl100k_base: { encoding: 'cl100k_base', templateTokens: 0 },
  // "OpenAI harmony response format": every prompt begins with a message of the format's own, of some sixty tokens
  o200k_harmony: { encoding: 'o200k_base', templateTokens: 160 },
} as const satisfies Readonly<Record<string, Tokenizer>>;

export interface Tokenizer {
  readonly encoding: Encoding;
  /** The most that the template of its models writes into a prompt besides what the request says. */
  readonly templateTokens: number;
}
export type TokenizerName = keyof typeof TOKENIZERS;

/** How bytes of text become tokens. Both take texts as they are: none of their tokens is less than a byte of it. */
export const ENCODINGS = ['o200k_base', 'cl100k_base'] as const;
export type Encoding = (typeof ENCODINGS)[number];
