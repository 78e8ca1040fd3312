import type { HashKeys, PlainRequest } from '../../compiler/interpret/facts.ts';
import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { type ClauseSight, traceRequest } from '../../compiler/interpret/trace.ts';
import { placeOf } from '../../diagnostics/source.ts';
import type { TypedExpression } from '../../language/typed.ts';
import type { Route } from '../../model/world.ts';
import { clauseText } from '../clause-text.ts';
import { type Candidate, candidatesOf, DECIDING, type SearchWorld } from './candidates.ts';
import type { Turned } from './enough-values.ts';

/** What would have to be other than it was for a request to be permitted. */
export interface WhatWouldChange {
  /** Each is enough alone; all have the least number of changed facts. */
  readonly ways: readonly Way[];
  /** Changes of up to this many facts were tried. */
  readonly factsMax: number;
  /** Whether all combinations up to `factsMax` were tried, over the values that the rules themselves name. */
  readonly complete: boolean;
}
export interface Way {
  readonly changes: readonly FactChange[];
  /** The request as changed: it is permitted, as far as rules go. */
  readonly request: PlainRequest;
}
export interface FactChange {
  readonly fact: string;
  readonly from: string;
  /** One value that is enough. */
  readonly to: string;
  /** All values that are enough: `at most 10`, `other than "free"`; null where that is this one, or takes many words. */
  readonly enough: string | null;
  /** Conditions of permit, forbid and require that turn out otherwise by it. */
  readonly flips: readonly Flip[];
}
export interface Flip {
  readonly text: string;
  readonly place: string;
  readonly held: boolean;
}

const FACTS_MAX = 3;
const TRIES_MAX = 20_000;
const WAYS_SHOWN_MAX = 5;

/**
 * Looks for the fewest facts whose change permits a request, over the values that the rules compare them with. Every
 * answer was tried: the reference interpreter permits the request as changed.
 */
export function whatWouldChange(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  searched: SearchWorld,
): WhatWouldChange {
  const { keys, fitsSchema } = searched;
  const candidates = candidatesOf(rules, route, request, searched);
  let tries = 0;
  for (let size = 1; size <= FACTS_MAX; size++) {
    const ways = new Map<string, Way>();
    for (const chosen of combinations(candidates, size)) {
      if (++tries > TRIES_MAX) return { ways: [...ways.values()], factsMax: size, complete: false };
      const changed = applied(chosen, request);
      if (changed === null || (changed.body !== request.body && !fitsSchema(changed.body))) continue;
      if (traceRequest(rules, route, changed, keys).stage !== 'admit') continue;
      const way = wayOf(chosen, { rules, route, before: request, after: changed, keys });
      const key = JSON.stringify(way.changes.map(({ fact, flips }) => [fact, flips]));
      if (!ways.has(key)) ways.set(key, way);
      if (ways.size === WAYS_SHOWN_MAX) return { ways: [...ways.values()], factsMax: size, complete: true };
    }
    if (ways.size > 0) return { ways: [...ways.values()], factsMax: size, complete: true };
  }
  return { ways: [], factsMax: FACTS_MAX, complete: true };
}

function* combinations(candidates: readonly Candidate[], size: number, from = 0): Generator<Candidate[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at < candidates.length; at++) {
    const first = candidates[at]!;
    for (const rest of combinations(candidates, size - 1, at + 1)) {
      if (!rest.some(({ key }) => key === first.key)) yield [first, ...rest];
    }
  }
}

/** The size last: it changes with the body. */
function applied(chosen: readonly Candidate[], request: PlainRequest): PlainRequest | null {
  const isSize = ({ key }: Candidate): boolean => key === 'request.size';
  return [...chosen.filter((each) => !isSize(each)), ...chosen.filter(isSize)].reduce<PlainRequest | null>(
    (changed, candidate) => (changed === null ? null : candidate.apply(changed)),
    request,
  );
}

interface Comparison {
  readonly rules: readonly PlacedRule[];
  readonly route: Route;
  readonly before: PlainRequest;
  readonly after: PlainRequest;
  readonly keys: HashKeys;
}

function wayOf(chosen: readonly Candidate[], comparison: Comparison): Way {
  const { rules, route, before, after, keys } = comparison;
  const was = clauseValues(rules, route, before, keys);
  const deciding = rules.filter(({ mode, rule }) => mode === 'enforce' && DECIDING.has(rule.kind));
  const turned = traceRequest(deciding, route, after, keys).sights.flatMap(({ clauses }) =>
    clauses.flatMap(({ clause, held }) => (held === 'unseen' ? [] : [{ clause, held }])),
  );
  const flips = turned.filter(({ clause, held }) => was.get(clause)?.held !== held);
  return {
    request: after,
    changes: chosen.map(({ fact, from, to, isAskedBy, enough }) => ({
      fact,
      from,
      to,
      enough: enough(after, turned),
      flips: distinct(flips.filter(({ clause }) => isAskedBy(clause)).map(flipOf)),
    })),
  };
}

function clauseValues(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  keys: HashKeys,
): ReadonlyMap<TypedExpression, ClauseSight> {
  const { sights } = traceRequest(rules, route, request, keys);
  return new Map(sights.flatMap(({ clauses }) => clauses.map((sight) => [sight.clause, sight] as const)));
}

/** The same words in several rules are said once. */
function distinct(flips: readonly Flip[]): Flip[] {
  return [
    ...new Map([...flips].reverse().map((flip) => [`${flip.text} ${flip.held}`, flip])).values(),
  ].reverse();
}

function flipOf({ clause, held }: Turned): Flip {
  return { text: clauseText(clause), place: placeOf(clause.span), held };
}
