/** JSON in a file with a digest behind it, so that one changed or missing byte is recognised. */
import { createHash } from 'node:crypto';

const DIGEST_CHARACTERS = 22;

export function sealed(value: unknown): string {
  const text = JSON.stringify(value);
  return `${digest(text)} ${text}\n`;
}

/** Null when it is not as it was sealed. What follows the line is not looked at. */
export function unsealed<Value>(text: string): Value | null {
  const end = text.indexOf('\n');
  const json = text.slice(DIGEST_CHARACTERS + 1, end);
  if (end < 0 || text.slice(0, DIGEST_CHARACTERS) !== digest(json)) return null;
  return JSON.parse(json) as Value;
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url').slice(0, DIGEST_CHARACTERS);
}
