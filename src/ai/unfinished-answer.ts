/** Answers of 200 that are not what was asked for: errors told within them, and answers that are still being made. */

/** Of a whole answer, parsed. */
export function isUnfinished(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return true;
  const { error, status } = answer as { readonly error?: unknown; readonly status?: unknown };
  return (error !== undefined && error !== null) || UNFINISHED.has(status);
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
const FAILURE =
  /^\{\s*(?:"error"\s*:\s*[^n\s]|"type"\s*:\s*"(?:error|response\.failed|response\.incomplete|response\.cancelled)")/;

/** Whether events among bytes that are not decoded yet may say that a stream ends, or has failed. */
export function bytesMayTellEnd(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return END_MARKS.some((mark) => view.includes(mark));
}

/** Each is part of a text that an event of an end or a failure has, and few others have. */
const END_MARKS = ['[DONE]', 'message_stop', 'response.c', 'response.i', 'response.f', '"error"'] as const;
