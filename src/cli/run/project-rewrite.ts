/**
 * Puts other files in the place of those of a project, as one step: what is to be written lies in a journal first, and a journal that
 * a crash left is finished before the project is read again. So no load ever sees a mixture of two versions.
 */
import { constants } from 'node:fs';
import { access, lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { ConfigurationFile } from '../../state/configuration-history.ts';

/** Its name begins with a dot, so that it is no part of the project. */
const JOURNAL = '.portunus-rollback.json';

interface Journal {
  readonly write: readonly ConfigurationFile[];
  readonly remove: readonly string[];
}

/** The project folder has exactly the files `wanted` afterwards, of those that configure it; `present` are their paths now. */
export async function rewriteProject(
  folder: string,
  present: readonly ConfigurationFile[],
  wanted: readonly ConfigurationFile[],
): Promise<Result<void, string>> {
  const before = new Map(present.map(({ path, text }) => [path, text]));
  const names = new Set(wanted.map(({ path }) => path));
  const journal: Journal = {
    write: wanted.filter(({ path, text }) => before.get(path) !== text),
    remove: [...before.keys()].filter((path) => !names.has(path)),
  };
  try {
    for (const path of [...journal.write.map((file) => file.path), ...journal.remove]) {
      const problem = await problemWith(folder, path);
      if (problem !== null) return err(problem);
    }
    await writeWhole(join(folder, JOURNAL), JSON.stringify(journal));
    await finish(folder, journal);
    return ok(undefined);
  } catch (thrown) {
    return err(`The files can't be written: ${(thrown as Error).message}. ${UNFINISHED}`);
  }
}

const UNFINISHED = 'What was begun is finished when the project is loaded next.';

/** Finishes what a crash interrupted; nothing to do: nothing happens. The error is a sentence. */
export async function finishRewrite(folder: string): Promise<Result<'finished' | 'nothing to do', string>> {
  let text: string;
  try {
    text = await readFile(join(folder, JOURNAL), 'utf8');
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok('nothing to do');
    return err(`${JOURNAL} can't be read: ${message}.`);
  }
  try {
    await finish(folder, JSON.parse(text) as Journal);
    return ok('finished');
  } catch (thrown) {
    return err(
      `A roll-back that was interrupted can't be finished: ${(thrown as Error).message}. See ${JOURNAL}.`,
    );
  }
}

/** Each step may be done again. */
async function finish(folder: string, { write, remove }: Journal): Promise<void> {
  for (const { path, text } of write) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeWhole(join(folder, path), text);
  }
  for (const path of remove) await rm(join(folder, path), { force: true });
  for (const path of new Set([...write.map((file) => file.path), ...remove].map(dirname)))
    await syncFolder(join(folder, path));
  await rm(join(folder, JOURNAL), { force: true });
  await syncFolder(folder);
}

/** A link leads to what others own: a volume of Kubernetes, a checkout. Null where the path can be written. */
async function problemWith(folder: string, path: string): Promise<string | null> {
  if (normalize(path).startsWith('..')) return `${path} lies outside of the project folder.`;
  const parts = path.split('/');
  for (let length = 1; length <= parts.length; length++) {
    const part = parts.slice(0, length).join('/');
    const stats = await lstat(join(folder, part)).catch(() => null);
    if (stats?.isSymbolicLink())
      return `${part} is a link: the files come from elsewhere, and would be put back from there. Roll back where they come from.`;
  }
  const nearest = await nearestFolder(folder, dirname(path));
  const isWritable = await access(nearest, constants.W_OK).then(
    () => true,
    () => false,
  );
  return isWritable ? null : `${nearest} can't be written to: roll back where the files come from.`;
}

async function nearestFolder(folder: string, path: string): Promise<string> {
  const whole = join(folder, path);
  if (path === '.' || (await lstat(whole).catch(() => null)) !== null) return whole;
  return await nearestFolder(folder, dirname(path));
}

/** There under its name only when it is whole and on the disk. Rights of a file that is there stay. */
async function writeWhole(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `.${path.slice(dirname(path).length + 1)}.unfinished`);
  const mode = await lstat(path).then(
    (stats) => stats.mode & 0o777,
    () => 0o644,
  );
  const file = await open(fresh, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

async function syncFolder(path: string): Promise<void> {
  // a folder that went with its last file has nothing to sync
  const folder = await open(path, 'r').catch(() => null);
  if (folder === null) return;
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
