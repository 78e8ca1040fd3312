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
