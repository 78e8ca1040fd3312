import type { Result } from '../../base/result.ts';
import { POOL_STRATEGIES } from '../../model/pools.ts';
import { METER_KINDS, METER_UNITS } from '../../model/provider-limits.ts';
import type { AuditActor, AuditProblem } from '../../pipeline/audit.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute, ParameterSchema } from '../route.ts';
import { list, NUMBER, object, objectOf, orNull, TEXT, TIME_MS, WHOLE } from '../schemas.ts';
import { notDurable } from './tokens.ts';

/** What can be seen and done of the keys of providers. Never a secret. */
export interface PoolActions {
  list(): readonly PoolView[];
  /** It holds on every data thread, and is on the disk, when this resolves. */
  change(
    pool: string,
    key: string,
    change: PoolKeyChange,
    actor: AuditActor,
  ): Promise<Result<PoolView, AuditProblem | 'unknown'>>;
  /** The new secret is on the disk, and takes its first calls, when this resolves. */
  rotate(
    pool: string,
    key: string,
    request: KeyRotationRequest,
    actor: AuditActor,
  ): Promise<Result<PoolView, AuditProblem | RotationRefusal>>;
}

export interface KeyRotationRequest {
  readonly secret: string;
  /** How long the former secret is kept beside it; undefined: as policies say, or 24 hours. */
  readonly overlapMs?: number | undefined;
}

/**
 * `not-stored`: its secret lies elsewhere. `no-key`: the new one has characters that no key has. `known`: it is no new one, but the secret that
 * the key has, or had before. `under-way`: the one before is.
 */
export type RotationRefusal = 'unknown' | 'not-stored' | 'no-key' | 'known' | 'under-way';

export type PoolKeyChange = 'disable' | 'enable' | 'drain';

export interface PoolView {
  readonly name: string;
  readonly provider: string;
  readonly choose: string;
  readonly queueUpToMs: number;
  readonly queueWaiting: number;
  /** The least share that is left of what its keys have together, 0 … 1; keys that take no calls have nothing left. */
  readonly headroom: number;
  readonly usedUp: ForecastView;
  readonly keys: readonly PoolKeyView[];
}

/** When nothing will be left; null: not within a day, or before it is filled again. */
export interface ForecastView {
  /** If it is used as fast as in the last minute. */
  readonly byCurrentMs: number | null;
  /** If it is used as at these times of former days and hours. */
  readonly bySeasonMs: number | null;
}

export interface PoolKeyView {
  readonly name: string;
  readonly account: string;
  readonly state: string;
  /** What changed the state last; null: nothing has. */
  readonly because: string | null;
  /** Calls under way. */
  readonly inFlight: number;
  /** Of one that is exhausted: when its provider gives new credit, as it said; null: a person has to say so. */
  readonly creditAtMs: number | null;
  /** The least share that is left of a limit, 0 … 1. */
  readonly headroom: number;
  readonly usedUp: ForecastView;
  /** Since when it has its secret. */
  readonly secretSinceMs: number;
  /** When a policy has it replaced; null: none says so. */
  readonly rotationDueMs: number | null;
  /** While its secret is replaced. */
  readonly rotation: RotationView | null;
  /** Where the provider asked to wait; `model`: null for all. */
  readonly throttled: readonly { readonly model: string | null; readonly untilMs: number }[];
  /** Where that time is over, and one call at a time goes until one is not refused; `untilMs`: when it is taken as that; null: none is under way. */
  readonly proving: readonly { readonly model: string | null; readonly untilMs: number | null }[];
  readonly limits: readonly PoolLimitView[];
}

export interface RotationView {
  readonly sinceMs: number;
  /** When the former secret is given up. */
  readonly untilMs: number;
  /** The share of calls that the new secret is tried for first. */
  readonly share: number;
  /** State of the key with its former secret. */
  readonly former: string;
}

export interface PoolLimitView {
  /** As the provider calls it; null: all models of the account together. */
  readonly model: string | null;
  readonly unit: string;
  readonly kind: string;
  readonly windowMs: number;
  readonly amount: number;
  /** Below 0: calls took more than was estimated. */
  readonly left: number;
  readonly source: 'declared' | 'learned';
}

const NAMED = '^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,98}[a-zA-Z0-9])?$';
const PARAMETERS: Readonly<Record<'pool' | 'key', ParameterSchema>> = {
  pool: { type: 'string', description: 'Name of the pool.', pattern: NAMED },
  key: { type: 'string', description: 'Name of the key.', pattern: NAMED },
};

const OVERLAP_MS_MAX = 90 * 86_400_000;

const LIMIT = object({
  model: orNull(TEXT),
  unit: { enum: [...METER_UNITS] },
  kind: { enum: [...METER_KINDS] },
  windowMs: WHOLE,
  amount: NUMBER,
  left: NUMBER,
  source: { enum: ['declared', 'learned'] },
});

const USED_UP = object({
  byCurrentMs: orNull({
    ...TIME_MS,
    description:
      'When nothing will be left, if it is used as fast as in the last minute; null: not within a day.',
  }),
  bySeasonMs: orNull({
    ...TIME_MS,
    description: 'The same, if it is used as at these times of former days and hours.',
  }),
});

