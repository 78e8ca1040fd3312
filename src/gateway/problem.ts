/**
 * Answers of the gateway's own: `application/problem+json` (RFC 9457) with a stable `code`. Every code that is not a
 * rule's own is in {@link PROBLEMS} or among the upstream's error codes.
 */

import { READABLE_CODINGS } from '../model/content-coding.ts';
import type { Dialect } from '../model/pools.ts';
import type { BodyFault } from '../pipeline/body-transform.ts';
import type { Refusal } from '../pipeline/outcome.ts';
import { UPSTREAM_ERRORS, type UpstreamErrorCode } from '../pipeline/upstream.ts';
import { modelError } from './model-error.ts';
import { STATUS_TEXT } from './status-text.ts';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** Index into `RuleBundle.rules` of the rule that refuses, or -1. */
  readonly ruleIndex: number;
  /** Name of the limit that has no room, or ''. */
  readonly limit: string;
  /** Seconds, or -1. */
  readonly retryAfterS: number;
  readonly rateLimit: string;
  readonly rateLimitPolicy: string;
  /** Methods for `Allow` (405), or ''. */
  readonly allow: string;
  /** Value of `WWW-Authenticate` (401), or ''. */
  readonly challenge: string;
  /** Value of `Accept-Signature` (RFC 9421, 5.1), or ''. */
  readonly acceptSignature: string;
}

