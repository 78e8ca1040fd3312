import { createHash } from 'node:crypto';
import type { RuleBundle } from '../pipeline/program.ts';
import { digestOf } from './digests.ts';
import type { FunctionCode } from './function-code.ts';

/** What a rule set is made of. Its numbers follow from that, so they have no part in the hash. */
export interface HashedContent
  extends Pick<RuleBundle, 'rules' | 'counters' | 'alerts' | 'poolRules' | 'services' | 'models'> {
  readonly functions: readonly FunctionCode[];
  /** Digests of each route and of its signature. */
  readonly routes: readonly string[];
}

/**
 * SHA-256 over digests of the parts, each of its canonical JSON; first 16 hex digits. Equal content has an equal name. Rules
 * are named where a program has their numbers: one more rule shifts the numbers of thousands of programs, and none is
 * hashed anew for it.
 */
export function bundleHash(content: HashedContent): string {
  const hash = createHash('sha256');
  hash.update(`functions:${content.functions.map(({ digest }) => digest).join()}\n`);
  for (const name of ['rules', 'counters', 'alerts', 'services'] as const) {
    hash.update(`${name}:${content[name].map(digestOf).join()}\n`);
  }
  for (const rules of [content.poolRules.alerts, content.poolRules.rotations])
    hash.update(`pool rules:${rules.map(digestOf).join()}\n`);
  const { providers, pools, models } = content.models;
  for (const part of [providers, pools, models])
    hash.update(`models:${[...part.values()].map(digestOf).join()}\n`);
  return hash.update(content.routes.join('\n')).digest('hex').slice(0, 16);
}
