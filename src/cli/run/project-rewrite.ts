/**
 * Puts other files in the place of those of a project, as one step: what is to be written lies in a journal first, and a journal that
 * a crash left is finished before the project is read again. So no load ever sees a mixture of two versions.
 */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { CONFIGURATION_FOLDERS, hasConfigurationEnding, meantFolder } from '../../config/kinds.ts';
import type { ConfigurationFile } from '../../state/configuration-history.ts';

/** Its name begins with a dot, so that it is no part of the project. */
const JOURNAL = '.portunus-rollback.json';

interface Journal {
  readonly write: readonly (ConfigurationFile & Former)[];
  readonly remove: readonly ({ readonly path: string } & Former)[];
}

/** What lay there when it was begun: SHA-256 in hex, null for nothing. Anything else that lies there later is an edit. */
interface Former {
  readonly before: string | null;
}

/**
 * The project folder has exactly the files `wanted` afterwards, of those that configure it; `present` are their paths now. `begin` is
 * asked before anything is touched, and not at all where there is nothing to do; its error ends it there.
 */
export async function rewriteProject(
  folder: string,
  present: readonly ConfigurationFile[],
  wanted: readonly ConfigurationFile[],
  begin: () => Result<void, string>,
): Promise<Result<void, string>> {
  const texts = new Map(present.map(({ path, text }) => [path, text]));
  const names = new Set(wanted.map(({ path }) => path));
  const former = async <T extends { readonly path: string }>(file: T): Promise<T & Former> => ({
    ...file,
    before: await digestAt(join(folder, file.path)),
  });
  try {
    const changed = wanted.filter(({ path, text }) => texts.get(path) !== text);
    const surplus = [...texts.keys()].filter((path) => !names.has(path)).map((path) => ({ path }));
    if (changed.length === 0 && surplus.length === 0) return ok(undefined);
    const problem = await problemOfAny(folder, { write: changed, remove: surplus });
    if (problem !== null) return err(problem);
    const journal: Journal = {
      write: await Promise.all(changed.map(former)),
      remove: await Promise.all(surplus.map(former)),
    };
    const begun = begin();
    if (!begun.ok) return begun;
    await writeWhole(join(folder, JOURNAL), JSON.stringify(journal));
    // before the first file: a machine that falls may keep later names and lose this one
    await syncFolder(folder);
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
    const journal: unknown = JSON.parse(text);
    // A project that comes from elsewhere may bring one that nobody here began.
    if (!isJournal(journal)) return unfinishable('it is not as Portunus writes it.');
    const problem = await problemOfAny(folder, journal);
    if (problem !== null) return unfinishable(problem);
    await finish(folder, journal);
    return ok('finished');
  } catch (thrown) {
    return unfinishable(`${(thrown as Error).message}.`);
  }
}

function unfinishable(why: string): Result<never, string> {
  return err(`A roll-back that was interrupted can't be finished: ${why} See ${JOURNAL}.`);
}

function isJournal(value: unknown): value is Journal {
  const { write, remove } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isFile = (file: unknown): boolean => {
    const { path, before } = (file ?? {}) as Partial<Record<string, unknown>>;
    return typeof path === 'string' && (before === null || typeof before === 'string');
  };
  const hasText = (file: { readonly text?: unknown }): boolean => typeof file.text === 'string';
  if (!Array.isArray(write) || !Array.isArray(remove)) return false;
  return write.every((file) => isFile(file) && hasText(file)) && remove.every(isFile);
}

/** Each step may be done again. Removed first: a folder may be wanted where a file lies. */
async function finish(folder: string, { write, remove }: Journal): Promise<void> {
  for (const { path, before } of remove) {
    const whole = join(folder, path);
    const found = await digestAt(whole);
    if (found === null) continue;
    if (found !== before) await keepEdit(whole, found);
    await rm(whole, { force: true });
  }
  for (const { path, text, before } of write) {
    const whole = join(folder, path);
    await mkdir(dirname(whole), { recursive: true });
    const found = await digestAt(whole);
    if (found === digestOf(text)) continue;
    if (found !== null && found !== before) await keepEdit(whole, found);
    await writeWhole(whole, text);
  }
  for (const path of new Set([...write, ...remove].map((file) => dirname(file.path))))
    await syncFolder(join(folder, path));
  await rm(join(folder, JOURNAL), { force: true });
  await syncFolder(folder);
}

