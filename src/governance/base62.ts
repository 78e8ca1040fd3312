import type { Random } from '../base/ports.ts';

/** Base 62 in the order of ASCII: safe in URLs, headers and double-click selection. */
export const BASE62_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const IS_DIGIT = digitTable();
/** Bytes from here on would favour the first digits: 256 is no multiple of 62. */
const FAIR_BYTES = 256 - (256 % BASE62_DIGITS.length);

/** `length` uniform digits from strong randomness: 5.95 bits each. */
export function randomBase62(random: Random, length: number): string {
  const bytes = new Uint8Array(length * 2);
  let text = '';
  while (text.length < length) {
    random.fill(bytes);
    for (const byte of bytes) {
      if (byte < FAIR_BYTES && text.length < length) text += BASE62_DIGITS[byte % BASE62_DIGITS.length];
    }
  }
  return text;
}

/** An integer in [0, 2^32) as six digits, leading zeros included (62^6 > 2^32). */
export function uint32ToBase62(value: number): string {
  let text = '';
  let rest = value;
  for (let digit = 0; digit < 6; digit++) {
    text = BASE62_DIGITS[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Whether `text` from `start` to before `end` is digits only. */
export function isBase62(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (IS_DIGIT[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}

function digitTable(): Uint8Array {
  const table = new Uint8Array(128);
  for (const digit of BASE62_DIGITS) table[digit.charCodeAt(0)] = 1;
  return table;
}
