import { serviceFact } from '../model/route-service.ts';
import type { Route } from '../model/world.ts';
import type { Condition, RuleIr, Test } from './ir.ts';
import { isShaping } from './residual.ts';

/**
 * Pass 3: which rules can concern a route at all. Each rule is filed under the route names, services or tags that its
 * condition demands, or under "every route" when it demands none, so that a policy costs only the routes it is about.
 */
export class RuleIndex {
  readonly #everywhere: RuleIr[] = [];
  readonly #byHook = new Map<string, RuleIr[]>();
  readonly #places = new Map<RuleIr, number>();

  /** `rules` as {@link lowerPolicies} answers them. */
  constructor(rules: readonly RuleIr[]) {
    for (const [place, rule] of rules.entries()) {
      this.#places.set(rule, place);
      const hooks = hooksOfRule(rule);
      if (hooks === null) this.#everywhere.push(rule);
      else for (const hook of hooks) this.#file(hook, rule);
    }
  }

  /** What the route touches of that under which rules are filed: routes that touch the same have the same candidates. */
  touchedBy(route: Route): readonly string[] {
    return hooksOfRoute(route).filter((hook) => this.#byHook.has(hook));
  }

  /** The rules that can concern routes which touch these, in their order. */
  candidates(touched: readonly string[]): readonly RuleIr[] {
    const rules = new Set(touched.flatMap((hook) => this.#byHook.get(hook) ?? []));
    return [...rules, ...this.#everywhere].sort((a, b) => this.#place(a) - this.#place(b));
  }

  /** What is different for routes since `before`. */
  since(before: RuleIndex): RuleChange {
    const changed = [...missingIn(this, before), ...missingIn(before, this)];
    const hooks = new Set<string>();
    let everywhere = false;
    for (const rule of changed) {
      const demanded = hooksOfRule(rule);
      if (demanded === null) everywhere = true;
      else for (const hook of demanded) hooks.add(hook);
    }
    const cameOrWent = new Set(
      [...hooks].filter((hook) => this.#byHook.has(hook) !== before.#byHook.has(hook)),
    );
    return new RuleChange(everywhere, hooks, cameOrWent, changed.every(isShaping));

    function missingIn(some: RuleIndex, others: RuleIndex): RuleIr[] {
      return [...some.#places.keys()].filter((rule) => !others.#places.has(rule));
    }
  }

  #place(rule: RuleIr): number {
    return this.#places.get(rule)!;
  }

  #file(hook: string, rule: RuleIr): void {
    const rules = this.#byHook.get(hook);
    if (rules === undefined) this.#byHook.set(hook, [rule]);
    else rules.push(rule);
  }
}

/** Rules that came or went between two compilations, as far as routes can tell. */
export class RuleChange {
  readonly #everywhere: boolean;
  readonly #hooks: ReadonlySet<string>;
  /** Hooks that had no rule, or have none any more. */
  readonly #cameOrWent: ReadonlySet<string>;

  /** Whether all of them decide nothing. */
  readonly onlyShapes: boolean;

  constructor(
    everywhere: boolean,
    hooks: ReadonlySet<string>,
    cameOrWent: ReadonlySet<string>,
    onlyShapes: boolean,
  ) {
    this.#everywhere = everywhere;
    this.#hooks = hooks;
    this.#cameOrWent = cameOrWent;
    this.onlyShapes = onlyShapes;
  }

  /** Whether routes that touch these have other candidates now. */
  concerns(touched: readonly string[]): boolean {
    return this.#everywhere || touched.some((hook) => this.#hooks.has(hook));
  }

  /** Whether any route could touch something else now. */
  get movesSome(): boolean {
    return this.#cameOrWent.size > 0;
  }

  /** Whether the route touches something else now. */
  moves(route: Route): boolean {
    return hooksOfRoute(route).some((hook) => this.#cameOrWent.has(hook));
  }
}

const HOOKED_FACTS: Readonly<Record<string, string>> = {
  route: 'route',
  'route.service': 'service',
  'route.tags': 'tag',
};
/** A demand for one route is narrower than for a service, and that than for a tag. */
const WIDTH: Readonly<Record<string, number>> = { route: 1, service: 100, tag: 1_000 };

/** By route and by rule, which stay the same objects while other files change. */
const HOOKS_OF_ROUTES = new WeakMap<Route, readonly string[]>();
const HOOKS_OF_RULES = new WeakMap<RuleIr, ReadonlySet<string> | 'every route'>();

function hooksOfRoute(route: Route): readonly string[] {
  let hooks = HOOKS_OF_ROUTES.get(route);
  if (hooks === undefined) {
    const tags = route.tags.map((tag) => `tag ${tag}`).sort();
    hooks = [`route ${route.name}`, `service ${serviceFact(route)}`, ...tags];
    HOOKS_OF_ROUTES.set(route, hooks);
  }
  return hooks;
}

function hooksOfRule(rule: RuleIr): ReadonlySet<string> | null {
  let hooks = HOOKS_OF_RULES.get(rule);
  if (hooks === undefined) {
    hooks = hooksOf(rule.condition) ?? 'every route';
    HOOKS_OF_RULES.set(rule, hooks);
  }
  return hooks === 'every route' ? null : hooks;
}

/** What a route must touch one of for the condition to hold; null when nothing can be said. */
function hooksOf(condition: Condition): ReadonlySet<string> | null {
  switch (condition.kind) {
    case 'constant':
      return condition.value ? null : new Set();
    case 'not':
      return null;
    case 'test':
      return hooksOfTest(condition.test);
    case 'any': {
      const parts = condition.operands.map(hooksOf);
      return parts.some((part) => part === null) ? null : new Set(parts.flatMap((part) => [...part!]));
    }
    case 'all':
      return condition.operands
        .map(hooksOf)
        .filter((part) => part !== null)
        .reduce<ReadonlySet<string> | null>((best, part) => narrower(best, part), null);
  }
}

function narrower(a: ReadonlySet<string> | null, b: ReadonlySet<string>): ReadonlySet<string> {
  return a === null || width(b) < width(a) ? b : a;
}

function width(hooks: ReadonlySet<string>): number {
  let sum = 0;
  for (const hook of hooks) sum += WIDTH[hook.slice(0, hook.indexOf(' '))] ?? 0;
  return sum;
}

function hooksOfTest(test: Test): ReadonlySet<string> | null {
  if (test.kind === 'equal') {
    const [fact, constant] = test.left.kind === 'fact' ? [test.left, test.right] : [test.right, test.left];
    if (fact.kind !== 'fact' || constant.kind !== 'constant' || typeof constant.value === 'object')
      return null;
    return hooksOfValues(fact.fact.path, [constant.value]);
  }
  if (test.kind !== 'member') return null;
  const { element, list } = test;
  if (element.kind === 'fact' && list.kind === 'constant' && element.fact.path !== 'route.tags') {
    return hooksOfValues(element.fact.path, list.value as readonly unknown[]);
  }
  if (element.kind === 'constant' && list.kind === 'fact' && list.fact.path === 'route.tags') {
    return hooksOfValues('route.tags', [element.value]);
  }
  return null;
}

function hooksOfValues(path: string, values: readonly unknown[]): ReadonlySet<string> | null {
  const hook = HOOKED_FACTS[path];
  if (hook === undefined) return null;
  return new Set(values.map((value) => `${hook} ${String(value)}`));
}
