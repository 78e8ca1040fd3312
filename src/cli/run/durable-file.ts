import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncPath } from '../../state/synced-path.ts';

/**
 * Writes a file in one step: whoever reads it meanwhile, or after the machine fell, finds the old or the new one as a whole. On the disk
 * when it returns. Throws what the file system throws.
 */
export async function replaceDurably(path: string, text: string, mode: number): Promise<void> {
  const fresh = `${path}.unfinished`;
  // What lies under this name is of a crash, or a link that somebody laid: it is not written through.
  await rm(fresh, { force: true });
  const handle = await open(fresh, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, path);
  syncPath(dirname(path));
}
