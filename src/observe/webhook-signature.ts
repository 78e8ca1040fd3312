import { createHmac } from 'node:crypto';

/** One attempt at a message, as it is signed. */
export interface SignedAttempt {
  /** The same for every attempt at a message. */
  readonly id: string;
  /** Of the attempt: whole seconds since 1970. */
  readonly timestampS: number;
  readonly body: string;
}

/** Fields of the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA256 over id, timestamp and body. */
export function signatureFields(
  secret: Uint8Array,
  { id, timestampS, body }: SignedAttempt,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', secret)
    .update(`${id}.${timestampS}.${body}`, 'utf8')
    .digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': `v1,${signature}`,
  };
}

/** Shorter ones are guessed. */
const SECRET_BYTES_MIN = 16;

/** The bytes of a secret as it is written: `whsec_` and base64, or the text itself. Null when it is too short to be one. */
export function secretBytes(text: string): Uint8Array | null {
  const written = text.trim();
  const bytes = written.startsWith('whsec_')
    ? Buffer.from(written.slice('whsec_'.length), 'base64')
    : Buffer.from(written, 'utf8');
  return bytes.length < SECRET_BYTES_MIN ? null : bytes;
}
