/** What RFC 9111 lets a shared cache use and keep, of requests and answers for which rules let it at all. */
import type { RequestContext } from '../pipeline/context.ts';
import type { ModelService } from '../pipeline/model-request.ts';
import type { ResponseHead } from '../pipeline/upstream.ts';
import { directivesIn, seconds } from './cache-control.ts';
import { countsInKey } from './cache-key.ts';

/** Whether what was asked for may be something else by now (RFC 9111, 4.4): calls to models change nothing. */
export function changes(
  { method, call }: Pick<RequestContext, 'method' | 'call'>,
  { status }: Pick<ResponseHead, 'status'>,
): boolean {
  return call === null && status >= 200 && status < 400 && !SAFE_METHODS.has(method);
}
/** RFC 9110, 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What a caller wants of caches (RFC 9111, 5.2.1). */
export interface CacheWishes {
  /** An answer that is kept will do; else one is to be fetched. */
  readonly use: 'kept' | 'fetched';
  /** An answer may be no older, and has to be good for so much longer. */
  readonly ageMsMax: number;
  readonly freshMsMin: number;
}

/** Null: it has nothing to do with caches. `models`: null where it goes to a service. */
export function wishesOf(
  { method, bodyBytes, headers, shapedCall }: CachedRequest,
  models: ModelService | null,
): CacheWishes | null {
  if (models === null && (bodyBytes !== 0 || !(method === 'GET' || method === 'HEAD'))) return null;
  // What a provider keeps of a conversation grows with each call: the same words are not the same request.
  if (shapedCall?.facts.unbounded === 'earlier_answer') return null;
  for (let index = 0; index < headers.length; index += 2) if (ABOUT_PARTS.has(headers[index]!)) return null;
  const directives = directivesIn(headers);
  if (directives.has('no-store')) return null;
  return {
    use: directives.has('no-cache') ? 'fetched' : 'kept',
    ageMsMax: (seconds(directives, 'max-age') ?? Number.POSITIVE_INFINITY) * 1_000,
    freshMsMin: (seconds(directives, 'min-fresh') ?? 0) * 1_000,
  };
}

export type CachedRequest = Pick<RequestContext, 'method' | 'bodyBytes' | 'headers' | 'shapedCall'>;

/** Ranges and conditions are about an answer that the caller has; they are the service's to judge. */
const ABOUT_PARTS: ReadonlySet<string> = new Set([
  ...['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
]);

/** For how long an answer may be kept, and how old it is. */
export interface Freshness {
  /** 0: not at all. */
  readonly lifeMs: number;
  readonly ageMs: number;
}

/** What was asked, as it left. */
export interface Asked {
  /** What rules say. */
  readonly forMs: number;
  readonly isCall: boolean;
  /** A field of the request gives the service the caller's own credentials (RFC 9111, 3.5). */
  readonly isAuthorized: boolean;
  readonly fieldsSet: ReadonlySet<string>;
}

export function freshnessOf(head: ResponseHead, asked: Asked, wallMs: number): Freshness {
  const { fields } = head;
  if (head.status !== 200) return NOT_KEPT;
  const directives = directivesIn(fields);
  if (directives.has('no-store') || directives.has('private')) return NOT_KEPT;
  if (valuesOf(fields, 'set-cookie').length > 0 || !isToldApart(fields, asked)) return NOT_KEPT;
  const ageMs = ageOf(fields);
  // What providers say of it is for proxies, so that these hold no event back; calls are cached by rules alone.
  if (asked.isCall) return { lifeMs: asked.forMs, ageMs };
  if (directives.has('no-cache') || head.untilClose) return NOT_KEPT;
  if (asked.isAuthorized && !FOR_ALL.some((name) => directives.has(name))) return NOT_KEPT;
  const freshMs = explicitMs(fields, directives, wallMs);
  return { lifeMs: Math.max(0, Math.min(asked.forMs, freshMs - ageMs)), ageMs };
}

/** Whether all that the answer varies by is told apart by the key (RFC 9111, 4.1). */
function isToldApart(fields: readonly string[], { fieldsSet }: Asked): boolean {
  return valuesOf(fields, 'vary')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .every((name) => name !== '*' && countsInKey(name, fieldsSet));
}

/** Infinite where the service says nothing of it (RFC 9111, 4.2.1). */
function explicitMs(
  fields: readonly string[],
  directives: ReturnType<typeof directivesIn>,
  wallMs: number,
): number {
  const told = seconds(directives, 's-maxage') ?? seconds(directives, 'max-age');
  if (told !== undefined) return told * 1_000;
  const expires = valuesOf(fields, 'expires');
  // what is no date is a time in the past (RFC 9111, 5.3)
  return Math.min(...expires.map((value) => (HTTP_DATE.test(value) ? Date.parse(value) : 0) - wallMs));
}

function ageOf(fields: readonly string[]): number {
  const ages = valuesOf(fields, 'age').map((value) => (/^[0-9]{1,15}$/.test(value) ? Number(value) : 0));
  return Math.max(0, ...ages) * 1_000;
}

function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < fields.length; index += 2)
    if (fields[index] === name) values.push(fields[index + 1]!);
  return values;
}

/** IMF-fixdate (RFC 9110, 5.6.7); the two forms before it are nobody's any more. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const FOR_ALL = ['public', 's-maxage', 'must-revalidate'] as const;
const NOT_KEPT: Freshness = { lifeMs: 0, ageMs: 0 };
