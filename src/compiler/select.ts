import type { Route } from '../model/world.ts';
import type { Condition, RuleIr, Test } from './ir.ts';

/** The rules that can concern some routes. */
export interface Candidates {
  /** What those routes touch, as one text. */
  readonly hooks: string;
  /** In their order. */
  readonly rules: readonly RuleIr[];
}

/**
 * Pass 3: which rules can concern a route at all. Each rule is filed under the route names, services or tags that its
 * condition demands, or under "every route" when it demands none, so that a policy costs only the routes it is about.
 */
export class RuleIndex {
  readonly #everywhere: RuleIr[] = [];
  readonly #byHook = new Map<string, RuleIr[]>();
  readonly #places = new Map<RuleIr, number>();
  readonly #candidates = new Map<string, Candidates>();

  /** `rules` as {@link lowerPolicies} answers them. */
  constructor(rules: readonly RuleIr[]) {
    for (const [place, rule] of rules.entries()) {
      this.#places.set(rule, place);
      const hooks = hooksOfRule(rule);
      if (hooks === null) this.#everywhere.push(rule);
      else for (const hook of hooks) this.#file(hook, rule);
    }
  }

  /** Routes that touch the same hooks get the same object. */
  candidates(route: Route): Candidates {
    const touched = hooksOfRoute(route).filter((hook) => this.#byHook.has(hook));
    const hooks = touched.join('\n');
    let found = this.#candidates.get(hooks);
    if (found === undefined) {
      const rules = new Set(touched.flatMap((hook) => this.#byHook.get(hook) ?? []));
      found = {
        hooks,
        rules: [...rules, ...this.#everywhere].sort((a, b) => this.#place(a) - this.#place(b)),
      };
      this.#candidates.set(hooks, found);
    }
    return found;
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
    hooks = [`route ${route.name}`, `service ${route.service}`, ...tags];
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
