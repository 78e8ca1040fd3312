import { readFile } from 'node:fs/promises';
import { err, ok, type Result } from '../base/result.ts';
import type { ListenAddress } from '../model/world.ts';

/** How a command on the same machine reaches the running gateway: a file of JSON in the data folder. */
export interface AdminAccess {
  readonly listen: ListenAddress;
  readonly token: string;
}

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
  const { listen, token } = (value ?? {}) as { listen?: Partial<ListenAddress>; token?: unknown };
  if (typeof listen?.address !== 'string' || typeof listen.port !== 'number') return null;
  if (!Number.isInteger(listen.port) || listen.port < 1 || listen.port > 65_535) return null;
  return typeof token === 'string' ? { listen: { address: listen.address, port: listen.port }, token } : null;
}
