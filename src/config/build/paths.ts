import { type Here, type Report, valueAt } from '../finding.ts';
import { clip } from '../show.ts';

/**
 * The absolute path of a file or folder that a configuration file names. Relative paths start at the folder of that
 * file and stay inside the project (symbolic links are for whoever opens the file to follow).
 */
export function resolvePath(
  written: string,
  here: Here,
  projectFolder: string,
  report: Report,
): string | null {
  if (written.startsWith('/')) return `/${normalise(written.slice(1).split('/'))?.join('/') ?? ''}`;
  const folder = here.file.source.path.split('/').slice(0, -1);
  const segments = normalise([...folder, ...written.split('/')]);
  if (segments === null || /^~|[\\:]/.test(written)) {
    report({
      code: 'PT3112',
      message: `The path "${clip(written)}" ${segments === null ? 'leaves the project folder' : 'is not one that works everywhere'}.`,
      target: valueAt(here),
      help: 'Write a path relative to this file, with /, that stays inside the project folder.',
    });
    return null;
  }
  return [projectFolder.replace(/\/+$/, ''), ...segments].join('/');
}

/** Without `.`, `..` and empty segments; null when it climbs above its root. */
function normalise(segments: readonly string[]): readonly string[] | null {
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return null;
  }
  return kept;
}
