/** Where consumer keys are kept, as a port: `state/` implements it over the store. */
import type { Result } from '../base/result.ts';
import type { AuditEntry } from '../pipeline/audit.ts';

export interface KeyName {
  readonly tenant: string;
  readonly consumer: string;
  readonly name: string;
}
export interface StoredKey extends KeyName {
  readonly keyId: string;
  readonly hash: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}
/** Some keys as they lie in the bytes of the store, in columns. The same object for all: what of it is to last is read at once. */
export interface ScannedKeys {
  readonly bytes: Uint8Array;
  readonly count: number;
  holderOf(index: number): Omit<KeyName, 'name'>;
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  /** What stands in the hash behind the key id. */
  readonly digestStart: Int32Array;
  readonly digestEnd: Int32Array;
  readonly createdMs: Float64Array;
  /** NaN where a key has no end. */
  readonly expiresMs: Float64Array;
}
/** The end of a key that a file holds; 0 for one that was revoked, so that no clock can bring it back. */
export interface KeyEnding extends KeyName {
  readonly hash: string;
  readonly endsMs: number;
}
export interface KeyChange {
  readonly put?: readonly StoredKey[];
  readonly remove?: readonly StoredKey[];
  readonly endings?: readonly KeyEnding[];
  readonly past?: readonly PastNames[];
}
/** Names that keys of a consumer have had: none is given to another, or log and audit would mean two keys by it. */
export interface PastNames extends Pick<KeyName, 'tenant' | 'consumer'> {
  /** Of numbered ones the highest number, by what stands before it. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Of the others those that have ended. */
  readonly ended: readonly string[];
}
export interface StoreFault {
  readonly message: string;
  readonly remedy: string;
}
export type KeyScope = readonly [] | readonly [tenant: string] | readonly [tenant: string, consumer: string];

/** Where keys are kept; every change is durable, and in the audit log, when it returns. */
export interface KeyStore {
  get(name: KeyName): Result<StoredKey | null, StoreFault>;
  page(scope: KeyScope, after: KeyName | null, count: number): Result<readonly StoredKey[], StoreFault>;
  /** All of them, in order of tenant, consumer and name. */
  scan(visit: (keys: ScannedKeys) => void): Result<void, StoreFault>;
  endings(): Result<readonly KeyEnding[], StoreFault>;
  past(tenant: string, consumer: string): Result<PastNames | null, StoreFault>;
  change(change: KeyChange, entries: readonly AuditEntry[]): Result<void, StoreFault>;
}

/** In the order of the store: by code units, part by part. */
export function compareNames(one: KeyName, other: KeyName): number {
  return (
    compare(one.tenant, other.tenant) ||
    compare(one.consumer, other.consumer) ||
    compare(one.name, other.name)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** NUL can't be part of a name. */
export function spell({ tenant, consumer, name }: KeyName): string {
  return `${tenant}\0${consumer}\0${name}`;
}
