import { standingOf } from '../../compiler/interpret/expressions.ts';
import {
  factValue,
  type HashKeys,
  type PlainRequest,
  type Situation,
} from '../../compiler/interpret/facts.ts';
import { type ClauseSight, factsIn, traceRequest } from '../../compiler/interpret/trace.ts';
import type { PlacedRule } from '../../compiler/interpret.ts';
import { placeOf } from '../../diagnostics/source.ts';
import { factText } from '../../language/check/known.ts';
import type { FactExpression, ShareExpression, ShareOf, TypedExpression } from '../../language/typed.ts';
import { isElementPath } from '../../model/facts.ts';
import { parseNetwork } from '../../model/networks.ts';
import type { ScalarValue, Value, ValueType } from '../../model/types.ts';
import type { Route, World } from '../../model/world.ts';
import type { Identity, KeyHash } from '../../pipeline/identity.ts';
import { valueInWords } from '../values.ts';
import { changedRequest } from './changed-request.ts';
import { remainderOf, written } from './residual.ts';

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
  /** The one value that is refused, where every other one is enough; else null. */
  readonly otherThan: string | null;
  /** Conditions of permit, forbid and require that turn out otherwise by it. */
  readonly flips: readonly Flip[];
}
export interface Flip {
  readonly text: string;
  readonly place: string;
  readonly held: boolean;
}

/** Whom the search may try as callers where there is none. */
export interface SearchWorld {
  readonly world: World;
  readonly callers: readonly Identity[];
  readonly keys: HashKeys;
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
  { world, callers, keys }: SearchWorld,
): WhatWouldChange {
  const candidates = [
    ...callerCandidates(request, callers),
    ...factCandidates(rules, route, request, world),
    ...lotCandidates(rules, route, request, keys),
  ];
  let tries = 0;
  for (let size = 1; size <= FACTS_MAX; size++) {
    const ways = new Map<string, Way>();
    for (const chosen of combinations(candidates, size)) {
      if (++tries > TRIES_MAX) return { ways: [...ways.values()], factsMax: size, complete: false };
      const changed = applied(chosen, request);
      if (changed === null || traceRequest(rules, route, changed, keys).stage !== 'admit') continue;
      const way = wayOf(chosen, { rules, route, before: request, after: changed, keys });
      const key = JSON.stringify(way.changes.map(({ fact, flips }) => [fact, flips]));
      if (!ways.has(key)) ways.set(key, way);
      if (ways.size === WAYS_SHOWN_MAX) return { ways: [...ways.values()], factsMax: size, complete: true };
    }
    if (ways.size > 0) return { ways: [...ways.values()], factsMax: size, complete: true };
  }
  return { ways: [], factsMax: FACTS_MAX, complete: true };
}

interface Candidate {
  /** No two changes of one way are of the same fact. */
  readonly key: string;
  readonly fact: string;
  readonly to: string;
  /** Null: it can't be that. */
  readonly apply: (request: PlainRequest) => PlainRequest | null;
  readonly expression: FactExpression | null;
}

function callerCandidates(request: PlainRequest, callers: readonly Identity[]): Candidate[] {
  if (request.identity !== null) return [];
  return callers.map((identity) => ({
    key: 'caller',
    fact: 'the caller',
    to: `consumer "${identity.consumer.name}" of tenant "${identity.tenant.name}"`,
    apply: (before) => ({ ...before, identity }),
    expression: null,
  }));
}

/** Each fact that a rule asks about, with each value that would make a difference to one of its conditions. */
function factCandidates(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  world: World,
): Candidate[] {
  const found = new Map<string, Candidate>();
  const add = (candidate: Candidate): void => {
    const key = `${candidate.key} ${candidate.to}`;
    if (!found.has(key)) found.set(key, candidate);
  };
  for (const clause of askedClauses(rules, route)) {
    if (clause.kind === 'subscribed') add(subscription(route, !isSubscribed(request, route)));
    if (clause.kind === 'has-role') {
      add(roleChange(clause.role, 'with'));
      add(roleChange(clause.role, 'without'));
    }
    for (const fact of factsIn(clause).filter(({ definition }) => !isElementPath(definition.path))) {
      for (const value of valuesFor(clause, fact, request, route, world))
        add(factCandidate(fact, value, route));
    }
  }
  return [...found.values()];
}

function askedClauses(rules: readonly PlacedRule[], route: Route): TypedExpression[] {
  return rules
    .filter(({ mode, rule }) => mode === 'enforce' && DECIDING.has(rule.kind))
    .flatMap(({ scope, rule }) => [scope, rule.when, rule.kind === 'require' ? rule.condition : null])
    .flatMap((expression) => remainderOf(expression, route).asked);
}
const DECIDING: ReadonlySet<string> = new Set(['permit', 'forbid', 'require']);

