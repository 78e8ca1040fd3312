import { systemClock, systemRandom } from '../../src/cli/run/system-clock.ts';
import { issueKey } from '../../src/governance/consumer-key.ts';
import type { StoredCredential } from '../../src/state/credential-table.ts';
import { openStore, type Store } from '../../src/state/store.ts';
import type { ScaleConsumer } from './project.ts';

export interface FilledStore {
  readonly sample: readonly string[];
}

/**
 * Issues keys to consumers as the gateway does, but many in one transaction and without a record of each in the audit log. Keys
 * are shown nowhere else, so some of them are given back.
 */
export async function fillStore(
  dataFolder: string,
  consumers: readonly ScaleConsumer[],
  { keysPerConsumer, sampled }: { readonly keysPerConsumer: number; readonly sampled: number },
): Promise<FilledStore> {
  const [random, clock] = [systemRandom(), systemClock()];
  const opened = openStore(dataFolder, random, noExamination, clock);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const every = (consumers.length * keysPerConsumer) / sampled;
  const sample: string[] = [];
  let issued = 0;
  for (const { tenant, name: consumer } of consumers) {
    const put: StoredCredential[] = [];
    for (let number = 0; number < keysPerConsumer; number++) {
      const { key, keyId, hash } = issueKey({ random, environment: 'live', pepper: store.secrets.pepper });
      const name = `key-${String(number).padStart(6, '0')}`;
      put.push({ tenant, consumer, name, keyId, hash, createdMs: clock.wallMs(), expiresMs: null });
      if (issued++ >= sample.length * every) sample.push(key);
    }
    keep(store, put);
  }
  await store.close();
  return { sample };
}

function keep(store: Store, put: readonly StoredCredential[]): void {
  const kept = store.credentials.change({ put }, []);
  if (!kept.ok) throw new Error(kept.error.message);
}

/** Only stores that a process left in a crash are examined. */
function noExamination(): never {
  throw new Error('a fresh store is not examined');
}
