import { createHash } from 'node:crypto';

/** A strong ETag (RFC 9110, 8.8.3): the same as long as the answer is, byte for byte. */
export function entityTag(text: string): string {
  return `"${createHash('sha256').update(text, 'utf8').digest('base64url').slice(0, TAG_LENGTH)}"`;
}

/** 132 bits. */
const TAG_LENGTH = 22;

/** Whether a list of tags, or `*`, names this one. Weak tags never match in If-Match (RFC 9110, 13.1.1). */
export function namesTag(field: string, tag: string): boolean {
  return field.split(',').some((one) => one.trim() === '*' || one.trim() === tag);
}
