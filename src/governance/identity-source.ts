import { timingSafeEqual } from 'node:crypto';
import { assert } from '../base/assert.ts';
import type { Value } from '../model/types.ts';
import type {
  DirectorySnapshot,
  EntityFacts,
  Identity,
  IdentityFailure,
  IdentitySource,
  KeyHash,
  SnapshotConsumer,
  SnapshotTenant,
} from '../pipeline/identity.ts';
import type { MutableKeyHash } from '../pipeline/program.ts';
import { digestOfKey, parseHash, parseKey } from './consumer-key.ts';

/** Keyed hash of a tagged text: see {@link KeyHash}. */
export type HashKey = (tag: string, text: string, into: MutableKeyHash) => void;

/**
 * Makes every identity of a snapshot once, so that identifying allocates only what the HMAC needs. The snapshot has
 * passed `directoryProblems`: a malformed hash in it is an assertion error.
 */
export function createIdentitySource(snapshot: DirectorySnapshot, hashKey: HashKey): IdentitySource {
  const entries = new Map<string, Entry>();
  for (const tenant of snapshot.tenants) addTenant(entries, tenant, hashKey);
  return new MapIdentitySource(entries, snapshot.pepper);
}

interface Entry {
  readonly digest: Buffer;
  readonly identity: Identity;
}

/** Compared with when no such key exists, so that an unknown id takes as long as a wrong secret. */
const NO_DIGEST = Buffer.alloc(32);

class MapIdentitySource implements IdentitySource {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #pepper: Uint8Array;

  constructor(entries: ReadonlyMap<string, Entry>, pepper: Uint8Array) {
    this.#entries = entries;
    this.#pepper = pepper;
  }

  identify(presentedKey: string, wallMs: number): Identity | IdentityFailure {
    const parsed = parseKey(presentedKey);
    if (parsed === null) return 'malformed';
    const entry = this.#entries.get(parsed.keyId);
    const same = timingSafeEqual(digestOfKey(this.#pepper, presentedKey), entry?.digest ?? NO_DIGEST);
    if (entry === undefined || !same) return 'unknown';
    const { expiresMs } = entry.identity.credential;
    return expiresMs !== null && wallMs >= expiresMs ? 'expired' : entry.identity;
  }
}

function addTenant(entries: Map<string, Entry>, source: SnapshotTenant, hashKey: HashKey): void {
  const tenant = Object.freeze({
    ...entity(source.name, source.attributes, keyHash(hashKey, 'tenant', [source.name])),
    plan: source.plan,
  });
  const teams = new Map<string, EntityFacts>();
  for (const team of source.teams) {
    const hash = keyHash(hashKey, 'team', [source.name, team.name]);
    teams.set(team.name, Object.freeze(entity(team.name, team.attributes, hash)));
  }
  for (const consumer of source.consumers) addConsumer(entries, tenant, teams, consumer, hashKey);
}

function addConsumer(
  entries: Map<string, Entry>,
  tenant: Identity['tenant'],
  teams: ReadonlyMap<string, EntityFacts>,
  source: SnapshotConsumer,
  hashKey: HashKey,
): void {
  const team = source.team === null ? null : teams.get(source.team);
  assert(
    team !== undefined,
    `consumer ${source.name} is in team ${source.team}, which ${tenant.name} does not have`,
  );
  const hash = keyHash(hashKey, 'consumer', [tenant.name, source.name]);
  const consumer = Object.freeze({
    ...entity(source.name, source.attributes, hash),
    roles: Object.freeze([...source.roles]),
    subscriptions: new Set(source.subscriptions),
  });
  for (const credential of source.credentials) {
    const parsed = parseHash(credential.hash);
    assert(
      parsed !== null && parsed.keyId === credential.keyId,
      `the hash of key ${credential.keyId} is malformed`,
    );
    assert(!entries.has(parsed.keyId), `there are two keys with the id ${parsed.keyId}`);
    const facts = Object.freeze({
      name: credential.name,
      keyHash: keyHash(hashKey, 'credential', [tenant.name, source.name, credential.name]),
      createdMs: credential.createdMs,
      expiresMs: credential.expiresMs,
    });
    const identity: Identity = Object.freeze({ tenant, team, consumer, credential: facts });
    entries.set(parsed.keyId, { digest: parsed.digest, identity });
  }
}

function entity(name: string, attributes: Readonly<Record<string, Value>>, hash: KeyHash): EntityFacts {
  return { name, attributes: Object.freeze({ ...attributes }), keyHash: hash };
}

/** NUL can't be part of a name, so no two lists of names read alike. */
function keyHash(hashKey: HashKey, tag: string, names: readonly string[]): KeyHash {
  const into: MutableKeyHash = { high: 0, low: 0 };
  hashKey(tag, names.join('\0'), into);
  return Object.freeze(into);
}
