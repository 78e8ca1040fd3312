/**
 * The key that stored secrets are sealed with: from the variable PORTUNUS_SECRETS_KEY, or from a file beside the store, not in it, so a
 * copy of the store alone tells no secret.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import { KEY_BYTES, keyIn, writeKeyFile } from './key-file.ts';
import { problem, reasonOf, type StoreProblem } from './store-problem.ts';

/** In the data folder. */
export const SECRET_KEY_FILE = 'secrets.key';
export const SECRET_KEY_VARIABLE = 'PORTUNUS_SECRETS_KEY';
const OTHERS = 0o077;

export interface SecretKeyPlace {
  readonly folder: string;
  /** Value of {@link SECRET_KEY_VARIABLE}; undefined: it is not set, and the file counts. */
  readonly variable: string | undefined;
}

/** Null where there is none. */
export function readSecretKey({ folder, variable }: SecretKeyPlace): Result<Uint8Array | null, StoreProblem> {
  if (variable !== undefined) {
    const key = keyIn(variable);
    return key === null
      ? unusable(`the variable ${SECRET_KEY_VARIABLE}`, `it is not ${KEY_BYTES} bytes in hex`)
      : ok(key);
  }
  const path = join(folder, SECRET_KEY_FILE);
  let text: string;
  try {
    if ((statSync(path).mode & OTHERS) !== 0)
      return unusable(path, `others may read it: run "chmod 600 ${path}"`);
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return ok(null);
    return unusable(path, `it can't be read: ${reasonOf(thrown)}`);
  }
  const key = keyIn(text);
  return key === null ? unusable(path, `it is not ${KEY_BYTES} bytes in hex`) : ok(key);
}

/** Makes the file where there is none; whoever calls holds the lock of the folder. */
export function makeSecretKey(folder: string, random: Random): Result<Uint8Array, StoreProblem> {
  const key = new Uint8Array(KEY_BYTES);
  random.fill(key);
  const written = writeKeyFile(join(folder, SECRET_KEY_FILE), key, 'stored secrets');
  return written.ok ? ok(key) : written;
}

function unusable(place: string, why: string): ReturnType<typeof problem> {
  return problem(
    'secrets_key_unusable',
    place,
    `The key of stored secrets can't be used: ${place}: ${why}.`,
    'Put it back as it was: what is sealed can be opened with no other.',
  );
}

export function missingSecretKey(folder: string): ReturnType<typeof problem> {
  const place = join(folder, SECRET_KEY_FILE);
  return problem(
    'secrets_key_unusable',
    place,
    `The key of stored secrets is missing: there is no ${place}.`,
    `Put it back, or set ${SECRET_KEY_VARIABLE} to it. Where it is lost, remove each secret and set it again.`,
  );
}
