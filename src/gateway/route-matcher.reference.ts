/** The meaning of route matching without any index: all routes that fit, sorted by precedence. */
import type { Route } from '../model/world.ts';
import type { PatternSegment, RoutePattern } from './route-pattern.ts';
import { parsePattern } from './route-pattern.ts';

export type ReferenceMatch =
  | { readonly kind: 'route'; readonly route: number; readonly parameters: readonly string[] }
  | { readonly kind: 'none'; readonly allowed: readonly string[] };

interface Fit {
  readonly route: number;
  readonly rank: readonly number[];
  readonly parameters: readonly string[];
}

export function referenceMatch(
  routes: readonly Pick<Route, 'match'>[],
  method: string,
  host: string,
  path: string,
  fields: readonly string[],
): ReferenceMatch {
  const fits: Fit[] = [];
  const allowed = new Set<string>();
  for (const [route, { match }] of routes.entries()) {
    const hostRank = rankOfHost(match.hosts, host);
    const parameters = fitPath(parsePattern(match.path) as RoutePattern, path);
    if (hostRank === null || parameters === null || !match.headers.every((each) => holds(each, fields)))
      continue;
    if (match.methods.length > 0 && !match.methods.includes(method)) {
      for (const each of match.methods) allowed.add(each);
      continue;
    }
    const pathRank = (parsePattern(match.path) as RoutePattern).segments.map(rankOfSegment);
    const rank = [hostRank, ...pathRank, -match.headers.length, match.methods.length === 0 ? 1 : 0];
    fits.push({ route, rank, parameters });
  }
  fits.sort((left, right) => compare(left.rank, right.rank) || left.route - right.route);
  const best = fits[0];
  if (best === undefined) return { kind: 'none', allowed: [...allowed].sort() };
  return { kind: 'route', route: best.route, parameters: best.parameters };
}

/** Exact before wildcards, long wildcards before short ones, any host last; null when none fits. */
function rankOfHost(hosts: readonly string[], host: string): number | null {
  if (hosts.length === 0) return 0;
  const ranks = hosts.flatMap((each) => {
    if (each === host) return [-10_000];
    return each.startsWith('*.') && host.endsWith(each.slice(1)) && host.length >= each.length - 1
      ? [-each.length]
      : [];
  });
  return ranks.length === 0 ? null : Math.min(...ranks);
}

function rankOfSegment(segment: PatternSegment): number {
  return segment.kind === 'literal' ? 0 : segment.kind === 'one' ? 1 : 2;
}

function fitPath(pattern: RoutePattern, path: string): string[] | null {
  const parts = pattern.segments.map((segment) => {
    if (segment.kind === 'literal') return segment.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return segment.kind === 'one' ? '([^/]+)' : '(.*)';
  });
  const found = new RegExp(`^/${parts.join('/')}$`).exec(path);
  return found === null ? null : found.slice(1);
}

function holds(
  condition: { readonly name: string; readonly value: string | null },
  fields: readonly string[],
): boolean {
  const values = fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === condition.name);
  return values.length === 1 && (condition.value === null || values[0] === condition.value);
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++)
    if (left[index] !== right[index]) return left[index]! - right[index]!;
  return 0;
}
