/**
 * What a request says about itself in its header section, read in one pass, and refused where it is malformed or could
 * be read in two ways (RFC 9112, 2–6 and 11.2; RFC 9110, 5 and 7). uWebSockets.js lets most of this through.
 */

import { SUPPORTED_METHODS } from '../model/methods.ts';
import {
  AUTHORIZATION,
  CLIENT_CERTIFICATE,
  CLIENT_CERTIFICATE_CHAIN,
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  HOST,
  KEY,
  PASS,
  REQUEST_FIELD_KINDS,
  SIGNATURE,
  SIGNATURE_INPUT,
  TRACEPARENT,
  TRANSFER_ENCODING,
} from './field-kinds.ts';
import { BAD_VALUE, classifyValue, isToken, WIDE_VALUE } from './field-text.ts';
import { parseAuthority } from './host.ts';
import type { ProblemCode } from './problem.ts';
import { isTraceparent } from './trace-context.ts';

/** Facts of one header section. One object per thread, filled anew for each request. */
export class FrontFacts {
  /** Set by who asks, before: the request line counts with the header section. */
  requestLineBytes = 0;
  /** In lower case, without the port. */
  host = '';
  /** As received. */
  authority = '';
  /** Declared length; 0 for none, -1 for a chunked body. */
  bodyBytes = 0;
  /** True when the framing of the body can't be trusted: see `ClientStream.contain`. */
  doubtful = false;
  /** The key that was presented; '' for none. */
  presentedKey = '';
  conflictingKeys = false;
  /** Value of `Client-Cert`, '' for none; of several, which are never right, the list that they would be. */
  clientCertificate = '';
  clientCertificateChain = '';
  /** Values of `Signature-Input` and `Signature`, lines joined (RFC 9421, 4); '' for none. */
  signatureInput = '';
  signature = '';
  /** A valid `traceparent`, or ''. */
  traceparent = '';
  /** Fields that `Connection` lists, beside the usual options; null for none. */
  connectionFields: string[] | null = null;
  /** Kind of each field, in order. */
  kinds: Uint8Array = new Uint8Array(64);
  /** 1 for each field whose value holds characters above 0x7F. */
  wide: Uint8Array = new Uint8Array(64);
  /** Another number whenever any field differs from those read before: what was made of them can be kept by it. */
  section = 0;

  // -- while reading -------------------------------------------------------------------------------------------
  hosts = 0;
  lengths = 0;
  codings = 0;
  traceparents = 0;
  framingFault: ProblemCode | null = null;
  fieldFault: ProblemCode | null = null;
  /** The fields read before, name and value in turn, where they were found sound; null where not. */
  known: (string | null)[] = [];
  /** The authority that was found valid last, and its host: most requests of a thread name the same. */
  knownAuthority = '';
  knownHost = '';
}

export interface FrontLimits {
  readonly requestHeaderCount: number;
  readonly requestHeaderBytes: number;
}

/** Fills `facts`; the code says why the request is refused, null that it is not. Facts on framing hold in any case. */
export function checkFront(
  method: string,
  fields: readonly string[],
  limits: FrontLimits,
  facts: FrontFacts,
): ProblemCode | null {
  const bytes = readFields(fields, facts);
  if (facts.lengths + facts.codings > 1) facts.framingFault ??= 'ambiguous_length';
  // Also a refused request of doubtful framing is contained: bytes behind it could run as a request.
  facts.doubtful = facts.codings > 0 || facts.framingFault !== null;
  if (facts.requestLineBytes > limits.requestHeaderBytes) return 'target_too_long';
  if (fields.length / 2 > limits.requestHeaderCount || bytes > limits.requestHeaderBytes)
    return 'header_fields_too_large';
  return facts.framingFault ?? facts.fieldFault ?? checkMethod(method) ?? checkHost(facts);
}

function readFields(fields: readonly string[], facts: FrontFacts): number {
  reset(facts, fields.length / 2);
  let bytes = facts.requestLineBytes;
  const { known } = facts;
  let changed = known.length !== fields.length;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const value = fields[index + 1]!;
    bytes += name.length + value.length + 4;
    // A client says most of what it says again and again: comparing costs a fraction of looking at each character.
    if (name !== known[index] || value !== known[index + 1]) {
      changed = true;
      readUnknownField(index, name, value, facts);
    }
    const kind = facts.kinds[index >> 1]!;
    if (kind !== PASS) readKnownField(kind, value, facts);
  }
  if (changed) {
    if (known.length > fields.length) facts.known = known.slice(0, fields.length);
    facts.section++;
  }
  return bytes;
}

