import type { Result } from '../../base/result.ts';
import type { EntityName, EntityProblem, StoredEntity } from '../../governance/stored-directory.ts';
import type { AuditActor } from '../../pipeline/audit.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminProblemCode } from '../problems.ts';
import type { AdminAnswer, AdminCall, AdminRoute, ParameterSchema } from '../route.ts';
import { constant, list, object, objectOf, orNull, TEXT } from '../schemas.ts';

/** What can be asked of tenants, teams and consumers. */
export interface DirectoryActions {
  /** Null when there is none. */
  get(name: EntityName): EntityView | null;
  /** It holds on every data thread when this resolves. */
  put(
    entity: StoredEntity,
    actor: AuditActor,
  ): Promise<Result<{ readonly view: EntityView; readonly was: 'made' | 'changed' }, EntityProblem>>;
  remove(name: EntityName, actor: AuditActor): Promise<Result<void, EntityProblem>>;
  /** What was made here and can't be used as the files are now. */
  leftOut(): readonly { readonly what: string; readonly why: string }[];
  /** The whole directory as a file for tenants/. */
  exported(): Result<string, string>;
}

export interface EntityView extends EntityName {
  /** Where it is defined: in a YAML file, or here. */
  readonly in: 'file' | 'store';
  readonly [field: string]: unknown;
}

const NAME = '^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$';
const NAMED = { type: 'string', pattern: NAME } as const;
const NAMES = { type: 'array', items: NAMED, uniqueItems: true, maxItems: 10_000 } as const;
/** Held against what portunus.yaml declares, like those of files. */
const ATTRIBUTES = { type: 'object', maxProperties: 1_000 } as const;
const SHARE = { type: 'integer', minimum: 1, maximum: 1_000 } as const;
const PRIORITY = { enum: ['high', 'normal', 'low'] } as const;
const IN = { enum: ['file', 'store'] } as const;

const TENANT: ParameterSchema = { type: 'string', description: 'Name of the tenant.', pattern: NAME };
const TEAM: ParameterSchema = { type: 'string', description: 'Name of the team.', pattern: NAME };
const CONSUMER: ParameterSchema = { type: 'string', description: 'Name of the consumer.', pattern: NAME };

interface Family {
  readonly kind: EntityName['kind'];
  readonly noun: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, ParameterSchema>>;
  readonly body: AdminRoute['body'];
  readonly view: AdminRoute['body'];
}

const FAMILIES: readonly Family[] = [
  {
    kind: 'tenant',
    noun: 'Tenant',
    path: '/v1/directory/tenants/{tenant}',
    parameters: { tenant: TENANT },
    body: objectOf({ plan: NAMED }, { priority: PRIORITY, share: SHARE, attributes: ATTRIBUTES }),
    view: object({
      kind: constant('tenant'),
      tenant: TEXT,
      name: constant(''),
      in: IN,
      plan: TEXT,
      priority: PRIORITY,
      share: SHARE,
      attributes: ATTRIBUTES,
      teams: list(TEXT),
      consumers: list(TEXT),
    }),
  },
  {
    kind: 'team',
    noun: 'Team',
    path: '/v1/directory/tenants/{tenant}/teams/{team}',
    parameters: { tenant: TENANT, team: TEAM },
    body: objectOf({}, { attributes: ATTRIBUTES }),
    view: object({ kind: constant('team'), tenant: TEXT, name: TEXT, in: IN, attributes: ATTRIBUTES }),
  },
  {
    kind: 'consumer',
    noun: 'Consumer',
    path: '/v1/directory/tenants/{tenant}/consumers/{consumer}',
    parameters: { tenant: TENANT, consumer: CONSUMER },
    body: objectOf({}, { team: NAMED, roles: NAMES, subscriptions: NAMES, attributes: ATTRIBUTES }),
    view: object({
      kind: constant('consumer'),
      tenant: TEXT,
      name: TEXT,
      in: IN,
      team: orNull(TEXT),
      roles: list(TEXT),
      subscriptions: list(TEXT),
      attributes: ATTRIBUTES,
    }),
  },
];

