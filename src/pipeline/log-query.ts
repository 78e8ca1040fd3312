import { err, ok, type Result } from '../base/result.ts';
import { parseDuration, parseMoney, parseNumber, parseSize } from '../model/literals.ts';
import type { AccessRecord } from './record.ts';

/**
 * What a search of the request log asks for, by field of the record. A text must be equal; one that ends in `*` must begin so. Several
 * values of a field are alternatives. Every field named must fit.
 */
export interface LogQuery {
  readonly texts: readonly TextFilter[];
  readonly statuses: readonly StatusFilter[];
  /** Arrival, in Unix milliseconds; the end is exclusive. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly amounts: readonly AmountFilter[];
  readonly aborted: boolean | null;
}

/** Fits no record that does not know the amount. */
export interface AmountFilter {
  readonly field: LogAmount;
  readonly operator: LogOperator;
  /** In the smallest unit: microseconds, bytes, nano-units of the accounting currency, or a count. */
  readonly amount: number;
}

export interface TextFilter {
  readonly field: LogTextField;
  readonly values: readonly string[];
}
export interface StatusFilter {
  readonly from: number;
  readonly to: number;
}

/** By the word that the command line and the admin API use. `rule` is any rule that spoke. */
export const LOG_TEXT_FIELDS = {
  request: { field: 'requestId', what: 'id of the request (x-request-id)' },
  trace: { field: 'traceId', what: 'id of the trace' },
  tenant: { field: 'tenant', what: 'tenant' },
  team: { field: 'team', what: 'team' },
  consumer: { field: 'consumer', what: 'consumer' },
  credential: { field: 'credential', what: 'name of the credential' },
  person: { field: 'person', what: 'person behind the credential' },
  method: { field: 'method', what: 'method' },
  path: { field: 'path', what: 'path' },
  route: { field: 'route', what: 'route' },
  'route-version': { field: 'routeVersion', what: 'version of the route' },
  configuration: { field: 'configurationHash', what: 'hash of the rules that decided' },
  code: { field: 'code', what: 'stable code with which the gateway answered' },
  fault: { field: 'fault', what: 'what was seen of a service that failed' },
  rule: { field: 'rules', what: 'rule that decided, warned, or would have refused: policy/rule' },
  model: { field: 'model', what: 'AI model' },
  target: { field: 'target', what: 'endpoint of the service' },
  'provider-key': { field: 'providerKey', what: 'key of the provider' },
} as const satisfies Readonly<
  Record<string, { readonly field: keyof AccessRecord | 'rules'; readonly what: string }>
>;

export type LogTextField = keyof typeof LOG_TEXT_FIELDS;

/** What of a record can be compared with an amount, by the word that the command line and the admin API use. Unknown: below 0. */
export const LOG_AMOUNTS = {
  took: { unit: 'duration', what: 'time from arrival to the end', of: ({ finishedUs }) => finishedUs },
  decided: { unit: 'duration', what: 'time from arrival to the decision', of: ({ decidedUs }) => decidedUs },
  dispatched: {
    unit: 'duration',
    what: 'time from arrival until the service was asked',
    of: ({ dispatchedUs }) => dispatchedUs,
  },
  'first-byte': {
    unit: 'duration',
    what: 'time from arrival to the first byte of the answer',
    of: ({ firstByteUs }) => firstByteUs,
  },
  upstream: {
    unit: 'duration',
    what: 'time from asking the service to the end',
    of: ({ dispatchedUs, finishedUs }) => (dispatchedUs < 0 ? -1 : finishedUs - dispatchedUs),
  },
  cost: { unit: 'money', what: 'what it cost', of: ({ costNano }) => costNano },
  'request-bytes': { unit: 'size', what: 'size of its body', of: ({ requestBytes }) => requestBytes },
  'response-bytes': {
    unit: 'size',
    what: 'size of the body of the answer',
    of: ({ responseBytes }) => responseBytes,
  },
  'input-tokens': { unit: 'count', what: 'tokens that a model read', of: ({ inputTokens }) => inputTokens },
  'output-tokens': {
    unit: 'count',
    what: 'tokens that a model wrote',
    of: ({ outputTokens }) => outputTokens,
  },
  'cached-tokens': {
    unit: 'count',
    what: 'tokens that a provider had in its cache',
    of: ({ cachedTokens }) => cachedTokens,
  },
  'reasoning-tokens': {
    unit: 'count',
    what: 'tokens that a model thought with',
    of: ({ reasoningTokens }) => reasoningTokens,
  },
  attempts: { unit: 'count', what: 'times that a service was asked', of: ({ attempts }) => attempts },
  status: { unit: 'count', what: 'status of the answer', of: ({ status }) => status },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly unit: 'duration' | 'money' | 'size' | 'count';
      readonly what: string;
      readonly of: (record: AccessRecord) => number;
    }
  >
>;

export type LogAmount = keyof typeof LOG_AMOUNTS;

export const LOG_OPERATORS = {
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
} as const satisfies Readonly<Record<string, (left: number, right: number) => boolean>>;

export type LogOperator = keyof typeof LOG_OPERATORS;

/** No two quantifiers that take blanks follow each other: it runs on the thread that administers, over whatever text is sent. */
const COMPARISON = /^([a-z-]+) *(>=|<=|!=|>|<|=)(.*)$/;
const US_PER_MS = 1_000;

/** `took > 200ms`, `cost >= $0.01`. The currency is the one of accounts; null, where it is not known, leaves it to others to ask. */
export function comparisonOf(text: string, currency: string | null): Result<AmountFilter, string> {
  const [, field = '', operator, written = ''] = COMPARISON.exec(text.trim()) ?? [];
  if (operator === undefined) return err(`"${text}" is no comparison: write it like "took > 200ms".`);
  if (!Object.hasOwn(LOG_AMOUNTS, field))
    return err(`"${field}" is no amount of a request: write ${Object.keys(LOG_AMOUNTS).join(', ')}.`);
  const known = field as LogAmount;
  const amount = amountOf(written.trim(), LOG_AMOUNTS[known].unit, currency);
  return amount.ok ? ok({ field: known, operator: operator as LogOperator, amount: amount.value }) : amount;
}

function amountOf(
  text: string,
  unit: (typeof LOG_AMOUNTS)[LogAmount]['unit'],
  currency: string | null,
): Result<number, string> {
  if (unit === 'money') {
    const money = parseMoney(text);
    if (!money.ok) return err(money.error.why);
    if (currency === null || money.value.currency === currency) return ok(money.value.nano);
    return err(`${text} is in ${money.value.currency}, and accounts are kept in ${currency}.`);
  }
  const parsed = PARSERS[unit](text);
  if (!parsed.ok) return err(parsed.error.why);
  return ok(unit === 'duration' ? parsed.value * US_PER_MS : parsed.value);
}

const PARSERS = { duration: parseDuration, size: parseSize, count: parseNumber } as const;

/** `429`, `5xx`; null for anything else. */
export function statusFilter(text: string): StatusFilter | null {
  if (/^[1-5]xx$/.test(text)) return { from: Number(text[0]) * 100, to: Number(text[0]) * 100 + 99 };
  return /^\d{3}$/.test(text) ? { from: Number(text), to: Number(text) } : null;
}
