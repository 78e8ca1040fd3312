import { closeSync, fsyncSync, openSync } from 'node:fs';

/** A file: its content is on the disk when this returns. A folder: which names it has. Throws what the file system throws. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
