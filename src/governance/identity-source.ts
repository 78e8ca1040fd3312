import { assert } from '../base/assert.ts';
import type { Value } from '../model/types.ts';
import type {
  DirectorySnapshot,
  EntityFacts,
  Identity,
  IdentityFailure,
  IdentitySource,
  KeyHash,
  KeyMark,
  KnownKey,
  VerifiedToken,
} from '../pipeline/identity.ts';
import type { MutableKeyHash } from '../pipeline/program.ts';
import { KEY_LENGTH_MAX, parseKey } from './consumer-key.ts';
import {
  type ConsumerRecord,
  consumerName,
  credentialOf,
  type TeamRecord,
  type TenantRecord,
} from './directory-records.ts';
import { KeyDigest } from './key-digest.ts';
import { digestWords, KeyTableReader } from './key-table.ts';
import { NameIndex } from './name-index.ts';
import { SharedTexts } from './shared-texts.ts';

/** Keyed hash of a tagged text: see {@link KeyHash}. */
export type HashKey = (tag: string, text: string, into: MutableKeyHash) => void;

/** Reads one version of the directory. What is asked for is made when it is asked for: there may be a million consumers. */
export function createIdentitySource(snapshot: DirectorySnapshot, hashKey: HashKey): IdentitySource {
  return new SharedIdentitySource(snapshot, hashKey);
}

/** Tenants, teams and consumers that a thread keeps as objects; beyond it, it begins anew. */
const OBJECTS_MAX = 10_000;

class SharedIdentitySource implements IdentitySource {
  readonly #digests: KeyDigest;
  readonly #keys: KeyTableReader;
  readonly #texts: SharedTexts;
  readonly #names: NameIndex;
  readonly #records: Int32Array;
  readonly #hashKey: HashKey;
  readonly #digest = new Int32Array(8);
  readonly #tenants = new Map<number, Identity['tenant']>();
  readonly #teams = new Map<number, EntityFacts>();
  readonly #callers = new Map<number, Caller>();

  constructor({ pepper, memory, records }: DirectorySnapshot, hashKey: HashKey) {
    this.#digests = new KeyDigest(pepper, KEY_LENGTH_MAX);
    this.#keys = new KeyTableReader(memory.keys);
    this.#texts = new SharedTexts(memory.texts);
    this.#names = new NameIndex(memory.names, this.#texts, hashKey);
    this.#records = new Int32Array(records);
    this.#hashKey = hashKey;
  }

  identify(presentedKey: string, wallMs: number): KnownKey | IdentityFailure {
    if (parseKey(presentedKey) === null) return 'malformed';
    return this.#known(this.#digests.of(presentedKey), wallMs);
  }

  identifyByName(nameHash: Uint8Array, wallMs: number): KnownKey | IdentityFailure {
    return this.#known(Buffer.from(nameHash), wallMs);
  }

  secretsOf({ identity: { tenant, consumer, credential } }: KnownKey): readonly Uint8Array[] {
    const number = this.#names.find(consumerName(tenant.name, consumer.name));
    const secrets = number === null ? undefined : this.#caller(number)?.secrets;
    return secrets?.get(credential.name) ?? NO_SECRETS;
  }

  #known(digest: Buffer, wallMs: number): KnownKey | IdentityFailure {
    const keys = this.#keys;
    if (!keys.find(digestWords(digest, this.#digest))) return 'unknown';
    const { slot, state, expiresMs } = keys;
    if (expiresMs !== null && wallMs >= expiresMs) return 'expired';
    const caller = this.#caller(keys.consumer);
    return caller === null ? 'unknown' : { slot, state, identity: this.#identity(caller) };
  }

  holds(mark: KeyMark): boolean {
    return this.#keys.holds(mark);
  }

  named({ tenant, consumer, credential: name, createdMs, expiresMs }: VerifiedToken): Identity | null {
    const number = this.#names.find(consumerName(tenant, consumer));
    const caller = number === null ? null : this.#caller(number);
    if (caller === null) return null;
    const hash = keyHash(this.#hashKey, 'credential', [tenant, consumer, name]);
    const { tenant: of, team, consumer: who } = caller;
    return Object.freeze({
      tenant: of,
      team,
      consumer: who,
      credential: Object.freeze({ name, kind: 'token', keyHash: hash, createdMs, expiresMs }),
    });
  }

  /** Of the key that was found last. */
  #identity({ tenant, team, consumer }: Caller): Identity {
    const { kind, createdMs, expiresMs } = this.#keys;
    const name = credentialOf(this.#texts.read(this.#keys.name));
    const hash = keyHash(this.#hashKey, 'credential', [tenant.name, consumer.name, name]);
    const credential = Object.freeze({ name, kind, keyHash: hash, createdMs, expiresMs });
    return Object.freeze({ tenant, team, consumer, credential });
  }

  /** Null when this version has no such consumer, or not its tenant. */
  #caller(number: number): Caller | null {
    const known = this.#callers.get(number);
    if (known !== undefined) return known;
    const source = this.#record<ConsumerRecord>(number);
    const tenant = source === null ? null : this.#tenant(source.tenant);
    if (source === null || tenant === null) return null;
    const caller: Caller = {
      tenant,
      team: source.team === null ? null : this.#team(tenant.name, source.team),
      consumer: Object.freeze({
        ...entity(
          source.name,
          source.attributes,
          keyHash(this.#hashKey, 'consumer', [tenant.name, source.name]),
        ),
        roles: Object.freeze([...source.roles]),
        subscriptions: new Set(source.subscriptions),
      }),
      secrets: secretsIn(source),
    };
    keep(this.#callers, number, caller);
    return caller;
  }

  #tenant(number: number): Identity['tenant'] | null {
    const known = this.#tenants.get(number);
    if (known !== undefined) return known;
    const source = this.#record<TenantRecord>(number);
    if (source === null) return null;
    const { name, plan, priority, share, attributes } = source;
    const hash = keyHash(this.#hashKey, 'tenant', [name]);
    const tenant = Object.freeze({ ...entity(name, attributes, hash), plan, priority, share });
    keep(this.#tenants, number, tenant);
    return tenant;
  }

  #team(tenant: string, number: number): EntityFacts {
    const known = this.#teams.get(number);
    if (known !== undefined) return known;
    const source = this.#record<TeamRecord>(number);
    assert(source !== null, `a consumer of ${tenant} is in a team that is not there`);
    const hash = keyHash(this.#hashKey, 'team', [tenant, source.name]);
    const team = Object.freeze(entity(source.name, source.attributes, hash));
    keep(this.#teams, number, team);
    return team;
  }

  #record<Record>(number: number): Record | null {
    const place = this.#records[number] ?? 0;
    return place === 0 ? null : (JSON.parse(this.#texts.read(place)) as Record);
  }
}

interface Caller extends Pick<Identity, 'tenant' | 'team' | 'consumer'> {
  /** By the names of credentials; null where there are none. */
  readonly secrets: ReadonlyMap<string, readonly Uint8Array[]> | null;
}

const NO_SECRETS: readonly Uint8Array[] = [];

function secretsIn({ secrets }: ConsumerRecord): Caller['secrets'] {
  if (secrets === undefined) return null;
  const decoded = Object.entries(secrets).map(
    ([name, texts]) => [name, texts.map((text) => Buffer.from(text, 'base64'))] as const,
  );
  return new Map(decoded);
}

function keep<Kept>(known: Map<number, Kept>, number: number, item: Kept): void {
  if (known.size >= OBJECTS_MAX) known.clear();
  known.set(number, item);
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
