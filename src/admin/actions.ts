import type { LimitValues } from '../base/limits.ts';
import type { Result } from '../base/result.ts';
import type { ListenAddress } from '../model/world.ts';
import type { AuditActor, AuditProblem } from '../pipeline/audit.ts';
import type { RecordCounts, TrafficSummary } from '../pipeline/traffic.ts';
import type { AuditActions } from './routes/audit.ts';
import type { ConfigurationActions } from './routes/configuration.ts';
import type { DirectoryActions } from './routes/directory.ts';
import type { KeyActions } from './routes/keys.ts';
import type { ModelActions } from './routes/models.ts';
import type { ObservationActions } from './routes/observation.ts';
import type { PoolActions } from './routes/pools.ts';
import type { SecretActions } from './routes/secrets.ts';
import type { TokenActions } from './routes/tokens.ts';

/** What the admin API can ask of the gateway. Implemented by the composition root. */
export interface AdminActions {
  health(): AdminHealth;
  status(): AdminStatus;
  /** The OpenAPI document of this API. */
  openApi(): object;
  /** Loads the configuration anew; settles when the new version is live or has been refused. The error: it is live, but not recorded. */
  reload(actor: AuditActor): Promise<Result<LoadReport, AuditProblem>>;
  readonly tokens: TokenActions;
  readonly audit: AuditActions;
  readonly keys: KeyActions;
  readonly pools: PoolActions;
  readonly models: ModelActions;
  readonly secrets: SecretActions;
  readonly directory: DirectoryActions;
  readonly observation: ObservationActions;
  readonly configuration: ConfigurationActions;
}

export type AdminHealth = 'starting' | 'serving' | 'draining';

/** The answer of `GET /v1/status`. Plain data; times are milliseconds since the Unix epoch. */
export interface AdminStatus {
  readonly version: string;
  readonly health: AdminHealth;
  readonly processId: number;
  /** Absolute path of the project folder. */
  readonly project: string;
  readonly startedMs: number;
  readonly uptimeMs: number;
  readonly configuration: {
    readonly epoch: number;
    /** Hash of the rule set, 16 hex digits. */
    readonly hash: string;
    /** When it went live. */
    readonly liveSinceMs: number;
    readonly routes: number;
    readonly rules: number;
    readonly consumers: number;
  };
  readonly directory: DirectoryUsage;
  /** The last attempt to load, also when it changed nothing. */
  readonly lastLoad: LoadReport;
  readonly listen: ListenAddress;
  readonly admin: ListenAddress;
  readonly dataThreads: readonly DataThreadStatus[];
  readonly traffic: TrafficSummary;
  readonly records: RecordCounts & {
    /** Lines that the access log had no room for. */
    readonly logDropped: number;
    /** Why the log can't be written, or null. */
    readonly logError: string | null;
  };
  readonly counters: readonly CounterStatus[];
  /** Of the version that runs, with every address of every endpoint. */
  readonly services: readonly ServiceStatus[];
  /** Those that clients see; empty without TLS. */
  readonly certificates: readonly CertificateStatus[];
  /** Of the store, and how many of its processes there were: what a former one leases late is refused. */
  readonly node: { readonly node: string; readonly epoch: number };
  readonly kept: KeptStatus;
  readonly rateWindows: RateWindowStatus;
  readonly alerts: readonly AlertStatus[];
  readonly deliveries: readonly DeliveryStatus[];
  /** The limits in force. */
  readonly limits: LimitValues;
}

/** Room in memory for those who may call. */
export interface DirectoryUsage {
  /** Consumer keys that count, those which have expired among them. */
  readonly keys: number;
  readonly keysMax: number;
  readonly bytes: number;
  readonly bytesMax: number;
  /** Tenants, teams and consumers made at run time. */
  readonly stored: number;
  readonly storedMax: number;
  /** How many of these can't be used as the files are now. */
  readonly leftOut: number;
}

export interface DataThreadStatus {
  readonly thread: number;
  readonly state: AdminHealth;
}