export const DIRECTORY_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'exportDirectory',
    method: 'GET',
    path: '/v1/directory',
    scope: 'read',
    summary: 'All tenants, teams and consumers as YAML: a file that takes the place of those in tenants/.',
    answers: { 200: { description: 'The file.', content: { text: 'application/yaml' } } },
    problems: ['conflict'],
    answer: exportAnswer,
  },
  {
    operation: 'leftOut',
    method: 'GET',
    path: '/v1/directory/left-out',
    scope: 'read',
    summary: 'What was made here and can not be used as the files are now.',
    answers: {
      200: {
        description: 'All of it, with the reason.',
        content: { schema: object({ leftOut: list(object({ what: TEXT, why: TEXT })) }) },
      },
    },
    answer: (_call, { directory }) => ({ status: 200, body: { leftOut: directory.leftOut() } }),
  },
  ...FAMILIES.flatMap(routesOf),
];

function routesOf({ kind, noun, path, parameters, body, view }: Family): readonly AdminRoute[] {
  const shared = { path, parameters } as const;
  const content = { schema: view! } as const;
  const nameOf = (call: AdminCall): EntityName => ({
    kind,
    tenant: String(call.parameters.tenant),
    name: String(call.parameters[kind === 'tenant' ? '' : kind] ?? ''),
  });
  return [
    {
      ...shared,
      operation: `get${noun}`,
      method: 'GET',
      scope: 'read',
      summary: `One ${kind}, from a file or made here.`,
      answers: { 200: { description: `The ${kind}.`, content } },
      problems: ['not_found'],
      answer: (call, { directory }) => {
        const found = directory.get(nameOf(call));
        if (found !== null) return { status: 200, body: found };
        return { problem: 'not_found', detail: `There is no such ${kind}.` };
      },
    },
    {
      ...shared,
      operation: `put${noun}`,
      method: 'PUT',
      scope: 'directory',
      summary: `Makes or replaces a ${kind} that no file defines.`,
      body: body!,
      answers: {
        200: { description: `The ${kind} as it is now.`, content },
        201: { description: `The ${kind}, which is new.`, content },
      },
      problems: ['not_found', 'conflict', 'body_invalid', 'not_durable'],
      changes: `get${noun}`,
      answer: (call, actions) => putAnswer({ ...nameOf(call), document: call.body as object }, call, actions),
    },
    {
      ...shared,
      operation: `delete${noun}`,
      method: 'DELETE',
      scope: 'directory',
      summary: `Deletes a ${kind} that was made here${kind === 'consumer' ? ', with its keys' : ''}.`,
      answers: { 204: { description: 'It is gone.', content: 'none' } },
      problems: ['not_found', 'conflict', 'not_durable'],
      changes: `get${noun}`,
      answer: async (call, { directory }) => {
        const removed = await directory.remove(nameOf(call), call.actor);
        return removed.ok ? { status: 204 } : problemAnswer(removed.error);
      },
    },
  ];
}

async function putAnswer(
  entity: StoredEntity,
  { actor }: AdminCall,
  { directory }: AdminActions,
): Promise<AdminAnswer> {
  const put = await directory.put(entity, actor);
  if (!put.ok) return problemAnswer(put.error);
  return { status: put.value.was === 'made' ? 201 : 200, body: put.value.view };
}

function exportAnswer(_call: AdminCall, { directory }: AdminActions): AdminAnswer {
  const exported = directory.exported();
  if (exported.ok) return { status: 200, text: exported.value, contentType: 'application/yaml' };
  return { problem: 'conflict', detail: exported.error };
}

const PROBLEMS: Readonly<Record<EntityProblem['code'], AdminProblemCode>> = {
  entity_not_found: 'not_found',
  tenant_not_found: 'not_found',
  defined_in_file: 'conflict',
  still_used: 'conflict',
  directory_full: 'conflict',
  malformed: 'body_invalid',
  not_saved: 'not_durable',
};

function problemAnswer({ code, message, remedy, faults = [] }: EntityProblem): AdminAnswer {
  return { problem: PROBLEMS[code], detail: `${message} ${remedy}`.trim(), errors: faults };
}
