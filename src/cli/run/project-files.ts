import { type Dirent, type FSWatcher, realpathSync, type Stats, statSync, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { LIMIT_DEFAULTS, LIMITS } from '../../base/limits.ts';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { CONFIGURATION_FOLDERS, hasConfigurationEnding, meantFolder } from '../../config/kinds.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import type { After } from '../../upstream/timers.ts';
import { PORTUNUS } from '../terminal.ts';
import { readTextFile } from './text-files.ts';

/** The files of a project folder, as texts with paths relative to it. */
export interface ProjectFiles {
  readonly folder: string;
  readonly texts: readonly SourceText[];
  /** Absolute folders that hold them: what has to be watched. */
  readonly folders: readonly string[];
}

/**
 * What is read at most: as much as settings can allow. What this project allows is known when its portunus.yaml is
 * read, and the check holds to it.
 */
const FILES_MAX = LIMITS.configurationFiles.maximum;
const BYTES_MAX = LIMITS.configurationFileBytes.maximum;

/** Reads every configuration file. Errors are sentences: the folder is missing, a file can't be read, too much. */
export async function readProject(path: string): Promise<Result<ProjectFiles, string>> {
  const folder = resolve(path);
  const found: Found = { files: [], folders: new Set([folder]) };
  try {
    for (const entry of await sortedEntries(folder)) {
      const entryPath = join(folder, entry.name);
      if (CONFIGURATION_FOLDERS.includes(entry.name)) {
        if (kindOf(entry, entryPath) !== 'folder') throw new Unusable(entryPath, 'is not a folder.');
        await collect(entryPath, found, [realpathSync(folder)]);
      } else if (entry.isDirectory() && meantFolder(entry.name) !== null) {
        // The check says of each file where it belongs.
        await collect(entryPath, found, [realpathSync(folder)]);
      } else if (hasConfigurationEnding(entry.name)) {
        if (kindOf(entry, entryPath) !== 'file') throw new Unusable(entryPath, 'is not a file.');
        add(entry, entryPath, found);
      }
    }
    const texts: SourceText[] = [];
    for (const file of found.files) {
      // Schemas are JSON, whose reader takes U+FFFD for a character like others.
      const malformed = file.endsWith('.json') ? 'refused' : 'marked';
      const text = readTextFile(file, relative(folder, file), { bytesMax: BYTES_MAX, malformed });
      if (!text.ok) return text;
      texts.push(text.value);
    }
    return ok({ folder, texts, folders: [...found.folders] });
  } catch (error) {
    return err(sentenceFor(error, folder));
  }
}

interface Found {
  readonly files: string[];
  readonly folders: Set<string>;
}

/** Links are followed: volumes of Kubernetes hold nothing else, and a policy that is passed over decides nothing. */
async function collect(folder: string, found: Found, above: readonly string[]): Promise<void> {
  const real = realpathSync(folder);
  if (above.includes(real)) throw new Unusable(folder, 'is a link back to a folder that it lies in.');
  if (above.length > LIMIT_DEFAULTS.nestingDepth) throw new Unusable(folder, 'is nested too deeply.');
  found.folders.add(folder);
  for (const entry of await sortedEntries(folder)) {
    const path = join(folder, entry.name);
    const isConfiguration = hasConfigurationEnding(entry.name);
    if (!isConfiguration && !entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const kind = kindOf(entry, path);
    if (kind === 'folder') await collect(path, found, [...above, real]);
    else if (isConfiguration && kind === 'other') throw new Unusable(path, 'is not a file.');
    else if (isConfiguration) add(entry, path, found);
  }
}

function add(entry: Dirent, path: string, found: Found): void {
  found.files.push(path);
  if (found.files.length > FILES_MAX) {
    throw new Error(`There are more than ${FILES_MAX} configuration files.`);
  }
  // A change of what a link leads to is seen where that lies.
  if (entry.isSymbolicLink()) found.folders.add(dirname(realpathSync(path)));
}

type EntryKind = 'file' | 'folder' | 'other';

function kindOf(entry: Dirent, path: string): EntryKind {
  const target: Dirent | Stats | undefined = entry.isSymbolicLink()
    ? statSync(path, { throwIfNoEntry: false })
    : entry;
  if (target === undefined) throw new Unusable(path, 'is a link to nothing.');
  if (target.isFile()) return 'file';
  return target.isDirectory() ? 'folder' : 'other';
}

async function sortedEntries(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A path that can't be what its name says. `why` completes the sentence. */
class Unusable extends Error {
  constructor(path: string, why: string) {
    super(`${spelled(path)} ${why}`);
  }
}

function spelled(path: string): string {
  return relative(process.cwd(), path) || path;
}

function sentenceFor(error: unknown, folder: string): string {
  const { code, path = folder, message } = error as NodeJS.ErrnoException;
  const what = spelled(path);
  if (code === 'ENOENT' && path === folder) {
    return `${what} does not exist. Make a project with "${PORTUNUS} init".`;
  }
  if (code === 'ENOENT') return `${what} went away while the files were read.`;
  if (code === 'ENOTDIR') return `${what} is not a folder.`;
  if (code === 'EACCES') return `${what} can't be read: permission denied.`;
  if (code === 'ELOOP') return `${what} is a link that leads in a circle.`;
  return message;
}

/** Editors save in several steps (write, rename, touch): changes are reported once it has been quiet this long. */
const QUIET_MS = 80;
/** … or at the latest so long after the first: a file that is written all the time must not put off all the others. */
const QUIET_WAIT_MS_MAX = 1_000;
/** Kubernetes changes a mounted volume by renaming this link. */
const VOLUME_LINK = '..data';

/** Calls `onChange` after configuration files below the folders changed. `stop` ends it. */
export class ProjectWatcher {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #clock: Clock;
  readonly #after: After;
  #cancel: () => void = () => {};
  /** When the first change came that is not loaded yet. */
  #waitingSinceMs: number | null = null;

  constructor(onChange: () => void, clock: Clock, after: After) {
    this.#onChange = onChange;
    this.#clock = clock;
    this.#after = after;
  }

  /** Watches exactly these folders from now on. Null, or a sentence about the first that can't be watched. */
  watch(folders: readonly string[]): string | null {
    let problem: string | null = null;
    for (const [folder, watcher] of this.#watchers) {
      if (folders.includes(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, (_event, name) => this.#changed(name));
        // A watched folder that is removed reports an error of its own; its parent reports the change.
        watcher.on('error', () => this.#changed(null));
        this.#watchers.set(folder, watcher);
      } catch (error) {
        // One that has gone meanwhile is its parent's news.
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT') problem ??= `${spelled(folder)} can't be watched: ${message}.`;
      }
    }
    return problem;
  }

  stop(): void {
    this.#cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #changed(name: string | null): void {
    const mayMatter =
      name === null || hasConfigurationEnding(name) || !name.includes('.') || name === VOLUME_LINK;
    if (!mayMatter || name === 'data') return;
    this.#cancel();
    const nowMs = this.#clock.monotonicMs();
    this.#waitingSinceMs ??= nowMs;
    const delayMs = Math.max(0, Math.min(QUIET_MS, this.#waitingSinceMs + QUIET_WAIT_MS_MAX - nowMs));
    this.#cancel = this.#after(delayMs, () => {
      this.#waitingSinceMs = null;
      this.#onChange();
    });
  }
}
