/** Refusals of the admin API, answered as `application/problem+json` (RFC 9457). One table: codes are stable. */
export const ADMIN_PROBLEMS = {
  host_not_allowed: {
    status: 421,
    title: 'Not a name of this machine',
    detail: 'Call the admin API by an IP address or as localhost.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid admin token',
    detail: 'Send "Authorization: Bearer" with the admin token that the first start printed.',
  },
  not_found: { status: 404, title: 'No such resource', detail: 'The admin API has no such path.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'The path exists, but not for this method: see Allow.',
  },
  body_not_expected: {
    status: 413,
    title: 'No body is expected',
    detail: 'No request of the admin API has a body: send it without one.',
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
