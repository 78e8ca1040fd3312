import { randomBytes } from 'node:crypto';
import { createHashKey } from '../../src/base/half-sip-hash.ts';
import { systemRandom } from '../../src/cli/run/system-clock.ts';
import { issueKey } from '../../src/governance/consumer-key.ts';
import { createIdentitySource } from '../../src/governance/identity-source.ts';
import { SharedDirectory } from '../../src/governance/shared-directory.ts';
import type { IdentitySource } from '../../src/pipeline/identity.ts';

/** A table of so many keys as data threads read it, and some of its keys. */
export interface KeysInMemory {
  readonly source: IdentitySource;
  readonly keys: readonly string[];
}

const KEYS_ASKED = 20_000;
const TENANT = 'acme';
const CONSUMER = 'web';

/** Most keys are never asked for, so of those a digest is enough. */
export function keysInMemory(count: number): KeysInMemory {
  const random = systemRandom();
  const pepper = randomBytes(32);
  const hashKey = createHashKey(randomBytes(8));
  const directory = new SharedDirectory({ consumerKeys: count, directoryBytes: 256 * 1024 * 1024 }, hashKey);
  const draft = directory.draft();
  draft.putTenant({ name: TENANT, plan: 'team', priority: 'normal', share: 1, attributes: {} });
  const consumer = { name: CONSUMER, team: null, roles: [], subscriptions: [], attributes: {} };
  draft.putConsumer(TENANT, consumer, null);
  directory.use(draft);
  const asked = Math.min(count, KEYS_ASKED);
  const keys: string[] = [];
  for (let index = 0; index < count; index++) {
    const isAsked = index * asked >= keys.length * count;
    const issued = isAsked ? issueKey({ random, environment: 'live', pepper }) : null;
    if (issued !== null) keys.push(issued.key);
    directory.putKey(TENANT, CONSUMER, {
      name: 'key',
      kind: 'key',
      hash: issued?.hash ?? `ptnh1:aaaaaaaaaaaa:${randomBytes(32).toString('base64url')}`,
      createdMs: 0,
      expiresMs: null,
    });
  }
  const snapshot = { epoch: 1, pepper, memory: directory.memory, records: draft.toMemory() };
  return { source: createIdentitySource(snapshot, hashKey), keys };
}

/** Nanoseconds of CPU for one look-up, hash included, over all keys that are asked for, some times over. */
export function lookUpNs({ source, keys }: KeysInMemory): number {
  const times = Math.ceil(100_000 / keys.length);
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++)
    for (const key of keys)
      if (typeof source.identify(key, 1) === 'string') throw new Error('a key that is there was not found');
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / (times * keys.length);
}
