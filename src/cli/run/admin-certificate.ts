import { X509Certificate } from 'node:crypto';
import { fingerprintOf } from '../../admin/proven-connection.ts';
import type { AdminCertificate, AdminServer } from '../../admin/server.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { CertificateFiles } from '../../model/world.ts';
import type { ReadCertificate } from '../../tools/certificate-findings.ts';
import type { AdminAccessKeeper } from './admin-access.ts';
import {
  type NotServed,
  ServedCertificates,
  type ServedCertificatesOptions,
  TRIED_AGAIN,
} from './served-certificates.ts';

export interface AdminCertificateOptions
  extends Pick<ServedCertificatesOptions, 'clock' | 'readText' | 'alerts'> {
  /** Null: without TLS. */
  readonly files: CertificateFiles | null;
}

/** The certificate of the admin API, replaced as its files are; commands on this machine know it by its fingerprint. */
export class AdminCertificateKeeper {
  readonly #options: AdminCertificateOptions;
  readonly #certificates: ServedCertificates;
  #server: AdminServer | null = null;
  #access: AdminAccessKeeper | null = null;
  #shown: AdminCertificate | null = null;

  constructor(options: AdminCertificateOptions) {
    this.#options = options;
    const { files } = options;
    this.#certificates = new ServedCertificates({
      ...options,
      of: 'admin API',
      files: files === null ? null : [files],
      serve: ([certificate]) => this.#serve(certificate!),
    });
  }

  /** What is shown; empty without TLS. */
  get served(): readonly ReadCertificate[] {
    return this.#certificates.served;
  }

  /** Null without TLS. */
  get fingerprints(): readonly string[] | null {
    return this.#shown === null ? null : [fingerprint(this.#shown)];
  }

  /** The first time; null without TLS. The error is one sentence. */
  read(): Result<AdminCertificate | null, string> {
    const read = this.#certificates.read();
    if (!read.ok || read.value === null) return read.ok ? ok(null) : read;
    const texts = this.#texts(read.value[0]!);
    if (texts.ok) this.#shown = texts.value;
    return texts;
  }

  /** Who is to be told of other ones. */
  use(server: AdminServer, access: AdminAccessKeeper): void {
    this.#server = server;
    this.#access = access;
  }

  /** To be called every few seconds. */
  async look(): Promise<void> {
    if (this.#server !== null) await this.#certificates.look();
  }

  async #serve(certificate: ReadCertificate): Promise<Result<void, NotServed>> {
    const texts = this.#texts(certificate);
    if (!texts.ok) return err({ message: texts.error, remedy: TRIED_AGAIN });
    const before = this.fingerprints ?? [];
    // Both, before the new one is shown: at no moment a command meets a certificate that it doesn't know.
    const written = await this.#access!.write([...new Set([fingerprint(texts.value), ...before])]);
    if (!written.ok) return err({ message: written.error, remedy: ACCESS_REMEDY });
    const served = this.#server!.serveCertificate(texts.value);
    if (!served.ok) return err({ message: served.error, remedy: TRIED_AGAIN });
    this.#shown = texts.value;
    return ok(undefined);
  }

  #texts({ certificateFile, keyFile, names }: ReadCertificate): Result<AdminCertificate, string> {
    const [certificate, key] = [certificateFile, keyFile].map((file) => this.#options.readText(file));
    if (certificate === undefined || key === undefined || 'fault' in certificate || 'fault' in key)
      return err(`The files ${certificateFile} and ${keyFile} changed while they were read.`);
    return ok({ certificate: certificate.text, key: key.text, names });
  }
}

const ACCESS_REMEDY =
  'Make room on the disk of the data folder, and see that it can be written to; it is tried again every few seconds.';

function fingerprint({ certificate }: AdminCertificate): string {
  return fingerprintOf(new X509Certificate(certificate).raw);
}