function factCandidate(fact: FactExpression, value: Value | undefined, route: Route): Candidate {
  const name = factText(fact);
  return {
    key: name.replace(/\.name$/, ''),
    fact: name,
    to: valueInWords(fact.type, value),
    apply: (request) => changedRequest(request, route, fact, value),
    expression: fact,
  };
}

function isSubscribed({ identity }: PlainRequest, { name }: Route): boolean {
  return identity?.consumer.subscriptions.has(name) ?? false;
}

function subscription({ name }: Route, wanted: boolean): Candidate {
  return {
    key: 'subscription',
    fact: 'the consumer',
    to: wanted ? `subscribed to route "${name}"` : `not subscribed to route "${name}"`,
    apply: (request) => {
      if (request.identity === null) return null;
      const { consumer } = request.identity;
      const others = [...consumer.subscriptions].filter((route) => route !== name);
      const subscriptions = new Set(wanted ? [...others, name] : others);
      return { ...request, identity: { ...request.identity, consumer: { ...consumer, subscriptions } } };
    },
    expression: null,
  };
}

function roleChange(role: string, how: 'with' | 'without'): Candidate {
  return {
    key: `role ${role}`,
    fact: 'the consumer',
    to: `${how} role "${role}"`,
    apply: (request) => {
      if (request.identity === null) return null;
      const { consumer } = request.identity;
      const others = consumer.roles.filter((each) => each !== role);
      const roles = how === 'with' ? [...others, role] : others;
      return { ...request, identity: { ...request.identity, consumer: { ...consumer, roles } } };
    },
    expression: null,
  };
}

/** Others of whom a draw says the opposite: what is refused to a share is permitted to the rest. */
function lotCandidates(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  keys: HashKeys,
): Candidate[] {
  const identity = route.auth === 'none' ? null : request.identity;
  const situation = { route, request, identity, body: request.body, keys };
  const found = new Map<string, Candidate>();
  for (const clause of askedClauses(rules, route)) {
    if (clause.kind !== 'share' || (clause.of !== 'requests' && identity === null)) continue;
    const { of, percent } = clause;
    const name = `${percent}% ${of} ${clause.seed}`;
    if (found.has(name)) continue;
    const isIn = standingOf(clause, situation) < percent;
    const lot = otherLot(clause, isIn, situation);
    if (lot === null) continue;
    found.set(name, {
      key: `share of ${of}`,
      fact: of === 'requests' ? 'the request' : `the ${of.slice(0, -1)}`,
      to: `one ${isIn ? 'outside of' : 'of'} the ${percent}% of ${of}`,
      apply: (before) => withLot(of, before, lot),
      expression: null,
    });
  }
  return [...found.values()];
}

const DRAWS_MAX = 1_000;

/** The first that the draw puts on the other side; null where none was found. */
function otherLot(clause: ShareExpression, wasIn: boolean, situation: Situation): KeyHash | null {
  for (let number = 0; number < DRAWS_MAX; number++) {
    const lot = { high: 0, low: 0 };
    situation.keys.hashKey('another', String(number), lot);
    const request = withLot(clause.of, situation.request, lot);
    if (request === null) return null;
    const isIn = standingOf(clause, { ...situation, request, identity: request.identity }) < clause.percent;
    if (isIn !== wasIn) return lot;
  }
  return null;
}

function withLot(of: ShareOf, request: PlainRequest, lot: KeyHash): PlainRequest | null {
  if (of === 'requests') return { ...request, id: lot };
  const { identity } = request;
  if (identity === null) return null;
  const owner = of === 'consumers' ? 'consumer' : 'tenant';
  return { ...request, identity: { ...identity, [owner]: { ...identity[owner], keyHash: lot } } };
}

/** Values on both sides of every border that a clause draws. */
function valuesFor(
  clause: TypedExpression,
  fact: FactExpression,
  request: PlainRequest,
  route: Route,
  world: World,
): (Value | undefined)[] {
  const literals = literalsIn(clause);
  const missing = fact.definition.absence === 'always' ? [undefined] : [];
  const identity = route.auth === 'none' ? null : request.identity;
  const now = factValue(fact, { route, request, identity, body: request.body });
  if (fact.type.kind === 'list')
    return [...listsFor(clause, Array.isArray(now) ? now : [], literals), ...missing];
  const borders = literals.flatMap((literal) => {
    if (Array.isArray(literal)) return [...literal];
    return typeof literal === 'number' ? [literal, literal + 1, literal - 1] : [literal];
  });
  return [...borders, ...samplesOf(clause), ...others(fact.type, literals, world), ...missing];
}

/** The list with a value more or less; for a question about its elements also without each of them, and empty. */
function listsFor(
  clause: TypedExpression,
  items: readonly ScalarValue[],
  literals: readonly Value[],
): ScalarValue[][] {
  const without = (value: ScalarValue): ScalarValue[] => items.filter((item) => item !== value);
  const named = [...literals, ...samplesOf(clause)].flat();
  const changed = named.flatMap((value) => [[...without(value), value], without(value)]);
  if (clause.kind !== 'quantified') return changed;
  return [...changed, ...[...new Set(items)].slice(0, ITEMS_TRIED_MAX).map(without), []];
}
const ITEMS_TRIED_MAX = 20;

