import type { Result } from '../../base/result.ts';
import type { AuditActor, AuditProblem } from '../../pipeline/audit.ts';
import type { AdminActions, LoadReport } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute } from '../route.ts';
import { list, object, orNull, TEXT, TIME_MS, WHOLE } from '../schemas.ts';
import { LOAD_REPORT_SCHEMA } from '../status-schema.ts';
import { ACTOR_SCHEMA } from './audit.ts';
import { loadAnswer } from './system.ts';

/** What can be asked of the versions that ran, and how one of them comes back. */
export interface ConfigurationActions {
  versions(): VersionList;
  /** Null when a version is not kept. */
  files(version: number): Result<readonly VersionFile[] | null, AuditProblem>;
  /** Puts the files of a version back into the project folder and loads them. */
  rollBack(version: number, actor: AuditActor): Promise<Result<LoadReport, AuditProblem | 'unknown'>>;
}

export interface VersionList {
  readonly running: number;
  /** How many are kept at most: `limits.configurationVersions`. */
  readonly versionsMax: number;
  /** Oldest first. */
  readonly versions: readonly VersionDescription[];
}

export interface VersionDescription {
  readonly version: number;
  /** Of the rules, 16 hex digits. */
  readonly hash: string;
  /** Of all files. */
  readonly digest: string;
  readonly timeMs: number;
  readonly reason: string;
  readonly actor: AuditActor;
}

export interface VersionFile {
  readonly path: string;
  readonly text: string;
}

/** A file that differs between two versions; null where it is not there. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

const VERSION = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;
const DESCRIPTION = object({
  version: VERSION,
  hash: { type: 'string', pattern: '^[0-9a-f]{16}$' },
  digest: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  timeMs: TIME_MS,
  reason: TEXT,
  actor: ACTOR_SCHEMA,
});

export const CONFIGURATION_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listVersions',
    method: 'GET',
    path: '/v1/configuration/versions',
    scope: 'read',
    summary: 'The versions of the configuration that ran, oldest first.',
    answers: {
      200: {
        description: 'Those that are kept.',
        content: { schema: object({ running: VERSION, versionsMax: WHOLE, versions: list(DESCRIPTION) }) },
      },
    },
    answer: (_call, { configuration }) => ({ status: 200, body: configuration.versions() }),
  },
  {
    operation: 'readVersion',
    method: 'GET',
    path: '/v1/configuration/versions/{version}',
    scope: 'read',
    summary: 'The files of a version, with their texts.',
    parameters: { version: { ...VERSION, description: 'Its number.' } },
    answers: {
      200: {
        description: 'All of them.',
        content: { schema: object({ version: VERSION, files: list(object({ path: TEXT, text: TEXT })) }) },
      },
    },
    problems: ['not_found', 'store_unreadable'],
    answer: versionAnswer,
  },
  {
    operation: 'compareVersions',
    method: 'GET',
    path: '/v1/configuration/changes',
    scope: 'read',
    summary: 'What differs between two versions, file by file.',
    query: {
      from: { ...VERSION, description: 'The one version.', required: true },
      to: { ...VERSION, description: 'The other; without it, the one that runs.' },
    },
    answers: {
      200: {
        description: 'The files that differ.',
        content: {
          schema: object({
            from: VERSION,
            to: VERSION,
            files: list(object({ path: TEXT, before: orNull(TEXT), after: orNull(TEXT) })),
          }),
        },
      },
    },
    problems: ['not_found', 'store_unreadable'],
    answer: changesAnswer,
  },
  {
    operation: 'rollBack',
    method: 'POST',
    path: '/v1/configuration/rollback',
    scope: 'operate',
    summary: 'Puts the files of a version back into the project folder, and loads them as a new version.',
    body: object({ version: VERSION }),
    answers: {
      200: { description: 'It is live, or was already.', content: { schema: LOAD_REPORT_SCHEMA } },
      422: {
        description: 'It was refused, and the version before goes on serving.',
        content: { schema: LOAD_REPORT_SCHEMA },
      },
    },
    problems: ['not_found', 'store_unreadable', 'live_not_recorded'],
    answer: rollBackAnswer,
  },
];

function versionAnswer({ parameters }: AdminCall, { configuration }: AdminActions): AdminAnswer {
  const version = Number(parameters.version);
  const files = configuration.files(version);
  if (!files.ok) return unreadable(files.error);
  return files.value === null
    ? unknown(version, configuration)
    : { status: 200, body: { version, files: files.value } };
}

function changesAnswer({ query }: AdminCall, { configuration }: AdminActions): AdminAnswer {
  const from = Number(query.from);
  const to = Number(query.to ?? configuration.versions().running);
  const [before, after] = [configuration.files(from), configuration.files(to)];
  if (!before.ok) return unreadable(before.error);
  if (!after.ok) return unreadable(after.error);
  if (before.value === null) return unknown(from, configuration);
  if (after.value === null) return unknown(to, configuration);
  return { status: 200, body: { from, to, files: changes(before.value, after.value) } };
}

/** In the order of their paths. */
function changes(before: readonly VersionFile[], after: readonly VersionFile[]): readonly FileChange[] {
  const [old, fresh] = [before, after].map((files) => new Map(files.map(({ path, text }) => [path, text])));
  return [...new Set([...old!.keys(), ...fresh!.keys()])]
    .sort()
    .map((path) => ({ path, before: old!.get(path) ?? null, after: fresh!.get(path) ?? null }))
    .filter((change) => change.before !== change.after);
}

async function rollBackAnswer({ body, actor }: AdminCall, actions: AdminActions): Promise<AdminAnswer> {
  const { version } = body as { readonly version: number };
  const report = await actions.configuration.rollBack(version, actor);
  if (!report.ok && report.error === 'unknown') return unknown(version, actions.configuration);
  return loadAnswer(report as Result<LoadReport, AuditProblem>);
}

function unknown(version: number, configuration: ConfigurationActions): AdminAnswer {
  const { versions, versionsMax } = configuration.versions();
  const oldest = versions[0]?.version ?? 0;
  const why =
    version < oldest
      ? `the newest ${versionsMax} are (limits.configurationVersions), the oldest of them is ${oldest}. A higher bound keeps more of those to come.`
      : '"portunus history list" shows those that are.';
  return {
    problem: 'not_found',
    detail: `Version ${version} is ${version < oldest ? 'no longer' : 'not'} kept: ${why}`,
  };
}

function unreadable({ message, remedy }: AuditProblem): AdminAnswer {
  return { problem: 'store_unreadable', detail: `${message} ${remedy}` };
}
