import type { Value } from '../model/types.ts';

/**
 * Who calls, as the frozen directory snapshot of a data thread holds it. One object per credential, made when the
 * snapshot is loaded, so that identifying a request allocates nothing.
 */
export interface Identity {
  readonly tenant: EntityFacts & { readonly plan: string };
  readonly team: EntityFacts | null;
  readonly consumer: EntityFacts & {
    readonly roles: readonly string[];
    /** Names of routes. */
    readonly subscriptions: ReadonlySet<string>;
  };
  readonly credential: {
    readonly name: string;
    readonly keyHash: KeyHash;
    readonly createdMs: number;
    readonly expiresMs: number | null;
  };
}

export interface EntityFacts {
  readonly name: string;
  readonly attributes: Readonly<Record<string, Value>>;
  /** Hash of the entity as a part of counter keys; see {@link KeyHash}. */
  readonly keyHash: KeyHash;
}

/**
 * 64 bits of a keyed hash (HalfSipHash, key secret to the data folder), as two 32-bit integers. The hash covers a tag
 * of the key space and the full name (tenant and team before consumer), so equal names of two tenants differ.
 */
export interface KeyHash {
  readonly high: number;
  readonly low: number;
}

/** Finds the caller by the key that was presented. Implemented by `governance/` over one directory snapshot. */
export interface IdentitySource {
  /** Constant-time comparison, O(1) lookup. */
  identify(presentedKey: string, wallMs: number): Identity | IdentityFailure;
}

/** `malformed`: not a key of ours (wrong prefix or checksum). The caller is told only that the key is not valid. */
export type IdentityFailure = 'malformed' | 'unknown' | 'expired';

/** The directory as data threads receive it: plain data, made by the control thread, replaced as a whole. */
export interface DirectorySnapshot {
  readonly epoch: number;
  /** Secret that hashes of consumer keys are made with. */
  readonly pepper: Uint8Array;
  readonly tenants: readonly SnapshotTenant[];
}
export interface SnapshotTenant {
  readonly name: string;
  readonly plan: string;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly teams: readonly { readonly name: string; readonly attributes: Readonly<Record<string, Value>> }[];
  readonly consumers: readonly SnapshotConsumer[];
}
export interface SnapshotConsumer {
  readonly name: string;
  readonly team: string | null;
  readonly roles: readonly string[];
  readonly subscriptions: readonly string[];
  readonly attributes: Readonly<Record<string, Value>>;
  readonly credentials: readonly {
    readonly name: string;
    readonly keyId: string;
    readonly hash: string;
    readonly createdMs: number;
    readonly expiresMs: number | null;
  }[];
}
