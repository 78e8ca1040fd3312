import { readdir, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** Hidden folders and packages hold nothing that the user writes. */
const PASSED_OVER = /^(\.|node_modules$)/;

/**
 * The `*.policy` files that the paths name, and those below the folders they name, each once. Links are followed where they
 * are named, not below folders. Errors are sentences.
 */
export async function findPolicyFiles(paths: readonly string[]): Promise<Result<readonly string[], string>> {
  const found = new Set<string>();
  for (const path of paths) {
    const problem = await find(normalize(path), found);
    if (problem !== null) return err(problem);
  }
  return ok([...found].sort());
}

async function find(path: string, found: Set<string>): Promise<string | null> {
  try {
    if ((await stat(path)).isDirectory()) return await findBelow(path, found, 0);
  } catch (error) {
    return `${path}: ${whyNot(error)}`;
  }
  if (!path.endsWith('.policy')) return `${path} is no policy: only files that end in .policy are formatted.`;
  found.add(path);
  return null;
}

async function findBelow(folder: string, found: Set<string>, depth: number): Promise<string | null> {
  if (depth > LIMIT_DEFAULTS.nestingDepth) return `${folder} is nested too deeply.`;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith('.policy')) found.add(path);
    if (found.size > LIMIT_DEFAULTS.configurationFiles) {
      return `There are more than ${LIMIT_DEFAULTS.configurationFiles} policy files. Name fewer folders.`;
    }
    if (!entry.isDirectory() || PASSED_OVER.test(entry.name)) continue;
    const problem = await findBelow(path, found, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** What the file system says, in words where it is usual. */
export function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder.',
  EACCES: 'permission denied.',
  EROFS: 'the file system is read-only.',
  ENOSPC: 'the disk is full.',
};
