/** Refusals of the admin API, answered as `application/problem+json` (RFC 9457). One table: codes are stable. */
export const ADMIN_PROBLEMS = {
  host_not_allowed: {
    status: 421,
    title: 'Not a name of this gateway',
    detail: 'Call the admin API by an IP address, as localhost, or by a name of its certificate.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid admin token',
    detail: 'Send "Authorization: Bearer" with an admin token; "portunus tokens issue" makes one.',
  },
  scope_missing: {
    status: 403,
    title: 'The token may not do this',
    detail: 'Use a token with the scope that the operation asks for.',
  },
  not_found: { status: 404, title: 'No such resource', detail: 'The admin API has no such path.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'The path exists, but not for this method: see Allow.',
  },
  parameter_invalid: {
    status: 400,
    title: 'A parameter is not as it should be',
    detail: 'See errors, and the OpenAPI document under /v1/openapi.json.',
  },
  body_not_expected: {
    status: 413,
    title: 'No body is expected',
    detail: 'This operation takes no body: send it without one.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    detail: 'limits.adminBodyBytes says how large a body may be.',
  },
  body_not_json: {
    status: 415,
    title: 'The body is not declared as JSON',
    detail: 'Send it with "Content-Type: application/json".',
  },
  body_malformed: {
    status: 400,
    title: 'The body is not JSON',
    detail: 'It must be one JSON text in UTF-8, with each name once.',
  },
  body_invalid: {
    status: 400,
    title: 'The body is not as it should be',
    detail: 'See errors, and the OpenAPI document under /v1/openapi.json.',
  },
  conflict: {
    status: 409,
    title: 'It is not possible as things are',
    detail: 'Look at the present state, then decide anew.',
  },
  precondition_failed: {
    status: 412,
    title: 'It was changed meanwhile',
    detail: 'The ETag in If-Match is not the present one: read it again, then decide anew.',
  },
  precondition_unknown: {
    status: 400,
    title: 'If-Match has no meaning here',
    detail: 'This operation changes nothing that has an ETag: send it without If-Match.',
  },
  idempotency_key_malformed: {
    status: 400,
    title: 'The Idempotency-Key is not as it should be',
    detail: 'It is one field of 1 to 255 visible ASCII characters.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    detail: 'Use a fresh key for each new operation.',
  },
  idempotency_outcome_unknown: {
    status: 409,
    title: 'What became of the first attempt is not known',
    detail:
      'The gateway ended while it ran. Look whether it took effect (the audit log says), then try again with a fresh key.',
  },
  idempotency_keys_full: {
    status: 503,
    title: 'Too many idempotency keys are kept',
    detail: 'limits.adminIdempotencyKeys says how many; they are forgotten after limits.adminIdempotencyMs.',
  },
  usage_too_large: {
    status: 422,
    title: 'The report would be too large',
    detail: 'Ask for a shorter time, longer periods, or some of the names only.',
  },
  not_durable: {
    status: 503,
    title: 'The change could not be made durable',
    detail: 'Nothing was changed.',
  },
  live_not_recorded: {
    status: 503,
    title: 'It is live, but could not be recorded',
    detail: 'The audit log has no room: it is recorded as soon as there is some.',
  },
  store_unreadable: {
    status: 500,
    title: 'The store can not be read',
    detail: 'A record is damaged: "portunus doctor" says which.',
  },
  history_unreadable: {
    status: 503,
    title: 'Request log and usage can not be read now',
    detail: 'The disk failed or was full: they are read again once it takes writes.',
  },
  internal_error: {
    status: 500,
    title: 'The gateway failed to answer',
    detail: 'The reason is in the log of the gateway.',
  },
} as const satisfies Record<string, AdminProblem>;

export interface AdminProblem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}
export type AdminProblemCode = keyof typeof ADMIN_PROBLEMS;

/** Any route may answer these: they come before, or instead of, its own work. */
export const COMMON_PROBLEMS: readonly AdminProblemCode[] = [
  'host_not_allowed',
  'unauthenticated',
  'scope_missing',
  'parameter_invalid',
  'internal_error',
];