/** Status and the sentence used where no better one is at hand. */
export const PROBLEMS = {
  malformed_target: [400, 'The request target is malformed.'],
  malformed_host: [400, 'The Host field is missing, repeated or malformed.'],
  malformed_field: [400, 'A header field has a name or value that is not allowed.'],
  malformed_method: [400, 'The method is not written in capitals.'],
  ambiguous_length: [400, 'The request states its length in more than one way.'],
  unsupported_transfer_encoding: [400, 'Only the transfer coding "chunked", given once, is supported.'],
  repeated_field: [400, 'A header field that a rule reads is given more than once.'],
  repeated_query_parameter: [400, 'A query parameter that a rule reads is given more than once.'],
  conflicting_credentials: [400, 'The request presents more than one credential.'],
  malformed_client_cert: [
    400,
    'Client-Cert must be one certificate (RFC 9440), in DER and base64 between colons.',
  ],
  signature_malformed: [400, 'The signature of the request is malformed.'],
  digest_malformed: [400, 'Content-Digest is malformed.'],
  digest_unsupported: [400, 'Content-Digest has neither sha-256 nor sha-512.'],
  digest_mismatch: [400, 'The body is not the one that Content-Digest speaks of.'],
  unauthenticated: [401, 'This route needs a valid key.'],
  certificate_outdated: [401, 'The client certificate has ended, or not begun: renew it.'],
  certificate_unknown: [
    401,
    'The client certificate is nobody’s here, or no accepted authority vouches for it.',
  ],
  signature_incomplete: [401, 'The signature does not cover what it must.'],
  signature_expired: [401, 'The signature is not of this time.'],
  signature_invalid: [401, 'The signature is not valid.'],
  signature_replayed: [401, 'This signature has been used.'],
  route_not_found: [404, 'There is no route for this request.'],
  method_not_allowed: [405, 'The route does not accept this method.'],
  undecodable_body: [400, 'The content coding of the request body is damaged.'],
  route_retired: [410, 'This route has been retired.'],
  length_required: [411, 'Chunked request bodies are not accepted here; send a Content-Length.'],
  body_too_large: [413, 'The request body is larger than the route accepts.'],
  request_timeout: [408, 'The request took too long to arrive.'],
  target_too_long: [414, 'The request target is longer than the gateway accepts.'],
  unsupported_content_coding: [415, 'The content coding of the request body is not supported here.'],
  unsupported_media_type: [415, 'This route takes JSON: send Content-Type: application/json, in UTF-8.'],
  expectation_failed: [417, 'The only expectation supported is "100-continue".'],
  upgrade_required: [426, 'This route opens WebSockets (RFC 6455, version 13); ask for one.'],
  header_fields_too_large: [431, 'The request has too many header fields, or they are too large.'],
  internal_error: [500, 'The gateway failed to handle this request.'],
  method_not_supported: [501, 'The gateway does not support this method.'],
  signatures_full: [503, 'There is no room to remember another signature now.'],
  too_many_connections: [503, 'The gateway has as many connections as it may have.'],
  overloaded: [503, 'The gateway has as many requests in flight as it may have.'],
  going_away: [503, 'The gateway is being stopped: ask again.'],
  not_ready: [503, 'The gateway has no configuration yet.'],
  total_timeout: [504, 'The request took longer than the route allows.'],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemCode = keyof typeof PROBLEMS;

/** A problem with its table's status; `detail` replaces the table's sentence. */
export function problem(code: ProblemCode, detail: string = PROBLEMS[code][1]): Problem {
  return { ...BARE, status: PROBLEMS[code][0], code, detail };
}

export function unauthenticated(detail: string, error: '' | 'invalid_token'): Problem {
  // RFC 6750, 3: no error code when no key was presented.
  const challenge = error === '' ? CHALLENGE : `${CHALLENGE}, error="${error}"`;
  return { ...problem('unauthenticated', detail), challenge };
}

/** With what the caller may present instead: keys and tokens (a challenge), signatures (`acceptSignature`, or ''). */
export function presentInstead(
  refused: Problem,
  keys: 'accepted' | 'not-accepted',
  acceptSignature: string,
): Problem {
  return { ...refused, challenge: keys === 'accepted' ? CHALLENGE : '', acceptSignature };
}

export function methodNotAllowed(allowed: readonly string[]): Problem {
  return { ...problem('method_not_allowed'), allow: allowed.join(', ') };
}

export function overloaded(): Problem {
  return { ...problem('overloaded'), retryAfterS: 1 };
}

/** Nobody has worked on the request; `retryAfterS`: -1 where nobody said when it may have room. */
export function goingAway(retryAfterS: number): Problem {
  return { ...problem('going_away'), retryAfterS: Math.max(1, retryAfterS) };
}

/** What a rule or the upstream refused. `limit` names the limit where the refusal is one. */
export function fromRefusal(refusal: Refusal, limit: string): Problem {
  return {
    status: refusal.status,
    code: refusal.code,
    detail: refusal.detail,
    ruleIndex: refusal.ruleIndex,
    limit,
    retryAfterS: refusal.retryAfterS,
    rateLimit: refusal.rateLimit,
    rateLimitPolicy: refusal.rateLimitPolicy,
    allow: '',
    challenge: refusal.status === 401 ? CHALLENGE : '',
    acceptSignature: '',
  };
}

export function fromFault({ status, code, detail }: BodyFault): Problem {
  return { ...BARE, status, code, detail };
}

export function fromUpstream(
  code: UpstreamErrorCode,
  sentence: string | undefined,
  retryAfterS: number | undefined,
): Problem {
  const [status, detail] = UPSTREAM_ERRORS[code];
  const bad = badUpstream(status, sentence ?? detail, code);
  // nobody knows when a person sees to it
  if (code === 'no_key_available') return { ...bad, retryAfterS: -1 };
  return retryAfterS === undefined ? bad : { ...bad, retryAfterS };
}

export function badUpstream(status: number, detail: string, code: string): Problem {
  return { ...BARE, status, code, detail, retryAfterS: status === 503 ? 1 : -1 };
}

/** Field lines of a problem answer, without those that every answer has. `dialect`: see {@link problemBody}. */
export function problemFields(from: Problem, dialect: Dialect | null): string {
  const mediaType = dialect === null ? 'application/problem+json' : 'application/json';
  let lines = `content-type: ${mediaType}\r\ncache-control: no-store\r\n`;
  if (from.retryAfterS >= 0) lines += `retry-after: ${from.retryAfterS}\r\n`;
  if (from.rateLimit !== '') lines += `ratelimit: ${from.rateLimit}\r\n`;
  if (from.rateLimitPolicy !== '') lines += `ratelimit-policy: ${from.rateLimitPolicy}\r\n`;
  if (from.challenge !== '') lines += `www-authenticate: ${from.challenge}\r\n`;
  if (from.acceptSignature !== '') lines += `accept-signature: ${from.acceptSignature}\r\n`;
  if (from.status === 405) lines += `allow: ${from.allow}\r\n`;
  if (from.status === 426) lines += 'upgrade: websocket\r\nsec-websocket-version: 13\r\n';
  // RFC 9530, 4.
  if (from.code === 'digest_unsupported') lines += 'want-content-digest: sha-256=10, sha-512=3\r\n';
  // RFC 9110, 15.5.16.
  if (from.code === 'unsupported_content_coding') lines += `accept-encoding: ${READABLE_CODINGS}\r\n`;
  return lines;
}

/**
 * The body; `instance` is the id of the request, or '' where there is none. `dialect`: null for a problem of RFC 9457, else an error as the SDKs of that dialect
 * read it.
 */
export function problemBody(from: Problem, instance: string, dialect: Dialect | null): string {
  if (dialect !== null) return modelError(from, instance, dialect);
  let body = `{"type":"urn:portunus:problem:${from.code}","title":${JSON.stringify(titleOf(from))},"status":${from.status}`;
  body += `,"detail":${JSON.stringify(from.detail)},"code":${JSON.stringify(from.code)}`;
  if (instance !== '') body += `,"instance":"${instance}"`;
  if (from.limit !== '') body += `,"limit":${JSON.stringify(from.limit)}`;
  if (from.retryAfterS >= 0) body += `,"retryAfterS":${from.retryAfterS}`;
  return `${body}}`;
}

function titleOf(from: Problem): string {
  return STATUS_TEXT.get(from.status) ?? 'Refused';
}

const CHALLENGE = 'Bearer realm="portunus"';

const BARE = {
  ruleIndex: -1,
  limit: '',
  retryAfterS: -1,
  rateLimit: '',
  rateLimitPolicy: '',
  allow: '',
  challenge: '',
  acceptSignature: '',
} as const;
