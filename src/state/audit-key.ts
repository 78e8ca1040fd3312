/** The key that signs the ends of the audit log. It lies beside the store, not in it: a copy of the store can't forge a log. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import { KEY_BYTES, keyIn, writeKeyFile } from './key-file.ts';
import { problem, reasonOf, type StoreProblem } from './store-problem.ts';

/** In the data folder. */
export const AUDIT_KEY_FILE = 'audit.key';

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
  return ok({
    bytes,
    state: 'fresh',
    keep: () => writeKeyFile(join(folder, AUDIT_KEY_FILE), bytes, 'the audit log'),
  });
}

/** Null where there is none. */
export function readAuditKey(folder: string): Result<Uint8Array | null, StoreProblem> {
  const path = join(folder, AUDIT_KEY_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return ok(null);
    return unusable(path, `it can't be read: ${reasonOf(thrown)}`);
  }
  const key = keyIn(text);
  return key === null ? unusable(path, `it is not ${KEY_BYTES} bytes in hex`) : ok(key);
}

function unusable(path: string, why: string): ReturnType<typeof problem> {
  return problem(
    'store_unusable',
    path,
    `The key of the audit log can't be used: ${why}.`,
    'Put the file back as it was. Where it is lost, move it away: the next start makes another, and the audit log says so.',
  );
}
