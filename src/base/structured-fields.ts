/**
 * Structured fields (RFC 9651), read strictly: a key that is given twice, base64 in another than its one spelling, decimals, dates
 * and display strings are refused, though the RFC lets recipients be milder. None of the fields read here needs them, and what
 * can be read in two ways is what attackers look for. Never throws.
 */

export type BareItem = number | string | boolean | Uint8Array | Token;
/** A word without quotes. */
export class Token {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Parameters = ReadonlyMap<string, BareItem>;
export interface Item {
  readonly value: BareItem;
  readonly parameters: Parameters;
}
export interface InnerList {
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}
export type Member = Item | InnerList;

/** One item with its parameters; null for anything else. */
export function parseItem(text: string): Item | null {
  const cursor = new Cursor(text);
  cursor.skip(SPACE);
  const item = readItem(cursor);
  cursor.skip(SPACE);
  return item !== null && cursor.atEnd ? item : null;
}

/** Items and inner lists; an empty list for an empty text. */
export function parseList(text: string): readonly Member[] | null {
  const members: Member[] = [];
  const sound = readMembers(new Cursor(text), (cursor) => {
    const member = readMember(cursor);
    if (member !== null) members.push(member);
    return member !== null;
  });
  return sound ? members : null;
}

export function parseDictionary(text: string): ReadonlyMap<string, Member> | null {
  const members = new Map<string, Member>();
  const sound = readMembers(new Cursor(text), (cursor) => {
    const key = cursor.match(KEY);
    if (key === null || members.has(key)) return false;
    const member = cursor.take('=') ? readMember(cursor) : flagged(readParameters(cursor));
    if (member !== null) members.set(key, member);
    return member !== null;
  });
  return sound ? members : null;
}

export function isInnerList(member: Member): member is InnerList {
  return 'items' in member;
}

/** Of the whitespace that fields know, which is less than `trim` knows. By index: a pattern would begin anew at each blank within. */
export function trimmed(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** As RFC 9651, 4.1.1.1 writes it: the one spelling. */
export function serializeInnerList({ items, parameters }: InnerList): string {
  return `(${items.map(serializeItem).join(' ')})${serializeParameters(parameters)}`;
}

export function serializeItem({ value, parameters }: Item): string {
  return serializeBareItem(value) + serializeParameters(parameters);
}

function serializeParameters(parameters: Parameters): string {
  let text = '';
  for (const [key, value] of parameters)
    text += value === true ? `;${key}` : `;${key}=${serializeBareItem(value)}`;
  return text;
}

function serializeBareItem(value: BareItem): string {
  if (typeof value === 'string') return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'boolean') return value ? '?1' : '?0';
  if (value instanceof Token) return value.text;
  if (value instanceof Uint8Array) return `:${base64(value)}:`;
  return String(value);
}

function flagged(parameters: Parameters | null): Item | null {
  return parameters === null ? null : { value: true, parameters };
}

/** What lists and dictionaries have in common: members, and commas between them. */
function readMembers(cursor: Cursor, readOne: (cursor: Cursor) => boolean): boolean {
  cursor.skip(SPACE);
  while (!cursor.atEnd) {
    if (!readOne(cursor)) return false;
    cursor.skip(OPTIONAL_WHITESPACE);
    if (cursor.atEnd) return true;
    if (!cursor.take(',')) return false;
    cursor.skip(OPTIONAL_WHITESPACE);
    if (cursor.atEnd) return false;
  }
  return true;
}

function readMember(cursor: Cursor): Member | null {
  return cursor.take('(') ? readInnerList(cursor) : readItem(cursor);
}

function readInnerList(cursor: Cursor): InnerList | null {
  const items: Item[] = [];
  for (;;) {
    const blanks = cursor.skip(SPACE);
    if (cursor.take(')')) break;
    if (items.length > 0 && blanks === 0) return null;
    const item = readItem(cursor);
    if (item === null) return null;
    items.push(item);
  }
  const parameters = readParameters(cursor);
  return parameters === null ? null : { items, parameters };
}

function readItem(cursor: Cursor): Item | null {
  const value = readBareItem(cursor);
  const parameters = value === null ? null : readParameters(cursor);
  return value === null || parameters === null ? null : { value, parameters };
}

function readParameters(cursor: Cursor): Parameters | null {
  if (cursor.next !== ';') return NO_PARAMETERS;
  const parameters = new Map<string, BareItem>();
  while (cursor.take(';')) {
    cursor.skip(SPACE);
    const key = cursor.match(KEY);
    if (key === null || parameters.has(key)) return null;
    const value = cursor.take('=') ? readBareItem(cursor) : true;
    if (value === null) return null;
    parameters.set(key, value);
  }
  return parameters;
}

function readBareItem(cursor: Cursor): BareItem | null {
  switch (cursor.next) {
    case '"':
      return unquoted(cursor.match(STRING));
    case ':':
      return bytesOf(cursor.match(BYTES));
    case '?': {
      const text = cursor.match(BOOLEAN);
      return text === null ? null : text === '?1';
    }
    default: {
      const number = cursor.match(INTEGER);
      if (number !== null) return Number(number);
      const token = cursor.match(TOKEN);
      return token === null ? null : new Token(token);
    }
  }
}

function unquoted(text: string | null): string | null {
  if (text === null) return null;
  return text.includes('\\') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text.slice(1, -1);
}

/** Only the one spelling of these bytes. */
function bytesOf(text: string | null): Uint8Array | null {
  if (text === null) return null;
  const bytes = Buffer.from(text.slice(1, -1), 'base64');
  return text.length === base64Length(bytes) + 2 && base64(bytes) === text.slice(1, -1) ? bytes : null;
}

function base64Length(bytes: Uint8Array): number {
  return Math.ceil(bytes.length / 3) * 4;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  get next(): string | undefined {
    return this.#text[this.#at];
  }

  /** Whether the character stands here; then it is passed. */
  take(character: string): boolean {
    if (this.next !== character) return false;
    this.#at++;
    return true;
  }

  /** How many were passed. */
  skip(characters: string): number {
    const from = this.#at;
    while (!this.atEnd && characters.includes(this.next!)) this.#at++;
    return this.#at - from;
  }

  /** What a sticky pattern finds here. */
  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at += found[0].length;
    return found[0];
  }
}

const SPACE = ' ';
const OPTIONAL_WHITESPACE = ' \t';
const NO_PARAMETERS: Parameters = new Map();

// Each takes time in proportion to what it reads: no alternative begins like another.
const KEY = /[a-z*][a-z0-9_.*-]*/y;
const STRING = /"(?:[ !#-[\]-~]|\\["\\])*"/y;
const BYTES = /:[A-Za-z0-9+/=]*:/y;
const BOOLEAN = /\?[01]/y;
/** One that goes on as a decimal is none. */
const INTEGER = /-?\d{1,15}(?![\d.])/y;
const TOKEN = /[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*/y;
