/** Tokens of texts, counted by the tables that OpenAI has published of its tokenizers. */
import type { Encoding } from '../model/tokenizers.ts';

/** The most tokens that the texts can have, each by itself. */
export type CountTexts = (texts: readonly string[]) => number;

/** Loading one takes some hundred milliseconds and tens of megabytes. */
export async function loadEncoding(encoding: Encoding): Promise<CountTexts> {
  const { countTokens } = await TABLES[encoding]();
  return (texts) =>
    texts.reduce((sum, text) => sum + (hasLongRun(text) ? bytesOf(text) : countTokens(text, AS_TEXT)), 0);
}

const TABLES = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
};

/** `<|endoftext|>` and its like in what a caller writes are text, not marks. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

/**
 * Tables are applied to one run of letters, of signs or of blanks after the other, and the time grows with the square of its length. What
 * has a run that no language has is bounded by its bytes.
 */
function hasLongRun(text: string): boolean {
  return LONG_RUN.test(text);
}
const LONG_RUN = /[\p{L}\p{M}]{129}|[^\s\p{L}\p{N}]{129}|\s{129}/u;

function bytesOf(text: string): number {
  return UTF_8.encode(text).length;
}
const UTF_8 = new TextEncoder();
