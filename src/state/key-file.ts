/** Keys that lie beside the store, each in a file of its own that only its owner reads: 32 bytes, in hex. */
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ok, type Result } from '../base/result.ts';
import { problem, reasonOf, type StoreProblem } from './store-problem.ts';
import { syncPath } from './synced-path.ts';

export const KEY_BYTES = 32;
const FILE_MODE = 0o600;

/** Null: the text is no key. */
export function keyIn(text: string): Uint8Array | null {
  const hex = text.trim();
  return /^[0-9a-fA-F]{64}$/.test(hex) ? new Uint8Array(Buffer.from(hex, 'hex')) : null;
}

/**
 * Durable when it returns, and never in the place of a file that is there. Whoever calls holds the lock of the folder. `subject`: what
 * it is the key of, in words.
 */
export function writeKeyFile(path: string, key: Uint8Array, subject: string): Result<void, StoreProblem> {
  const fresh = `${path}.unfinished`;
  try {
    rmSync(fresh, { force: true });
    const descriptor = openSync(fresh, 'wx', FILE_MODE);
    try {
      writeSync(descriptor, `${Buffer.from(key).toString('hex')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(fresh, path);
    rmSync(fresh);
    syncPath(dirname(path));
    return ok(undefined);
  } catch (thrown) {
    return problem(
      'store_unusable',
      path,
      `The key of ${subject} can't be written: ${reasonOf(thrown)}.`,
      'Make room on the disk and see that the data folder can be written to.',
    );
  }
}
