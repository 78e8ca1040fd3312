import type { Result } from '../../base/result.ts';
import type { ConsumerKeys } from '../../governance/consumer-keys.ts';
import type { KeyProblem } from '../../governance/key-problems.ts';
import type { KeyName } from '../../governance/key-store.ts';
import type { KeyView } from '../../governance/key-views.ts';
import { CREDENTIAL_KINDS } from '../../model/world.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminProblemCode } from '../problems.ts';
import type { AdminAnswer, AdminCall, AdminRoute, ParameterSchema } from '../route.ts';
import { list, object, objectOf, orNull, TEXT, TIME_MS, WHOLE } from '../schemas.ts';

/** What can be done with consumer keys. */
export type KeyActions = Pick<ConsumerKeys, 'list' | 'issue' | 'rotate' | 'expire' | 'revoke'>;

const NAME = '^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$';

const VIEW = {
  tenant: TEXT,
  consumer: TEXT,
  name: TEXT,
  kind: {
    enum: [...CREDENTIAL_KINDS],
    description: 'Certificates and secrets to sign with are defined in files alone.',
  },
  keyId: { ...TEXT, description: 'Public part of the key; of others a part of a digest.' },
  createdMs: TIME_MS,
  expiresMs: orNull(TIME_MS),
  in: { enum: ['file', 'store'], description: 'Where it is defined: in a YAML file, or issued here.' },
  state: {
    enum: ['live', 'expired', 'revoked', 'dormant'],
    description: 'dormant: its consumer is not there now.',
  },
} as const;

const ISSUED = object({ ...VIEW, key: { ...TEXT, description: 'Shown once: only its hash is kept.' } });

const ENVIRONMENT = { type: 'string', pattern: '^[a-z][a-z0-9]{0,15}$', default: 'live' } as const;

const PARAMETERS: Readonly<Record<'tenant' | 'consumer' | 'name', ParameterSchema>> = {
  tenant: { type: 'string', description: 'Name of the tenant.', pattern: NAME },
  consumer: { type: 'string', description: 'Name of the consumer.', pattern: NAME },
  name: { type: 'string', description: 'Name of the key.', pattern: NAME },
};

export const KEY_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listKeys',
    method: 'GET',
    path: '/v1/keys',
    scope: 'read',
    summary:
      'Consumer keys of files and of the store, in order of tenant, consumer and name, without the keys themselves.',
    query: {
      tenant: PARAMETERS.tenant,
      consumer: { ...PARAMETERS.consumer, description: 'Name of the consumer; needs tenant.' },
      after: {
        type: 'string',
        description: 'Only keys behind this one: tenant/consumer/name.',
        maxLength: 302,
      },
      limit: {
        type: 'integer',
        description: 'How many keys at most.',
        minimum: 1,
        maximum: 1_000,
        default: 100,
      },
    },
    answers: {
      200: {
        description: 'The keys. `next` is what `after` must be for those behind; null: there are none.',
        content: { schema: object({ keys: list(object(VIEW)), next: orNull(TEXT) }) },
      },
    },
    problems: ['store_unreadable'],
    answer: listAnswer,
  },
  {
    operation: 'issueKey',
    method: 'POST',
    path: '/v1/keys',
    scope: 'keys',
    summary: 'Issues a key to a consumer. It counts on every data thread when this answers.',
    body: objectOf(
      { tenant: { type: 'string', pattern: NAME }, consumer: { type: 'string', pattern: NAME } },
      { name: { type: 'string', pattern: NAME }, environment: ENVIRONMENT, expiresMs: orNull(TIME_MS) },
    ),
    answers: { 201: { description: 'The key.', content: { schema: ISSUED } } },
    problems: ['not_found', 'conflict', 'body_invalid', 'not_durable', 'store_unreadable'],
    answer: issueAnswer,
  },
  {
    operation: 'rotateKey',
    method: 'POST',
    path: '/v1/keys/{tenant}/{consumer}/{name}/rotation',
    scope: 'keys',
    summary: 'Issues a successor; both keys count until the overlap is over.',
    parameters: PARAMETERS,
    body: objectOf(
      { overlapMs: { ...WHOLE, description: '0 ends the old key at once.' } },
      {
        environment: ENVIRONMENT,
        expiresMs: {
          anyOf: [TIME_MS, { type: 'null' }],
          description: 'Left out, the new key lives as long as the old one was to.',
        },
      },
    ),
    answers: { 201: { description: 'The new key.', content: { schema: ISSUED } } },
    problems: ['not_found', 'conflict', 'body_invalid', 'not_durable', 'store_unreadable'],
    answer: rotateAnswer,
  },
  {
    operation: 'expireKey',
    method: 'PUT',
    path: '/v1/keys/{tenant}/{consumer}/{name}/expiry',
    scope: 'keys',
    summary: 'Sets the end of a key; a moment that has passed revokes it.',
    parameters: PARAMETERS,
    body: object({ expiresMs: TIME_MS }),
    answers: { 200: { description: 'The key as it is now.', content: { schema: object(VIEW) } } },
    problems: ['not_found', 'conflict', 'body_invalid', 'not_durable', 'store_unreadable'],
    answer: ({ parameters, body, actor }, { keys }) =>
      viewAnswer(
        keys.expire(nameIn(parameters), Math.floor((body as { expiresMs: number }).expiresMs), actor),
      ),
  },
  {
    operation: 'revokeKey',
    method: 'DELETE',
    path: '/v1/keys/{tenant}/{consumer}/{name}',
    scope: 'keys',
    summary: 'Ends a key for good: no data thread lets a request in by it that begins after this answers.',
    parameters: PARAMETERS,
    answers: { 200: { description: 'The key that was revoked.', content: { schema: object(VIEW) } } },
    problems: ['not_found', 'not_durable', 'store_unreadable'],
    answer: ({ parameters, actor }, { keys }) => viewAnswer(keys.revoke(nameIn(parameters), actor)),
  },
];

