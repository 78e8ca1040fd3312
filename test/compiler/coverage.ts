/** Counts what random cases reach: kinds of nodes, operators, facts, windows, modes, and how requests end. */
import type { Case, Observation } from './run.ts';

export class Coverage {
  readonly #counts = new Map<string, number>();

  note(one: Case, observations: readonly Observation[]): void {
    for (const policy of one.policies.policies) {
      this.#count(`mode ${one.world.enforcement.get(policy.name)?.mode ?? 'enforce'}`);
      if (policy.scope !== null) this.#walk(policy.scope);
      for (const rule of policy.rules) {
        this.#count(`rule ${rule.kind}`);
        this.#walk(rule);
      }
    }
    for (const { decision, refusal, warnings, shadowDenied, alsoDenied } of observations) {
      this.#count(`end ${decision} ${refusal?.code ?? ''}`.trim());
      if (warnings.length > 0) this.#count('end warned');
      if (shadowDenied.length > 0) this.#count('end shadow-denied');
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
