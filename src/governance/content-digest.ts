/** Content-Digest (RFC 9530): what the bytes of a body hash to, its content coding included. */
import { hash, timingSafeEqual } from 'node:crypto';
import { isInnerList, parseDictionary } from '../base/structured-fields.ts';

interface Digest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly value: Uint8Array;
}

/** The algorithms that RFC 9530 leaves in use; others say nothing, because anybody can make another body for them. */
const ALGORITHMS: ReadonlyMap<string, { readonly algorithm: Digest['algorithm']; readonly bytes: number }> =
  new Map([
    ['sha-256', { algorithm: 'sha256', bytes: 32 }],
    ['sha-512', { algorithm: 'sha512', bytes: 64 }],
  ]);

/** A check of a body by all digests that are known here. */
export function readContentDigest(
  field: string,
): ((body: Uint8Array) => boolean) | 'malformed' | 'unsupported' {
  const members = parseDictionary(field);
  if (members === null || members.size === 0) return 'malformed';
  const digests: Digest[] = [];
  for (const [name, member] of members) {
    if (isInnerList(member) || !(member.value instanceof Uint8Array)) return 'malformed';
    const known = ALGORITHMS.get(name);
    if (known === undefined) continue;
    if (member.value.length !== known.bytes) return 'malformed';
    digests.push({ algorithm: known.algorithm, value: member.value });
  }
  if (digests.length === 0) return 'unsupported';
  return (body) =>
    digests.every(({ algorithm, value }) => timingSafeEqual(hash(algorithm, body, 'buffer'), value));
}
