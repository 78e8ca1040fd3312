import { isLimitRule } from '../language/limit-rules.ts';
import { isElementPath } from '../model/facts.ts';
import { BODY, pathBelow } from '../model/member-path.ts';
import type { BodyMember } from '../model/request-body.ts';
import { sendsCalls } from '../model/route-calls.ts';
import { serviceFact } from '../model/route-service.ts';
import type { Value } from '../model/types.ts';
import type { Route } from '../model/world.ts';
import { testsOf } from './conditions.ts';
import type { FactReference, RuleIr, Test } from './ir.ts';
import { factsOfTerm, factsWritten, termsOf } from './rule-facts.ts';

/** What partial evaluation knows of a route: the compile-time facts that its rules read. */
export interface RouteFacts {
  readonly auth: Route['auth'];
  readonly parameterNames: readonly string[];
  /** Members of the body that rules read and the route describes, by path: whether they may be missing. */
  readonly body: Readonly<Record<string, BodyMember['absence']>>;
  /** Whether its requests are calls to models, where a rule asks about them or counts them. */
  readonly calls: 'calls' | 'no-calls' | 'not-asked';
  /** By path of the fact; null for what is missing. */
  readonly values: Readonly<Record<string, Value | null>>;
}

/**
 * Pass 4: what of a route its candidate rules can see. Routes that look alike through this lens get one program.
 * A fact that is only compared with literals is seen as "one of these, or another", so that one rule naming one
 * route does not make every route a case of its own.
 */
export class RouteLens {
  readonly #views: { readonly path: string; readonly mentioned: ReadonlySet<Value> | null }[] = [];
  readonly #readsParameters: boolean;
  readonly #bodyPaths: readonly string[];
  readonly #asksOfCalls: boolean;

  constructor(candidates: readonly RuleIr[]) {
    const mentioned = new Map<string, Set<Value> | null>();
    // what each pool is left out by may ask for more than all of them together
    const conditions = candidates.flatMap(({ condition, barred }) => [condition, ...barred]);
    const tests = new Set(conditions.flatMap(testsOf));
    for (const test of tests) noteTest(test, mentioned);
    const written = candidates.flatMap(factsWritten);
    for (const fact of written)
      if (fact.phase === 'compile' && fact.path !== 'route') mentioned.set(fact.path, null);
    for (const [path, values] of mentioned) this.#views.push({ path, mentioned: values });
    const read = [...tests].flatMap(termsOf).flatMap(factsOfTerm);
    const inBody = [...read, ...written].filter((fact) => fact.phase === 'body').map(({ path }) => path);
    this.#bodyPaths = [...new Set(inBody)].sort();
    const facts = [...read, ...written];
    this.#asksOfCalls =
      facts.some(({ phase }) => phase === 'call') || candidates.some(({ rule }) => isLimitRule(rule));
    this.#readsParameters = [...read, ...written].some((fact) => fact.path === 'request.parameter');
  }

  look(route: Route): RouteFacts {
    return {
      auth: route.auth,
      parameterNames: this.#readsParameters ? parameterNamesOf(route.match.path) : [],
      body: this.#body(route),
      calls: this.#asksOfCalls ? (sendsCalls(route) ? 'calls' : 'no-calls') : 'not-asked',
      values: Object.fromEntries(
        this.#views.map((view) => [view.path, blur(factValue(view.path, route), view.mentioned)]),
      ),
    };
  }

  #body(route: Route): RouteFacts['body'] {
    const members = route.requestBody === null ? {} : route.requestBody.members;
    return Object.fromEntries(
      this.#bodyPaths.flatMap((path) => {
        const name = memberName(path);
        return Object.hasOwn(members, name) ? [[path, members[name]!.absence]] : [];
      }),
    );
  }
}

/** `request.body.order.amount` is the member `order.amount`. */
export function memberName(path: string): string {
  return pathBelow(path, BODY);
}

/** `/v1/orders/{id}/{rest...}` has `id` and `rest`. */
export function parameterNamesOf(pattern: string): string[] {
  return [...pattern.matchAll(/\{([^}]*?)(?:\.\.\.)?\}/g)].map((match) => match[1]!);
}

function factValue(path: string, route: Route): Value | null {
  switch (path) {
    case 'route':
      return route.name;
    case 'route.service':
      return serviceFact(route);
    case 'route.tags':
      return [...route.tags].sort();
    case 'route.state':
      return route.state;
    case 'route.requires_identity':
      return route.auth === 'required';
    case 'route.cost':
      return route.cost?.atMost ?? null;
    default:
      return route.version;
  }
}

/** Stands for every text that no rule names; names and literals have no control characters. */
const ANOTHER = '\u0000';

function blur(value: Value | null, mentioned: ReadonlySet<Value> | null): Value | null {
  if (mentioned === null || value === null) return value;
  if (typeof value === 'object') return value.filter((item) => mentioned.has(item));
  return typeof value !== 'string' || mentioned.has(value) ? value : ANOTHER;
}

function noteTest(test: Test, mentioned: Map<string, Set<Value> | null>): void {
  const terms = termsOf(test);
  const facts = terms.flatMap(factsOfTerm);
  for (const fact of facts) {
    if (fact.phase !== 'compile' || isElementPath(fact.path)) continue;
    const literals = literalsBeside(test);
    if (literals === null) mentioned.set(fact.path, null);
    else noteLiterals(fact, literals, mentioned);
  }
}

function noteLiterals(
  fact: FactReference,
  literals: Iterable<Value>,
  mentioned: Map<string, Set<Value> | null>,
): void {
  const known = mentioned.get(fact.path);
  if (known === null) return;
  const values = known ?? new Set<Value>();
  for (const literal of literals) values.add(literal);
  mentioned.set(fact.path, values);
}

/** The literals a fact is compared with for equality; null for any other kind of use. */
function literalsBeside(test: Test): readonly Value[] | null {
  if (test.kind === 'present') return [];
  if (test.kind !== 'equal' && test.kind !== 'member') return null;
  const terms = termsOf(test);
  if (terms.some((term) => term.kind === 'arithmetic')) return null;
  const constants = terms.flatMap((term) => (term.kind === 'constant' ? [term.value] : []));
  const fallbacks = terms.flatMap((term) => (term.kind === 'otherwise' ? [term.fallback] : []));
  if (constants.length !== 1) return null;
  if (typeof constants[0] === 'object' && test.kind === 'equal') return null;
  return [...constants.flat(), ...fallbacks];
}
