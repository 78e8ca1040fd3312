import { err, ok, type Result } from '../../base/result.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { AuditActor, AuditEntry } from '../../pipeline/audit.ts';
import type { AuditLog } from '../../state/audit-chain.ts';
import {
  type ConfigurationFile,
  type ConfigurationHistory,
  type ConfigurationVersion,
  digestOfFiles,
} from '../../state/configuration-history.ts';
import type { StoreProblem } from '../../state/store-problem.ts';
import type { LoadResult } from './configuration.ts';

/** Versions that wait for room with all their texts; of more the oldest are given up, but not their audit records. */
export const VERSIONS_WAITING_MAX = 16;
/** Audit records that wait for room; of more the oldest are given up, and counted. */
export const RECORDS_WAITING_MAX = 1_000;

const IDENTITY = { kind: 'history-not-kept', subject: '' } as const;

export interface HistoryKeeperOptions {
  readonly history: ConfigurationHistory;
  readonly audit: AuditLog;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** See `LIMITS.configurationVersions` and `LIMITS.auditRecords`. */
  readonly versionsMax: number;
  readonly recordsMax: number;
}

interface Waiting {
  readonly what: string;
  readonly entries: readonly AuditEntry[];
  /** Null when there is no version in it, or its texts were given up. */
  version: { readonly version: ConfigurationVersion; readonly files: readonly ConfigurationFile[] } | null;
}

/**
 * Keeps the history of versions, and who made them live. A version is live whether or not that can be kept: on a full disk there
 * is an alert, and what could not be kept waits in memory for room.
 */
export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  #waiting: Waiting[] = [];
  #givenUp = 0;
  #problem: StoreProblem | null = null;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  /** Why something still waits, or null. */
  get problem(): StoreProblem | null {
    return this.#waiting.length === 0 ? null : this.#problem;
  }

  /** The newest version that is kept, or waits for it. */
  newest(): ConfigurationVersion | null {
    const waiting = this.#waiting.findLast(({ version }) => version !== null)?.version?.version;
    return waiting ?? this.#options.history.versions().at(-1) ?? null;
  }

  /** The number of the version that these files are: known already, or the next one. */
  epochOf(files: readonly ConfigurationFile[], hash: string): number {
    const newest = this.newest();
    if (newest === null) return 1;
    return newest.hash === hash && newest.digest === digestOfFiles(files) ? newest.epoch : newest.epoch + 1;
  }

  /** A version went live. One that is known already is not kept again. */
  keep(live: Omit<ConfigurationVersion, 'digest'>, files: readonly ConfigurationFile[]): void {
    const newest = this.newest();
    if (newest?.epoch === live.epoch) return;
    const version = { ...live, digest: digestOfFiles(files) };
    const entries = [loadEntry(newest, version)];
    this.#waiting.push({ what: `version ${live.epoch}`, entries, version: { version, files } });
    this.#keepWaiting();
  }

  /** Something happened that is no answer to anybody: recorded now, or as soon as there is room. */
  record(what: string, entry: AuditEntry): void {
    this.#waiting.push({ what, entries: [entry], version: null });
    this.#keepWaiting();
  }

  /** To be called now and then: keeps what has been waiting, oldest first, and holds the audit log to its bound. */
  retry(): void {
    if (this.#waiting.length > 0) this.#keepWaiting();
    else this.#options.audit.prune(this.#options.recordsMax);
  }

  #keepWaiting(): void {
    this.#bound();
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const kept = this.#keep(next);
      if (!kept.ok) {
        this.#away(kept.error);
        return;
      }
      this.#waiting.shift();
    }
    this.#options.alerts.resolve(IDENTITY);
  }

  #keep({ version, entries }: Waiting): Result<void, StoreProblem> {
    const { history, audit, versionsMax } = this.#options;
    const all = this.#givenUp === 0 ? entries : [lostEntry(this.#givenUp), ...entries];
    const kept =
      version === null
        ? audit.change(all, () => {})
        : history.add(version.version, version.files, { versionsMax, audit: all });
    if (kept.ok) this.#givenUp = 0;
    return kept.ok ? ok(undefined) : kept;
  }

  #bound(): void {
    const withTexts = this.#waiting.filter(({ version }) => version !== null);
    for (const old of withTexts.slice(0, -VERSIONS_WAITING_MAX)) old.version = null;
    const over = this.#waiting.length - RECORDS_WAITING_MAX;
    if (over <= 0) return;
    this.#givenUp += over;
    this.#waiting = this.#waiting.slice(over);
  }

  #away(problem: StoreProblem): void {
    this.#problem = problem;
    this.#options.alerts.raise({
      ...IDENTITY,
      severity: 'warning',
      message: `The history lacks ${this.#waiting.map(({ what }) => what).join(', ')} so far: ${problem.message}`,
      remedy: problem.remedy,
    });
  }
}

/** A load that made a version live is answered as done only once that is recorded; `problem` is why something still waits. */
export function onceRecorded(
  result: LoadResult,
  problem: StoreProblem | null,
): Result<LoadResult, StoreProblem> {
  return problem !== null && result.outcome.kind === 'live' ? err(problem) : ok(result);
}

function loadEntry(before: ConfigurationVersion | null, after: ConfigurationVersion): AuditEntry {
  return {
    actor: after.actor,
    action: after.reason.startsWith('rollback') ? 'configuration.rollback' : 'configuration.load',
    target: `version ${after.epoch} (${after.reason})`,
    before: before === null ? null : shown(before),
    after: shown(after),
  };
}

function shown({ epoch, hash, digest }: ConfigurationVersion) {
  return { version: epoch, hash, files: digest };
}

function lostEntry(count: number): AuditEntry {
  const actor: AuditActor = { kind: 'gateway', cause: 'full disk' };
  return { actor, action: 'audit.lost', target: `${count} records`, before: null, after: { count } };
}
