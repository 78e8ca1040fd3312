/** Character classes of RFC 9110 section 5.5 and 5.6.2 as tables indexed by byte. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;

/** Lower-case form of a tchar (RFC 9110, 5.6.2), 0 for every other byte. */
export const TOKEN_LOWER: Uint8Array = tokenTable();

/** 1 for what a field value or reason phrase may hold: HTAB, SP, VCHAR, obs-text (RFC 9110, 5.5); 0 for CTLs. */
export const FIELD_CONTENT: Uint8Array = contentTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  const characters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  for (const character of characters) table[character.charCodeAt(0)] = character.charCodeAt(0);
  for (let upper = 0x41; upper <= 0x5a; upper++) table[upper] = upper + 0x20;
  return table;
}

function contentTable(): Uint8Array {
  const table = new Uint8Array(256).fill(1, SP);
  table[HTAB] = 1;
  table[0x7f] = 0;
  return table;
}
