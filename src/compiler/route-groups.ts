import { NO_STOPWATCH, type Stopwatch } from '../base/stopwatch.ts';
import type { Route } from '../model/world.ts';
import { placesBefore } from './aligned.ts';
import type { Conditions } from './conditions.ts';
import type { RuleIr } from './ir.ts';
import { reshaped, residualProgram } from './residual.ts';
import { RouteLens } from './route-facts.ts';
import { type RuleChange, RuleIndex } from './select.ts';
import { Signature } from './signature.ts';

/** What an earlier compilation left. */
interface Earlier {
  readonly grouped: GroupedRoutes | null;
  readonly stopwatch: Stopwatch;
}
const NOTHING_EARLIER: Earlier = { grouped: null, stopwatch: NO_STOPWATCH };

export interface GroupedRoutes {
  readonly index: RuleIndex;
  readonly routes: readonly Route[];
  /** Of the route at the same place, as are the signatures. */
  readonly groups: readonly RouteGroup[];
  readonly signatures: readonly Signature[];
}

/**
 * Passes 3 to 6: one program for all routes that look alike to the rules that can concern them. `routes` by name. A group of
 * an earlier compilation whose rules are the same objects is not looked at again, nor are its routes.
 */
export function groupRoutes(
  rules: readonly RuleIr[],
  routes: readonly Route[],
  conditions: Conditions,
  { grouped: before, stopwatch }: Earlier = NOTHING_EARLIER,
): GroupedRoutes {
  const index = new RuleIndex(rules);
  const regrouping = new Regrouping(index, routes, before);
  const groups = routes.map((route, at) => regrouping.groupOf(route, at));
  const signatures = routes.map(
    (route, at) =>
      regrouping.signatureBefore(groups[at]!, at) ?? groups[at]!.signatureOf(route, conditions, stopwatch),
  );
  regrouping.finish();
  return { index, routes, groups, signatures };
}

/** The routes with their signature, in order of the first route of each. */
export function routesBySignature({
  routes,
  signatures,
}: GroupedRoutes): ReadonlyMap<Signature, readonly Route[]> {
  const alike = new Map<Signature, Route[]>();
  for (let at = 0; at < routes.length; at++) {
    const route = routes[at]!;
    const signature = signatures[at]!;
    const known = alike.get(signature);
    if (known === undefined) alike.set(signature, [route]);
    else known.push(route);
  }
  return alike;
}

/** The groups of an earlier compilation, those with other rules or fewer routes made anew. */
class Regrouping {
  readonly #index: RuleIndex;
  readonly #before: GroupedRoutes | null;
  readonly #change: RuleChange | null;
  /** For each route where it was; -1 where it was not there, or touches something else now. */
  readonly #places: Int32Array;
  readonly #lost: ReadonlySet<RouteGroup>;
  /** By those of before. */
  readonly #renewed = new Map<RouteGroup, RouteGroup>();
  #byHooks: Map<string, RouteGroup> | null = null;