/** Kind and characters of a field; remembered unless it is malformed. */
function readUnknownField(index: number, name: string, value: string, facts: FrontFacts): void {
  const kind = REQUEST_FIELD_KINDS.get(name) ?? PASS;
  const valueClass = classifyValue(value);
  const sound = valueClass !== BAD_VALUE && (kind !== PASS || isToken(name));
  if (!sound) facts.fieldFault ??= 'malformed_field';
  facts.kinds[index >> 1] = kind;
  facts.wide[index >> 1] = valueClass === WIDE_VALUE ? 1 : 0;
  facts.known[index] = sound ? name : null;
  facts.known[index + 1] = sound ? value : null;
}

function reset(facts: FrontFacts, count: number): void {
  facts.host = facts.authority = '';
  facts.bodyBytes = 0;
  facts.presentedKey = '';
  facts.conflictingKeys = false;
  facts.clientCertificate = facts.clientCertificateChain = '';
  facts.signatureInput = facts.signature = '';
  facts.traceparent = '';
  facts.connectionFields = null;
  facts.hosts = facts.lengths = facts.codings = facts.traceparents = 0;
  facts.framingFault = facts.fieldFault = null;
  if (facts.kinds.length >= count) return;
  facts.kinds = new Uint8Array(count * 2);
  facts.wide = new Uint8Array(count * 2);
  facts.known = [];
}

function readKnownField(kind: number, value: string, facts: FrontFacts): void {
  switch (kind) {
    case HOST:
      facts.hosts++;
      facts.authority = value;
      return;
    case CONTENT_LENGTH:
      facts.lengths++;
      facts.bodyBytes = parseLength(value);
      if (facts.bodyBytes < 0) facts.framingFault ??= 'ambiguous_length';
      return;
    case TRANSFER_ENCODING:
      facts.codings++;
      facts.bodyBytes = -1;
      if (value.toLowerCase() !== 'chunked') facts.framingFault ??= 'unsupported_transfer_encoding';
      return;
    case EXPECT:
      if (value.toLowerCase() !== '100-continue') facts.fieldFault ??= 'expectation_failed';
      return;
    case CONNECTION:
      readConnection(value, facts);
      return;
    case AUTHORIZATION:
      presentKey(bearerToken(value), facts);
      return;
    case KEY:
      presentKey(value, facts);
      return;
    case CLIENT_CERTIFICATE:
      facts.clientCertificate = joined(facts.clientCertificate, value);
      return;
    case CLIENT_CERTIFICATE_CHAIN:
      facts.clientCertificateChain = joined(facts.clientCertificateChain, value);
      return;
    case SIGNATURE_INPUT:
      facts.signatureInput = joined(facts.signatureInput, value);
      return;
    case SIGNATURE:
      facts.signature = joined(facts.signature, value);
      return;
    case TRACEPARENT:
      // W3C Trace Context, 3.2: more than one means none.
      facts.traceparent = ++facts.traceparents === 1 && isTraceparent(value) ? value : '';
      return;
  }
}

/** RFC 9110, 5.3. */
function joined(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`;
}

/** RFC 9110, 8.6: digits only. -1 for anything else, also for what no body can have. */
function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function readConnection(value: string, facts: FrontFacts): void {
  if (value === 'keep-alive' || value === 'close') return;
  for (const option of value.toLowerCase().split(',')) {
    const name = option.trim();
    if (name === '' || name === 'keep-alive' || name === 'close') continue;
    facts.connectionFields ??= [];
    facts.connectionFields.push(name);
  }
}

/** The token of the Bearer scheme (RFC 6750, 2.1), '' for other schemes: those belong to the service. */
export function bearerToken(value: string): string {
  if (value.startsWith(USUAL_BEARER) && value.charCodeAt(BEARER.length) !== SPACE)
    return value.slice(BEARER.length);
  if (value.length <= BEARER.length || value.slice(0, BEARER.length).toLowerCase() !== BEARER) return '';
  return value.slice(BEARER.length).trimStart();
}

function presentKey(key: string, facts: FrontFacts): void {
  if (key === '') return;
  if (facts.presentedKey !== '' && facts.presentedKey !== key) facts.conflictingKeys = true;
  facts.presentedKey = key;
}

function checkHost(facts: FrontFacts): ProblemCode | null {
  if (facts.hosts !== 1 || facts.authority === '') return 'malformed_host';
  if (facts.authority !== facts.knownAuthority) {
    const host = parseAuthority(facts.authority);
    if (host === null) return 'malformed_host';
    facts.knownAuthority = facts.authority;
    facts.knownHost = host;
  }
  facts.host = facts.knownHost;
  return null;
}

function checkMethod(method: string): ProblemCode | null {
  if (SUPPORTED_METHODS.has(method)) return null;
  return isToken(method) && method === method.toUpperCase() ? 'method_not_supported' : 'malformed_method';
}

const BEARER = 'bearer ';
const USUAL_BEARER = 'Bearer ';
const SPACE = 0x20;