/** Every literal of an expression, whatever its form. */
function literalsIn(node: object): Value[] {
  if ('kind' in node && node.kind === 'literal' && 'value' in node) return [node.value as Value];
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'span' || name === 'definition' || name === 'type' || typeof value !== 'object' || value === null
      ? []
      : literalsIn(value),
  );
}

function samplesOf(clause: TypedExpression): Value[] {
  if (clause.kind === 'quantified') return samplesOf(clause.condition);
  if (clause.kind === 'not') return samplesOf(clause.operand);
  if (clause.kind === 'and' || clause.kind === 'or') return clause.operands.flatMap(samplesOf);
  if (clause.kind === 'text-test') {
    const isPattern = clause.test === 'like' || clause.test === 'matches';
    return isPattern ? [clause.pattern.replaceAll(/[*^$]/g, '').replaceAll('?', 'x')] : [clause.pattern];
  }
  if (clause.kind === 'in-networks') {
    const inside = clause.networks.flatMap((network) =>
      parseNetwork(network).ok ? [network.split('/')[0]!] : [],
    );
    return [...inside, OUTSIDE_IP];
  }
  return [];
}
/** RFC 5737: for documentation, so hardly anybody's network. */
const OUTSIDE_IP = '203.0.113.99';

/** A value that no rule names. */
function others(type: ValueType, literals: readonly Value[], world: World): Value[] {
  const isOther = (value: string): boolean => !literals.flat().includes(value);
  switch (type.kind) {
    case 'boolean':
      return [true, false];
    case 'enum':
      return type.values.filter(isOther).slice(0, 1);
    case 'reference':
      if (type.to === 'plan') return [...world.directory.plans].filter(isOther).slice(0, 1);
      if (type.to === 'tenant') return [...world.directory.tenants.keys()].filter(isOther).slice(0, 1);
      return ['other'].filter(isOther);
    case 'text':
      return ['other'].filter(isOther);
    default:
      return [];
  }
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

function applied(chosen: readonly Candidate[], request: PlainRequest): PlainRequest | null {
  return chosen.reduce<PlainRequest | null>(
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
  const flips = traceRequest(deciding, route, after, keys).sights.flatMap(({ clauses }) =>
    clauses.filter(({ clause, held }) => held !== 'unseen' && was.get(clause)?.held !== held),
  );
  const identity = route.auth === 'none' ? null : before.identity;
  return {
    request: after,
    changes: chosen.map(({ fact, to, expression, key }) => {
      const mine = flips.filter((flip) => mentions(flip, key, fact));
      return {
        fact,
        from:
          expression === null || (identity === null && expression.definition.phase === 'identity')
            ? (FROM[key] ?? 'not so')
            : valueInWords(
                expression.type,
                factValue(expression, { route, request: before, identity, body: before.body }),
              ),
        to,
        otherThan: expression === null ? null : otherThan(mine),
        flips: distinct(mine.map(flipOf)),
      };
    }),
  };
}
const FROM: Readonly<Record<string, string>> = { caller: 'nobody' };

function clauseValues(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  keys: HashKeys,
): ReadonlyMap<TypedExpression, ClauseSight> {
  const { sights } = traceRequest(rules, route, request, keys);
  return new Map(sights.flatMap(({ clauses }) => clauses.map((sight) => [sight.clause, sight] as const)));
}

function mentions({ clause }: ClauseSight, key: string, fact: string): boolean {
  if (clause.kind === 'subscribed') return key === 'subscription';
  if (clause.kind === 'has-role') return key === `role ${clause.role}`;
  if (clause.kind === 'share') return key === `share of ${clause.of}`;
  return factsIn(clause).some((each) => factText(each) === fact);
}

/** The value of `fact is value`, if that not holding is all that changes. */
function otherThan(flips: readonly ClauseSight[]): string | null {
  const [first] = flips;
  if (first === undefined || first.held !== false || first.clause.kind !== 'compare') return null;
  const { operator, right } = first.clause;
  if (operator !== 'is' || right.kind !== 'literal') return null;
  const same = flips.every(({ clause, held }) => held === false && written(clause) === written(first.clause));
  return same ? valueInWords(right.type, right.value) : null;
}

/** The same words in several rules are said once. */
function distinct(flips: readonly Flip[]): Flip[] {
  return [
    ...new Map([...flips].reverse().map((flip) => [`${flip.text} ${flip.held}`, flip])).values(),
  ].reverse();
}

function flipOf({ clause, held }: ClauseSight): Flip {
  return { text: written(clause), place: placeOf(clause.span), held: held === true };
}