  constructor(index: RuleIndex, routes: readonly Route[], before: GroupedRoutes | null) {
    this.#index = index;
    this.#before = before;
    this.#change = before === null ? null : index.since(before.index);
    this.#places = placesBefore(routes, before?.routes ?? []);
    if (this.#change?.movesSome === true) {
      for (const [at, route] of routes.entries()) if (this.#change.moves(route)) this.#places[at] = -1;
    }
    this.#lost = before === null ? new Set() : groupsOfOthers(before, this.#places);
  }

  groupOf(route: Route, at: number): RouteGroup {
    const place = this.#places[at]!;
    return place === -1 ? this.#groupTouching(route) : this.#renew(this.#before!.groups[place]!);
  }

  /** Null when there is none, or rules of the route have changed. */
  signatureBefore(group: RouteGroup, at: number): Signature | null {
    const place = this.#places[at]!;
    if (place === -1) return null;
    const before = this.#before!;
    return group.keeps(before.groups[place]!, before.signatures[place]!);
  }

  finish(): void {
    for (const group of this.#renewed.values()) group.forgetBefore();
  }

  #groupTouching(route: Route): RouteGroup {
    const touched = this.#index.touchedBy(route);
    const hooks = touched.join('\n');
    this.#byHooks ??= new Map((this.#before?.groups ?? []).map((group) => [group.hooks, this.#renew(group)]));
    let group = this.#byHooks.get(hooks);
    if (group === undefined) {
      group = new RouteGroup(touched, this.#index.candidates(touched), null);
      this.#byHooks.set(hooks, group);
    }
    return group;
  }

  #renew(before: RouteGroup): RouteGroup {
    let group = this.#renewed.get(before);
    if (group === undefined) {
      const { touched } = before;
      if (this.#change!.concerns(touched)) {
        group = new RouteGroup(touched, this.#index.candidates(touched), null);
        if (this.#change!.onlyShapes) group.decideAs(before);
      } else group = this.#lost.has(before) ? new RouteGroup(touched, before.rules, before) : before;
      this.#renewed.set(before, group);
    }
    return group;
  }
}

/** Groups with a route that has none of the places. */
function groupsOfOthers(before: GroupedRoutes, places: Int32Array): ReadonlySet<RouteGroup> {
  const kept = new Uint8Array(before.routes.length);
  for (const place of places) if (place !== -1) kept[place] = 1;
  const others = new Set<RouteGroup>();
  for (let at = 0; at < kept.length; at++) if (kept[at] === 0) others.add(before.groups[at]!);
  return others;
}

/** The routes that touch the same hooks, and so have the same candidates. */
class RouteGroup {
  readonly touched: readonly string[];
  readonly rules: readonly RuleIr[];
  readonly #lens: RouteLens;
  /** By what the lens shows. */
  readonly #bySight = new Map<string, Signature>();
  #before: ReadonlyMap<string, Signature>;
  /** By what the lens shows: signatures of rules that decide as these do. */
  #decided: ReadonlyMap<string, Signature> = new Map();

  /** `before`: the group as it was, with the same rules. */
  constructor(touched: readonly string[], rules: readonly RuleIr[], before: RouteGroup | null) {
    this.touched = touched;
    this.rules = rules;
    this.#lens = before === null ? new RouteLens(rules) : before.#lens;
    this.#before = before === null ? new Map() : before.#bySight;
  }

  /** To be called when the rules differ from those of `before` in those only that shape. */
  decideAs(before: RouteGroup): void {
    this.#decided = before.#bySight;
  }

  /** What its routes touch, as one text. */
  get hooks(): string {
    return this.touched.join('\n');
  }

  /** The signature that a route had when the group was another object; null when the rules were others. */
  keeps(before: RouteGroup, signature: Signature): Signature | null {
    if (before === this) return signature;
    if (before.#lens !== this.#lens) return null;
    this.#bySight.set(signature.sight, signature);
    return signature;
  }

  signatureOf(route: Route, conditions: Conditions, stopwatch: Stopwatch): Signature {
    const facts = this.#lens.look(route);
    const sight = JSON.stringify(facts);
    let signature = this.#bySight.get(sight) ?? this.#before.get(sight);
    signature ??= stopwatch.policies(
      'compiling',
      () => {
        const decided = this.#decided.get(sight) ?? null;
        const program =
          decided === null
            ? residualProgram(this.rules, facts, conditions)
            : reshaped(decided.program, this.rules);
        return new Signature(sight, program, stopwatch, decided);
      },
      ({ policies }) => policies,
    );
    this.#bySight.set(sight, signature);
    return signature;
  }

  /** To be called when every route has its signature: those of routes that are gone are needed no more. */
  forgetBefore(): void {
    this.#before = new Map();
    this.#decided = new Map();
  }
}
