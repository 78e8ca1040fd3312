import { createHash } from 'node:crypto';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { CertificateFiles } from '../../model/world.ts';
import type { AlertBus, AlertIdentity } from '../../observe/alert-bus.ts';
import { checkCertificate, type ReadCertificate, type ReadText } from '../../tools/certificate-findings.ts';

export interface ServedCertificatesOptions {
  /** Whose they are, in alerts: '' for those of requests. */
  readonly of: '' | 'admin API';
  /** Null: no TLS. */
  readonly files: readonly CertificateFiles[] | null;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly readText: ReadText;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** Makes whoever listens serve them from now on; tried again every few seconds where that fails. */
  readonly serve: (certificates: readonly ReadCertificate[]) => Promise<Result<void, NotServed>>;
}

/** Why sound files are not served. */
export interface NotServed {
  readonly message: string;
  readonly remedy: string;
}

/**
 * The certificates that clients of requests, or of the admin API, see. Files are looked at again and again, because those who renew certificates write files and tell nobody;
 * watching misses what is mounted or linked anew. Others are taken up only when they are sound, and by all threads that serve them.
 */
export class ServedCertificates {
  readonly #options: ServedCertificatesOptions;
  #served: readonly ReadCertificate[] = [];
  #digest = '';
  /** Of files that were refused: they are told once, not every few seconds. */
  #refusedDigest = '';
  readonly #refused: AlertIdentity;
  #busy = false;

  constructor(options: ServedCertificatesOptions) {
    this.#options = options;
    this.#refused = { kind: 'certificate-refused', subject: options.of };
  }

  /** What is served; empty without TLS. */
  get served(): readonly ReadCertificate[] {
    return this.#served;
  }

  /** The first time; the error is one sentence. Null: no TLS. */
  read(): Result<readonly ReadCertificate[] | null, string> {
    if (this.#options.files === null) return ok(null);
    this.#digest = this.#digestNow();
    const read = this.#readAll();
    if (read.ok) this.#served = read.value;
    return read;
  }

  /** To be called every few seconds. */
  async look(): Promise<void> {
    if (this.#options.files === null || this.#busy) return;
    this.#tellExpiry();
    const digest = this.#digestNow();
    if (digest === this.#digest) {
      this.#options.alerts.resolve(this.#refused);
      this.#refusedDigest = '';
      return;
    }
    if (digest === this.#refusedDigest) return;
    this.#busy = true;
    try {
      await this.#takeUp(digest);
    } catch (thrown) {
      this.#tellRefused({ message: `${(thrown as Error).message}.`, remedy: TRIED_AGAIN });
    } finally {
      this.#busy = false;
    }
  }

  async #takeUp(digest: string): Promise<void> {
    const read = this.#readAll();
    if (!read.ok) {
      // Wrong files stay wrong until they change; who could not serve right ones may be able to the next time.
      this.#refusedDigest = digest;
      this.#tellRefused({ message: read.error, remedy: WRONG_FILES });
      return;
    }
    const served = await this.#options.serve(read.value);
    if (!served.ok) {
      this.#tellRefused(served.error);
      return;
    }
    // Data threads read the files themselves: what changed meanwhile is taken up the next time.
    this.#digest = digest;
    this.#served = read.value;
    this.#refusedDigest = '';
    this.#options.alerts.resolve(this.#refused);
    this.#tellExpiry();
  }

  #tellRefused({ message, remedy }: NotServed): void {
    const { of } = this.#options;
    this.#options.alerts.raise({
      ...this.#refused,
      severity: 'critical',
      message: `New certificate files${of === '' ? '' : ` of the ${of}`} can't be used, so the ones before are still served: ${message}`,
      remedy,
    });
  }

  #readAll(): Result<readonly ReadCertificate[], string> {
    const { files, readText, clock } = this.#options;
    const checked = files!.map((each) => checkCertificate(each, readText, clock.wallMs()));
    const fault = checked.find(({ certificate }) => certificate === null);
    if (fault !== undefined) return err(fault.diagnostics[0]!.message);
    return ok(checked.map(({ certificate }) => certificate!));
  }

  #digestNow(): string {
    const digest = createHash('sha256');
    for (const { certificateFile, keyFile } of this.#options.files!) {
      for (const path of [certificateFile, keyFile])
        digest.update(`${JSON.stringify(this.#options.readText(path))}\n`);
    }
    return digest.digest('hex');
  }

  #tellExpiry(): void {
    const { clock, alerts } = this.#options;
    for (const { certificateFile, expiresMs } of this.#served) {
      const identity = { kind: 'certificate-expires', subject: certificateFile } as const;
      const leftMs = expiresMs - clock.wallMs();
      if (leftMs > SOON_MS) {
        alerts.resolve(identity);
        continue;
      }
      const day = new Date(expiresMs).toISOString().slice(0, 10);
      alerts.raise({
        ...identity,
        severity: leftMs <= URGENT_MS ? 'critical' : 'warning',
        message: `The certificate in ${certificateFile} ${leftMs <= 0 ? 'expired' : 'expires'} on ${day}.`,
        remedy: 'Renew it: the new files are taken up by themselves.',
      });
    }
  }
}

const WRONG_FILES = 'Put certificate and key in place together; they are read again as soon as they change.';

/** For what may pass by itself. A restart could end with nothing served. */
export const TRIED_AGAIN =
  'It is tried again every few seconds. Where it stays so, put the former files back, and have the certificate made anew.';

const DAY_MS = 24 * 3_600_000;
const SOON_MS = 30 * DAY_MS;
const URGENT_MS = 7 * DAY_MS;
