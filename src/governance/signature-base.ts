/** What is signed of a request (RFC 9421, 2): each component on a line of its own, then what the signature says of itself. */
import {
  type InnerList,
  type Item,
  isInnerList,
  type Parameters,
  parseDictionary,
  serializeInnerList,
  trimmed,
} from '../base/structured-fields.ts';
import type { SignedRequest } from '../pipeline/identity.ts';

export interface SignatureInput {
  /** Names of the covered components, in order. */
  readonly components: readonly string[];
  readonly createdS: number;
  readonly expiresS: number | null;
  readonly keyId: string;
  readonly signature: Uint8Array;
  /** As it is signed. */
  readonly parameters: string;
}

/** Longer ones name nothing here. */
const KEY_ID_LENGTH_MAX = 302;
const COMPONENTS_MAX = 100;
/** `created` and `expires` in milliseconds are safe integers up to here. */
const MOMENT_MAX_S = 8_640_000_000_000;
const SHA256_BYTES = 32;
const FIELD_NAME = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;

/** The sentence says what is wrong. Exactly one signature: of several, nobody could say which one was meant. */
export function readSignature({ input, signature }: SignedRequest): SignatureInput | string {
  const inputs = parseDictionary(input);
  const signatures = parseDictionary(signature);
  if (inputs === null) return 'Signature-Input is no dictionary of structured fields.';
  if (signatures === null) return 'Signature is no dictionary of structured fields.';
  const [[label, member] = []] = inputs;
  const value = label === undefined ? undefined : signatures.get(label);
  if (inputs.size !== 1 || signatures.size !== 1 || member === undefined || value === undefined)
    return 'Signature-Input and Signature must have one member each, of the same name.';
  if (!isInnerList(member)) return 'Signature-Input must list the covered components in parentheses.';
  if (isInnerList(value) || !(value.value instanceof Uint8Array) || value.value.length !== SHA256_BYTES)
    return 'Signature must be 32 bytes in base64 between colons.';
  const components = readComponents(member);
  if (typeof components === 'string') return components;
  const moments = readMoments(member.parameters);
  if (typeof moments === 'string') return moments;
  const keyId = member.parameters.get('keyid');
  if (typeof keyId !== 'string' || keyId.length > KEY_ID_LENGTH_MAX)
    return 'Signature-Input lacks keyid="TENANT/CONSUMER/CREDENTIAL".';
  const algorithm = member.parameters.get('alg');
  if (algorithm !== undefined && algorithm !== 'hmac-sha256') return 'alg is left out, or "hmac-sha256".';
  return { components, ...moments, keyId, signature: value.value, parameters: serializeInnerList(member) };
}

function readComponents({ items }: InnerList): readonly string[] | string {
  if (items.length > COMPONENTS_MAX) return `A signature covers at most ${COMPONENTS_MAX} components.`;
  const names = items.map(readComponent);
  if (names.includes(null))
    return 'A component that is covered has no name, or parameters, which are not supported.';
  if (new Set(names).size !== names.length) return 'A component is covered twice.';
  return names as readonly string[];
}

function readComponent({ value, parameters }: Item): string | null {
  if (typeof value !== 'string' || parameters.size > 0) return null;
  return DERIVED.has(value) || FIELD_NAME.test(value) ? value : null;
}

function readMoments(parameters: Parameters): Pick<SignatureInput, 'createdS' | 'expiresS'> | string {
  const created = parameters.get('created');
  const expires = parameters.get('expires');
  if (!isMoment(created)) return 'Signature-Input lacks created, a moment in seconds since 1970.';
  if (expires !== undefined && !isMoment(expires)) return 'expires is a moment in seconds since 1970.';
  return { createdS: created, expiresS: expires ?? null };
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOMENT_MAX_S;
}

type Derive = (request: SignedRequest) => string;

/** RFC 9421, 2.2. */
const DERIVED: ReadonlyMap<string, Derive> = new Map([
  ['@method', ({ method }: SignedRequest) => method],
  ['@scheme', ({ scheme }: SignedRequest) => scheme],
  ['@authority', authorityOf],
  ['@path', ({ path }: SignedRequest) => path],
  ['@query', ({ query }: SignedRequest) => `?${query}`],
  ['@request-target', targetOf],
  [
    '@target-uri',
    (request: SignedRequest) => `${request.scheme}://${authorityOf(request)}${targetOf(request)}`,
  ],
]);

/** In lower case, without the port that the scheme has anyway (2.2.3). */
function authorityOf({ authority, scheme }: SignedRequest): string {
  const lower = authority.toLowerCase();
  const usual = scheme === 'https' ? ':443' : ':80';
  return lower.endsWith(usual) ? lower.slice(0, -usual.length) : lower;
}

function targetOf({ path, query }: SignedRequest): string {
  return query === '' ? path : `${path}?${query}`;
}

/** Components that say what others say, too. */
const COVERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['@target-uri', ['@scheme', '@authority', '@path', '@query', '@request-target']],
  ['@request-target', ['@path', '@query']],
]);

/** The first of these that the signature does not cover, null when it covers all. */
export function uncovered(components: readonly string[], wanted: readonly string[]): string | null {
  const covered = new Set(components.flatMap((name) => [name, ...(COVERS.get(name) ?? [])]));
  return wanted.find((name) => !covered.has(name)) ?? null;
}

/** Null where a covered field is missing, or holds more than ASCII. */
export function signatureBase(
  request: SignedRequest,
  { components, parameters }: SignatureInput,
): string | null {
  let base = '';
  for (const name of components) {
    const derive = DERIVED.get(name);
    const value = derive === undefined ? fieldValue(request.fields, name) : derive(request);
    if (value === null || !PRINTABLE.test(value)) return null;
    base += `"${name}": ${value}\n`;
  }
  return `${base}"@signature-params": ${parameters}`;
}

const PRINTABLE = /^[\t -~]*$/;

/** All lines of a field, in order (2.1); null where there is none. */
export function fieldValue(fields: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) continue;
    const line = trimmed(fields[index + 1]!);
    value = value === null ? line : `${value}, ${line}`;
  }
  return value;
}
