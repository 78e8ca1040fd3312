/**
 * Texts that are JSON themselves – arguments of tools, what tools answer – hold their own escapes: `\n`, `\u0040`. In a text that is
 * none, an escape is what it would be in one.
 */

/** What a text means with its escapes undone once. */
export interface Unescaped {
  readonly text: string;
  readonly escapes: Escapes;
}

/**
 * Of RFC 8259, 7; null: it means what stands there. Unless the text is at its end (`isEnd`), what may be the beginning of an escape
 * there is left out.
 */
export function unescaped(written: string, isEnd: boolean): Unescaped | null {
  const escapes = new Escapes();
  let text = '';
  let from = 0;
  let at = written.indexOf('\\');
  while (at !== -1) {
    const length = escapeLength(written, at);
    if (length === OPEN && !isEnd) return { text: text + written.slice(from, at), escapes };
    if (length > 1) {
      text += written.slice(from, at) + meaning(written, at);
      from = at + length;
      escapes.add(text.length - 1, at, from, isLayout(written, at));
    }
    at = written.indexOf('\\', at + Math.max(1, length));
  }
  return from === 0 ? null : { text: text + written.slice(from), escapes };
}

/** What becomes of a position within an escape: `before` it, or, as something that is removed begins (`from`) or ends (`to`) there. */
export type Side = 'before' | 'from' | 'to';

/** Where escapes stand in a text, and their meaning in what it means: each is one code unit there. */
export class Escapes {
  readonly #meant: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #layout: boolean[] = [];

  /** In order. */
  add(meant: number, start: number, end: number, layout: boolean): void {
    this.#meant.push(meant);
    this.#starts.push(start);
    this.#ends.push(end);
    this.#layout.push(layout);
  }

  /** Where in the text stands what is at `at` in what it means. */
  written(at: number): number {
    const last = countBelow(this.#meant, at) - 1;
    return last === -1 ? at : this.#ends[last]! + at - (this.#meant[last]! + 1);
  }

  /**
   * What is at `at` of the text, in what it means. Within an escape: what is removed takes it along, so that nothing of what was
   * found stays and no half of an escape, but not one of those that give the text around it its form.
   */
  meant(at: number, side: Side): number {
    const last = countBelow(this.#starts, at) - 1;
    if (last === -1) return at;
    const meant = this.#meant[last]!;
    const behind = at - this.#ends[last]!;
    if (behind >= 0) return meant + 1 + behind;
    if (side === 'before') return meant;
    return (side === 'to') === this.#layout[last]! ? meant : meant + 1;
  }
}

const OPEN = 0;

/** 1: it is no escape; {@link OPEN}: the text ends within what may be one. */
function escapeLength(written: string, at: number): number {
  if (at + 1 === written.length) return OPEN;
  const sign = written[at + 1]!;
  if (sign !== 'u') return sign in SIGNS ? 2 : 1;
  for (let digit = at + 2; digit < at + UNIT_LENGTH; digit++) {
    if (digit === written.length) return OPEN;
    if (!HEX.includes(written[digit]!)) return 1;
  }
  return UNIT_LENGTH;
}

function meaning(written: string, at: number): string {
  const sign = written[at + 1]!;
  return sign === 'u'
    ? String.fromCharCode(Number.parseInt(written.slice(at + 2, at + UNIT_LENGTH), 16))
    : SIGNS[sign]!;
}

/** Ends of lines, tabs, and what strings begin and end with. The others are rather a folder or a domain before a name: `CORP\bob`. */
function isLayout(written: string, at: number): boolean {
  return LAYOUT.includes(written[at + 1]!);
}
const LAYOUT = 'nrt"\\/';

const SIGNS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  '/': '/',
};
const HEX = '0123456789abcdefABCDEF';
const UNIT_LENGTH = 6;

/** How many of these, which rise, are less. */
function countBelow(rising: readonly number[], than: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! < than) low = middle + 1;
    else high = middle;
  }
  return low;
}
