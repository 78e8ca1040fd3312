/**
 * Texts that are JSON themselves – arguments of tools, what tools answer – hold their own escapes: `\n`, `\u0040`. They are searched
 * as they mean, and changed where they stand. In a text that is none, an escape is what it would be in one.
 */

/** What a text means, and where each of its code units stands in what was written. */
export interface Unescaped {
  readonly text: string;
  /** By position in `text`, its end included; null: every unit stands for itself. */
  readonly places: readonly number[] | null;
}

/** Of RFC 8259, 7. Unless the text is at its end (`isEnd`), what may be the beginning of an escape there is left out. */
export function unescaped(written: string, isEnd: boolean): Unescaped {
  if (!written.includes('\\')) return { text: written, places: null };
  const places: number[] = [];
  let text = '';
  let at = 0;
  while (at < written.length) {
    const length = written[at] === '\\' ? escapeLength(written, at) : 1;
    if (length === OPEN && !isEnd) break;
    places.push(at);
    text += length > 1 ? meaning(written, at) : written[at];
    at += Math.max(1, length);
  }
  places.push(at);
  return { text, places };
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
