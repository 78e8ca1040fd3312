import { isIP } from 'node:net';
import { assert } from '../../base/assert.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import {
  type LiteralResult,
  parseDate,
  parseDuration,
  parseMoney,
  parseNumber,
  parsePercent,
  parseSize,
  parseTime,
} from '../../model/literals.ts';
import { type Accounting, inAccounting } from '../../model/money.ts';
import { networkText, parseNetwork } from '../../model/networks.ts';
import type { ScalarKind, ScalarValue, Value, ValueType } from '../../model/types.ts';
import type { AttributeOwner } from '../../model/world.ts';
import type { AttributeValues } from '../documents.ts';
import { below, type Here, keyAt, type Report, valueAt } from '../finding.ts';
import { alternatives, clip, didYouMean, show } from '../show.ts';
import type { Attributes } from './attributes.ts';
import { rateHelp } from './rates.ts';
import type { Checked } from './sources.ts';

interface AttributeContext {
  readonly here: Here;
  /** Null while it is not known. */
  readonly accounting: Accounting | null;
  readonly sound: Checked<unknown>['sound'];
  readonly report: Report;
}

/** Values of one tenant, team or consumer, typed by their declarations. */
export function readAttributes(
  owner: AttributeOwner,
  values: AttributeValues,
  attributes: Attributes,
  context: AttributeContext,
): Readonly<Record<string, Value>> {
  const { here, accounting, report, sound } = context;
  if (!attributes.complete || !sound(below(here, 'attributes').path)) return {};
  const declared = attributes.declared[owner];
  const read: Record<string, Value> = {};
  const misspelt = new Set<string | null>();
  for (const [name, value] of Object.entries(values)) {
    const at = below(here, 'attributes', name);
    if (!Object.hasOwn(declared, name)) {
      const near = nearest(name, Object.keys(declared));
      misspelt.add(near);
      reportUnknown(owner, name, near, at, report);
      continue;
    }
    const result = readValue(value, declared[name]!.type, accounting);
    if (result.ok) read[name] = result.value;
    else reportMistyped(name, result.error.why, at, report);
  }
  const missing = Object.keys(declared).filter(
    (name) => !declared[name]!.optional && !Object.hasOwn(values, name) && !misspelt.has(name),
  );
  for (const name of missing) reportMissing(owner, name, here, report);
  return read;
}

function reportUnknown(
  owner: string,
  name: string,
  suggestion: string | null,
  here: Here,
  report: Report,
): void {
  report({
    code: 'PT3204',
    message: `No attribute "${clip(name)}" is declared for a ${owner}.`,
    target: keyAt(here),
    help: didYouMean(suggestion, `Declare it in portunus.yaml under attributes.${owner}, or remove it.`),
  });
}

function reportMissing(owner: string, name: string, here: Here, report: Report): void {
  report({
    code: 'PT3205',
    message: `This ${owner} lacks the attribute "${name}".`,
    target: keyAt(here),
    help: `Write it under attributes, or declare it as optional in portunus.yaml.`,
  });
}

function reportMistyped(name: string, why: string, here: Here, report: Report): void {
  const at = why.lastIndexOf('. ');
  const [message, help] =
    at === -1
      ? [why, `Write a value of the type that "${name}" is declared with.`]
      : [why.slice(0, at + 1), why.slice(at + 2)];
  report({ code: 'PT3206', message, target: valueAt(here), help });
}

function readValue(value: unknown, type: ValueType, accounting: Accounting | null): LiteralResult<Value> {
  if (type.kind === 'enum') return readEnum(value, type.values);
  if (type.kind === 'reference') return readText(value);
  assert(type.kind !== 'object', 'no attribute is declared as an object');
  if (type.kind !== 'list') return READERS[type.kind](value, accounting);
  if (!Array.isArray(value)) return refuse(`A list is expected, not ${show(value)}. Write it like [a, b].`);
  const items: ScalarValue[] = [];
  for (const item of value) {
    const read = readValue(item, type.of, accounting);
    if (!read.ok) return read;
    items.push(read.value as ScalarValue);
  }
  return { ok: true, value: items };
}

type Reader = (value: unknown, accounting: Accounting | null) => LiteralResult<ScalarValue>;

/** How values of each type are written. Bare numbers go through the same grammar, which asks for their unit. */
const READERS: Readonly<Record<ScalarKind, Reader>> = {
  text: readText,
  boolean: (value) =>
    typeof value === 'boolean'
      ? { ok: true, value }
      : refuse(`${show(value)} is neither true nor false. Write true or false.`),
  number: (value) => (typeof value === 'number' ? readNumber(value) : literal(value, parseNumber)),
  duration: (value) => literal(value, parseDuration),
  size: (value) => literal(value, parseSize),
  percent: (value) => literal(value, parsePercent),
  money: readMoney,
  date: (value) => literal(value, parseDate),
  time: (value) => literal(value, parseTime),
  ip: (value) =>
    typeof value === 'string' && isIP(value) !== 0
      ? { ok: true, value }
      : refuse(`${show(value)} is not an IP address. Write it like 10.0.0.1.`),
  network: (value) => literal(value, (text) => mapped(parseNetwork(text), networkText)),
};

function readText(value: unknown): LiteralResult<string> {
  if (typeof value === 'string') return { ok: true, value };
  return refuse(`A text is expected, not ${show(value)}. Put it in quotes.`);
}

function readEnum(value: unknown, words: readonly string[]): LiteralResult<string> {
  if (typeof value === 'string' && words.includes(value)) return { ok: true, value };
  const near = typeof value === 'string' ? nearest(value, words) : null;
  return refuse(
    `${show(value)} is not ${alternatives(words)}. ${didYouMean(near, 'Write one of these words, or add it to the declaration.')}`,
  );
}

function readNumber(value: number): LiteralResult {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return { ok: true, value };
  return refuse(`${value} is too large: numbers end at 2^53.`);
}

/** Money of another currency needs a rate to be compared with anything. */
function readMoney(value: unknown, accounting: Accounting | null): LiteralResult {
  const read = literal(value, parseMoney);
  if (!read.ok) return read;
  const { nano, currency } = read.value;
  if (accounting === null) return { ok: true, value: nano };
  const converted = inAccounting(nano, currency, accounting);
  if (converted.ok) return converted;
  const written = clip(String(value));
  return converted.error === 'too-much'
    ? refuse(
        `${written} is too much: amounts end at 9_000_000 ${accounting.currency}. Write a smaller amount.`,
      )
    : refuse(
        `${written} is in ${currency}; accounts are kept in ${accounting.currency}. ${rateHelp(currency, accounting.currency)}`,
      );
}

function literal<Read>(value: unknown, parse: (text: string) => LiteralResult<Read>): LiteralResult<Read> {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string')
    return refuse(`One value is expected, not ${show(value)}. Write it as portunus.yaml declares it.`);
  if (text.length > LITERAL_LENGTH_MAX) return refuse(`${show(text)} is too long. Write a shorter value.`);
  return parse(text);
}

/** Longer than any literal; it keeps messages short. */
const LITERAL_LENGTH_MAX = 100;

function mapped<From, To>(result: LiteralResult<From>, to: (value: From) => To): LiteralResult<To> {
  return result.ok ? { ok: true, value: to(result.value) } : result;
}

function refuse(why: string): LiteralResult<never> {
  return { ok: false, error: { why } };
}
