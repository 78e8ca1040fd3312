import type { Result } from '../../base/result.ts';
import { ADMIN_SCOPE_NAMES, type AdminScope } from '../../model/admin-scope.ts';
import type { AuditActor, AuditProblem } from '../../pipeline/audit.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute } from '../route.ts';
import { list, object, objectOf, orNull, TEXT, TIME_MS } from '../schemas.ts';

/** What can be done with tokens of this API. */
export interface TokenActions {
  list(): readonly TokenDescription[];
  /** A name that is in use is refused: logs and audit tell tokens apart by it. */
  issue(
    request: TokenRequest,
    actor: AuditActor,
  ): Result<IssuedToken, AuditProblem | 'name-taken' | 'scope-beyond' | 'expiry-beyond'>;
  /** From when this returns on it is refused. */
  revoke(id: string, actor: AuditActor): Result<void, AuditProblem | 'unknown' | 'local'>;
}

export interface TokenRequest {
  readonly name: string;
  readonly scopes: readonly AdminScope[];
  readonly expiresMs: number | null;
}

export interface TokenDescription extends TokenRequest {
  /** The public part. */
  readonly id: string;
  readonly createdMs: number;
}

export interface IssuedToken extends TokenDescription {
  /** Shown once: only its hash is kept. */
  readonly token: string;
}

const DESCRIPTION = {
  id: { type: 'string', description: 'Public part of the token.' },
  name: { type: 'string', pattern: '^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$' },
  scopes: { type: 'array', items: { enum: ADMIN_SCOPE_NAMES }, minItems: 1, uniqueItems: true },
  createdMs: TIME_MS,
  expiresMs: orNull(TIME_MS),
} as const;

const ISSUED = object({
  ...DESCRIPTION,
  token: { ...TEXT, description: 'Shown once: only its hash is kept.' },
});

const ID = { id: { type: 'string', description: 'Public part of the token.', maxLength: 64 } } as const;

export const TOKEN_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listTokens',
    method: 'GET',
    path: '/v1/tokens',
    scope: 'tokens',
    summary: 'The tokens of this API, without the tokens themselves.',
    answers: {
      200: {
        description: 'All of them.',
        content: { schema: object({ tokens: list(object(DESCRIPTION)) }) },
      },
    },
    answer: (_call, { tokens }) => ({ status: 200, body: { tokens: tokens.list() } }),
  },
  {
    operation: 'issueToken',
    method: 'POST',
    path: '/v1/tokens',
    scope: 'tokens',
    summary: 'Makes a token with some of the scopes of the one that asks.',
    body: objectOf(
      { name: DESCRIPTION.name, scopes: DESCRIPTION.scopes },
      { expiresMs: DESCRIPTION.expiresMs },
    ),
    answers: { 201: { description: 'It can be used.', content: { schema: ISSUED } } },
    problems: ['conflict', 'not_durable'],
    answer: issueAnswer,
  },
  {
    operation: 'readToken',
    method: 'GET',
    path: '/v1/tokens/{id}',
    scope: 'tokens',
    summary: 'One token, without the token itself.',
    parameters: ID,
    answers: {
      200: {
        description: 'It is in force, unless it has expired.',
        content: { schema: object(DESCRIPTION) },
      },
    },
    problems: ['not_found'],
    answer: readAnswer,
  },
  {
    operation: 'revokeToken',
    method: 'DELETE',
    path: '/v1/tokens/{id}',
    scope: 'tokens',
    summary: 'Ends a token at once.',
    parameters: ID,
    changes: 'readToken',
    answers: { 204: { description: 'It is refused from now on.', content: 'none' } },
    problems: ['not_found', 'conflict', 'not_durable'],
    answer: revokeAnswer,
  },
];

function readAnswer({ parameters }: AdminCall, { tokens }: AdminActions): AdminAnswer {
  const token = tokens.list().find(({ id }) => id === parameters.id);
  return token === undefined ? UNKNOWN : { status: 200, body: token };
}

const UNKNOWN: AdminAnswer = { problem: 'not_found', detail: 'There is no token with this id.' };

function issueAnswer({ body, actor }: AdminCall, { tokens }: AdminActions): AdminAnswer {
  const request = body as Omit<TokenRequest, 'expiresMs'> & { readonly expiresMs?: number | null };
  const issued = tokens.issue({ ...request, expiresMs: request.expiresMs ?? null }, actor);
  if (issued.ok) {
    const headers = { Location: `/v1/tokens/${issued.value.id}` };
    return { status: 201, body: issued.value, headers };
  }
  if (issued.error === 'name-taken')
    return {
      problem: 'conflict',
      detail: `There is a token named ${request.name}: revoke it first, or choose another name.`,
    };
  if (issued.error === 'scope-beyond')
    return {
      problem: 'scope_missing',
      detail: 'A token can give others no scope that it does not have itself.',
    };
  if (issued.error === 'expiry-beyond')
    return {
      problem: 'conflict',
      detail: 'A token can give no other a longer life than its own: name an end that comes no later.',
    };
  return notDurable(issued.error);
}

function revokeAnswer({ parameters, actor }: AdminCall, { tokens }: AdminActions): AdminAnswer {
  const revoked = tokens.revoke(String(parameters.id), actor);
  if (revoked.ok) return { status: 204 };
  if (revoked.error === 'unknown') return UNKNOWN;
  if (revoked.error === 'local')
    return {
      problem: 'conflict',
      detail:
        'This is the token of commands on this machine. Delete admin-access.json in the data folder and start anew to replace it.',
    };
  return notDurable(revoked.error);
}

/** A change that could not be kept was not made. */
export function notDurable({ message, remedy }: AuditProblem): AdminAnswer {
  return { problem: 'not_durable', detail: `Nothing was changed. ${message} ${remedy}` };
}
