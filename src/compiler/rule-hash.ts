import { createHash } from 'node:crypto';
import type { CheckedPolicy, CheckedRule, Operand } from '../language/typed.ts';
import { canonicalJson } from './digests.ts';

/**
 * What a rule means, as 16 hex digits (language-rules #24): a waiver is for a rule with this hash, and a rule that
 * means something else has another. Names, texts for people and places in the file have no part in it; the scope of the
 * policy has, because it is a condition of the rule. The order of operands and list items is not meaning either.
 */
export function ruleHash(policy: Pick<CheckedPolicy, 'scope'>, rule: CheckedRule): string {
  const meaning = canonicalJson([meaningOf(policy.scope), meaningOf(rule)]);
  return createHash('sha256').update(meaning).digest('hex').slice(0, 16);
}

/** Fields that say nothing of the meaning: `key`, `seed` and `counterIdentity` are made of names, `barred` of what is
 * written and of the pools there are; types follow from the rest. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'name',
  'key',
  'seed',
  'span',
  'because',
  'counterIdentity',
  'formerIdentity',
  'barred',
  'type',
]);
const UNORDERED: ReadonlySet<string> = new Set(['operands', 'items']);

function meaningOf(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map(meaningOf);
  const fields = Object.entries(node).filter(
    ([name, value]) => !LEFT_OUT.has(name) && !isUnsaid(name, value),
  );
  return Object.fromEntries(fields.map(([name, value]) => [name, fieldMeaning(name, value)]));
}

/** What came to the language later, where a rule does not say it: its hash is the one that it had before. */
function isUnsaid(name: string, value: unknown): boolean {
  return (name === 'queueMs' || name === 'fallback') && value === null;
}

function fieldMeaning(name: string, value: unknown): unknown {
  // A fact is its path: what else the definition says follows from that.
  if (name === 'definition') return (value as { readonly path: string }).path;
  if (name === 'networks') return networksMeaning(value as Operand);
  const meaning = meaningOf(value);
  return UNORDERED.has(name) ? setOf(meaning as readonly unknown[]) : meaning;
}

/** A written list is its texts alone: the hashes that waivers name were made so. */
function networksMeaning(networks: Operand): unknown {
  return networks.kind === 'list' ? setOf(networks.items.map(({ value }) => value)) : meaningOf(networks);
}

function setOf(values: readonly unknown[]): readonly string[] {
  return [...new Set(values.map(canonicalJson))].sort();
}
