/** The end of a stream that was broken off, in the words of the caller's dialect. */
import type { Operation } from '../ai/operations.ts';

export function errorEvent(operation: Operation, code: string, message: string): Uint8Array {
  return new TextEncoder().encode(textOf(operation, code, message));
}

function textOf({ dialect, path }: Operation, code: string, message: string): string {
  if (dialect === 'anthropic') {
    const data = { type: 'error', error: { type: 'api_error', message: `${message} (${code})` } };
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
  }
  if (path === '/responses') {
    const data = { type: 'error', code, message, param: null };
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
  }
  return `data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code } })}\n\n`;
}
