/**
 * What two requests have to have in common so that one answer does for both: who asks, as far as a tenant and its credentials tell
 * callers apart, and what leaves for the service (language-rules #31). Exact: SHA-256 over all of it.
 */
import { createHash } from 'node:crypto';
import type { Identity } from '../pipeline/identity.ts';

export interface KeptRequest {
  readonly route: string;
  readonly identity: Identity | null;
  readonly method: string;
  readonly host: string;
  /** As it leaves. */
  readonly target: string;
  /** As they leave: one line each, ended by CRLF. */
  readonly fieldLines: string;
  /** Lower-case names of fields that rules set: these always count. */
  readonly fieldsSet: ReadonlySet<string>;
  readonly call: KeptCall | null;
}

/** Of a call to a model, as rules have shaped it. */
export interface KeptCall {
  readonly model: string;
  /** The pools in the order in which they are tried. */
  readonly pools: readonly string[];
  /** What its answer may have at most: it is written into the call. */
  readonly outputTokens: number;
  readonly body: Uint8Array;
}

export function cacheKey(request: KeptRequest): string {
  const { route, identity, method, host, target, fieldLines, fieldsSet, call } = request;
  const caller =
    identity === null
      ? null
      : [identity.tenant.name, identity.team?.name ?? null, [...identity.consumer.roles].sort()];
  const about = call === null ? null : [call.model, call.pools, String(call.outputTokens)];
  const fields = linesThatCount(fieldLines, fieldsSet);
  const hash = createHash('sha256').update(
    JSON.stringify([route, caller, method, host, target, fields, about]),
  );
  if (call !== null) hash.update(AFTER_TEXT).update(call.body);
  return hash.digest('base64');
}

/** Whether an answer that varies by the field is told apart by the key. */
export function countsInKey(name: string, fieldsSet: ReadonlySet<string>): boolean {
  return fieldsSet.has(name) || !(SAYS_NOTHING.has(name) || name.startsWith(CLIENT_LIBRARY));
}

/** Sorted: the order of fields with different names means nothing (RFC 9110, 5.3). */
function linesThatCount(lines: string, fieldsSet: ReadonlySet<string>): string[] {
  const counting = lines.split('\r\n').filter((line) => {
    const end = line.indexOf(':');
    return end > 0 && countsInKey(line.slice(0, end), fieldsSet);
  });
  return counting.sort((a, b) => compareNames(nameOf(a), nameOf(b)));
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':'));
}

function compareNames(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Fields that tell of the way, the client or its wishes to caches, and nothing of what is asked for. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  ...['via', 'forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'],
  ...['x-real-ip', 'user-agent', 'tracestate', 'baggage', 'cache-control', 'pragma', 'priority'],
]);
/** The SDKs of OpenAI and Anthropic name language, version and number of the attempt in fields that begin so. */
const CLIENT_LIBRARY = 'x-stainless-';
/** JSON has no such byte. */
const AFTER_TEXT = new Uint8Array(1);
