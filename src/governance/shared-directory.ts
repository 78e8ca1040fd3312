/**
 * The control thread's side of the directory that all threads share: who there is, in versions, and which keys there are, at once.
 * Records and names are only ever added; a version is a list of places, so a change of one consumer copies some megabytes at most
 * and touches no key.
 */
import type { LimitName } from '../base/limits.ts';
import type { Value } from '../model/types.ts';
import type { Credential } from '../model/world.ts';
import type { DirectoryMemory } from '../pipeline/identity.ts';
import { readDigest, readHashDigest } from './consumer-key.ts';

import {
  type ConsumerRecord,
  type ConsumerSecrets,
  CREDENTIAL_PREFIX,
  consumerName,
  credentialName,
  type TeamRecord,
  type TenantRecord,
  teamName,
  tenantName,
} from './directory-records.ts';

import type { ScannedKeys } from './key-store.ts';
import { createKeyTable, DIGEST_WORDS, KeyTable } from './key-table.ts';

import { createNameIndex, type HashText, WritableNameIndex } from './name-index.ts';
import { createSharedTexts, WritableTexts } from './shared-texts.ts';

export type DirectoryLimits = Readonly<Record<'consumerKeys' | 'directoryBytes', number>>;
/** What there is no room for, by its limit; null when all is well. */
export type DirectoryFull = Extract<LimitName, keyof DirectoryLimits> | null;

/** Tenants, teams and consumers, and names of credentials: as many again as there may be keys, each; and some that have none. */
const NAMES_PER_KEY = 2;
const FURTHER_NAMES = 100_000;

/** What of a credential the table holds. */
export type HeldCredential = Pick<Credential, 'name' | 'kind' | 'hash' | 'createdMs' | 'expiresMs'>;

export class SharedDirectory {
  readonly memory: DirectoryMemory;
  readonly #texts: WritableTexts;
  readonly #names: WritableNameIndex;
  readonly #keys: KeyTable;
  readonly #digest = new Int32Array(DIGEST_WORDS);
  #records: Int32Array<ArrayBuffer> = new Int32Array(1);
  /** The last number that was given. Number 0 is nobody's. */
  #numbers = 0;

  constructor(limits: DirectoryLimits, hash: HashText) {
    this.memory = {
      keys: createKeyTable(limits.consumerKeys),
      texts: createSharedTexts(limits.directoryBytes),
      names: createNameIndex(limits.consumerKeys * NAMES_PER_KEY + FURTHER_NAMES),
    };
    this.#texts = new WritableTexts(this.memory.texts);
    this.#names = new WritableNameIndex(this.memory.names, this.#texts, hash);
    this.#keys = new KeyTable(this.memory.keys);
  }

  /** Keys that count, those which have expired among them. */
  get keys(): number {
    return this.#keys.count;
  }

  get isFull(): boolean {
    return this.#keys.count >= this.#keys.keysMax;
  }

  /** Names in memory: those of whom is gone stay until the next start. */
  get names(): { readonly used: number; readonly max: number } {
    return { used: this.#names.count, max: this.#names.namesMax };
  }

  get usedBytes(): number {
    return this.#texts.usedBytes;
  }

  /** A next version, to be changed and then taken up by {@link SharedDirectory.use}. One at a time. */
  draft(): DirectoryDraft {
    return new DirectoryDraft(
      this.#records,
      this.#texts,
      (name) => this.#number(name),
      () => this.#lacking(),
    );
  }

  /** From now on further versions are made of this one. */
  use(draft: DirectoryDraft): void {
    this.#records = draft.places;
  }

  /** Counts on every thread when it returns: at once, whichever version of the directory a request has. */
  putKey(tenant: string, consumer: string, credential: HeldCredential): DirectoryFull {
    const digest = this.#digestOf(credential.hash);
    if (digest === null) return null;
    const name = this.#names.give(credentialName(credential.name), 0);
    const holder = this.#holder(tenant, consumer);
    if (name === null || holder === null) return this.#lacking();
    const { kind, createdMs, expiresMs } = credential;
    const there = this.#keys.put(digest, { kind, consumer: holder, name: name.place, createdMs, expiresMs });
    return there ? null : 'consumerKeys';
  }

  /**
   * The same for keys of the store, which are read once, at start, and are each in it once: looking every name up among a million
   * others takes longer than all the rest.
   */
  putScanned(keys: ScannedKeys): DirectoryFull {
    const { bytes, count, digestStart, digestEnd } = keys;
    if (this.#isDigest.length < count) {
      this.#digests = new Int32Array(count * DIGEST_WORDS);
      this.#isDigest = new Uint8Array(count);
    }
    for (let index = 0; index < count; index++) {
      const at = index * DIGEST_WORDS;
      const isDigest = readDigest(bytes, digestStart[index]!, digestEnd[index]!, this.#digests, at);
      this.#isDigest[index] = Number(isDigest);
    }
    this.#keys.touch(this.#digests, count);
    let full: DirectoryFull = null;
    for (let index = 0; index < count; index++) {
      const lacking = this.#isDigest[index] === 0 ? null : this.#putScannedAt(keys, index);
      full ??= lacking;
    }
    return full;
  }

  #putScannedAt(keys: ScannedKeys, index: number): DirectoryFull {
    const from = index * DIGEST_WORDS;
    const { tenant, consumer } = keys.holderOf(index);
    const holder = this.#holder(tenant, consumer);
    const { bytes, nameStart, nameEnd } = keys;
    const place = this.#texts.writeBytes(CREDENTIAL_PREFIX, bytes, nameStart[index]!, nameEnd[index]!);
    if (holder === null || place === null) return this.#lacking();
    return this.#keys.putFirst(
      this.#digests,
      from,
      holder,
      place,
      keys.createdMs[index]!,
      keys.expiresMs[index]!,
    )
      ? null
      : 'consumerKeys';
  }
  /** Of the keys that are being read, and where the text was none. */
  #digests = new Int32Array(0);
  #isDigest = new Uint8Array(0);
  /** Counts on no thread any more when it returns. */
  endKey(hash: string): void {
    const digest = this.#digestOf(hash);
    if (digest !== null) this.#keys.end(digest);
  }

