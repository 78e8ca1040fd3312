/** Counts what random cases reach: kinds of nodes, operators, facts, windows, modes, and how requests end. */
import type { CheckedRule } from '../../src/language/typed.ts';
import type { Case, Observation } from './run.ts';

export class Coverage {
  readonly #counts = new Map<string, number>();

  notePolicies({ policies, world }: Pick<Case, 'policies' | 'world'>): void {
    const replaced = policies.replaced ?? [];
    if (replaced.length > 0) this.#count('rule replaced');
    for (const policy of [...policies.policies, ...replaced]) {
      this.#count(`mode ${world.enforcement.get(policy.name)?.mode ?? 'enforce'}`);
      if (policy.scope !== null) this.#walk(policy.scope);
      for (const rule of policy.rules) {
        this.#count(`rule ${rule.kind}`);
        if ('member' in rule) this.#count(`${rule.kind} ${rule.member.definition.path}`);
        this.#walk(rule);
        const nodes = descend([rule, policy.scope]);
        const kinds = kindsOf(nodes);
        const phase = phaseOf(rule, kinds, nodes);
        for (const kind of kinds) this.#count(`${kind} in ${phase}`);
      }
    }
  }

  noteEnds(observations: readonly Observation[]): void {
    for (const {
      decision,
      refusal,
      warnings,
      shadowDenied,
      alsoDenied,
      alerts,
      fellBack,
      counted,
    } of observations) {
      this.#count(`end ${decision} ${refusal?.code ?? ''}`.trim());
      if (warnings.length > 0) this.#count('end warned');
      if (shadowDenied.length > 0) this.#count('end shadow-denied');
      if (fellBack) this.#count('end fell-back');
      if (counted) this.#count(`end counted ${decision}`);
      if (alerts.length > 0) this.#count('end alerted');
      if (alsoDenied.length > 0) this.#count('end also-denied');
    }
  }

  /** Those of `names` that were never reached. */
  missing(names: readonly string[]): string[] {
    return names.filter((name) => !this.#counts.has(name));
  }

  #walk(node: unknown): void {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const item of node) this.#walk(item);
      return;
    }
    for (const [name, value] of Object.entries(node)) {
      if (name === 'span' || name === 'type') continue;
      if (name === 'definition') this.#count(`fact ${(value as { path: string }).path}`);
      else if (NAMED.has(name) && typeof value !== 'object') this.#count(`${name} ${String(value)}`);
      else this.#walk(value);
    }
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

const NAMED: ReadonlySet<string> = new Set([
  'kind',
  'operator',
  'quantifier',
  'test',
  'side',
  'period',
  'onFailure',
  'negated',
  'of',
  'status',
]);

/** Where the code of a rule stands. */
export const RULE_PHASES = [
  'match',
  'authorise',
  'body',
  'admit',
  'shape-request',
  'shape-response',
  'timeout',
  'cache',
  'pools',
  'mask',
  'alerts',
] as const;

/** `nodes`: of the rule and the scope of its policy, of these kinds. */
function phaseOf(
  rule: CheckedRule,
  kinds: ReadonlySet<string>,
  nodes: readonly object[],
): (typeof RULE_PHASES)[number] {
  switch (rule.kind) {
    case 'limit':
    case 'quota':
    case 'budget':
      return 'admit';
    case 'set-header':
    case 'remove-header':
      return `shape-${rule.side}`;
    case 'deprecate':
      return 'shape-response';
    case 'cache':
      return 'cache';
    case 'timeout':
      return 'timeout';
    case 'route-to':
    case 'filter':
      return 'pools';
    case 'mask':
      return rule.kind;
    case 'alert':
      return 'alerts';
    default: {
      const facts = factPhasesOf(nodes);
      if (facts.has('body')) return 'body';
      const asksCaller = kinds.has('has-role') || kinds.has('subscribed');
      return rule.kind === 'permit' || asksCaller || facts.has('identity') ? 'authorise' : 'match';
    }
  }
}

function kindsOf(nodes: readonly object[]): ReadonlySet<string> {
  return new Set(nodes.flatMap((node) => ('kind' in node ? [String(node.kind)] : [])));
}

function factPhasesOf(nodes: readonly object[]): ReadonlySet<string> {
  return new Set(
    nodes.flatMap((node) =>
      'definition' in node ? [(node.definition as { readonly phase: string }).phase] : [],
    ),
  );
}

function descend(node: unknown): readonly object[] {
  if (typeof node !== 'object' || node === null) return [];
  const inner = Object.entries(node).flatMap(([name, value]) => (OUTSIDE.has(name) ? [] : descend(value)));
  return Array.isArray(node) ? inner : [node, ...inner];
}

/** What says nothing about conditions. */
const OUTSIDE: ReadonlySet<string> = new Set([
  'span',
  'type',
  'definition',
  'reply',
  'value',
  'window',
  'per',
]);
