/** Takes one JSON number (RFC 8259 section 6), and refuses those that readers do not agree on (RFC 7493 section 2.2). */

import type { ReadingHead } from './reading-head.ts';

/** Reads the number whose first character is under the head, and stops behind it. */
export function takeNumber(head: ReadingHead): boolean {
  const start = head.at;
  if (head.peek() === MINUS) head.at++;
  const digitsAt = head.at;
  if (!takeDigits(head, start)) return false;
  const wholeEnd = head.at;
  if (head.bytes[digitsAt] === ZERO && wholeEnd - digitsAt > 1) return head.refuse('leading_zero', start);
  if (head.peek() === POINT) {
    head.at++;
    if (!takeDigits(head, start)) return false;
  }
  const fractionEnd = head.at;
  if (isExponent(head.peek())) {
    head.at++;
    if (head.peek() === MINUS || head.peek() === PLUS) head.at++;
    if (!takeDigits(head, start)) return false;
  }
  if (goesOn(head.peek())) return head.refuse('number_syntax', start);
  if (head.at - start > head.bounds.numberBytesMax) return head.refuse('number_too_long', start);
  return head.at === wholeEnd
    ? takesSafeInteger(head, start, digitsAt)
    : takesDouble(head, start, fractionEnd);
}

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}

function takeDigits(head: ReadingHead, numberAt: number): boolean {
  const { bytes } = head;
  const from = head.at;
  let at = from;
  while (at < bytes.length && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  head.at = at;
  if (at > from) return true;
  return at === bytes.length ? head.refuse('cut_short', at) : head.refuse('number_syntax', numberAt);
}

/** Catches `0x10`, `1.2.3`, `1-1`, `10n` and `1_000` as bad numbers rather than as a missing comma. */
function goesOn(byte: number): boolean {
  const letter = byte | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) || byte === POINT || byte === MINUS || byte === PLUS || byte === 0x5f
  );
}

/**
 * What is written without fraction and exponent is an integer to most readers (64 bits in some, a double in others, any
 * length in Python): they agree up to 2^53 - 1 only. Written with either, it is a double to all of these.
 */
function takesSafeInteger(head: ReadingHead, start: number, digitsAt: number): boolean {
  const digits = head.at - digitsAt;
  if (digits < SAFE_DIGITS.length) return true;
  if (digits > SAFE_DIGITS.length) return head.refuse('integer_range', start);
  for (let i = 0; i < digits; i++) {
    const difference = head.bytes[digitsAt + i]! - SAFE_DIGITS.charCodeAt(i);
    if (difference > 0) return head.refuse('integer_range', start);
    if (difference < 0) return true;
  }
  return true;
}

const SAFE_DIGITS = String(Number.MAX_SAFE_INTEGER);

/** A nonzero number that a double rounds to zero is as far off as one that it calls infinite. */
function takesDouble(head: ReadingHead, start: number, fractionEnd: number): boolean {
  // Without an exponent it takes 309 digits to leave the range: most numbers need no conversion here.
  if (head.at === fractionEnd && head.at - start < 300) return true;
  const value = toNumber(head.bytes, start, head.at);
  if (!Number.isFinite(value)) return head.refuse('number_range', start);
  if (value !== 0) return true;
  for (let at = start; at < fractionEnd; at++) {
    const byte = head.bytes[at]!;
    if (byte > ZERO && byte <= NINE) return head.refuse('number_range', start);
  }
  return true;
}

/** The double nearest to the number written from `start` to `end`, which must have been taken before. */
export function toNumber(bytes: Uint8Array, start: number, end: number): number {
  // Up to 15 digits fit a double exactly: no string is made for the usual integer.
  if (end - start > 15) return Number(ASCII.decode(bytes.subarray(start, end)));
  let value = 0;
  const from = bytes[start] === MINUS ? start + 1 : start;
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return Number(ASCII.decode(bytes.subarray(start, end)));
    value = value * 10 + byte - ZERO;
  }
  return from === start ? value : -value;
}

const ASCII = new TextDecoder('utf-8');