  hasKey(hash: string): boolean {
    const digest = this.#digestOf(hash);
    return digest !== null && this.#keys.find(digest);
  }

  /** Null for what is no hash; nobody can present a key to it. */
  #digestOf(hash: string): Int32Array | null {
    return readHashDigest(hash, this.#digest) ? this.#digest : null;
  }

  /** Keys are read in the order of their consumers: most belong to the one before. */
  #holder(tenant: string, consumer: string): number | null {
    const last = this.#lastHolder;
    if (last.tenant === tenant && last.consumer === consumer) return last.number;
    const number = this.#number(consumerName(tenant, consumer));
    if (number !== null) this.#lastHolder = { tenant, consumer, number };
    return number;
  }
  #lastHolder = { tenant: '', consumer: '', number: 0 };

  /** What a name found no room in. */
  #lacking(): NonNullable<DirectoryFull> {
    return this.#names.isFull ? 'consumerKeys' : 'directoryBytes';
  }

  #number(name: string): number | null {
    const given = this.#names.give(name, this.#numbers + 1);
    if (given === null) return null;
    if (given.number > this.#numbers) this.#numbers = given.number;
    return given.number;
  }
}

export class DirectoryDraft {
  #places: Int32Array<ArrayBuffer>;
  readonly #texts: WritableTexts;
  readonly #number: (name: string) => number | null;
  readonly #lacking: () => NonNullable<DirectoryFull>;
  full: DirectoryFull = null;

  constructor(
    places: Int32Array<ArrayBuffer>,
    texts: WritableTexts,
    number: (name: string) => number | null,
    lacking: () => NonNullable<DirectoryFull>,
  ) {
    this.#places = places.slice();
    this.#texts = texts;
    this.#number = number;
    this.#lacking = lacking;
  }

  get places(): Int32Array<ArrayBuffer> {
    return this.#places;
  }

  putTenant({ name, plan, priority, share, attributes }: TenantRecord): void {
    const record: TenantRecord = { name, plan, priority, share, attributes };
    this.#put(tenantName(name), record);
  }

  putTeam(tenant: string, name: string, attributes: Readonly<Record<string, Value>>): void {
    const record: TeamRecord = { name, attributes };
    this.#put(teamName(tenant, name), record);
  }

  putConsumer(tenant: string, consumer: DraftConsumer, secrets: ConsumerSecrets | null): void {
    const { name, team, roles, subscriptions, attributes } = consumer;
    const record: ConsumerRecord = {
      name,
      tenant: this.#number(tenantName(tenant)) ?? 0,
      team: team === null ? null : (this.#number(teamName(tenant, team)) ?? 0),
      roles,
      subscriptions,
      attributes,
      ...(secrets === null ? {} : { secrets }),
    };
    this.#put(consumerName(tenant, name), record);
  }

  removeTenant(name: string): void {
    this.#set(tenantName(name), 0);
  }
  removeTeam(tenant: string, name: string): void {
    this.#set(teamName(tenant, name), 0);
  }
  removeConsumer(tenant: string, name: string): void {
    this.#set(consumerName(tenant, name), 0);
  }

  /** For a `DirectorySnapshot`. */
  toMemory(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(this.#places.byteLength);
    new Int32Array(memory).set(this.#places);
    return memory;
  }

  #put(name: string, record: object): void {
    const number = this.#number(name);
    const text = JSON.stringify(record);
    const before = number === null ? 0 : (this.#places[number] ?? 0);
    // What says the same again takes no room.
    if (before !== 0 && this.#texts.read(before) === text) return;
    const place = number === null ? null : this.#texts.write(text);
    if (place === null) this.full = this.#lacking();
    else this.#set(name, place);
  }

  #set(name: string, place: number): void {
    const number = this.#number(name);
    if (number === null) {
      this.full = this.#lacking();
      return;
    }
    if (number >= this.#places.length) {
      const longer = new Int32Array(Math.max(2 * this.#places.length, number + 1));
      longer.set(this.#places);
      this.#places = longer;
    }
    this.#places[number] = place;
  }
}

export interface DraftConsumer {
  readonly name: string;
  readonly team: string | null;
  readonly roles: readonly string[];
  readonly subscriptions: readonly string[];
  readonly attributes: Readonly<Record<string, Value>>;
}
