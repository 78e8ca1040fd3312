import { LIMITS } from '../base/limits.ts';
import { constant, list, mapOf, NUMBER, object, oneOf, orNull, TEXT, TIME_MS, WHOLE } from './schemas.ts';

/** Services and the state of their endpoints, as `status` and `top` show them. */
export const SERVICES = list(
  object({
    name: TEXT,
    endpoints: list(
      object({
        url: TEXT,
        address: orNull(TEXT),
        state: { enum: ['well', 'warming', 'ejected', 'unhealthy'] },
        why: orNull(TEXT),
        checked: { type: 'boolean' },
        unresolved: orNull(TEXT),
      }),
    ),
  }),
);

const HEALTH = { enum: ['starting', 'serving', 'draining'] } as const;
export const HEALTH_SCHEMA = object({ health: HEALTH });

const HASH = { type: 'string', pattern: '^[0-9a-f]{16}$' } as const;
const ADDRESS = object({ address: TEXT, port: { type: 'integer', minimum: 0, maximum: 65_535 } });
const VERSION_OUTCOME = { epoch: WHOLE, hash: HASH, notes: list(TEXT) };

export const LOAD_REPORT_SCHEMA = object({
  reason: TEXT,
  atMs: TIME_MS,
  tookMs: NUMBER,
  outcome: oneOf(
    object({ kind: constant('live'), ...VERSION_OUTCOME }),
    object({ kind: constant('unchanged'), ...VERSION_OUTCOME }),
    object({ kind: constant('refused'), why: TEXT }),
  ),
  diagnostics: TEXT,
});

const COUNTED = list(object({ name: TEXT, count: WHOLE }));

export const STATUS_SCHEMA = object({
  version: TEXT,
  health: HEALTH,
  processId: WHOLE,
  project: TEXT,
  startedMs: TIME_MS,
  uptimeMs: NUMBER,
  configuration: object({
    epoch: WHOLE,
    hash: HASH,
    liveSinceMs: TIME_MS,
    routes: WHOLE,
    rules: WHOLE,
    consumers: WHOLE,
  }),
  directory: object({
    keys: WHOLE,
    keysMax: WHOLE,
    bytes: WHOLE,
    bytesMax: WHOLE,
    stored: WHOLE,
    storedMax: WHOLE,
    leftOut: WHOLE,
  }),
  lastLoad: LOAD_REPORT_SCHEMA,
  listen: ADDRESS,
  admin: ADDRESS,
  dataThreads: list(object({ thread: WHOLE, state: HEALTH })),
  traffic: object({
    requests: WHOLE,
    clientAborted: WHOLE,
    byStatusClass: mapOf(WHOLE),
    byCode: COUNTED,
    refusalsByRule: COUNTED,
    shadowRefusalsByRule: COUNTED,
    warningsByRule: COUNTED,
    latency: object({ requests: WHOLE, p50Us: NUMBER, p90Us: NUMBER, p99Us: NUMBER, maxUs: NUMBER }),
  }),
  records: object({
    drained: WHOLE,
    dropped: WHOLE,
    damaged: WHOLE,
    logDropped: WHOLE,
    logError: orNull(TEXT),
  }),
  counters: list(
    object({
      identity: TEXT,
      label: TEXT,
      keys: WHOLE,
      keysMax: WHOLE,
      keysMaxFromNextStart: WHOLE,
      currency: orNull(TEXT),
      openSlice: orNull(NUMBER),
      reserved: orNull(NUMBER),
      usedShare: { ...NUMBER, description: 'Of the key that has used most of it, 0 to 1.' },
      usedUpMs: orNull({
        ...TIME_MS,
        description:
          'Of a quota or budget: when that key will have used it up, if it goes on as since the period began; null: not before the next one.',
      }),
      replaced: orNull(object({ state: { enum: ['in-force', 'over'] }, endsMs: orNull(TIME_MS) })),
    }),
  ),
  deliveries: list(
    object({
      name: TEXT,
      queued: WHOLE,
      delivered: WHOLE,
      failedAttempts: WHOLE,
      givenUp: WHOLE,
      dropped: WHOLE,
      oldestAgeMs: NUMBER,
      lastError: orNull(TEXT),
    }),
  ),
  services: SERVICES,
  certificates: list(object({ certificateFile: TEXT, names: list(TEXT), expiresMs: TIME_MS })),
  rateWindows: object({
    state: { enum: ['unused', 'exact', 'in-doubt'] },
    problem: orNull(TEXT),
    journalShare: NUMBER,
    journalBytes: WHOLE,
    snapshotAgeMs: orNull(NUMBER),
    snapshotBytes: WHOLE,
    durableAgeMs: orNull(NUMBER),
  }),
  node: object({ node: TEXT, epoch: WHOLE }),
  kept: object({
    auditEnd: WHOLE,
    auditRecords: WHOLE,
    auditRecordsMax: WHOLE,
    versions: WHOLE,
    versionsMax: WHOLE,
    idempotencyKeys: WHOLE,
    idempotencyKeysMax: WHOLE,
  }),
  alerts: list(
    object({
      kind: TEXT,
      subject: TEXT,
      severity: TEXT,
      message: TEXT,
      remedy: TEXT,
      sinceMs: TIME_MS,
      times: WHOLE,
    }),
  ),
  limits: object(Object.fromEntries(Object.keys(LIMITS).map((name) => [name, WHOLE]))),
});