const POOL = object({
  name: TEXT,
  provider: TEXT,
  choose: { enum: [...POOL_STRATEGIES] },
  queueUpToMs: WHOLE,
  queueWaiting: WHOLE,
  headroom: {
    ...NUMBER,
    description: 'The least share that is left of what its keys have together, 0 to 1.',
  },
  usedUp: USED_UP,
  keys: list(
    object({
      name: TEXT,
      account: TEXT,
      state: TEXT,
      because: orNull(TEXT),
      inFlight: WHOLE,
      creditAtMs: orNull({
        ...TIME_MS,
        description:
          'Of an exhausted key: when its provider gives new credit, as it said; it is tried then. Null: it did not say.',
      }),
      headroom: { ...NUMBER, description: 'The least share that is left of a limit, 0 to 1.' },
      usedUp: USED_UP,
      secretSinceMs: { ...TIME_MS, description: 'Since when it has its secret.' },
      rotationDueMs: orNull({ ...TIME_MS, description: 'When a policy has its secret replaced.' }),
      rotation: orNull(object({ sinceMs: TIME_MS, untilMs: TIME_MS, share: NUMBER, former: TEXT })),
      throttled: list(object({ model: orNull(TEXT), untilMs: TIME_MS })),
      proving: list(
        object({
          model: orNull(TEXT),
          untilMs: orNull({
            ...TIME_MS,
            description:
              'One call goes first after a wait that the provider asked for; when others may go too, if it is not refused by then. Null: none has been sent.',
          }),
        }),
      ),
      limits: list(LIMIT),
    }),
  ),
});

export const POOL_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listPools',
    method: 'GET',
    path: '/v1/pools',
    scope: 'read',
    summary: 'Pools of provider keys: the state of each key, why, and what is left of its limits.',
    answers: { 200: { description: 'All of them.', content: { schema: object({ pools: list(POOL) }) } } },
    answer: (_call, { pools }) => ({ status: 200, body: { pools: pools.list() } }),
  },
  ...(['disable', 'enable', 'drain'] as const).map((change): AdminRoute => {
    const summaries = {
      disable: 'Switches a provider key off: only "enable" switches it on again.',
      enable: 'Lets a provider key take calls again, whatever its state was.',
      drain: 'Gives a provider key no new calls; those under way end.',
    };
    return {
      operation: `${change}ProviderKey`,
      method: 'POST',
      path: `/v1/pools/{pool}/keys/{key}/${change}`,
      scope: 'keys',
      summary: summaries[change],
      parameters: PARAMETERS,
      answers: { 200: { description: 'The pool as it is now.', content: { schema: POOL } } },
      problems: ['not_found', 'not_durable'],
      answer: (call, actions) => changeAnswer(change, call, actions),
    };
  }),
  {
    operation: 'rotateProviderKey',
    method: 'POST',
    path: '/v1/pools/{pool}/keys/{key}/rotation',
    scope: 'keys',
    summary:
      'Gives a provider key another secret: that takes a growing share of its calls, while the former one serves the others, and is given up when the overlap is over.',
    parameters: PARAMETERS,
    body: objectOf(
      { secret: { type: 'string', minLength: 1, maxLength: 4_096, writeOnly: true } },
      {
        overlapMs: {
          ...WHOLE,
          maximum: OVERLAP_MS_MAX,
          description:
            'Where it is left out, as long as the policy says that has keys of the pool rotated; else 24 hours.',
        },
      },
    ),
    answers: { 200: { description: 'The pool as it is now.', content: { schema: POOL } } },
    problems: ['not_found', 'conflict', 'not_durable'],
    answer: rotationAnswer,
  },
];

async function rotationAnswer(
  { parameters, body, actor }: AdminCall,
  { pools }: AdminActions,
): Promise<AdminAnswer> {
  const [pool, key] = [String(parameters.pool), String(parameters.key)];
  const rotated = await pools.rotate(pool, key, body as KeyRotationRequest, actor);
  if (rotated.ok) return { status: 200, body: rotated.value };
  switch (rotated.error) {
    case 'unknown':
      return { problem: 'not_found', detail: `There is no key "${key}" in a pool "${pool}".` };
    case 'not-stored':
      return {
        problem: 'conflict',
        detail:
          'Only secrets of the store are replaced with an overlap: let the file say store:NAME, and set that first.',
      };
    case 'no-key':
      return { problem: 'conflict', detail: 'This is no key: visible ASCII characters are expected.' };
    case 'known':
      return {
        problem: 'conflict',
        detail:
          'The key has this secret already, or had it before this one: make a new one at the provider, and rotate to that.',
      };
    case 'under-way':
      return {
        problem: 'conflict',
        detail:
          'Its secret is being replaced already: wait for the end of that, or set the secret at once with "portunus secrets set".',
      };
    default:
      return notDurable(rotated.error);
  }
}

async function changeAnswer(
  change: PoolKeyChange,
  { parameters, actor }: AdminCall,
  { pools }: AdminActions,
): Promise<AdminAnswer> {
  const [pool, key] = [String(parameters.pool), String(parameters.key)];
  const changed = await pools.change(pool, key, change, actor);
  if (changed.ok) return { status: 200, body: changed.value };
  if (changed.error === 'unknown')
    return { problem: 'not_found', detail: `There is no key "${key}" in a pool "${pool}".` };
  return notDurable(changed.error);
}
