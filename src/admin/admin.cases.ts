import { LIMIT_DEFAULTS, type LimitValues } from '../base/limits.ts';
import { err, ok } from '../base/result.ts';
import { issueAdminToken } from '../governance/admin-token.ts';
import { liveDirectory } from '../governance/live-directory.cases.ts';
import { seededRandom } from '../governance/seeded-random.cases.ts';
import { ADMIN_SCOPE_NAMES, type AdminScope } from '../model/admin-scope.ts';
import { AUDIT_GENESIS, type AuditRecord } from '../pipeline/audit.ts';
import { emptyRecord } from '../pipeline/record.ts';
import type { AdminActions, AdminStatus, LoadReport } from './actions.ts';
import type { KnownAdminToken } from './admission.ts';
import { createIdempotencyKeeper, type IdempotencyRecord, type IdempotencyRecords } from './idempotency.ts';
import type { ModelView } from './routes/models.ts';
import type { ObservationActions } from './routes/observation.ts';
import type { PoolView } from './routes/pools.ts';
import type { SecretView } from './routes/secrets.ts';
import type { TokenActions } from './routes/tokens.ts';
import { ADMIN_ROUTES } from './routes.ts';
import type { AdminServerOptions } from './server.ts';

export const LIVE: LoadReport = {
  reason: 'portunus reload',
  atMs: 1_795_456_100_000,
  tookMs: 31,
  outcome: { kind: 'live', epoch: 2, hash: '0123456789abcdef', notes: [] },
  diagnostics: '',
};

export const REFUSED: LoadReport = {
  reason: 'file change',
  atMs: 1_795_456_200_000,
  tookMs: 12,
  outcome: { kind: 'refused', why: 'The configuration has errors.' },
  diagnostics:
    'error PT1101: There is no route "ordrs". Did you mean "orders"?\n  policies/plans.policy:12:5\n',
};

export const STATUS: AdminStatus = {
  version: '0.1.0',
  health: 'serving',
  processId: 4_711,
  project: '/srv/portunus',
  startedMs: 1_795_456_000_000,
  uptimeMs: 300_000,
  configuration: {
    epoch: 2,
    hash: '0123456789abcdef',
    liveSinceMs: 1_795_456_100_000,
    routes: 4,
    rules: 9,
    consumers: 3,
  },
  directory: {
    keys: 3,
    keysMax: 1_250_000,
    bytes: 4_096,
    bytesMax: 268_435_456,
    stored: 0,
    storedMax: 20_000,
    leftOut: 0,
  },
  lastLoad: REFUSED,
  listen: { address: '127.0.0.1', port: 8_080 },
  admin: { address: '127.0.0.1', port: 9_090 },
  dataThreads: [{ thread: 0, state: 'serving' }],
  traffic: {
    requests: 12,
    clientAborted: 0,
    byStatusClass: { '2xx': 11, '4xx': 1 },
    byCode: [{ name: 'limit_exceeded', count: 1 }],
    refusalsByRule: [{ name: 'plans/pace', count: 1 }],
    shadowRefusalsByRule: [],
    warningsByRule: [],
    latency: { requests: 12, p50Us: 300, p90Us: 400, p99Us: 900, maxUs: 950 },
  },
  records: { drained: 12, dropped: 0, damaged: 0, logDropped: 0, logError: null },
  counters: [
    {
      identity: '["plans","pace"]',
      label: 'plans/pace for each tenant',
      keys: 2,
      keysMax: 100_000,
      keysMaxFromNextStart: 100_000,
      currency: null,
      openSlice: null,
      usedShare: 0.25,
      usedUpMs: null,
      reserved: null,
      replaced: { state: 'in-force', endsMs: 1_764_500_000_000 },
    },
  ],
  services: [
    {
      name: 'orders',
      endpoints: [
        {
          url: 'http://127.0.0.1:9001',
          address: null,
          state: 'well',
          why: null,
          checked: true,
          unresolved: null,
        },
      ],
    },
  ],
  certificates: [
    { certificateFile: '/tls/front.pem', names: ['shop.example'], expiresMs: 1_798_761_600_000 },
  ],
  rateWindows: {
    state: 'exact',
    problem: null,
    journalShare: 0.25,
    journalBytes: 16_777_216,
    snapshotAgeMs: 61_000,
    snapshotBytes: 4_096,
    durableAgeMs: 800,
  },
  node: { node: '00f1a2b3c4d5e6f7', epoch: 3 },
  kept: {
    auditEnd: 7,
    auditRecords: 7,
    auditRecordsMax: 1_000_000,
    versions: 2,
    versionsMax: 200,
    idempotencyKeys: 0,
    idempotencyKeysMax: 1_000,
  },
  alerts: [],
  deliveries: [],
  limits: LIMIT_DEFAULTS,
};

