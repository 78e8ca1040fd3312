import type { Value } from '../model/types.ts';
import type { CredentialKind, Priority } from '../model/world.ts';

/**
 * Who calls, as the frozen directory snapshot of a data thread holds it. One object per credential, made when the
 * snapshot is loaded, so that identifying a request allocates nothing.
 */
export interface Identity {
  readonly tenant: EntityFacts & {
    readonly plan: string;
    readonly priority: Priority;
    readonly share: number;
  };
  readonly team: EntityFacts | null;
  readonly consumer: EntityFacts & {
    readonly roles: readonly string[];
    /** Names of routes. */
    readonly subscriptions: ReadonlySet<string>;
  };
  readonly credential: {
    readonly name: string;
    readonly kind: PresentedKind;
    readonly keyHash: KeyHash;
    readonly createdMs: number;
    readonly expiresMs: number | null;
  };
}

/** What was presented: a credential of the directory, or a token, which has none there. */
export type PresentedKind = CredentialKind | 'token';

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

/** Finds the caller by the key that was presented. Implemented by `governance/` over one version of the directory. */
export interface IdentitySource {
  /** Constant-time comparison, O(1) lookup. */
  identify(presentedKey: string, wallMs: number): KnownKey | IdentityFailure;
  /** The same by the public name that a credential other than a key goes by: its hash, see `model/credential-hash`. */
  identifyByName(nameHash: Uint8Array, wallMs: number): KnownKey | IdentityFailure;
  /** What those who sign by this credential sign with; two while one takes the place of the other. None for another kind. */
  secretsOf(known: KnownKey): readonly Uint8Array[];
  /** Whether what was found is still so: false from the moment at which the key was revoked or changed. One load. */
  holds(mark: KeyMark): boolean;
  /** The consumer that a token names, or null when there is none. */
  named(token: VerifiedToken): Identity | null;
}

/** Verifies tokens of the issuers that the project names. Implemented by `governance/`. */
export interface TokenVerifier {
  /** `among`: names of the issuers to accept. Never rejects; `unavailable`: the keys of the issuer can't be had now. */
  verify(token: string, among: readonly string[]): Promise<VerifiedToken | 'invalid' | 'unavailable'>;
}

/** Reads certificates that a proxy hands on (RFC 9440). Implemented by `governance/`. */
export interface CertificateVerifier {
  /** Values of `Client-Cert` and `Client-Cert-Chain`; '' for none. */
  verify(
    certificate: string,
    chain: string,
    wallMs: number,
  ): VerifiedCertificate | OutdatedCertificate | 'malformed';
}

export interface VerifiedCertificate {
  /** Hashes of the names that it may be known by: its fingerprint, and where an authority vouches for it also what stands in it. */
  readonly nameHashes: readonly Uint8Array[];
  readonly beginsMs: number;
  /** Of the first that ends, of those that vouch for it. */
  readonly endsMs: number;
}

/** Out of its dates when it was read: nobody was asked to vouch for it. */
export interface OutdatedCertificate {
  readonly nameHashes: null;
  readonly beginsMs: number;
  readonly endsMs: number;
}

/** Verifies HTTP message signatures (RFC 9421). Implemented by `governance/`. */
export interface SignatureVerifier {
  /** What it demands, as a value of `Accept-Signature`. */
  readonly accepted: string;
  /** Each signature is good once: to be asked once for each request. */
  verify(request: SignedRequest, source: IdentitySource, wallMs: number): VerifiedSignature | SignatureFault;
}

/** What signatures cover, as it was received. */
export interface SignedRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Value of the Host field. */
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  /** Lower-case name, value, … */
  readonly fields: readonly string[];
  /** Names of fields that `Connection` lists, in lower case: whoever reads the request behind the gateway does not see them. */
  readonly connectionFields: readonly string[];
  readonly body: 'none' | 'some';
  /** Values of `Signature-Input` and `Signature`. */
  readonly input: string;
  readonly signature: string;
}

export interface VerifiedSignature {
  readonly known: KnownKey;
  /** Of the credential's name: what it is found by again. */
  readonly nameHash: Uint8Array;
  /** Whether a body is the one that was signed; null where none was. */
  readonly isSigned: ((body: Uint8Array) => boolean) | null;
}

export interface SignatureFault {
  readonly fault:
    | 'signature_malformed'
    | 'signature_incomplete'
    | 'signature_expired'
    | 'signature_invalid'
    | 'signature_replayed'
    | 'signatures_full'
    | 'digest_malformed'
    | 'digest_unsupported';
  /** One sentence. */
  readonly detail: string;
}

/** Signatures that all threads have seen. Implemented by `state/`. */
export interface SeenSignatures {
  /** `full`: there is no room to remember it. */
  remember(signature: Uint8Array, untilMs: number, wallMs: number): 'new' | 'seen' | 'full';
}

/** What a token says of its bearer, proven. */
export interface VerifiedToken {
  readonly tenant: string;
  readonly consumer: string;
  /** Name of the credential: `jwt:` and the name of the issuer. */
  readonly credential: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

/** `malformed`: not a key of ours (wrong prefix or checksum). The caller is told only that the key is not valid. */
export type IdentityFailure = 'malformed' | 'unknown' | 'expired';

/** A key that was found, with what tells whether it still counts. */
export interface KnownKey extends KeyMark {
  readonly identity: Identity;
}
/** A place in the table of keys and its state: another state, another key. */
export interface KeyMark {
  readonly slot: number;
  readonly state: number;
}

/**
 * One version of the directory as data threads receive it: memory that they share, filled by the control thread.
 * Keys come and go in it at any time; tenants, teams and consumers change with the version.
 */
export interface DirectorySnapshot {
  readonly epoch: number;
  /** Secret that hashes of consumer keys are made with. */
  readonly pepper: Uint8Array;
  readonly memory: DirectoryMemory;
  /** Of each tenant, team and consumer by its number: where its record lies, 0 for one that is not there. */
  readonly records: SharedArrayBuffer;
}
/** Lives as long as the process; laid out by `governance/`. */
export interface DirectoryMemory {
  readonly keys: SharedArrayBuffer;
  readonly texts: SharedArrayBuffer;
  readonly names: SharedArrayBuffer;
}
