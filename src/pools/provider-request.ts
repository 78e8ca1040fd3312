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
  let fieldLines = `${request.fieldLines}${auth.header}: ${auth.prefix}${secret}\r\n`;
  for (const { name, value } of headers)
    if (!hasField(request.fieldLines, name)) fieldLines += `${name}: ${value}\r\n`;
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

function hasField(lines: string, name: string): boolean {
  return `\r\n${lines}`.toLowerCase().includes(`\r\n${name}:`);
}
