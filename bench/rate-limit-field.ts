/**
 * What is left of each limit, from the answer's `RateLimit` field (draft-ietf-httpapi-ratelimit-headers):
 * `"window";r=999;t=3600, "month";r=1999`. Names are quoted and may hold anything but a quote, so they are cut first.
 */
export function parseRemaining(field: string): number[] {
  const withoutNames = field.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return [...withoutNames.matchAll(/;\s*r=(\d+)/g)].map((match) => Number(match[1]));
}
