/**
 * The one normal form of a request target (RFC 3986, 6.2.2): what it answers is matched, judged and forwarded, so no
 * two readers of a path can disagree. What has no safe normal form is refused.
 *
 * - Escapes of unreserved characters are decoded, other escapes get capital digits, characters a path may not hold raw
 *   are escaped, dot segments are removed, runs of slashes are merged by setting.
 * - `%2F` stays as it is: it never divides segments. `%5C`, encoded control characters, and dot segments that only show
 *   when `%2F` is decoded or `;` cuts (`..%2F`, `..;`) are refused, because servers behind disagree on them.
 */
export type Slashes = 'merge' | 'keep';

export interface TargetFault {
  readonly fault: string;
}

/** The normal form, or why there is none. A path that is normal already comes back as the same string. */
export function normalisePath(path: string, slashes: Slashes): string | TargetFault {
  if (path.charCodeAt(0) !== SLASH) return NOT_ORIGIN_FORM;
  const length = path.length;
  let previous = 0;
  for (let index = 0; index < length; index++) {
    const code = path.charCodeAt(index);
    // One table look-up per character; a dot or slash matters only behind a slash.
    const kind = code < 128 ? KIND[code]! : RAW_FAULT;
    if (kind !== PLAIN) {
      if (kind === RAW_FAULT) return RAW_FAULTS;
      if (kind !== SEPARATOR || previous === SLASH) return rewrite(path, slashes);
    }
    previous = code;
  }
  return path;
}

/** Null when the query may pass as it is. Queries are not rewritten: their meaning belongs to the service. */
export function checkQuery(query: string): TargetFault | null {
  const length = query.length;
  for (let index = 0; index < length; index++) {
    const code = query.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return RAW_FAULTS;
    if (code !== PERCENT) continue;
    const value = escapeValue(query, index);
    if (value < 0) return BAD_ESCAPE;
    if (value === 0) return FORBIDDEN_ESCAPE;
  }
  return null;
}

/** Decodes percent-escapes as UTF-8; null when the bytes are not UTF-8. */
export function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  const bytes = Buffer.allocUnsafe(segment.length);
  let length = 0;
  for (let index = 0; index < segment.length; index++) {
    const code = segment.charCodeAt(index);
    const escaped = code === PERCENT;
    bytes[length++] = escaped ? escapeValue(segment, index) : code;
    if (escaped) index += 2;
  }
  const text = bytes.toString('utf8', 0, length);
  return text.includes('\uFFFD') ? null : text;
}

function rewrite(path: string, slashes: Slashes): string | TargetFault {
  const escaped = normaliseEscapes(path);
  if (typeof escaped !== 'string') return escaped;
  return removeDotSegments(escaped, slashes);
}

function normaliseEscapes(path: string): string | TargetFault {
  let out = '';
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    const kind = code < 128 ? KIND[code]! : RAW_FAULT;
    if (kind === RAW_FAULT) return RAW_FAULTS;
    if (kind === TO_ESCAPE) {
      out += ESCAPES[code]!;
    } else if (kind === ESCAPE) {
      const value = escapeValue(path, index);
      if (value < 0) return BAD_ESCAPE;
      if (value < 0x20 || value === 0x7f || value === BACKSLASH) return FORBIDDEN_ESCAPE;
      out += UNRESERVED[value] === 1 ? String.fromCharCode(value) : ESCAPES[value]!;
      index += 2;
    } else {
      out += path[index]!;
    }
  }
  return out;
}

/** RFC 3986, 5.2.4 on whole segments: a dot segment at the end leaves its slash. */
function removeDotSegments(path: string, slashes: Slashes): string | TargetFault {
  const segments = path.split('/');
  const kept: string[] = [];
  const last = segments.length - 1;
  for (let index = 1; index <= last; index++) {
    const segment = segments[index]!;
    if (HIDDEN_DOTS.test(segment)) return HIDDEN_DOT_SEGMENT;
    const dots = segment === '.' ? 1 : segment === '..' ? 2 : 0;
    if (dots === 2) kept.pop();
    if (dots > 0) {
      if (index === last) kept.push('');
    } else if (segment !== '' || index === last || slashes === 'keep') {
      kept.push(segment);
    }
  }
  return `/${kept.join('/')}`;
}

/** Value of the escape at `index`, -1 when it is none. */
function escapeValue(text: string, index: number): number {
  const high = hexDigit(text.charCodeAt(index + 1));
  const low = hexDigit(text.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

/** Nothing in it repeats without bound. Escapes have capital digits by now. */
const HIDDEN_DOTS = /(?:^|%2F)\.\.?(?:%2F|;|%3B)|%2F\.\.?$/;

const SLASH = 0x2f;
const PERCENT = 0x25;
const HASH = 0x23;
const BACKSLASH = 0x5c;

const PLAIN = 0;
/** Dot or slash: dot segments and runs of slashes begin behind a slash. */
const SEPARATOR = 1;
const ESCAPE = 2;
const TO_ESCAPE = 3;
const RAW_FAULT = 4;

const KIND = kinds();
const UNRESERVED = marks('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~', 256);
const ESCAPES = Array.from(
  { length: 256 },
  (_, value) => `%${value.toString(16).toUpperCase().padStart(2, '0')}`,
);

function kinds(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    if (code <= 0x20 || code === 0x7f || '\\#?'.includes(character)) table[code] = RAW_FAULT;
    else if ('/.'.includes(character)) table[code] = SEPARATOR;
    else if (character === '%') table[code] = ESCAPE;
    else if ('"<>[]^`{|}'.includes(character)) table[code] = TO_ESCAPE;
  }
  return table;
}

function marks(characters: string, size: number): Uint8Array {
  const table = new Uint8Array(size);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

const NOT_ORIGIN_FORM: TargetFault = Object.freeze({
  fault: 'The request target must be a path that begins with "/".',
});
const RAW_FAULTS: TargetFault = Object.freeze({
  fault: 'The request target holds a character that must be percent-encoded, a "#" or a backslash.',
});
const BAD_ESCAPE: TargetFault = Object.freeze({
  fault: 'The request target holds a "%" that begins no valid escape.',
});
const FORBIDDEN_ESCAPE: TargetFault = Object.freeze({
  fault: 'The request target holds an encoded control character or backslash.',
});
const HIDDEN_DOT_SEGMENT: TargetFault = Object.freeze({
  fault: 'The request target hides a dot segment behind ";" or an encoded slash.',
});
