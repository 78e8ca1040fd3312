/** The key that signs the ends of the audit log. It lies beside the store, not in it: a copy of the store can't forge a log. */
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import { problem, reasonOf, type StoreProblem } from './store-problem.ts';
import { syncPath } from './synced-path.ts';

/** In the data folder. */
export const AUDIT_KEY_FILE = 'audit.key';
const KEY_BYTES = 32;
const FILE_MODE = 0o600;

export interface AuditKey {
  readonly bytes: Uint8Array;
  /** `fresh`: there was none; it lies under its name once {@link AuditKey.keep} is called, and is forgotten otherwise. */
  readonly state: 'kept' | 'fresh';
  keep(): Result<void, StoreProblem>;
}

/** Reads the key, and makes one where there is none. Whoever calls holds the lock of the folder. */
export function openAuditKey(folder: string, random: Random): Result<AuditKey, StoreProblem> {
  const known = readAuditKey(folder);
  if (!known.ok) return known;
  if (known.value !== null) return ok({ bytes: known.value, state: 'kept', keep: () => ok(undefined) });
  const bytes = new Uint8Array(KEY_BYTES);
  random.fill(bytes);
  return ok({ bytes, state: 'fresh', keep: () => writeKey(join(folder, AUDIT_KEY_FILE), bytes) });
}

function writeKey(path: string, bytes: Uint8Array): Result<void, StoreProblem> {
  const fresh = `${path}.unfinished`;
  try {
    rmSync(fresh, { force: true });
    const descriptor = openSync(fresh, 'wx', FILE_MODE);
    try {
      writeSync(descriptor, `${Buffer.from(bytes).toString('hex')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    // never in the place of one that is there
    linkSync(fresh, path);
    rmSync(fresh);
    syncPath(dirname(path));
    return ok(undefined);
  } catch (thrown) {
    return problem(
      'store_unusable',
      path,
      `The key of the audit log can't be written: ${reasonOf(thrown)}.`,
      'Make room on the disk and see that the data folder can be written to.',
    );
  }
}

/** Null where there is none. */
export function readAuditKey(folder: string): Result<Uint8Array | null, StoreProblem> {
  const path = join(folder, AUDIT_KEY_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return ok(null);
    return unusable(path, `it can't be read: ${reasonOf(thrown)}`);
  }
  if (!/^[0-9a-f]{64}$/.test(text)) return unusable(path, `it is not ${KEY_BYTES} bytes in hex`);
  return ok(new Uint8Array(Buffer.from(text, 'hex')));
}

function unusable(path: string, why: string): ReturnType<typeof problem> {
  return problem(
    'store_unusable',
    path,
    `The key of the audit log can't be used: ${why}.`,
    'Put the file back as it was. Where it is lost, move it away: the next start makes another, and the audit log says so.',
  );
}
