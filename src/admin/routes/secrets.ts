import type { Result } from '../../base/result.ts';
import type { AuditActor, AuditProblem } from '../../pipeline/audit.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute } from '../route.ts';
import { list, object, orNull, TIME_MS, WHOLE } from '../schemas.ts';
import { notDurable } from './tokens.ts';

/** What can be done with the secrets that `store:NAME` means. None is ever shown. */
export interface SecretActions {
  list(): readonly SecretView[];
  /** It is sealed and on the disk, and data threads were told, when this resolves. */
  set(name: string, value: string, actor: AuditActor): Promise<Result<SecretView, AuditProblem | 'full'>>;
  remove(name: string, actor: AuditActor): Result<void, AuditProblem | 'unknown' | SecretInUse>;
}

export interface SecretInUse {
  /** `key "k2" of pool "openai-main"`. */
  readonly inUseBy: readonly string[];
}

export interface SecretView {
  readonly name: string;
  /** Counts the values that it has had, from 1 on. */
  readonly generation: number;
  /** Since when it has the present one. */
  readonly sinceMs: number;
  /** Until when the value before it is kept; null: it is not. */
  readonly formerUntilMs: number | null;
}

const NAME = {
  type: 'string',
  description: 'What stands behind store: in the files.',
  pattern: '^[a-zA-Z0-9](?:[a-zA-Z0-9._/-]{0,126}[a-zA-Z0-9])?$',
} as const;

const SECRET = object({
  name: NAME,
  generation: { ...WHOLE, description: 'Counts the values that it has had, from 1 on.' },
  sinceMs: TIME_MS,
  formerUntilMs: orNull(TIME_MS),
});

export const SECRET_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listSecrets',
    method: 'GET',
    path: '/v1/secrets',
    scope: 'read',
    summary: 'The secrets of the store, without the secrets themselves.',
    answers: {
      200: { description: 'All of them.', content: { schema: object({ secrets: list(SECRET) }) } },
    },
    answer: (_call, { secrets }) => ({ status: 200, body: { secrets: secrets.list() } }),
  },
  {
    operation: 'setSecret',
    method: 'PUT',
    path: '/v1/secrets/{name}',
    scope: 'keys',
    summary: 'Seals a secret and keeps it in the store; what has it counts with the new value at once.',
    parameters: { name: NAME },
    body: object({ value: { type: 'string', minLength: 1, maxLength: 4_096, writeOnly: true } }),
    answers: { 200: { description: 'It is kept.', content: { schema: SECRET } } },
    problems: ['conflict', 'not_durable'],
    answer: setAnswer,
  },
  {
    operation: 'removeSecret',
    method: 'DELETE',
    path: '/v1/secrets/{name}',
    scope: 'keys',
    summary: 'Removes a secret that nothing of the configuration has.',
    parameters: { name: NAME },
    answers: { 204: { description: 'It is gone.', content: 'none' } },
    problems: ['not_found', 'conflict', 'not_durable'],
    answer: removeAnswer,
  },
];

async function setAnswer(
  { parameters, body, actor }: AdminCall,
  { secrets }: AdminActions,
): Promise<AdminAnswer> {
  const { value } = body as { readonly value: string };
  const set = await secrets.set(String(parameters.name), value, actor);
  if (set.ok) return { status: 200, body: set.value };
  if (set.error === 'full')
    return { problem: 'conflict', detail: 'There is no room for another: limits.storedSecrets is reached.' };
  return notDurable(set.error);
}

function removeAnswer({ parameters, actor }: AdminCall, { secrets }: AdminActions): AdminAnswer {
  const name = String(parameters.name);
  const removed = secrets.remove(name, actor);
  if (removed.ok) return { status: 204 };
  if (removed.error === 'unknown') return { problem: 'not_found', detail: `There is no secret "${name}".` };
  if ('inUseBy' in removed.error)
    return {
      problem: 'conflict',
      detail: `The secret is in use by ${removed.error.inUseBy.join(', ')}. Change the files first.`,
    };
  return notDurable(removed.error);
}
