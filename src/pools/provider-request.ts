/** A call as its provider gets it: the caller's fields, with the key in place of the caller's own. */
import type { Operation } from '../ai/operations.ts';
import type { UpstreamRequest } from '../pipeline/upstream.ts';
import type { Target } from './model-services.ts';

export function providerRequest(
  request: UpstreamRequest,
  { path }: Operation,
  { provider }: Target,
  secret: string,
  bodyBytes: number,
): UpstreamRequest {
  const { auth, headers, service } = provider;
  const query = request.target.indexOf('?');
  let fieldLines = `${ownLines(request.fieldLines, auth.header)}${auth.header}: ${auth.prefix}${secret}\r\n`;
  for (const { name, value } of headers)
    if (!hasField(fieldLines, name)) fieldLines += `${name}: ${value}\r\n`;
  const { connectMs, firstByteMs, idleMs } = service.timeouts;
  return {
    ...request,
    target: query === -1 ? path : `${path}${request.target.slice(query)}`,
    fieldLines,
    host: null,
    bodyBytes,
    repeatable: false,
    connectMs,
    firstByteMs,
    idleMs,
  };
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