function listAnswer({ query }: AdminCall, { keys }: AdminActions): AdminAnswer {
  const tenant = query.tenant === undefined ? null : String(query.tenant);
  const consumer = query.consumer === undefined ? null : String(query.consumer);
  if (consumer !== null && tenant === null)
    return { problem: 'parameter_invalid', errors: [{ place: 'consumer', why: 'needs tenant beside it' }] };
  const after = query.after === undefined ? null : nameOf(String(query.after));
  if (after === 'malformed')
    return {
      problem: 'parameter_invalid',
      errors: [{ place: 'after', why: 'must be tenant/consumer/name' }],
    };
  const count = Number(query.limit);
  const listed = keys.list({ tenant, consumer, after, count });
  if (!listed.ok) return problemAnswer(listed.error);
  const last = listed.value.length < count ? undefined : listed.value.at(-1);
  const next = last === undefined ? null : `${last.tenant}/${last.consumer}/${last.name}`;
  return { status: 200, body: { keys: listed.value, next } };
}

function issueAnswer({ body, actor }: AdminCall, { keys }: AdminActions): AdminAnswer {
  const { tenant, consumer, name, environment, expiresMs } = body as KeyBody & {
    readonly tenant: string;
    readonly consumer: string;
    readonly name?: string;
  };
  return issuedAnswer(
    keys.issue(
      {
        tenant,
        consumer,
        name: name ?? null,
        environment: environment ?? ENVIRONMENT.default,
        expiresMs: whole(expiresMs ?? null),
      },
      actor,
    ),
  );
}

function rotateAnswer({ parameters, body, actor }: AdminCall, { keys }: AdminActions): AdminAnswer {
  const { overlapMs, environment, expiresMs } = body as KeyBody & { readonly overlapMs: number };
  const request = {
    ...nameIn(parameters),
    overlapMs,
    environment: environment ?? ENVIRONMENT.default,
    expiresMs: expiresMs === undefined ? ('same' as const) : whole(expiresMs),
  };
  return issuedAnswer(keys.rotate(request, actor));
}

interface KeyBody {
  readonly environment?: string;
  readonly expiresMs?: number | null;
}

/** Moments are whole milliseconds. */
function whole<Expiry>(expiresMs: number | Expiry): number | Expiry {
  return typeof expiresMs === 'number' ? Math.floor(expiresMs) : expiresMs;
}

function nameIn({ tenant, consumer, name }: AdminCall['parameters']): KeyName {
  return { tenant: String(tenant), consumer: String(consumer), name: String(name) };
}

function nameOf(text: string): KeyName | 'malformed' {
  const [tenant, consumer, name, ...rest] = text.split('/');
  if (tenant === undefined || consumer === undefined || name === undefined || rest.length > 0)
    return 'malformed';
  return { tenant, consumer, name };
}

function issuedAnswer(issued: ReturnType<KeyActions['issue']>): AdminAnswer {
  return issued.ok ? { status: 201, body: issued.value } : problemAnswer(issued.error);
}

function viewAnswer(changed: Result<KeyView, KeyProblem>): AdminAnswer {
  return changed.ok ? { status: 200, body: changed.value } : problemAnswer(changed.error);
}

const PROBLEMS: Readonly<Record<KeyProblem['code'], AdminProblemCode>> = {
  consumer_not_found: 'not_found',
  key_not_found: 'not_found',
  key_name_taken: 'conflict',
  key_ended: 'conflict',
  not_a_key: 'conflict',
  keys_full: 'conflict',
  expiry_passed: 'body_invalid',
  expiry_too_far: 'body_invalid',
  malformed_name: 'body_invalid',
  not_saved: 'not_durable',
  not_read: 'store_unreadable',
};

function problemAnswer({ code, message, remedy }: KeyProblem): AdminAnswer {
  return { problem: PROBLEMS[code], detail: `${message} ${remedy}` };
}
