import { TOKEN_LOWER } from './characters.ts';

/**
 * Field names that answers commonly carry, found by hash without making a string. What the client itself has to
 * understand, or must not pass on, is marked here.
 */
export const KEPT = 0;
/** Hop-by-hop fields (RFC 9110, 7.6.1), Date (the front writes its own) and Trailer (trailers are dropped). */
export const DROPPED = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const CONNECTION = 4;
export const KEEP_ALIVE = 5;

/** Index into {@link KNOWN_NAMES}, or -1. `hash` is {@link hashStep} over the lower-case bytes of the name. */
export function findName(buffer: Uint8Array, start: number, end: number, hash: number): number {
  for (let slot = hash & SLOT_MASK; ; slot = (slot + 1) & SLOT_MASK) {
    const index = SLOTS[slot]! - 1;
    if (index < 0 || isName(KNOWN_NAMES[index]!, buffer, start, end)) return index;
  }
}

export function hashStep(hash: number, lowerCaseByte: number): number {
  return (Math.imul(hash, 31) + lowerCaseByte) | 0;
}

const ROLES: Readonly<Record<string, number>> = {
  'content-length': CONTENT_LENGTH,
  'transfer-encoding': TRANSFER_ENCODING,
  connection: CONNECTION,
  'keep-alive': KEEP_ALIVE,
  date: DROPPED,
  'proxy-connection': DROPPED,
  'proxy-authenticate': DROPPED,
  te: DROPPED,
  trailer: DROPPED,
  upgrade: DROPPED,
};

const PASSED_ON = [
  'accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-methods',
  'access-control-allow-origin access-control-expose-headers access-control-max-age age allow alt-svc',
  'cache-control content-disposition content-encoding content-language content-location content-range',
  'content-security-policy content-type cross-origin-opener-policy cross-origin-resource-policy etag expires',
  'last-modified link location openai-organization openai-processing-ms pragma ratelimit ratelimit-policy',
  'referrer-policy request-id retry-after server set-cookie strict-transport-security traceparent tracestate',
  'vary via www-authenticate x-cache x-content-type-options x-correlation-id x-frame-options x-powered-by',
  'x-ratelimit-limit x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining',
  'x-ratelimit-remaining-requests x-ratelimit-remaining-tokens x-ratelimit-reset x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens x-request-id x-response-time x-xss-protection',
].flatMap((line) => line.split(' '));

export const KNOWN_NAMES: readonly string[] = [...Object.keys(ROLES), ...PASSED_ON];

/** Role of each known name, by index. */
export const NAME_ROLES: Uint8Array = Uint8Array.from(KNOWN_NAMES, (name) => ROLES[name] ?? KEPT);

const SLOT_MASK = 255;
const SLOTS = fillSlots();

function fillSlots(): Int16Array {
  const slots = new Int16Array(SLOT_MASK + 1);
  for (const [index, name] of KNOWN_NAMES.entries()) {
    let hash = 0;
    for (let at = 0; at < name.length; at++) hash = hashStep(hash, name.charCodeAt(at));
    let slot = hash & SLOT_MASK;
    while (slots[slot] !== 0) slot = (slot + 1) & SLOT_MASK;
    slots[slot] = index + 1;
  }
  return slots;
}

function isName(name: string, buffer: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) {
    if (name.charCodeAt(at) !== TOKEN_LOWER[buffer[start + at]!]) return false;
  }
  return true;
}
