import type { AlertBus } from '../../observe/alert-bus.ts';
import type {
  ConfigurationFile,
  ConfigurationHistory,
  ConfigurationVersion,
} from '../../state/configuration-history.ts';

/** Versions that wait for room; of more the oldest are given up. */
export const VERSIONS_WAITING_MAX = 16;

const IDENTITY = { kind: 'history-not-kept', subject: '' } as const;

/**
 * Keeps the history of versions. A version is live whether or not its history can be kept: on a full disk there is an
 * alert, and what could not be kept waits in memory for room.
 */
export class HistoryKeeper {
  readonly #history: ConfigurationHistory;
  readonly #alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  #waiting: { readonly version: ConfigurationVersion; readonly files: readonly ConfigurationFile[] }[] = [];

  constructor(history: ConfigurationHistory, alerts: Pick<AlertBus, 'raise' | 'resolve'>) {
    this.#history = history;
    this.#alerts = alerts;
  }

  keep(version: ConfigurationVersion, files: readonly ConfigurationFile[]): void {
    const last = this.#waiting.at(-1)?.version ?? this.#history.versions().at(-1);
    if (last?.hash === version.hash) return;
    this.#waiting.push({ version, files });
    this.#waiting = this.#waiting.slice(-VERSIONS_WAITING_MAX);
    this.#keepWaiting();
  }

  /** To be called now and then: keeps what has been waiting, oldest first. */
  retry(): void {
    if (this.#waiting.length > 0) this.#keepWaiting();
  }

  #keepWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const kept = this.#history.add(next.version, next.files);
      if (!kept.ok) {
        const { message, remedy } = kept.error;
        const versions = this.#waiting.map(({ version }) => version.epoch).join(', ');
        this.#alerts.raise({
          ...IDENTITY,
          severity: 'warning',
          message: `The history lacks version ${versions} so far: ${message}`,
          remedy,
        });
        return;
      }
      this.#waiting.shift();
    }
    this.#alerts.resolve(IDENTITY);
  }
}
