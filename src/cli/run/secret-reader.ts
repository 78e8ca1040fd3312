import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { err, ok } from '../../base/result.ts';
import type { ReadSecret } from '../../governance/signing-secrets.ts';
import type { SecretReference } from '../../model/world.ts';
import type { FormerSecret } from '../../pools/rotation.ts';
import type { StoredSecrets } from '../../state/stored-secrets.ts';

/** More is no secret, and is looked at every two seconds. */
const FILE_BYTES_MAX = 64 * 1_024;

/** Reads secrets from where the configuration says that they are. */
export function secretReader(stored: Pick<StoredSecrets, 'open'>): ReadSecret {
  return (reference) => {
    switch (reference.in) {
      case 'environment': {
        const value = process.env[reference.name];
        return value === undefined ? err('it is not set') : ok(Buffer.from(value));
      }
      case 'store': {
        const opened = stored.open(reference.name);
        if (!opened.ok)
          return err(`${withoutStop(opened.error.message)}. ${withoutStop(opened.error.remedy)}`);
        return opened.value === null ? err('there is none of that name') : ok(opened.value.present.value);
      }
      case 'file':
        return readFile(reference.path);
    }
  };
}

/** What the store keeps of a secret that is being replaced; null where it is not, or where it can't be opened, which reading it tells. */
export function formerReader(
  stored: Pick<StoredSecrets, 'open'>,
): (reference: SecretReference) => FormerSecret | null {
  return (reference) => {
    const opened = reference.in === 'store' ? stored.open(reference.name) : null;
    if (opened === null || !opened.ok || opened.value === null) return null;
    const { former, view } = opened.value;
    if (former === null || view.formerUntilMs === null) return null;
    return { value: former.value, sinceMs: view.sinceMs, untilMs: view.formerUntilMs };
  };
}

/** A line break at the end of a file is its editor's. */
function readFile(path: string): ReturnType<ReadSecret> {
  let descriptor: number | null = null;
  try {
    // Without waiting: a pipe that nobody writes to would hold up the control thread.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile())
      return err('it is no regular file: pipes, devices and folders are not read');
    // A file may grow while it is read.
    const bytes = Buffer.alloc(FILE_BYTES_MAX + 1);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    if (length > FILE_BYTES_MAX) return err(`it is larger than ${FILE_BYTES_MAX} bytes`);
    const text = bytes.toString('latin1', 0, length);
    return ok(Buffer.from(text.replace(/\r?\n$/, ''), 'latin1'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return err(code === 'ENOENT' ? 'no such file' : message);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
