/**
 * Which status names the answer when several rules of a phase deny (language-rules #29): the first of this list; any
 * other after them, ascending.
 */
const RANKED = [401, 410, 404, 451, 403, 413, 422, 402, 429, 503] as const;

/** Smaller is chosen first. */
export function statusRank(status: number): number {
  const at = (RANKED as readonly number[]).indexOf(status);
  return at === -1 ? RANKED.length + status : at;
}
