/**
 * The Distinguished Encoding Rules (ITU-T X.690), as far as certificates need them: one spelling for each value, so anything else
 * is refused. Nothing here goes deeper than it is asked to, and nothing is copied.
 */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  object: 0x06,
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a context-specific element: `[3]` that holds others, `[2]` that holds a value. */
export function contextTag(number: number, holds: 'elements' | 'value'): number {
  return (holds === 'elements' ? 0xa0 : 0x80) | number;
}

/** All elements that stand one behind the other; null when these bytes are not just that. */
export function readElements(bytes: Uint8Array): readonly DerElement[] | null {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    if (element === null) return null;
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

/** The one element that these bytes are. */
export function readOnly(bytes: Uint8Array, tag: number): DerElement | null {
  const element = readElement(bytes, 0);
  return element !== null && element.tag === tag && element.whole.length === bytes.length ? element : null;
}

/** The elements within the one that these bytes are. */
export function readWithin(bytes: Uint8Array, tag: number): readonly DerElement[] | null {
  const element = readOnly(bytes, tag);
  return element === null ? null : readElements(element.content);
}

function readElement(bytes: Uint8Array, from: number): DerElement | null {
  const tag = bytes[from];
  const first = bytes[from + 1];
  // Tags of several bytes are in no certificate.
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return null;
  let at = from + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // 0 would be an end that is marked, which DER has not; three bytes say more than any certificate has.
    if (count === 0 || count > 3) return null;
    length = 0;
    for (let read = 0; read < count; read++) length = length * 256 + (bytes[at++] ?? Number.NaN);
    if (!(length >= (count === 1 ? 0x80 : 2 ** (8 * (count - 1))))) return null;
  }
  if (at + length > bytes.length) return null;
  return { tag, content: bytes.subarray(at, at + length), whole: bytes.subarray(from, at + length) };
}

/** `2.5.4.3`; null for what is no identifier. */
export function readObjectId(content: Uint8Array): string | null {
  const numbers: number[] = [];
  let number = 0;
  let begun = false;
  for (const byte of content) {
    if (!begun && byte === 0x80) return null;
    number = number * 128 + (byte & 0x7f);
    if (number > Number.MAX_SAFE_INTEGER / 128) return null;
    begun = byte >= 0x80;
    if (begun) continue;
    numbers.push(number);
    number = 0;
  }
  const [first] = numbers;
  if (first === undefined || begun) return null;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...numbers.slice(1)].join('.');
}

/** Only the two values that DER has. */
export function readBoolean(content: Uint8Array): boolean | null {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) return null;
  return content[0] === 0xff;
}

/** A number that is not negative; of more than six bytes it is the largest there is. */
export function readCount(content: Uint8Array): number | null {
  const [first, second] = content;
  if (first === undefined || first >= 0x80 || (first === 0 && second !== undefined && second < 0x80))
    return null;
  if (content.length > 6) return Number.MAX_SAFE_INTEGER;
  return content.reduce((number, byte) => number * 256 + byte, 0);
}

/** Moments as RFC 5280, 4.1.2.5 has them: seconds are said, zone is Z. Milliseconds since 1970. */
export function readMoment({ tag, content }: DerElement): number | null {
  const text = Buffer.from(content).toString('latin1');
  const found = tag === TAG.utcTime ? UTC_TIME.exec(text) : GENERALIZED_TIME.exec(text);
  if (found === null || (tag !== TAG.utcTime && tag !== TAG.generalizedTime)) return null;
  const [written, month, day, hour, minute, second] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const year = tag === TAG.utcTime ? written + (written >= 50 ? 1900 : 2000) : written;
  // The way round: not by Date.UTC, which reads years below 100 as of the last century.
  const iso = `${String(year).padStart(4, '0')}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}.000Z`;
  const moment = Date.parse(iso);
  return !Number.isNaN(moment) && new Date(moment).toISOString() === iso ? moment : null;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
