import { createHash } from 'node:crypto';
import type { CheckedPolicy, CheckedRule } from '../language/typed.ts';
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

/** Fields that say nothing of the meaning: `key`, `seed` and `counterIdentity` are made of names, types follow from the rest. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'name',
  'key',
  'seed',
  'span',
  'because',
  'counterIdentity',
  'formerIdentity',
  'type',
]);
const UNORDERED: ReadonlySet<string> = new Set(['operands', 'items', 'networks']);

function meaningOf(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map(meaningOf);
  const fields = Object.entries(node).filter(([name]) => !LEFT_OUT.has(name));
  return Object.fromEntries(fields.map(([name, value]) => [name, fieldMeaning(name, value)]));
}

function fieldMeaning(name: string, value: unknown): unknown {
  // A fact is its path: what else the definition says follows from that.
  if (name === 'definition') return (value as { readonly path: string }).path;
  const meaning = meaningOf(value);
  if (!UNORDERED.has(name)) return meaning;
  const texts = (meaning as readonly unknown[]).map(canonicalJson);
  return [...new Set(texts)].sort();
}
