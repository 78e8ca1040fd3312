/** What the mock provider says: words drawn by the prompt and a seed, so that the same call always gets the same answer. */

/** Each word, with the blank before it, is one token. */
const WORDS = [
  ...['gate', 'key', 'door', 'river', 'stone', 'lamp', 'road', 'bridge'],
  ...['opens', 'waits', 'turns', 'carries', 'holds', 'follows', 'keeps', 'finds'],
];

/** A number of 32 bits that stands for a text: FNV-1a (draft-eastlake-fnv). */
export function hashOf(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

/** Words of an answer of this many tokens. */
export function wordsOf(tokens: number, hash: number): string[] {
  let state = hash;
  return Array.from({ length: tokens }, (_, place) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const word = WORDS[state % WORDS.length]!;
    return place === 0 ? word : ` ${word}`;
  });
}

/** As many tokens as OpenAI's rule of thumb says: four characters of English each. */
export function promptTokensOf(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}
