import type { LiveDirectory } from '../../governance/live-directory.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';

const KIND = 'signing-secret-refused';
/** Of none alone: what could be read could not be shown to the threads. */
const ALL = { kind: KIND, subject: '' } as const;

/** Looks again and again: whoever changes a secret writes a file and tells nobody. */
export class SigningSecretKeeper {
  readonly #directory: Pick<LiveDirectory, 'renewSecrets'>;
  readonly #alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  #refused: ReadonlySet<string> = new Set();

  constructor(directory: Pick<LiveDirectory, 'renewSecrets'>, alerts: Pick<AlertBus, 'raise' | 'resolve'>) {
    this.#directory = directory;
    this.#alerts = alerts;
  }

  /** To be called every few seconds. */
  async look(): Promise<void> {
    const renewed = await this.#directory.renewSecrets();
    if (!renewed.ok) {
      this.#alerts.raise({
        ...ALL,
        severity: 'critical',
        message: `The secrets of before still count: ${renewed.error}`,
        remedy: 'Make room, or start the gateway anew; it is tried again every two seconds.',
      });
      return;
    }
    this.#alerts.resolve(ALL);
    const refused = new Set<string>();
    for (const { credential, place, message, remedy } of renewed.value.faults) {
      const subject = `${credential}: ${place}`;
      refused.add(subject);
      this.#alerts.raise({
        kind: KIND,
        subject,
        severity: 'critical',
        message: `${message} What was read there before still counts.`,
        remedy,
      });
    }
    for (const subject of this.#refused)
      if (!refused.has(subject)) this.#alerts.resolve({ kind: KIND, subject });
    this.#refused = refused;
  }
}
