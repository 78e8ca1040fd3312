import { standingOf } from '../../compiler/interpret/expressions.ts';
import {
  factValue,
  type HashKeys,
  type PlainRequest,
  type Situation,
} from '../../compiler/interpret/facts.ts';
import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { factsIn } from '../../compiler/interpret/trace.ts';
import { factText } from '../../language/check/known.ts';
import type { FactExpression, ShareExpression, ShareOf, TypedExpression } from '../../language/typed.ts';
import { isElementPath } from '../../model/facts.ts';
import { writtenName } from '../../model/route-lines.ts';
import { isListOfObjects, type Value } from '../../model/types.ts';
import type { Route, World } from '../../model/world.ts';
import type { Identity, KeyHash } from '../../pipeline/identity.ts';
import { valueInWords } from '../values.ts';
import { changedRequest } from './changed-request.ts';
import { elementCandidates } from './element-candidates.ts';
import { enoughValues, type Turned } from './enough-values.ts';
import { remainderOf } from './residual.ts';
import { valuesFor } from './values-to-try.ts';

/** Whom the search may try as callers where there is none. */
export interface SearchWorld {
  readonly world: World;
  readonly callers: readonly Identity[];
  readonly keys: HashKeys;
  /** Whether a body is one that the route takes. */
  readonly fitsSchema: (body: unknown) => boolean;
}

/** One change of a request that may be tried. */
export interface Candidate {
  /** No two changes of one way are of the same fact. */
  readonly key: string;
  readonly fact: string;
  /** '' where it is no value. */
  readonly from: string;
  readonly to: string;
  /** Null: it can't be that. */
  readonly apply: (request: PlainRequest) => PlainRequest | null;
  /** Whether a condition may turn out otherwise by it. */
  readonly isAskedBy: (clause: TypedExpression) => boolean;
  /**
   * In words all values that would do as well as the one tried; null where it is the only one. `turned`: the conditions of the
   * rules as the changed request met them.
   */
  readonly enough: (after: PlainRequest, turned: readonly Turned[]) => string | null;
}

/** All changes of one fact that could matter to the rules. */
export function candidatesOf(
  rules: readonly PlacedRule[],
  route: Route,
  request: PlainRequest,
  { world, callers, keys }: SearchWorld,
): Candidate[] {
  const clauses = askedClauses(rules, route);
  const identity = route.auth === 'none' ? null : request.identity;
  const situation = { route, request, identity, body: request.body, call: request.call, keys };
  return [
    ...callerCandidates(request, callers),
    ...factCandidates(clauses, situation, world),
    ...elementCandidates(clauses, situation, world),
    ...lotCandidates(clauses, situation),
  ];
}

function callerCandidates(request: PlainRequest, callers: readonly Identity[]): Candidate[] {
  if (request.identity !== null) return [];
  return callers.map((identity) => ({
    key: 'caller',
    fact: 'the caller',
    from: 'nobody',
    to: `consumer "${identity.consumer.name}" of tenant "${identity.tenant.name}"`,
    apply: (before) => ({ ...before, identity }),
    isAskedBy: () => false,
    enough: () => null,
  }));
}

/** Each fact that a rule asks about, with each value that would make a difference to one of its conditions. */
function factCandidates(
  clauses: readonly TypedExpression[],
  situation: Situation,
  world: World,
): Candidate[] {
  const { request, route } = situation;
  const found = new Map<string, Candidate>();
  const add = (candidate: Candidate): void => {
    const key = `${candidate.key} ${candidate.to}`;
    if (!found.has(key)) found.set(key, candidate);
  };
  for (const clause of clauses) {
    if (clause.kind === 'subscribed') add(subscription(route, !isSubscribed(request, route)));
    if (clause.kind === 'has-role') {
      add(roleChange(clause.role, 'with'));
      add(roleChange(clause.role, 'without'));
    }
    for (const fact of factsIn(clause).filter(isChangeable)) {
      for (const value of valuesFor(clause, fact, situation, world))
        add(factCandidate(fact, value, situation));
    }
  }
  return [...found.values()];
}

function isChangeable({ definition, type }: FactExpression): boolean {
  return !isElementPath(definition.path) && !isListOfObjects(type);
}

function askedClauses(rules: readonly PlacedRule[], route: Route): TypedExpression[] {
  return rules
    .filter(({ mode, rule }) => mode === 'enforce' && DECIDING.has(rule.kind))
    .flatMap(({ scope, rule }) => [scope, rule.when, rule.kind === 'require' ? rule.condition : null])
    .flatMap((expression) => remainderOf(expression, route).asked);
}
export const DECIDING: ReadonlySet<string> = new Set(['permit', 'forbid', 'require']);

function factCandidate(fact: FactExpression, value: Value | undefined, situation: Situation): Candidate {
  const name = factText(fact);
  const { route, identity } = situation;
  const isUnknown = identity === null && fact.definition.phase === 'identity';
  return {
    key: name.replace(/\.name$/, ''),
    fact: name,
    from: isUnknown ? '' : valueInWords(fact.type, factValue(fact, situation)),
    to: valueInWords(fact.type, value),
    apply: (request) => changedRequest(request, route, fact, value),
    isAskedBy: (clause) =>
      mentions(clause, name) || (fact.definition.phase === 'body' && mentions(clause, 'request.size')),
    enough: (_after, turned) =>
      value === undefined
        ? null
        : enoughValues(
            fact,
            turned.filter(({ clause }) => mentions(clause, name)),
          ),
  };
}

function mentions(clause: TypedExpression, name: string): boolean {
  return factsIn(clause).some((each) => factText(each) === name);
}

function isSubscribed({ identity }: PlainRequest, { name }: Route): boolean {
  return identity?.consumer.subscriptions.has(writtenName(name)) ?? false;
}

function subscription(route: Route, wanted: boolean): Candidate {
  const name = writtenName(route.name);
  return {
    key: 'subscription',
    fact: 'the consumer',
    from: '',
    to: wanted ? `subscribed to route "${name}"` : `not subscribed to route "${name}"`,
    apply: (request) => {
      if (request.identity === null) return null;
      const { consumer } = request.identity;
      const others = [...consumer.subscriptions].filter((other) => other !== name);
      const subscriptions = new Set(wanted ? [...others, name] : others);
      return { ...request, identity: { ...request.identity, consumer: { ...consumer, subscriptions } } };
    },
    isAskedBy: ({ kind }) => kind === 'subscribed',
    enough: () => null,
  };
}

function roleChange(role: string, how: 'with' | 'without'): Candidate {
  return {
    key: `role ${role}`,
    fact: 'the consumer',
    from: '',
    to: `${how} role "${role}"`,
    apply: (request) => {
      if (request.identity === null) return null;
      const { consumer } = request.identity;
      const others = consumer.roles.filter((each) => each !== role);
      const roles = how === 'with' ? [...others, role] : others;
      return { ...request, identity: { ...request.identity, consumer: { ...consumer, roles } } };
    },
    isAskedBy: (clause) => clause.kind === 'has-role' && clause.role === role,
    enough: () => null,
  };
}

/** Others of whom a draw says the opposite: what is refused to a share is permitted to the rest. */
function lotCandidates(clauses: readonly TypedExpression[], situation: Situation): Candidate[] {
  const { identity } = situation;
  const found = new Map<string, Candidate>();
  for (const clause of clauses) {
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
      from: '',
      to: `one ${isIn ? 'outside of' : 'of'} the ${percent}% of ${of}`,
      apply: (before) => withLot(of, before, lot),
      isAskedBy: (asked) => asked.kind === 'share' && asked.of === of,
      enough: () => null,
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
