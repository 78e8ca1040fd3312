/**
 * Who calls by a token. Verifying one is work for another thread of the machine, and may need keys from afar: the request waits,
 * and the answer is kept until the token ends. Routes that take keys alone never come here.
 */
import type {
  Identity,
  IdentityFailure,
  IdentitySource,
  TokenVerifier,
  VerifiedToken,
} from '../pipeline/identity.ts';

/** What came of a token, on its way back to the request that waits. */
export type TokenOutcome = VerifiedToken | 'invalid' | 'unavailable';

export interface WaitForToken {
  readonly kind: 'wait-for-token';
  readonly outcome: Promise<TokenOutcome>;
}

interface Entry {
  readonly token: VerifiedToken;
  /** Of the directory that `identity` is of: the directory itself would be kept alive by it. */
  version: number;
  identity: Identity | null;
}

export class TokenIdentities {
  /** Times that as many were being verified as may be. */
  refused = 0;
  readonly #verifier: TokenVerifier;
  readonly #entriesMax: number;
  readonly #verifyingMax: number;
  readonly #known = new Map<string, Entry>();
  readonly #verifying = new Map<string, Promise<TokenOutcome>>();
  #source: IdentitySource | null = null;
  /** Counts the directories that were asked. */
  #version = 0;

  constructor(verifier: TokenVerifier, entriesMax: number, verifyingMax: number) {
    this.#verifier = verifier;
    this.#entriesMax = entriesMax;
    this.#verifyingMax = verifyingMax;
  }

  /** Tokens that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** Tokens that are being verified. */
  get verifying(): number {
    return this.#verifying.size;
  }

  /**
   * `outcome`: what the request has waited for, null at first. `among`: the issuers that its route accepts. `overloaded`: as many
   * tokens are being verified as may be.
   */
  identify(
    token: string,
    among: readonly string[],
    outcome: TokenOutcome | null,
    source: IdentitySource,
    wallMs: number,
  ): Identity | IdentityFailure | 'unavailable' | 'overloaded' | WaitForToken {
    const key = keyOf(token, among);
    const known = this.#known.get(key);
    if (known !== undefined) return this.#current(known, source, wallMs);
    if (outcome === 'invalid') return 'unknown';
    if (outcome === 'unavailable') return 'unavailable';
    if (outcome !== null) return this.#current(entryOf(outcome), source, wallMs);
    return this.#wait(key, token, among, wallMs);
  }

  #current(entry: Entry, source: IdentitySource, wallMs: number): Identity | IdentityFailure {
    if (entry.token.expiresMs <= wallMs) return 'expired';
    if (source !== this.#source) {
      this.#source = source;
      this.#version++;
    }
    if (entry.version !== this.#version) {
      entry.version = this.#version;
      entry.identity = source.named(entry.token);
    }
    return entry.identity ?? 'unknown';
  }

  #wait(key: string, token: string, among: readonly string[], wallMs: number): WaitForToken | 'overloaded' {
    const begun = this.#verifying.get(key);
    if (begun !== undefined) return { kind: 'wait-for-token', outcome: begun };
    if (this.#verifying.size >= this.#verifyingMax) {
      this.refused++;
      return 'overloaded';
    }
    const outcome = this.#verifier.verify(token, among).then((verified) => {
      this.#verifying.delete(key);
      if (typeof verified !== 'string' && this.#entriesMax > 0)
        this.#remember(key, entryOf(verified), wallMs);
      return verified;
    });
    this.#verifying.set(key, outcome);
    return { kind: 'wait-for-token', outcome };
  }

  #remember(key: string, entry: Entry, wallMs: number): void {
    // Those that were kept first end first, by and large.
    for (const [each, { token }] of this.#known) {
      if (token.expiresMs > wallMs) break;
      this.#known.delete(each);
    }
    if (this.#known.size >= this.#entriesMax) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, entry);
  }
}

/** Who it is is looked up when it is asked for. */
function entryOf(token: VerifiedToken): Entry {
  return { token, version: 0, identity: null };
}

/** A token that one route accepts may be of an issuer that another does not. */
function keyOf(token: string, among: readonly string[]): string {
  return among.length === 1 ? `${among[0]} ${token}` : `${among.join()} ${token}`;
}

/** Three parts with dots between them, which no consumer key has. */
export function looksLikeToken(presented: string): boolean {
  const first = presented.indexOf('.');
  return first > 0 && presented.indexOf('.', first + 1) > first + 1;
}