export const AUDIT_RECORD: AuditRecord = {
  sequence: 1,
  timeMs: 1_795_456_000_000,
  previous: AUDIT_GENESIS,
  actor: { kind: 'gateway', cause: 'start' },
  action: 'tokens.issue',
  target: 'admin token local (abc)',
  before: null,
  after: { name: 'local' },
  hash: 'a'.repeat(64),
};

const random = seededRandom(7);

/** A token that is in force, and the token itself. */
export interface TestToken extends KnownAdminToken {
  readonly token: string;
}

export function testToken(name: string, scopes: readonly AdminScope[] = ADMIN_SCOPE_NAMES): TestToken {
  return { ...issueAdminToken(random), name, scopes, expiresMs: null };
}

export const LOCAL = testToken('local');

/** Tokens in memory; the rig of the server finds them here. */
export class TestTokens implements TokenActions {
  readonly known = new Map<string, TestToken>();

  constructor(...tokens: readonly TestToken[]) {
    for (const token of tokens) this.known.set(token.id, token);
  }

  list = () =>
    [...this.known.values()].map(({ id, name, scopes, expiresMs }) => ({
      id,
      name,
      scopes,
      expiresMs,
      createdMs: 1,
    }));

  issue: TokenActions['issue'] = ({ name, scopes, expiresMs }, actor) => {
    if ([...this.known.values()].some((known) => known.name === name)) return err('name-taken');
    const own = this.known.get(actor.kind === 'token' ? actor.id : '')!;
    if (scopes.some((scope) => !own.scopes.includes(scope))) return err('scope-beyond');
    if (own.expiresMs !== null && (expiresMs ?? Number.POSITIVE_INFINITY) > own.expiresMs)
      return err('expiry-beyond');
    const made = { ...testToken(name, scopes), expiresMs };
    this.known.set(made.id, made);
    return ok({ id: made.id, name, scopes, expiresMs, createdMs: 1, token: made.token });
  };

  revoke: TokenActions['revoke'] = (id) => (this.known.delete(id) ? ok(undefined) : err('unknown'));
}

/** Attempts in memory. */
export class TestAttempts implements IdempotencyRecords {
  readonly kept = new Map<string, IdempotencyRecord>();
  keysMax = 100;

  find = (name: string) => this.kept.get(name) ?? null;
  begin: IdempotencyRecords['begin'] = (name, digest) => {
    if (this.kept.size >= this.keysMax) return err('full');
    this.kept.set(name, { digest, sealedAnswer: null });
    return ok(undefined);
  };
  finish = (name: string, sealedAnswer: string) =>
    void this.kept.set(name, { ...this.kept.get(name)!, sealedAnswer });
  forget = (name: string) => void this.kept.delete(name);
}

const POOL: PoolView = {
  name: 'openai-main',
  provider: 'openai',
  choose: 'headroom',
  queueUpToMs: 5_000,
  queueWaiting: 1_000,
  headroom: 0.5,
  usedUp: { byCurrentMs: 1_895_456_600_000, bySeasonMs: null },
  keys: [
    {
      name: 'k1',
      account: 'org-1',
      state: 'active',
      because: null,
      inFlight: 2,
      headroom: 0.5,
      usedUp: { byCurrentMs: 1_895_456_600_000, bySeasonMs: null },
      secretSinceMs: 1_895_456_000_000,
      rotationDueMs: 1_900_640_000_000,
      rotation: { sinceMs: 1_895_456_000_000, untilMs: 1_895_456_900_000, share: 0.1, former: 'active' },
      creditAtMs: null,
      throttled: [{ model: 'gpt-4o', untilMs: 1_895_456_000_000 }],
      proving: [{ model: 'gpt-4o', untilMs: null }],
      limits: [
        {
          model: 'gpt-4o',
          unit: 'requests',
          kind: 'bucket',
          windowMs: 60_000,
          amount: 500,
          left: 250,
          source: 'declared',
        },
      ],
    },
  ],
};

const MODEL: ModelView = {
  name: 'fast',
  upstreamName: 'gpt-4o-mini',
  tags: ['chat'],
  dialect: 'openai',
  pools: [{ name: 'openai-main', provider: 'openai', region: null, keys: 2 }],
  contextTokens: 128_000,
  outputTokensMax: 16_384,
  tokenizer: 'o200k_base',
  price: {
    currency: 'USD',
    input: 0.15,
    cachedInput: 0.075,
    output: 0.6,
    request: 0,
    asOf: '2026-09-23',
    source: 'catalogue',
  },
  laterPrices: [],
  otherPrices: [],
};
const SECRET: SecretView = {
  name: 'openai/k2',
  generation: 2,
  sinceMs: 1_895_456_000_000,
  formerUntilMs: null,
};