export interface ServiceStatus {
  readonly name: string;
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly url: string;
  /** One that its name has; null while that is not resolved, and where there is none. */
  readonly address: string | null;
  /** `unhealthy`: its checks fail. `ejected`: left alone for what requests met. `warming`: back, with a part of its share. */
  readonly state: 'well' | 'warming' | 'ejected' | 'unhealthy';
  /** Of an endpoint that is out; else null. */
  readonly why: string | null;
  /** Whether the gateway asks it by itself. */
  readonly checked: boolean;
  /** Why its name can't be resolved now; else null. */
  readonly unresolved: string | null;
}

export interface CertificateStatus {
  readonly certificateFile: string;
  /** In small letters. */
  readonly names: readonly string[];
  readonly expiresMs: number;
}

export interface CounterStatus {
  /** Stable identity: policy, rule, window, key. */
  readonly identity: string;
  /** The same in words. */
  readonly label: string;
  /** Keys with something counted, and how many are kept apart. */
  readonly keys: number;
  readonly keysMax: number;
  /** More where a limit asks for more keys than its memory was made for. */
  readonly keysMaxFromNextStart: number;
  /** Amounts of a budget are nano-units of it; null where requests are counted. */
  readonly currency: string | null;
  /** Of a quota or budget, in its own unit: what it would lose if the process were killed now. Null for other limits. */
  readonly openSlice: number | null;
  /** Of a budget: what requests in flight have reserved. It would count as spent then. */
  readonly reserved: number | null;
  /** Of the key that has used most of it, 0 … 1. */
  readonly usedShare: number;
  /** Of a quota or budget: when that key will have used it up, if it goes on as since the period began; null: not before the next one. */
  readonly usedUpMs: number | null;
  /** Of a limit as it was before an edit; null for limits of the rules as they are. */
  readonly replaced: {
    readonly state: 'in-force' | 'over';
    /** When it ends, or ended; null: once requests of earlier versions have ended. */
    readonly endsMs: number | null;
  } | null;
}

/** What the store keeps up to a bound, and the bound. */
/** What a start would find of rate windows and token buckets. */
export interface RateWindowStatus {
  /** `exact`: all that was taken; `in-doubt`: each would begin full; `unused`: there are none. */
  readonly state: 'unused' | 'exact' | 'in-doubt';
  /** Why files can't be written; null when they can. */
  readonly problem: string | null;
  /** The fullest journal, 0 … 1. */
  readonly journalShare: number;
  /** Room of all journals. */
  readonly journalBytes: number;
  /** Since all counters were copied; null before the first time. */
  readonly snapshotAgeMs: number | null;
  readonly snapshotBytes: number;
  /** Since the state was made durable; null before the first time. */
  readonly durableAgeMs: number | null;
}

export interface KeptStatus {
  /** Number of the newest audit record. */
  readonly auditEnd: number;
  readonly auditRecords: number;
  readonly auditRecordsMax: number;
  readonly versions: number;
  readonly versionsMax: number;
  readonly idempotencyKeys: number;
  readonly idempotencyKeysMax: number;
}

export interface AlertStatus {
  readonly kind: string;
  readonly subject: string;
  readonly severity: string;
  readonly message: string;
  readonly remedy: string;
  readonly sinceMs: number;
  readonly times: number;
}

/** A webhook that alerts are sent to. */
export interface DeliveryStatus {
  readonly name: string;
  readonly queued: number;
  readonly delivered: number;
  readonly failedAttempts: number;
  /** After too many attempts. */
  readonly givenUp: number;
  /** Never tried, for want of room. */
  readonly dropped: number;
  /** How long the first of those queued has waited. */
  readonly oldestAgeMs: number;
  readonly lastError: string | null;
}

/** What came of one attempt to load the configuration. */
export interface LoadReport {
  /** `start`, `file change`, `portunus reload` … */
  readonly reason: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly outcome: LoadReportOutcome;
  /** Errors and warnings, rendered as `portunus check` prints them; '' when there are none. */
  readonly diagnostics: string;
}

export type LoadReportOutcome =
  | {
      readonly kind: 'live';
      readonly epoch: number;
      readonly hash: string;
      readonly notes: readonly string[];
    }
  | {
      readonly kind: 'unchanged';
      readonly epoch: number;
      readonly hash: string;
      readonly notes: readonly string[];
    }
  /** The version before goes on serving. `why` is one sentence. */
  | { readonly kind: 'refused'; readonly why: string };
