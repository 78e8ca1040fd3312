import { createHashKey } from '../base/half-sip-hash.ts';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Directory, SecretReference } from '../model/world.ts';
import type { AuditActor, AuditEntry } from '../pipeline/audit.ts';
import type { DirectorySnapshot } from '../pipeline/identity.ts';
import { PEPPER } from './directory.cases.ts';
import type { KeyEnding, KeyName, KeyStore, PastNames, StoredKey } from './key-store.ts';
import { type DirectoryWorld, LiveDirectory } from './live-directory.ts';
import { seededRandom } from './seeded-random.cases.ts';
import type { EntityStore, ReadEntity, StoredEntity } from './stored-directory.ts';

/** Keys in maps, in the order of the store; `broken` makes every change fail. */
export class MemoryKeys implements KeyStore {
  readonly keys = new Map<string, StoredKey>();
  readonly ends = new Map<string, KeyEnding>();
  readonly names = new Map<string, PastNames>();
  readonly entries: AuditEntry[] = [];
  broken = false;

  get(name: KeyName) {
    return ok(this.keys.get(spell(name)) ?? null);
  }
  page(scope: readonly string[], after: KeyName | null, count: number) {
    const found = [...this.keys]
      .filter(([spelt]) => scope.every((part, at) => spelt.split('\0')[at] === part))
      .filter(([spelt]) => after === null || spelt > spell(after))
      .sort(([one], [other]) => (one < other ? -1 : 1));
    return ok(found.slice(0, count).map(([, key]) => key));
  }
  scan(visit: Parameters<KeyStore['scan']>[0]) {
    const keys = [...this.keys.values()];
    const parts = keys.flatMap(({ name, hash }) => [name, hash.split(':')[2]!]);
    const ends = parts.map((_, index) => parts.slice(0, index + 1).join('').length);
    const every = (first: number) => Int32Array.from(keys, (_, index) => ends[2 * index + first] ?? 0);
    visit({
      bytes: Buffer.from(parts.join('')),
      count: keys.length,
      holderOf: (index) => keys[index]!,
      nameStart: every(-1),
      nameEnd: every(0),
      digestStart: every(0),
      digestEnd: every(1),
      createdMs: Float64Array.from(keys, ({ createdMs }) => createdMs),
      expiresMs: Float64Array.from(keys, ({ expiresMs }) => expiresMs ?? Number.NaN),
    });
    return ok(undefined);
  }
  endings() {
    return ok([...this.ends.values()]);
  }
  past(tenant: string, consumer: string) {
    return ok(this.names.get(`${tenant}\0${consumer}`) ?? null);
  }
  change(
    { put = [], remove = [], endings = [], past = [] }: Parameters<KeyStore['change']>[0],
    entries: readonly AuditEntry[],
  ) {
    if (this.broken)
      return err({ message: 'The change could not be saved: no space.', remedy: 'Make room.' });
    this.entries.push(...entries);
    for (const name of remove) this.keys.delete(spell(name));
    for (const key of put) this.keys.set(spell(key), key);
    for (const ending of endings) this.ends.set(ending.hash, ending);
    for (const each of past) this.names.set(`${each.tenant}\0${each.consumer}`, each);
    return ok(undefined);
  }
}

function spell({ tenant, consumer, name }: KeyName): string {
  return `${tenant}\0${consumer}\0${name}`;
}

export const ACTOR: AuditActor = { kind: 'token', id: 'abc', name: 'ops' };

/** Entities in a list; nothing of them is read. */
export class MemoryEntities implements EntityStore {
  readonly kept = new Map<string, StoredEntity>();
  readonly entries: AuditEntry[] = [];
  broken = false;

  all() {
    return ok([...this.kept.values()]);
  }
  change(
    { put = [], remove = [] }: Parameters<EntityStore['change']>[0],
    entries: readonly AuditEntry[],
  ): ReturnType<EntityStore['change']> {
    if (this.broken)
      return err({ message: 'The change could not be saved: no space.', remedy: 'Make room.' });
    this.entries.push(...entries);
    for (const { kind, tenant, name } of remove) this.kept.delete(`${kind} ${tenant} ${name}`);
    for (const entity of put) this.kept.set(`${entity.kind} ${entity.tenant} ${entity.name}`, entity);
    return ok(undefined);
  }
}

export const LIMITS = { consumerKeys: 100, directoryBytes: 100_000, storedEntities: 100 };

/** What a version needs of a world, beside its directory. */
export function worldOf(directory: Directory): DirectoryWorld {
  return {
    directory,
    attributes: { tenant: {}, team: {}, consumer: {} },
    routes: new Map(),
    currency: 'USD',
    rates: {},
    limits: LIMIT_DEFAULTS,
  };
}

const NOTHING_READ: ReadEntity = () => err([{ place: '', why: 'not read here' }]);

export function liveDirectory({
  keys = new MemoryKeys(),
  entities = new MemoryEntities(),
  limits = LIMITS,
  seed = 1,
  readSecret = (_reference: SecretReference): Result<Uint8Array, string> => err('no such file'),
  reader = (_world: DirectoryWorld): ReadEntity => NOTHING_READ,
} = {}) {
  const clock = { wall: 1_795_456_000_000, wallMs: () => clock.wall, monotonicMs: () => clock.wall };
  const hash = createHashKey(new Uint8Array(8));
  const published: DirectorySnapshot[] = [];
  const directory = new LiveDirectory({
    limits,
    keys,
    entities,
    reader,
    clock,
    random: seededRandom(seed),
    pepper: PEPPER,
    readSecret,
    hash,
    publish: async (snapshot) => {
      published.push(snapshot);
      return ok(undefined);
    },
  });
  return { directory, keys, entities, clock, hash, published };
}
