import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { type ClauseSight, clausesOf, traceRequest } from '../../compiler/interpret/trace.ts';
import { placeOf } from '../../diagnostics/source.ts';
import { isLimitOfTargets, isLimitRule } from '../../language/limit-rules.ts';
import { staticValue } from '../../language/static-value.ts';
import type { CheckedRule, TypedExpression } from '../../language/typed.ts';
import type { World } from '../../model/world.ts';
import { clauseText } from '../clause-text.ts';
import { TEST_KEYS } from './identities.ts';
import type { Machine } from './machine.ts';
import type { SentInTest } from './run.ts';

/** Which clauses of the rules the tests have seen, both ways. */
export interface Coverage {
  readonly clauses: number;
  /** Clauses seen true and seen false. */
  readonly seenBothWays: number;
  readonly policies: readonly PolicyCoverage[];
}
export interface PolicyCoverage {
  readonly policy: string;
  readonly clauses: number;
  readonly seenBothWays: number;
  readonly missing: readonly MissingClause[];
}
export interface MissingClause {
  readonly text: string;
  readonly place: string;
  readonly rule: string | null;
  readonly missing: 'true' | 'false' | 'either';
}

/** `room`: a limit, which has room or not. */
type Item = { readonly placed: PlacedRule; readonly clause: TypedExpression | 'room' };
interface Seen {
  true: boolean;
  false: boolean;
}

/**
 * Listens to the requests of tests. A clause is a condition without parts; of a scope only what requests decide counts,
 * for the rest is decided by the route. A limit is one clause more: it has room, or not.
 */
export class CoverageCounter {
  readonly #items: readonly Item[];
  readonly #seen = new Map<TypedExpression | string, Seen>();

  constructor(rules: readonly PlacedRule[], world: World) {
    this.#items = rules.flatMap((placed, at) =>
      itemsOf(placed, world, rules[at - 1]?.policy !== placed.policy),
    );
  }

  readonly listen = (machine: Machine, { observation }: SentInTest): void => {
    const { route, request, counters } = observation;
    if (route === null || request === null) return;
    const { sights, stage } = traceRequest(
      machine.rules,
      machine.world.routes.get(route)!,
      request,
      TEST_KEYS,
      observation.answer,
    );
    for (const { clauses } of sights)
      for (const { clause, held } of clauses.flatMap(withElements))
        if (held !== 'unseen') this.#see(keyOf(clause), held);
    if (stage !== 'admit') return;
    for (const { placed } of sights) {
      const { rule } = placed;
      if (!('counterIdentity' in rule)) continue;
      const spec = machine.bundle.counters.findIndex(({ identity }) => identity === rule.counterIdentity);
      for (const { counter, exceeded } of counters)
        if (counter === spec) this.#see(roomOf(placed), !exceeded);
    }
  };

  result(): Coverage {
    const policies = [...new Set(this.#items.map(({ placed }) => placed.policy))].map((policy) =>
      this.#policy(policy),
    );
    return {
      clauses: sum(policies.map(({ clauses }) => clauses)),
      seenBothWays: sum(policies.map(({ seenBothWays }) => seenBothWays)),
      policies,
    };
  }

  #policy(policy: string): PolicyCoverage {
    const items = this.#items.filter(({ placed }) => placed.policy === policy);
    const missing = items.flatMap((item) => this.#missing(item) ?? []);
    return { policy, clauses: items.length, seenBothWays: items.length - missing.length, missing };
  }

  #missing({ placed, clause }: Item): MissingClause | null {
    const seen = this.#seen.get(clause === 'room' ? roomOf(placed) : keyOf(clause)) ?? NEVER;
    if (seen.true && seen.false) return null;
    const { rule } = placed;
    const span = clause === 'room' ? rule.span : clause.span;
    return {
      text: clause === 'room' ? 'has room' : clauseText(clause),
      place: placeOf(span),
      rule: rule.name,
      missing: seen.true ? 'false' : seen.false ? 'true' : 'either',
    };
  }

  #see(key: TypedExpression | string, held: boolean): void {
    const seen = this.#seen.get(key) ?? { true: false, false: false };
    seen[held ? 'true' : 'false'] = true;
    this.#seen.set(key, seen);
  }
}

const NEVER: Seen = { true: false, false: false };

function itemsOf(placed: PlacedRule, world: World, isFirst: boolean): Item[] {
  const routes = [...world.routes.values()];
  const clauses = clausesOf(placed)
    // the scope belongs to the policy: it is counted with its first rule
    .filter(({ part }) => part !== 'scope' || isFirst)
    .filter(({ clause }) => routes.some((route) => staticValue(clause, route) === 'unknown'));
  const items = clauses.flatMap(withElements).map(({ clause }): Item => ({ placed, clause }));
  return hasRoomInTests(placed.rule) ? [...items, { placed, clause: 'room' }] : items;
}

/** No test chooses a key, so it asks no limit that is counted by one. */
function hasRoomInTests(rule: CheckedRule): boolean {
  return isLimitRule(rule) && !isLimitOfTargets(rule);
}

/** A quantifier, and what it asks of elements: each is a clause. */
function withElements(sight: ClauseSight): ClauseSight[] {
  return [sight, ...sight.elements.flatMap(withElements)];
}

/** A share is another object where a test gives it another size. */
function keyOf(clause: TypedExpression): TypedExpression | string {
  return clause.kind === 'share' ? `share ${clause.seed}` : clause;
}

/** Rules are objects of the checked policies, the same in every machine; their index is not, where modes differ. */
function roomOf({ policy, rule }: PlacedRule): string {
  return JSON.stringify([policy, rule.key]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
