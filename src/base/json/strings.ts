/** Takes one JSON string: escapes, control characters and UTF-8, each byte looked at once (RFC 8259 section 7). */

import { NO_BYTE, type ReadingHead } from './reading-head.ts';

export type StringForm = 'plain' | 'escaped' | 'refused';

/** Reads the string whose opening quote is under the head, and stops behind its closing quote. */
export function takeString(head: ReadingHead): StringForm {
  const start = head.at;
  let form: StringForm = 'plain';
  head.at = start + 1;
  for (;;) {
    skipPlain(head);
    const byte = head.peek();
    if (byte === QUOTE) break;
    if (byte === BACKSLASH) {
      if (!takeEscape(head)) return 'refused';
      form = 'escaped';
    } else if (!takeSequence(head, byte)) return 'refused';
  }
  head.at++;
  if (head.at - start - 2 > head.bounds.stringBytesMax) {
    head.refuse('string_too_long', start);
    return 'refused';
  }
  return form;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function skipPlain(head: ReadingHead): void {
  const { bytes } = head;
  let at = head.at;
  while (at < bytes.length && PLAIN[bytes[at]!] === 1) at++;
  head.at = at;
}

/** ASCII that stands for itself. DEL is among it: RFC 8259 counts only U+0000 to U+001F as control characters. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

function takeEscape(head: ReadingHead): boolean {
  const start = head.at;
  head.at++;
  const letter = head.peek();
  if (letter === NO_BYTE) return head.refuse('cut_short', head.at);
  head.at++;
  if (letter !== 0x75) return SHORT_ESCAPES.includes(letter) || head.refuse('unknown_escape', start);
  head.isAscii = false;
  const unit = takeFourDigits(head, start);
  if (unit === NO_UNIT) return false;
  if (unit < 0xd800 || unit > 0xdfff) return true;
  return takeLowHalf(head, start, unit);
}

/** The letters of the two-character escapes: quote, backslash, slash, b, f, n, r, t. */
const SHORT_ESCAPES: readonly number[] = [0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74];

/** Half a pair is read as U+FFFD, as WTF-8, or refused, depending on who reads it: so it must not pass. */
function takeLowHalf(head: ReadingHead, start: number, high: number): boolean {
  const { bytes, at } = head;
  if (high > 0xdbff || bytes[at] !== BACKSLASH || bytes[at + 1] !== 0x75) {
    return at >= bytes.length && high <= 0xdbff
      ? head.refuse('cut_short', bytes.length)
      : head.refuse('lone_surrogate', start);
  }
  head.at = at + 2;
  const low = takeFourDigits(head, at);
  if (low === NO_UNIT) return false;
  return (low >= 0xdc00 && low <= 0xdfff) || head.refuse('lone_surrogate', start);
}

const NO_UNIT = -1;

function takeFourDigits(head: ReadingHead, escapeAt: number): number {
  const unit = fourHexDigits(head.bytes, head.at);
  if (unit === NO_UNIT) head.refuse('unicode_escape', escapeAt);
  head.at += 4;
  return unit;
}

/** The code unit written at `at`, or -1 if four hexadecimal digits do not stand there. */
export function fourHexDigits(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) return NO_UNIT;
  let unit = 0;
  for (let i = 0; i < 4; i++) {
    const digit = HEX[bytes[at + i]!]!;
    if (digit < 0) return NO_UNIT;
    unit = unit * 16 + digit;
  }
  return unit;
}

const HEX = Int8Array.from({ length: 256 }, (_, byte) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase()),
);

function takeSequence(head: ReadingHead, lead: number): boolean {
  if (lead === NO_BYTE) return head.refuse('cut_short', head.at);
  if (lead < 0x20) return head.refuse('control_character', head.at);
  head.isAscii = false;
  const { bytes, at } = head;
  const size = SEQUENCE_BYTES[lead]!;
  if (size === 0 || at + size > bytes.length) return head.refuse('invalid_utf8', at);
  const second = bytes[at + 1]!;
  if (second < SECOND_LEAST[lead]! || second > SECOND_MOST[lead]!) return head.refuse('invalid_utf8', at);
  for (let i = 2; i < size; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) return head.refuse('invalid_utf8', at);
  }
  head.at = at + size;
  return true;
}

/**
 * RFC 3629 section 4, its syntax of byte sequences. The bounds of the second byte keep out overlong forms (E0, F0),
 * surrogates (ED) and what lies beyond U+10FFFF (F4); 80 to C1 and F5 to FF lead nothing.
 */
const SEQUENCES = [
  { from: 0xc2, to: 0xdf, bytes: 2, secondLeast: 0x80, secondMost: 0xbf },
  { from: 0xe0, to: 0xe0, bytes: 3, secondLeast: 0xa0, secondMost: 0xbf },
  { from: 0xe1, to: 0xec, bytes: 3, secondLeast: 0x80, secondMost: 0xbf },
  { from: 0xed, to: 0xed, bytes: 3, secondLeast: 0x80, secondMost: 0x9f },
  { from: 0xee, to: 0xef, bytes: 3, secondLeast: 0x80, secondMost: 0xbf },
  { from: 0xf0, to: 0xf0, bytes: 4, secondLeast: 0x90, secondMost: 0xbf },
  { from: 0xf1, to: 0xf3, bytes: 4, secondLeast: 0x80, secondMost: 0xbf },
  { from: 0xf4, to: 0xf4, bytes: 4, secondLeast: 0x80, secondMost: 0x8f },
] as const;

const SEQUENCE_BYTES = byLead('bytes');
const SECOND_LEAST = byLead('secondLeast');
const SECOND_MOST = byLead('secondMost');

function byLead(column: 'bytes' | 'secondLeast' | 'secondMost'): Uint8Array {
  const table = new Uint8Array(256);
  for (const row of SEQUENCES) table.fill(row[column], row.from, row.to + 1);
  return table;
}
