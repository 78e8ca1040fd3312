/**
 * Reads a few members of the object that a JSON text is, and skips the others: of an answer, a few bytes at its end tell what it has used,
 * and to make objects and texts of all the rest cost more than all else that is done with it.
 */
import { parsedJson } from './parsed-json.ts';

/**
 * The last value of each name that is there, parsed. Null where the text is no object, or is cut. What is skipped is not judged: only
 * where it ends.
 */
export function outermostMembers(
  bytes: Uint8Array,
  names: readonly string[],
): Readonly<Record<string, unknown>> | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const found: Record<string, unknown> = {};
  let at = behindSpace(text, text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0);
  if (text.charCodeAt(at) !== OPEN_OBJECT) return null;
  at = behindSpace(text, at + 1);
  if (text.charCodeAt(at) === CLOSE_OBJECT) return behindSpace(text, at + 1) === text.length ? found : null;
  for (;;) {
    const nameEnd = text.charCodeAt(at) === QUOTE ? behindString(text, at) : CUT;
    if (nameEnd === CUT) return null;
    const name = nameAmong(names, text, at, nameEnd);
    const colon = behindSpace(text, nameEnd);
    if (text.charCodeAt(colon) !== COLON) return null;
    const start = behindSpace(text, colon + 1);
    const end = behindValue(text, start);
    if (end === CUT) return null;
    if (name !== undefined) found[name] = parsedLatin1(text.slice(start, end));
    at = behindSpace(text, end);
    const next = text.charCodeAt(at);
    if (next === CLOSE_OBJECT) return behindSpace(text, at + 1) === text.length ? found : null;
    if (next !== COMMA) return null;
    at = behindSpace(text, at + 1);
  }
}

/** Which of the names stands there, between its quotes; most are none of them, and no text is made of those. */
function nameAmong(names: readonly string[], text: string, start: number, end: number): string | undefined {
  for (const name of names)
    if (end - start === name.length + 2 && text.startsWith(name, start + 1)) return name;
  for (let at = start + 1; at < end - 1; at++) {
    const code = text.charCodeAt(at);
    if (code !== BACKSLASH && code < 0x80) continue;
    const written = parsedLatin1(text.slice(start, end));
    return names.find((name) => name === written);
  }
  return undefined;
}

function parsedLatin1(latin1: string): unknown {
  return parsedJson(BEYOND_ASCII.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1);
}
const BEYOND_ASCII = /[\x80-\xff]/;

/** Of a string, an object, an array, or whatever else stands up to a comma or a bracket. */
function behindValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return behindString(text, start);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return behindBrackets(text, start);
  let at = start;
  while (at < text.length && !endsLiteral(text.charCodeAt(at))) at++;
  return at === start ? CUT : at;
}

function endsLiteral(code: number): boolean {
  return code === COMMA || code === CLOSE_OBJECT || code === CLOSE_ARRAY || isSpace(code);
}

function behindBrackets(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = behindString(text, at);
      if (end === CUT) return CUT;
      at = end - 1;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return at + 1;
  }
  return CUT;
}

function behindString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? CUT : end + 1;
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote;
  while (text.charCodeAt(at - 1) === BACKSLASH) at--;
  return (quote - at) % 2 === 1;
}

function behindSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

const CUT = -1;
/** As its three bytes read in latin1. */
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
