/** Answers of 200 that are not what was asked for: errors told within them, and answers that are still being made. */
import type { Operation } from './operations.ts';

/** Of a whole answer, parsed. */
export function isUnfinished(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return true;
  const { error, status } = answer as { readonly error?: unknown; readonly status?: unknown };
  return (error !== undefined && error !== null) || UNFINISHED.has(status);
}

/**
 * Whether all who speak the dialect end their streams with an event that says so: without it something is missing. "[DONE]" is not sent
 * by all who speak that of OpenAI's chat.
 */
export function alwaysTellsEnd({ dialect, path }: Pick<Operation, 'dialect' | 'path'>): boolean {
  return dialect === 'anthropic' || path === '/responses';
}

/** Of the data of one event of a stream. Errors name themselves first, in all dialects. */
export function tellsFailure(data: string): boolean {
  return FAILURE.test(data);
}

/** OpenAI's responses ("The response object", `status`). */
const UNFINISHED: ReadonlySet<unknown> = new Set([
  'failed',
  'incomplete',
  'in_progress',
  'queued',
  'cancelled',
]);
/** Of events. */
export const FAILED_TYPES = [
  'error',
  'response.failed',
  'response.incomplete',
  'response.cancelled',
] as const;
const FAILURE = new RegExp(
  String.raw`^\{\s*(?:"error"\s*:\s*[^n\s]|"type"\s*:\s*"(?:${FAILED_TYPES.join('|').replaceAll('.', String.raw`\.`)})")`,
);
