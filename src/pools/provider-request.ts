/** A call as its provider gets it: the caller's fields, with the key in place of the caller's own. */
import type { Operation } from '../ai/operations.ts';
import type { Provider } from '../model/pools.ts';
import type { UpstreamRequest } from '../pipeline/upstream.ts';
import type { PreparedKey } from './pool-registry.ts';

export function providerRequest(
  request: UpstreamRequest,
  { path }: Operation,
  provider: Provider,
  key: PreparedKey,
  bodyBytes: number,
): UpstreamRequest {
  const query = request.target.indexOf('?');
  const { connectMs, firstByteMs, idleMs } = provider.service.timeouts;
  return {
    method: request.method,
    target: query === -1 ? path : `${path}${request.target.slice(query)}`,
    fieldLines: linesWith(key, provider, request.fieldLines),
    idLines: request.idLines,
    host: null,
    bodyBytes,
    repeatable: false,
    connectMs,
    firstByteMs,
    idleMs,
    tenant: request.tenant,
    share: request.share,
    priority: request.priority,
  };
}

interface Lines {
  readonly provider: Provider;
  /** Of the caller. */
  readonly from: string;
  readonly lines: string;
}

/**
 * The last ones of each key: callers say most of what they say again and again, and one and the same text need not be looked through
 * again where it leaves.
 */
const LAST = new WeakMap<PreparedKey, Lines>();

function linesWith(key: PreparedKey, provider: Provider, from: string): string {
  const last = LAST.get(key);
  if (last !== undefined && last.from === from && last.provider === provider) return last.lines;
  const lines = providerLines(from, provider, key.secret);
  LAST.set(key, { provider, from, lines });
  return lines;
}

function providerLines(from: string, { auth, headers }: Provider, secret: string): string {
  let lines = `${ownLines(from, auth.header)}${auth.header}: ${auth.prefix}${secret}\r\n`;
  for (const { name, value } of headers) if (!hasField(lines, name)) lines += `${name}: ${value}\r\n`;
  return lines;
}

/** What speaks of the caller, and not of the call: a provider would take it for the account that the key belongs to. */
const OF_CALLERS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'cookie',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'openai-organization',
  'openai-project',
]);

function ownLines(lines: string, authHeader: string): string {
  let kept = '';
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start) + 2;
    const name = lines.slice(start, lines.indexOf(':', start)).toLowerCase();
    if (name !== authHeader && !OF_CALLERS.has(name)) kept += lines.slice(start, end);
    start = end;
  }
  return kept;
}

function hasField(lines: string, name: string): boolean {
  return `\r\n${lines}`.toLowerCase().includes(`\r\n${name}:`);
}
