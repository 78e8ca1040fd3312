import type { Clock } from '../../base/ports.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { EventLog } from '../../observe/event-log.ts';
import { AnchorFile, readAnchors } from '../../state/audit-anchors.ts';
import type { AuditLog } from '../../state/audit-chain.ts';
import type { SignedPlace } from '../../state/audit-hash.ts';

export interface AuditAnchoringOptions {
  readonly dataFolder: string;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly events: EventLog;
  /** To webhooks that ask for anchors. */
  readonly deliver: (anchor: SignedPlace & { readonly atMs: number }) => void;
}

/** A log that is shipped elsewhere gets an anchor this often, if there was a change. */
const TOLD_EVERY_MS = 3_600_000;
const IDENTITY = { kind: 'audit-not-anchored', subject: '' } as const;

/**
 * Anchors the audit log: each new end in the file beside the store, that of a turn at webhooks, now and then one in the event log. A change is not refused where
 * its anchor can't be written: the log itself holds it, and the next anchor vouches for both.
 */
export class AuditAnchoring {
  readonly #options: AuditAnchoringOptions;
  #file: AnchorFile | null = null;
  #anchored = 0;
  #delivered = 0;
  #told = 0;
  #toldAtMs = 0;

  constructor(options: AuditAnchoringOptions) {
    this.#options = options;
    const { audit } = options;
    this.#lookBack();
    audit.onHead(() => this.#anchor());
    this.#anchor();
    this.#deliver();
    this.#tell();
  }

  /** To be called about once a second: syncs and delivers what was written, and tries again what could not be. */
  tend(): void {
    // one step: were the first to succeed alone, the alert would end and begin again each second
    this.#try((file) => {
      file.sync();
      if (this.#anchored < this.#options.audit.head().sequence) this.#append(file);
    });
    this.#deliver();
    if (this.#options.clock.monotonicMs() - this.#toldAtMs >= TOLD_EVERY_MS) this.#tell();
  }

  /** After the last change. */
  close(): void {
    this.#deliver();
    this.#tell();
    this.#try((file) => file.sync());
    this.#file?.close();
    this.#file = null;
  }

  /** A store that is older than its anchors was put there past `restore`: told now, as each new record hides it a little. */
  #lookBack(): void {
    const { audit, alerts, dataFolder } = this.#options;
    this.#try(() => {
      const last = readAnchors(dataFolder).findLast((line) => line.kind !== 'unreadable');
      const head = audit.head();
      if (last === undefined || last.sequence < head.sequence) return;
      if (last.sequence === head.sequence && last.hash === head.hash) return;
      alerts.raise({
        kind: 'audit-not-sound',
        subject: '',
        severity: 'critical',
        message: `The audit log ends with record ${head.sequence}, but record ${last.sequence} was anchored: the store was changed or put back by something else than Portunus.`,
        remedy: '"portunus audit verify" says what is missing. Find out who changed the data folder.',
      });
    });
  }

  #anchor(): void {
    if (this.#options.audit.head().sequence > 0) this.#try((file) => this.#append(file));
  }

  #append(file: AnchorFile): void {
    const { audit, clock } = this.#options;
    const head = audit.head();
    file.append({ kind: 'anchor', timeMs: clock.wallMs(), ...audit.sign('anchor', head) });
    this.#anchored = head.sequence;
  }

  #deliver(): void {
    const { audit, clock, deliver } = this.#options;
    const head = audit.head();
    if (head.sequence === this.#delivered) return;
    this.#delivered = head.sequence;
    deliver({ atMs: clock.wallMs(), ...audit.sign('anchor', head) });
  }

  #tell(): void {
    const { audit, clock, events } = this.#options;
    this.#toldAtMs = clock.monotonicMs();
    const head = audit.head();
    if (head.sequence === this.#told) return;
    this.#told = head.sequence;
    events.write('info', 'audit anchor', { ...audit.sign('anchor', head) });
  }

  #try(work: (file: AnchorFile) => void): void {
    const { alerts, dataFolder } = this.#options;
    try {
      this.#file ??= new AnchorFile(dataFolder);
      work(this.#file);
      alerts.resolve(IDENTITY);
    } catch (thrown) {
      alerts.raise({
        ...IDENTITY,
        severity: 'warning',
        message: `The audit log is kept, but its end can't be anchored beside the store: ${(thrown as Error).message}.`,
        remedy: 'Make room on the disk, and see that the data folder can be written to.',
      });
    }
  }
}