export function actions(changes: Partial<AdminActions> = {}): AdminActions {
  return {
    health: () => 'serving',
    status: () => STATUS,
    openApi: () => ({ openapi: '3.1.0' }),
    reload: () => Promise.resolve(ok(LIVE)),
    tokens: new TestTokens(LOCAL),
    keys: liveDirectory().directory.keys,
    pools: {
      list: () => [POOL],
      change: () => Promise.resolve(ok(POOL)),
      rotate: () => Promise.resolve(ok(POOL)),
    },
    models: { list: () => [MODEL] },
    secrets: {
      list: () => [SECRET],
      set: () => Promise.resolve(ok(SECRET)),
      remove: () => ok(undefined),
    },
    directory: {
      get: () => null,
      put: () =>
        Promise.resolve(err({ code: 'tenant_not_found', message: 'There is no tenant "x".', remedy: '' })),
      remove: () => Promise.resolve(ok(undefined)),
      leftOut: () => [],
      exported: () => ok('tenants: {}\n'),
    },
    audit: {
      records: () => ok([AUDIT_RECORD]),
      backupMade: () => Promise.resolve(ok(AUDIT_RECORD)),
      anchor: () => ({ sequence: 1, hash: 'a'.repeat(64), mac: 'b'.repeat(64) }),
    },
    observation: OBSERVATION,
    configuration: {
      versions: () => ({ running: 2, versionsMax: 200, versions: VERSIONS }),
      files: (version) => ok(FILES.get(version) ?? null),
      rollBack: (version) => Promise.resolve(FILES.has(version) ? ok(LIVE) : err('unknown')),
    },
    ...changes,
  };
}

const USAGE_ROW = {
  name: 'orders',
  requests: 3,
  clientErrors: 1,
  serverErrors: 0,
  refused: 1,
  aborted: 0,
  requestBytes: 0,
  responseBytes: 600,
  inputTokens: 0,
  outputTokens: 0,
  costNano: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  cacheHits: 0,
  meanUs: 200.5,
  p50Us: 180,
  p90Us: 220,
  p99Us: 220,
  p50Bytes: 255,
  p99Bytes: 511,
  series: [3],
};

const OBSERVATION: ObservationActions = {
  metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' }),
  searchLog: () => Promise.resolve(ok({ records: [emptyRecord()], next: '1795456000000.7.3' })),
  currency: () => 'USD',
  usage: ({ by, granularity, fromMs, toMs }) =>
    Promise.resolve(
      ok({
        by,
        granularity,
        fromMs,
        toMs,
        periods: [1_795_456_000_000],
        rows: [USAGE_ROW],
        rowsLeftOut: 0,
        total: { ...USAGE_ROW, name: '(total)' },
      }),
    ),
  live: () => ({
    atMs: 1_795_456_000_000,
    requests: 3,
    byStatusClass: { '2xx': 2, '4xx': 1 },
    latency: [
      [175, 1],
      [220, 2],
    ],
    refusalsByRule: [{ name: 'plans/pace', count: 1 }],
    nearestLimits: [{ label: 'plans/pace for each tenant', usedShare: 0.75, exhaustedKeys: 0, keys: 2 }],
    limits: 1,
    services: STATUS.services,
    threads: [
      {
        name: 'data-0',
        activeRequests: 1,
        connections: 2,
        heapUsedBytes: 5_000_000,
        loopDelayP99Seconds: 0.001,
        loopActiveSeconds: 3.5,
        loopIdleSeconds: 60,
      },
    ],
    residentBytes: 80_000_000,
    cpuSeconds: 4.25,
    recordsLost: 0,
    alerts: [{ severity: 'warning', message: 'Something is the matter.' }],
  }),
};
const VERSIONS = [1, 2].map((version) => ({
  version,
  hash: '0123456789abcdef',
  digest: 'd'.repeat(64),
  timeMs: 1_795_456_000_000,
  reason: 'start',
  actor: { kind: 'gateway', cause: 'start' } as const,
}));
const FILES = new Map([
  [1, [{ path: 'portunus.yaml', text: 'portunus: 1\n' }]],
  [2, [{ path: 'portunus.yaml', text: 'portunus: 1 # again\n' }]],
]);

/** Everything that a server needs, on a free port of 127.0.0.1. */
export function serverOptions(
  changes: Partial<AdminActions> = {},
  limits: LimitValues = LIMIT_DEFAULTS,
): AdminServerOptions & { readonly attempts: TestAttempts; readonly defects: unknown[] } {
  const all = actions(changes);
  const attempts = new TestAttempts();
  const defects: unknown[] = [];
  return {
    routes: ADMIN_ROUTES,
    actions: all,
    limits,
    listen: { address: '127.0.0.1', port: 0 },
    certificate: null,
    findToken: (id) => (all.tokens instanceof TestTokens ? (all.tokens.known.get(id) ?? null) : null),
    nowMs: () => 1_795_456_300_000,
    // Schemas are tried on real answers in test/admin; here, what no schema of ours allows.
    makeCheck: () => (value) =>
      typeof value === 'object' && value !== null && 'unknown' in value
        ? { pointer: '/unknown', why: 'is not known' }
        : null,
    idempotency: createIdempotencyKeeper(attempts, random),
    onDefect: (error) => defects.push(error),
    attempts,
    defects,
  };
}
