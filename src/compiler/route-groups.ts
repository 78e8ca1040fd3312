import { NO_STOPWATCH, type Stopwatch } from '../base/stopwatch.ts';
import type { Route } from '../model/world.ts';
import type { Conditions } from './conditions.ts';
import type { RuleIr } from './ir.ts';
import { residualProgram } from './residual.ts';
import { RouteLens } from './route-facts.ts';
import { type Candidates, RuleIndex } from './select.ts';
import { Signature } from './signature.ts';

/** Groups of an earlier compilation, by the hooks that their routes touch. */
export type RouteGroups = ReadonlyMap<string, RouteGroup>;

/** What an earlier compilation left. */
interface Earlier {
  readonly groups: RouteGroups;
  readonly stopwatch: Stopwatch;
}
const NOTHING_EARLIER: Earlier = { groups: new Map(), stopwatch: NO_STOPWATCH };

export interface GroupedRoutes {
  /** In order of the first route of each. */
  readonly signatures: ReadonlyMap<Signature, readonly Route[]>;
  readonly groups: RouteGroups;
}

/**
 * Passes 3 to 6: one program for all routes that look alike to the rules that can concern them. A group of `before` whose
 * rules are the same objects is not looked at again, nor are its routes.
 */
export function groupRoutes(
  rules: readonly RuleIr[],
  routes: readonly Route[],
  conditions: Conditions,
  { groups: before, stopwatch }: Earlier = NOTHING_EARLIER,
): GroupedRoutes {
  const index = new RuleIndex(rules);
  const groups = new Map<string, RouteGroup>();
  const signatures = new Map<Signature, Route[]>();
  for (const route of routes) {
    const candidates = index.candidates(route);
    let group = groups.get(candidates.hooks);
    if (group === undefined) {
      group = RouteGroup.of(candidates, before.get(candidates.hooks));
      groups.set(candidates.hooks, group);
    }
    const signature = group.signatureOf(route, conditions, stopwatch);
    const alike = signatures.get(signature);
    if (alike === undefined) signatures.set(signature, [route]);
    else alike.push(route);
  }
  return { signatures, groups };
}

/** The routes that touch the same hooks, and so have the same candidates. */
class RouteGroup {
  readonly #rules: readonly RuleIr[];
  readonly #lens: RouteLens;
  readonly #byRoute: WeakMap<Route, Signature>;
  /** By what the lens shows. */
  readonly #bySight = new Map<string, Signature>();
  readonly #before: ReadonlyMap<string, Signature>;

  private constructor(rules: readonly RuleIr[], before: RouteGroup | null) {
    this.#rules = before === null ? rules : before.#rules;
    this.#lens = before === null ? new RouteLens(rules) : before.#lens;
    this.#byRoute = before === null ? new WeakMap() : before.#byRoute;
    this.#before = before === null ? new Map() : before.#bySight;
  }

  static of({ rules }: Candidates, before: RouteGroup | undefined): RouteGroup {
    const isSame =
      before !== undefined &&
      before.#rules.length === rules.length &&
      before.#rules.every((rule, at) => rule === rules[at]);
    return new RouteGroup(rules, isSame ? before : null);
  }

  signatureOf(route: Route, conditions: Conditions, stopwatch: Stopwatch): Signature {
    const known = this.#byRoute.get(route);
    if (known !== undefined) {
      this.#bySight.set(known.sight, known);
      return known;
    }
    const facts = this.#lens.look(route);
    const sight = JSON.stringify(facts);
    let signature = this.#bySight.get(sight) ?? this.#before.get(sight);
    signature ??= stopwatch.policies(
      'compiling',
      () => new Signature(sight, residualProgram(this.#rules, facts, conditions), stopwatch),
      ({ policies }) => policies,
    );
    this.#bySight.set(sight, signature);
    this.#byRoute.set(route, signature);
    return signature;
  }
}