/** What somebody wrote after the crash is in no version: it stays beside, under a name that is no part of the project. */
async function keepEdit(path: string, digest: string): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.edited-${digest.slice(0, 8)}`);
  await writeWhole(beside, await readFile(path));
}

/** Null where no file lies. */
async function digestAt(path: string): Promise<string | null> {
  try {
    return digestOf(await readFile(path));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
    throw thrown;
  }
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** One sentence about the first file that can't be as it is wanted; null where all can. */
async function problemOfAny(
  folder: string,
  { write, remove }: Readonly<Record<'write' | 'remove', readonly { readonly path: string }[]>>,
): Promise<string | null> {
  const removed = new Set(remove.map(({ path }) => path));
  for (const { path } of [...write, ...remove]) {
    const problem =
      misplaced(path) ??
      (await linkIn(folder, path)) ??
      (removed.has(path) ? null : await obstacleTo(folder, path, removed)) ??
      (await lackOfRights(folder, path));
    if (problem !== null) return problem;
  }
  return null;
}

/** Only what is read as configuration may be written: neither what lies elsewhere nor what others keep in the folder. */
function misplaced(path: string): string | null {
  const parts = path.split('/');
  const [first = '', ...deeper] = parts;
  if (path.startsWith('/') || parts.includes('..')) return `${path} lies outside of the project folder.`;
  const isRead =
    hasConfigurationEnding(parts.at(-1)!) &&
    parts.every((part) => part !== '' && !part.startsWith('.')) &&
    (deeper.length === 0 || CONFIGURATION_FOLDERS.includes(first) || meantFolder(first) !== null);
  return isRead ? null : `${path} is no configuration file of a project.`;
}

/** A link leads to what others own: a volume of Kubernetes, a checkout. */
async function linkIn(folder: string, path: string): Promise<string | null> {
  for (const part of partsOf(path)) {
    const stats = await statsOf(join(folder, part));
    if (stats?.isSymbolicLink())
      return `${part} is a link: the files come from elsewhere, and would be put back from there. Roll back where they come from.`;
  }
  return null;
}

/** What lies where a folder, or the file itself, is to be, and is not going to be removed. */
async function obstacleTo(
  folder: string,
  path: string,
  removed: ReadonlySet<string>,
): Promise<string | null> {
  for (const part of partsOf(path)) {
    const stats = removed.has(part) ? null : await statsOf(join(folder, part));
    if (stats === null) return null;
    if (part !== path && !stats.isDirectory()) return `${part} is no folder: move it away first.`;
    if (part === path && !stats.isFile()) return `${part} is no file: move it away first.`;
  }
  return null;
}

/** Null where nothing lies; throws whatever else keeps it from being looked at. */
function statsOf(path: string): Promise<Stats | null> {
  return lstat(path).catch(nothingThere);
}

function nothingThere(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
function partsOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

async function lackOfRights(folder: string, path: string): Promise<string | null> {
  const nearest = await nearestFolder(folder, dirname(path));
  const isWritable = await access(nearest, constants.W_OK).then(
    () => true,
    () => false,
  );
  return isWritable ? null : `${nearest} can't be written to: roll back where the files come from.`;
}

async function nearestFolder(folder: string, path: string): Promise<string> {
  const whole = join(folder, path);
  if (path === '.' || (await statsOf(whole)) !== null) return whole;
  return await nearestFolder(folder, dirname(path));
}

/** There under its name only when it is whole and on the disk. Rights of a file that is there stay. */
async function writeWhole(path: string, text: string | Uint8Array): Promise<void> {
  const fresh = join(dirname(path), `.${path.slice(dirname(path).length + 1)}.unfinished`);
  const stats = await statsOf(path);
  const mode = stats === null ? 0o644 : stats.mode & 0o777;
  // What lies under this name is of a crash, or a link that somebody laid: it is not written through.
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', mode);
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
  const folder = await open(path, 'r').catch(nothingThere);
  if (folder === null) return;
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
