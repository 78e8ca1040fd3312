import type { Route } from '../model/world.ts';
import type { Condition, RuleIr, Test } from './ir.ts';

/**
 * Pass 3: which rules can concern a route at all. Each rule is filed under the route names, services or tags that its
 * condition demands, or under "every route" when it demands none, so that a policy costs only the routes it is about.
 */
export class RuleIndex {
  readonly #everywhere: RuleIr[] = [];
  readonly #byHook = new Map<string, RuleIr[]>();
  readonly #candidates = new Map<string, readonly RuleIr[]>();

  constructor(rules: readonly RuleIr[]) {
    for (const rule of rules) {
      const hooks = hooksOf(rule.condition);
      if (hooks === null) this.#everywhere.push(rule);
      else for (const hook of hooks) this.#file(hook, rule);
    }
  }

  /** In order of their index. Routes that touch the same hooks get the same array. */
  candidates(route: Route): readonly RuleIr[] {
    const touched = hooksOfRoute(route).filter((hook) => this.#byHook.has(hook));
    const key = touched.join('\n');
    let found = this.#candidates.get(key);
    if (found === undefined) {
      const rules = new Set(touched.flatMap((hook) => this.#byHook.get(hook) ?? []));
      found = [...rules, ...this.#everywhere].sort((a, b) => a.index - b.index);
      this.#candidates.set(key, found);
    }
    return found;
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

function hooksOfRoute(route: Route): string[] {
  return [`route ${route.name}`, `service ${route.service}`, ...route.tags.map((tag) => `tag ${tag}`).sort()];
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
