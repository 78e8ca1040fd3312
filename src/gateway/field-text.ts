/** Which characters names and values of fields may hold (RFC 9110, 5.1 and 5.5), and how text becomes bytes. */

/** A value of visible ASCII, blanks and tabs: the same as text and as bytes. */
export const PLAIN_VALUE = 0;
/** Also characters above 0x7F. */
export const WIDE_VALUE = 1;
/** A control character, or a character that stands for bytes that were lost (U+FFFD). */
export const BAD_VALUE = 2;

export function classifyValue(value: string): typeof PLAIN_VALUE | typeof WIDE_VALUE | typeof BAD_VALUE {
  let wide = 0;
  const length = value.length;
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index);
    if (code >= 0x20 && code < 0x7f) continue;
    if (code > 0x7f && code !== 0xfffd) wide = 1;
    else if (code !== 0x09) return BAD_VALUE;
  }
  return wide === 0 ? PLAIN_VALUE : WIDE_VALUE;
}

/** RFC 9110, 5.6.2: `token`. */
export function isToken(name: string): boolean {
  if (name.length === 0) return false;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code >= 128 || TOKEN[code] !== 1) return false;
  }
  return true;
}

/** One character per byte of the UTF-8 form: how field lines carry text that is not ASCII. */
export function toByteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const TOKEN = tokenTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(128);
  const characters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
