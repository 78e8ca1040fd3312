import { readFile } from 'node:fs/promises';
import { err, ok, type Result } from '../base/result.ts';
import type { ListenAddress } from '../model/world.ts';

/** How a command reaches a running gateway; on the same machine, by a file of JSON in the data folder. */
export interface AdminAccess {
  readonly listen: ListenAddress;
  readonly token: string;
  /** Null: without TLS. */
  readonly tls: ServerProof | null;
  /** The command that starts it, for whoever finds that it does not run. */
  readonly startedBy?: string;
}

/** By what the gateway is known, before it is shown the token. */
export type ServerProof =
  /** SHA-256 of the certificates that it serves, as the access file says them: no name and no authority is asked. */
  | { readonly kind: 'pinned'; readonly fingerprints: readonly string[] }
  /** A certificate for the name by which it is called; null trusts the authorities that Node.js knows. */
  | { readonly kind: 'verified'; readonly authorities: string | null };

export type AccessFileError =
  /** No gateway was ever started on this data folder. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

export async function readAdminAccess(file: string): Promise<Result<AdminAccess, AccessFileError>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return err({
        kind: 'absent',
        message: `There is no ${file}: no gateway was started on this data folder yet.`,
      });
    }
    return err({ kind: 'unreadable', message: `${file} can't be read: ${message}.` });
  }
  const access = parseAccess(text);
  if (access !== null) return ok(access);
  return err({
    kind: 'unreadable',
    message: `${file} is damaged: start the gateway anew, it writes the file.`,
  });
}

function parseAccess(text: string): AdminAccess | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { listen, token, fingerprints } = (value ?? {}) as {
    readonly listen?: Partial<ListenAddress>;
    readonly token?: unknown;
    readonly fingerprints?: unknown;
  };
  if (typeof listen?.address !== 'string' || typeof listen.port !== 'number') return null;
  if (!Number.isInteger(listen.port) || listen.port < 1 || listen.port > 65_535) return null;
  if (typeof token !== 'string' || !(fingerprints === undefined || isTexts(fingerprints))) return null;
  return {
    listen: { address: listen.address, port: listen.port },
    token,
    tls: fingerprints === undefined ? null : { kind: 'pinned', fingerprints },
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
