/**
 * What a plain (unquoted) scalar means. Both YAML readers ask this, so that they cannot differ: the core schema of
 * YAML 1.2.2 (section 10.3.2), in which `no`, `on`, `1_000` and `12:30` are texts.
 */
export type PlainScalar = null | boolean | number | string;

const WORDS: ReadonlyMap<string, PlainScalar> = new Map<string, PlainScalar>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(
    (word) => [word, Number.POSITIVE_INFINITY] as const,
  ),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
]);
const DECIMAL = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const OCTAL_OR_HEXADECIMAL = /^0(?:o[0-7]+|x[0-9a-fA-F]+)$/;
const WORD_LENGTH_MAX = 5;

/** The value of a plain scalar; texts come back as they are. */
export function plainScalar(text: string): PlainScalar {
  if (text.length <= WORD_LENGTH_MAX) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  // Every number begins with one of + - . 0…9, all of which sort before ':'; nearly all texts do not.
  if (text.charCodeAt(0) >= 0x3a) return text;
  // Adding 0 turns -0 into 0, which prints alike but is not the same value to everyone.
  if (DECIMAL.test(text) || OCTAL_OR_HEXADECIMAL.test(text)) return Number(text) + 0;
  return text;
}
