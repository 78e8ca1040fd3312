import { isIP } from 'node:net';
import { nearest } from '../../diagnostics/suggest.ts';
import {
  CURRENCY_SIGNS,
  decimalText,
  type LiteralResult,
  parseDate,
  parseDuration,
  parseMoney,
  parseNumber,
  parsePercent,
  parsePrice,
  parseRate,
  parseSize,
} from '../../model/literals.ts';
import { addressWords, contains, parseNetwork } from '../../model/networks.ts';
import { clip, didYouMean } from '../show.ts';
import { isHost, isHostPattern } from './hosts.ts';

/** The value of the schema keyword `literal`: a written form, and bounds in its smallest unit (ms, bytes). */
export interface LiteralKeyword {
  readonly of: LiteralKind;
  readonly from?: number;
  readonly to?: number;
}
export type LiteralKind = keyof typeof LITERALS;

export interface LiteralFault {
  readonly code: 'PT3105' | 'PT3106' | 'PT3401';
  readonly message: string;
  readonly help: string;
}

/** Null when the value is written as it should be. */
export function literalFault(keyword: LiteralKeyword, value: unknown): LiteralFault | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = typeof value === 'number' ? decimalText(value) : value;
  if (text.length <= LITERAL_LENGTH_MAX) return LITERALS[keyword.of](text, keyword);
  const message = `This value is longer than ${LITERAL_LENGTH_MAX} characters.`;
  return { code: 'PT3106', message, help: 'Write a shorter one.' };
}

/** No literal is longer; it keeps messages short. A host name has 253 characters at most. */
const LITERAL_LENGTH_MAX = 255;

type Check = (text: string, bounds: LiteralKeyword) => LiteralFault | null;

const LITERALS = {
  duration: measured(parseDuration, (ms) => `${ms}ms`),
  size: measured(parseSize, (bytes) => `${bytes}B`),
  count: measured(parseCount, String),
  percent: measured(parsePercent, (percent) => `${percent}%`),
  threads: (text, bounds) => (text === 'auto' ? null : measured(parseCount, String)(text, bounds)),
  date: measured(parseDate, String),
  price: amount(parsePrice),
  money: amount(parseMoney),
  ip: one(
    (text) => isIP(text) !== 0,
    'an IP address',
    () => 'Write it like 127.0.0.1 or ::1.',
  ),
  host: one(isHost, 'a host name', () => 'Write it like orders.example.com, without scheme and port.'),
  'host-pattern': one(
    isHostPattern,
    'a host name',
    () => 'Write it like api.example.com or *.example.com, without scheme and port.',
  ),
  'peer-network': (text) => {
    const parsed = parseNetwork(text);
    if (!parsed.ok) return sentences(parsed.error.why);
    if (!ALL_ADDRESSES.some((ends) => ends.every((end) => contains(parsed.value, end)))) return null;
    const message = `${text} is every address: anybody would be believed.`;
    return { code: 'PT3106', message, help: 'Write the addresses of the proxies.' };
  },
  // What it is instead may be the secret itself: it is not shown.
  'secret-reference': (text) =>
    SECRET_REFERENCE.test(text)
      ? null
      : {
          code: 'PT3401',
          message: 'This is no reference to a secret, and may be the secret itself.',
          help: 'Write env:NAME, file:PATH or store:NAME, and put the secret there.',
        },
  zone: one(isZone, 'a time zone', (text) =>
    didYouMean(
      nearest(text, Intl.supportedValuesOf('timeZone')),
      'Write a name such as Europe/Berlin or UTC.',
    ),
  ),
  rate: measured(parseRate, String),
  currency: one(isCurrency, 'a currency', (text) =>
    didYouMean(
      nearest(text, Object.values(CURRENCY_SIGNS)) ?? nearest(text, Intl.supportedValuesOf('currency')),
      'Write an ISO 4217 code such as USD or EUR.',
    ),
  ),
  'key-hash': one(
    (text) => KEY_HASH.test(text),
    'the hash of a key',
    () => 'Write it as ptnh1:<key id>:<hash>. A key from `portunus keys issue` needs no line here.',
  ),
} as const satisfies Record<string, Check>;

/** The first and the last address there is, of IPv4 and of IPv6. */
const ALL_ADDRESSES = [
  ['0.0.0.0', '255.255.255.255'],
  ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
].map((ends) => ends.map((end) => addressWords(end)!));

const SECRET_REFERENCE =
  /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^\0]+|store:[a-zA-Z0-9](?:[a-zA-Z0-9._/-]{0,126}[a-zA-Z0-9])?)$/;

/** Key id: 12 base-62 characters; hash: 32 bytes in base64url, whose last character holds four bits. */
const KEY_HASH = /^ptnh1:[A-Za-z0-9]{12}:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

function measured(parse: (text: string) => LiteralResult, write: (value: number) => string): Check {
  return (text, { from, to }) => {
    const parsed = parse(text);
    if (!parsed.ok) return sentences(parsed.error.why);
    const { value } = parsed;
    if (from !== undefined && value < from) return outside(text, `the least is ${write(from)}`);
    if (to !== undefined && value > to) return outside(text, `the most is ${write(to)}`);
    return null;
  };
}

function amount(parse: typeof parseMoney): Check {
  return (text) => {
    const parsed = parse(text);
    return parsed.ok ? null : sentences(parsed.error.why);
  };
}

function outside(text: string, bound: string): LiteralFault {
  return {
    code: 'PT3106',
    message: `${clip(text)} is out of range: ${bound}.`,
    help: 'Write a value in range.',
  };
}

function one(accepts: (text: string) => boolean, what: string, help: (text: string) => string): Check {
  return (text) =>
    accepts(text) ? null : { code: 'PT3105', message: `"${clip(text)}" is not ${what}.`, help: help(text) };
}

/** The last sentence of `why` says what to write instead, where there are two. */
function sentences(why: string): LiteralFault {
  const at = why.lastIndexOf('. Write');
  if (at === -1) return { code: 'PT3105', message: why, help: 'Write another amount.' };
  return { code: 'PT3105', message: why.slice(0, at + 1), help: why.slice(at + 2) };
}

function parseCount(text: string): LiteralResult {
  const parsed = parseNumber(text);
  if (!parsed.ok || Number.isInteger(parsed.value)) return parsed;
  return { ok: false, error: { why: `${text} is not a whole number. Write it like 500 or 500_000.` } };
}

/** As policies write zones; offsets such as +01:00 know no summer time. */
const ZONE = /^(?:UTC|[A-Z][A-Za-z_]+(?:\/[A-Z][A-Za-z0-9_+-]+)+)$/;

function isZone(text: string): boolean {
  if (!ZONE.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch (error) {
    // RangeError is how Intl says that it does not know a zone.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function isCurrency(text: string): boolean {
  return Intl.supportedValuesOf('currency').includes(text);
}
