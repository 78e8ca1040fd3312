import { combineKey, createHashKey } from '../../base/half-sip-hash.ts';
import type { TestIdentity } from '../../language/typed-tests.ts';
import { writtenName } from '../../model/route-lines.ts';
import type { World } from '../../model/world.ts';
import type { Identity, KeyHash } from '../../pipeline/identity.ts';
import type { BoundRuntime } from '../../pipeline/program.ts';

/** Any secret will do: counters of a test are thrown away. */
const hashKey = createHashKey(new Uint8Array(8));

export const TEST_KEYS: Pick<BoundRuntime, 'hashKey' | 'combineKey'> = { hashKey, combineKey };

/** A caller as the directory of a data thread would hold it. */
export function identityOf(caller: TestIdentity, world: World): Identity {
  const { tenant, team, consumer, credential } = caller;
  const keyHash = (tag: string, ...names: readonly string[]): KeyHash => {
    const into = { high: 0, low: 0 };
    hashKey(tag, names.join('\0'), into);
    return into;
  };
  return {
    tenant: { ...tenant, priority: 'normal', share: 1, keyHash: keyHash('tenant', tenant.name) },
    team: team === null ? null : { ...team, keyHash: keyHash('team', tenant.name, team.name) },
    consumer: {
      ...consumer,
      subscriptions: new Set(consumer.subscriptions ?? Array.from(world.routes.keys(), writtenName)),
      keyHash: keyHash('consumer', tenant.name, consumer.name),
    },
    credential: {
      ...credential,
      keyHash: keyHash('credential', tenant.name, consumer.name, credential.name),
    },
  };
}
