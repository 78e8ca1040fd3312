/**
 * Requests signed with a secret that caller and gateway share: HTTP message signatures (RFC 9421) with hmac-sha256, and bodies by
 * their Content-Digest (RFC 9530). A signature says when it was made, holds for a while, and lets one request in.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { signerNameHash } from '../model/credential-hash.ts';
import type { SignatureSettings } from '../model/world.ts';
import type {
  SeenSignatures,
  SignatureFault,
  SignatureVerifier,
  SignedRequest,
} from '../pipeline/identity.ts';
import { readContentDigest } from './content-digest.ts';
import {
  fieldValue,
  readSignature,
  type SignatureInput,
  signatureBase,
  uncovered,
} from './signature-base.ts';

export interface SignatureVerifierOptions {
  readonly settings: SignatureSettings;
  readonly seen: SeenSignatures;
  /** Of the process: what it has seen it does not know from before. */
  readonly startedMs: number;
}

const CONTENT_DIGEST = 'content-digest';
/** Of nobody: an unknown key id takes as long as a known one. */
const NO_SECRET = Buffer.alloc(32);

export function createSignatureVerifier({
  settings,
  seen,
  startedMs,
}: SignatureVerifierOptions): SignatureVerifier {
  const components = settings.components.map((name) => `"${name}"`).join(' ');
  return {
    accepted: `sig=(${components});created;keyid;alg="hmac-sha256"`,
    verify(request, source, wallMs) {
      const input = readSignature(request);
      if (typeof input === 'string') return refused('signature_malformed', input);
      const wrong =
        takenAway(input, request) ??
        incomplete(input, request, settings) ??
        outOfTime(input, settings, { wallMs, startedMs });
      if (wrong !== null) return wrong;
      const isSigned = bodyCheck(input, request);
      if (isSigned !== null && 'fault' in isSigned) return isSigned;
      const base = signatureBase(request, input);
      if (base === null)
        return refused(
          'signature_malformed',
          'A field that the signature covers is missing, or is not ASCII.',
        );
      const nameHash = signerNameHash(input.keyId);
      const found = source.identifyByName(nameHash, wallMs);
      const known = typeof found === 'string' ? null : found;
      if (!isMadeWith(known === null ? [] : source.secretsOf(known), base, input.signature) || known === null)
        return refused('signature_invalid', 'The signature is not valid, or its keyid is not known.');
      const again = replayed(input, settings, seen, wallMs);
      return again ?? { known, nameHash, isSigned };
    },
  };
}

function refused(fault: SignatureFault['fault'], detail: string): SignatureFault {
  return { fault, detail };
}

/** RFC 9110, 7.6.1: these fields end here. A signed one has to reach whoever acts on it, and anybody on the way may write Connection. */
function takenAway(
  { components }: SignatureInput,
  { connectionFields }: SignedRequest,
): SignatureFault | null {
  const taken = components.find((name) => connectionFields.includes(name));
  return taken === undefined
    ? null
    : refused('signature_malformed', `Connection takes "${taken}" away, which the signature covers.`);
}

function incomplete(
  { components }: SignatureInput,
  { body }: SignedRequest,
  { components: demanded }: SignatureSettings,
): SignatureFault | null {
  const missing = uncovered(components, body === 'none' ? demanded : [...demanded, CONTENT_DIGEST]);
  return missing === null
    ? null
    : refused('signature_incomplete', `The signature does not cover "${missing}".`);
}

function outOfTime(
  { createdS, expiresS }: SignatureInput,
  { maxAgeMs, clockSkewMs }: SignatureSettings,
  { wallMs, startedMs }: { readonly wallMs: number; readonly startedMs: number },
): SignatureFault | null {
  const createdMs = createdS * 1_000;
  if (createdMs > wallMs + clockSkewMs)
    return refused('signature_expired', 'The signature was made later than it is here: compare the clocks.');
  if (createdMs + maxAgeMs + clockSkewMs <= wallMs)
    return refused('signature_expired', 'The signature is too old: sign each request when it is sent.');
  if (expiresS !== null && expiresS * 1_000 + clockSkewMs <= wallMs)
    return refused('signature_expired', 'The signature has expired.');
  // One that was used before the process began would not be known again.
  if (createdMs < startedMs)
    return refused(
      'signature_expired',
      'The signature was made before this gateway started: sign the request anew.',
    );
  return null;
}

/** Also where there is no body: one that was signed may have been taken away. */
function bodyCheck(
  { components }: SignatureInput,
  { fields }: SignedRequest,
): ((body: Uint8Array) => boolean) | SignatureFault | null {
  if (!components.includes(CONTENT_DIGEST)) return null;
  const digest = readContentDigest(fieldValue(fields, CONTENT_DIGEST) ?? '');
  switch (digest) {
    case 'malformed':
      return refused('digest_malformed', 'Content-Digest is missing or malformed: write sha-256=:BASE64:.');
    case 'unsupported':
      return refused('digest_unsupported', 'Content-Digest has neither sha-256 nor sha-512.');
    default:
      return digest;
  }
}

/** Each secret is tried, whichever it is made with. */
function isMadeWith(secrets: readonly Uint8Array[], base: string, signature: Uint8Array): boolean {
  let matches = 0;
  for (const secret of secrets.length === 0 ? [NO_SECRET] : secrets) {
    const expected = createHmac('sha256', secret).update(base, 'latin1').digest();
    matches |= timingSafeEqual(expected, signature) ? 1 : 0;
  }
  return secrets.length > 0 && matches === 1;
}

function replayed(
  { createdS, signature }: SignatureInput,
  { maxAgeMs, clockSkewMs }: SignatureSettings,
  seen: SeenSignatures,
  wallMs: number,
): SignatureFault | null {
  switch (seen.remember(signature, createdS * 1_000 + maxAgeMs + clockSkewMs, wallMs)) {
    case 'new':
      return null;
    case 'seen':
      return refused(
        'signature_replayed',
        'This signature has been used: sign each request anew, with a nonce where two would be the same.',
      );
    case 'full':
      return refused('signatures_full', 'There is no room to remember another signature now.');
  }
}
