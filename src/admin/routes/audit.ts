import type { Result } from '../../base/result.ts';
import type { AuditActor, AuditProblem, AuditRecord } from '../../pipeline/audit.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute } from '../route.ts';
import { constant, list, object, oneOf, TEXT, TIME_MS, WHOLE } from '../schemas.ts';
import { notDurable } from './tokens.ts';

/** What can be asked of the audit log. */
export interface AuditActions {
  /** The oldest `count` behind a sequence number; of the whole log the newest `count`, oldest first. */
  records(after: number | null, count: number): Result<readonly AuditRecord[], AuditProblem>;
  /** The end of the log, signed: whoever keeps it elsewhere can tell later whether the log was changed up to here. */
  anchor(): AuditAnchor;
  /** A copy of the store was made past the gateway: `portunus backup` makes it in a process of its own. */
  backupMade(path: string, actor: AuditActor): Promise<Result<AuditRecord, AuditProblem>>;
}

export interface AuditAnchor {
  readonly sequence: number;
  readonly hash: string;
  readonly mac: string;
}

const HASH = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
export const ACTOR_SCHEMA = oneOf(
  object({ kind: constant('token'), id: TEXT, name: TEXT }),
  object({ kind: constant('account'), name: TEXT }),
  object({ kind: constant('gateway'), cause: TEXT }),
);
const RECORD = object({
  sequence: { type: 'integer', minimum: 1 },
  timeMs: TIME_MS,
  previous: HASH,
  actor: ACTOR_SCHEMA,
  action: { type: 'string', pattern: '^[a-z-]+\\.[a-z-]+$' },
  target: TEXT,
  before: true,
  after: true,
  hash: HASH,
});

export const AUDIT_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'listAudit',
    method: 'GET',
    path: '/v1/audit',
    scope: 'audit',
    summary: 'Who changed what: records of the audit log, oldest first.',
    query: {
      after: {
        type: 'integer',
        description: 'Only records behind this sequence number; without it, the newest ones.',
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
      },
      limit: {
        type: 'integer',
        description: 'How many records at most.',
        minimum: 1,
        maximum: 1_000,
        default: 100,
      },
    },
    answers: {
      200: {
        description: 'Records, as they are chained.',
        content: { schema: object({ records: list(RECORD) }) },
      },
    },
    problems: ['store_unreadable'],
    answer: recordsAnswer,
  },
  {
    operation: 'auditAnchor',
    method: 'GET',
    path: '/v1/audit/anchor',
    scope: 'audit',
    summary:
      'The signed end of the audit log: keep it elsewhere, and "portunus audit verify --anchor" holds the log against it.',
    answers: {
      200: {
        description: 'The end at this moment.',
        content: { schema: object({ sequence: WHOLE, hash: HASH, mac: HASH }) },
      },
    },
    answer: (_call, { audit }) => ({ status: 200, body: audit.anchor() }),
  },
  {
    operation: 'recordBackup',
    method: 'POST',
    path: '/v1/audit/backups',
    scope: 'operate',
    summary: 'Records that a copy of the store was made, which "portunus backup" does.',
    body: object({ path: { type: 'string', minLength: 1, maxLength: 4_096 } }),
    answers: { 201: { description: 'It is recorded.', content: { schema: RECORD } } },
    problems: ['not_durable'],
    answer: backupAnswer,
  },
];

async function backupAnswer({ body, actor }: AdminCall, { audit }: AdminActions): Promise<AdminAnswer> {
  const { path } = body as { readonly path: string };
  const recorded = await audit.backupMade(path, actor);
  return recorded.ok ? { status: 201, body: recorded.value } : notDurable(recorded.error);
}

function recordsAnswer({ query }: AdminCall, { audit }: AdminActions): AdminAnswer {
  const after = query.after === undefined ? null : Number(query.after);
  const records = audit.records(after, Number(query.limit));
  if (records.ok) return { status: 200, body: { records: records.value } };
  return { problem: 'store_unreadable', detail: `${records.error.message} ${records.error.remedy}` };
}
