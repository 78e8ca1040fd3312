/** Values as messages name them: short, on one line. */

const SHOWN_MAX = 60;

export function show(value: unknown): string {
  if (typeof value === 'string') return `"${clip(value)}"`;
  if (value === null) return 'nothing';
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}

export function clip(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

/** `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** A help line: the nearest candidate, or what to do without one. */
export function didYouMean(candidate: string | null, otherwise: string): string {
  return candidate === null ? otherwise : `Did you mean "${candidate}"?`;
}
