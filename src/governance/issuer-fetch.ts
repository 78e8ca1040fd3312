/** How issuers are asked: no redirect, no endless body, no wait without end, and a pause after each time. */
import type { FetchImplementation } from 'jose';
import type { Clock } from '../base/ports.ts';

export const FETCH_TIMEOUT_MS = 5_000;
const BODY_BYTES_MAX = 1024 * 1024;

/**
 * Within the pause there is no other fetch: a server in trouble is not asked as often as tokens come. `onFetched`: told why a fetch
 * brought nothing, or null.
 */
export function withPause(
  pauseMs: number,
  clock: Clock,
  onFetched: (why: string | null) => void,
): FetchImplementation {
  let endedMs = Number.NEGATIVE_INFINITY;
  return async (url, options) => {
    if (clock.monotonicMs() - endedMs < pauseMs) throw new Error(`${url} could not be had just now`);
    try {
      const response = await fetchBounded(url, options);
      onFetched(response.status === 200 ? null : `${url} answers ${response.status}`);
      return response;
    } catch (error) {
      onFetched(`${url} can't be had: ${reasonOf(error as Error)}`);
      throw error;
    } finally {
      endedMs = clock.monotonicMs();
    }
  };
}

const fetchBounded: FetchImplementation = async (url, options) => {
  const response = await fetch(url, { ...options, redirect: 'error' });
  if (response.status !== 200 || response.body === null) return response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`${url} answers more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: 200, headers: response.headers });
};

/** `fetch` says only that it failed, and why in its cause. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}
