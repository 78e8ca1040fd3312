/**
 * Who calls by a certificate that a proxy hands on. Reading one and following it up to an authority is kept, by a digest of what
 * was handed on, as long as the certificate lasts; what was found out is believed while its credential is as it was.
 */
import { hash } from 'node:crypto';
import { trimmed } from '../base/structured-fields.ts';
import { addressWords, contains, type Network, parseNetwork } from '../model/networks.ts';
import type {
  CertificateVerifier,
  Identity,
  IdentitySource,
  KnownKey,
  VerifiedCertificate,
} from '../pipeline/identity.ts';

export type CertificateFault = 'malformed' | 'outdated' | 'unknown';

type Reading = ReturnType<CertificateVerifier['verify']>;

interface Entry {
  readonly certificate: VerifiedCertificate;
  known: KnownKey;
}

export class CertificateIdentities {
  readonly #verifier: CertificateVerifier;
  readonly #entriesMax: number;
  readonly #proxies: readonly Network[];
  /** Only of certificates that are somebody's: others can't crowd them out. */
  readonly #known = new Map<string, Entry>();
  /**
   * Of others, also what is none: following one up to an authority takes a millisecond, and a client may show its own again and
   * again over one connection to the proxy. Whose it is is asked anew each time.
   */
  readonly #strangers = new Map<string, Reading>();
  #source: IdentitySource | null = null;
  // The peers of a thread are few proxies, again and again.
  #lastPeer = '';
  #lastIsTrusted = false;

  /** `trustedProxies`: networks. */
  constructor(verifier: CertificateVerifier, entriesMax: number, trustedProxies: readonly string[]) {
    this.#verifier = verifier;
    this.#entriesMax = entriesMax;
    this.#proxies = trustedProxies.flatMap((text) => {
      const network = parseNetwork(text);
      return network.ok ? [network.value] : [];
    });
  }

  /** Certificates that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** Whether whoever is at the other end of the connection is believed what it says of its clients. */
  trusts(peer: string): boolean {
    if (peer !== this.#lastPeer) {
      const words = addressWords(peer);
      this.#lastIsTrusted = words !== null && this.#proxies.some((network) => contains(network, words));
      this.#lastPeer = peer;
    }
    return this.#lastIsTrusted;
  }

  /** `certificateField`, `chainField`: values of the fields; '' for no chain. */
  identify(
    certificateField: string,
    chainField: string,
    source: IdentitySource,
    wallMs: number,
  ): Identity | CertificateFault {
    if (source !== this.#source) {
      this.#source = source;
      this.#known.clear();
    }
    // In one spelling, or blanks would make the same certificates new ones each time.
    const [certificate, chain] = [withoutBlanks(certificateField), withoutBlanks(chainField)];
    // No value of a field holds a line break.
    const digest = hash('sha256', `${certificate}\n${chain}`, 'base64');
    const entry = this.#known.get(digest);
    if (entry !== undefined) {
      const current = this.#current(entry, source, wallMs);
      if (typeof current === 'string') this.#known.delete(digest);
      return current;
    }
    const kept = this.#strangers.get(digest);
    const reading =
      kept === undefined || hasBegun(kept, wallMs) ? this.#verifier.verify(certificate, chain, wallMs) : kept;
    const verified = inForce(reading, wallMs);
    const known = typeof verified === 'string' ? null : holderOf(verified, source, wallMs);
    if (typeof verified === 'string' || known === null) {
      keep(this.#strangers, digest, reading, Math.min(this.#entriesMax, STRANGERS_MAX));
      return typeof verified === 'string' ? verified : 'unknown';
    }
    this.#strangers.delete(digest);
    keep(this.#known, digest, { certificate: verified, known }, this.#entriesMax);
    return known.identity;
  }

  #current(entry: Entry, source: IdentitySource, wallMs: number): Identity | CertificateFault {
    if (!isInForce(entry.certificate, wallMs)) return 'outdated';
    const { expiresMs } = entry.known.identity.credential;
    if (!source.holds(entry.known) || (expiresMs !== null && expiresMs <= wallMs)) {
      const known = holderOf(entry.certificate, source, wallMs);
      if (known === null) return 'unknown';
      entry.known = known;
    }
    return entry.known.identity;
  }
}

const STRANGERS_MAX = 1_000;

/** Those that were kept first go first. */
function keep<Kept>(kept: Map<string, Kept>, digest: string, what: Kept, max: number): void {
  if (max === 0) return;
  if (kept.size >= max && !kept.has(digest)) kept.delete(kept.keys().next().value!);
  kept.set(digest, what);
}

/** Between members of a list they may stand anywhere, and mean nothing (RFC 9651, 3.1). By index: a pattern would begin anew at each. */
function withoutBlanks(field: string): string {
  if (!field.includes(' ') && !field.includes('\t')) return field;
  return field.split(',').map(trimmed).join(',');
}

function inForce(reading: Reading, wallMs: number): VerifiedCertificate | 'malformed' | 'outdated' {
  if (reading === 'malformed') return reading;
  return reading.nameHashes === null || !isInForce(reading, wallMs) ? 'outdated' : reading;
}

/** Nobody was asked to vouch for it while it was out of its dates. */
function hasBegun(kept: Reading, wallMs: number): boolean {
  return kept !== 'malformed' && kept.nameHashes === null && isInForce(kept, wallMs);
}

function isInForce(
  { beginsMs, endsMs }: Pick<VerifiedCertificate, 'beginsMs' | 'endsMs'>,
  wallMs: number,
): boolean {
  return beginsMs <= wallMs && wallMs < endsMs;
}

/** By the first of its names that is somebody's; null when none is. */
function holderOf(
  { nameHashes }: VerifiedCertificate,
  source: IdentitySource,
  wallMs: number,
): KnownKey | null {
  for (const name of nameHashes) {
    const found = source.identifyByName(name, wallMs);
    if (typeof found !== 'string') return found;
  }
  return null;
}
