import { type Dirent, type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import { PORTUNUS } from '../terminal.ts';
import { readTextFile } from './text-files.ts';

/** The files of a project folder, as texts with paths relative to it. */
export interface ProjectFiles {
  readonly folder: string;
  readonly texts: readonly SourceText[];
  /** Absolute folders that hold them: what has to be watched. */
  readonly folders: readonly string[];
}

/** Folders of a project that hold configuration; anything else in it is the user's own. */
const CONFIGURATION_FOLDERS = ['routes', 'schemas', 'tenants', 'policies', 'providers'] as const;
const CONFIGURATION_FILE = /\.(ya?ml|policy|schema\.json)$/;

/** Reads every configuration file. Errors are sentences: the folder is missing, a file can't be read, too much. */
export async function readProject(path: string): Promise<Result<ProjectFiles, string>> {
  const folder = resolve(path);
  const found: Found = { files: [], folders: [folder] };
  try {
    for (const entry of await sortedEntries(folder)) {
      const isRoom = (CONFIGURATION_FOLDERS as readonly string[]).includes(entry.name);
      if (entry.isFile() && CONFIGURATION_FILE.test(entry.name)) found.files.push(join(folder, entry.name));
      else if (entry.isDirectory() && isRoom) await collect(join(folder, entry.name), found, 0);
    }
    const texts: SourceText[] = [];
    for (const file of found.files) {
      const text = readTextFile(file, relative(folder, file));
      if (!text.ok) return text;
      texts.push(text.value);
    }
    return ok({ folder, texts, folders: found.folders });
  } catch (error) {
    return err(sentenceFor(error, folder));
  }
}

interface Found {
  readonly files: string[];
  readonly folders: string[];
}

async function collect(folder: string, found: Found, depth: number): Promise<void> {
  if (depth > LIMIT_DEFAULTS.nestingDepth) throw new Error(`${folder} is nested too deeply.`);
  found.folders.push(folder);
  for (const entry of await sortedEntries(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await collect(path, found, depth + 1);
    else if (entry.isFile() && CONFIGURATION_FILE.test(entry.name)) found.files.push(path);
    if (found.files.length > LIMIT_DEFAULTS.configurationFiles) {
      throw new Error(`There are more than ${LIMIT_DEFAULTS.configurationFiles} configuration files.`);
    }
  }
}

async function sortedEntries(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sentenceFor(error: unknown, folder: string): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  const what = path === undefined ? folder : relative(process.cwd(), path) || path;
  if (code === 'ENOENT') return `${what} does not exist. Make a project with "${PORTUNUS} init".`;
  if (code === 'ENOTDIR') return `${what} is not a folder.`;
  if (code === 'EACCES') return `${what} can't be read: permission denied.`;
  return message;
}

/** Editors save in several steps (write, rename, touch): changes are reported once it has been quiet this long. */
const QUIET_MS = 80;

/** Calls `onChange` after configuration files below the folders changed. `stop` ends it. */
export class ProjectWatcher {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches exactly these folders from now on. */
  watch(folders: readonly string[]): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.includes(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      const watcher = watch(folder, (_event, name) => this.#changed(name));
      // A watched folder that is removed reports an error of its own; its parent reports the change.
      watcher.on('error', () => this.#changed(null));
      this.#watchers.set(folder, watcher);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #changed(name: string | null): void {
    const mayMatter = name === null || CONFIGURATION_FILE.test(name) || !name.includes('.');
    if (!mayMatter || name === 'data') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, QUIET_MS);
  }
}
