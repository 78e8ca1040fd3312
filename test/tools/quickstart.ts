/** The quick start as the tools read it, with any of its files edited. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SourceText } from '../../src/diagnostics/source.ts';
import { type CheckedProject, checkProject } from '../../src/tools/build-project.ts';

const FOLDER = new URL('../../policies/quickstart/', import.meta.url).pathname;

/** Before anything of the quick start is due. */
export const NOW_MS = Date.UTC(2026, 10, 24, 9);

export function quickstartTexts(edit: (path: string, text: string) => string = (_path, text) => text) {
  const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
  const paths = names.filter((name) => /\.(?:ya?ml|policy)$/.test(name) && !name.startsWith('data'));
  return paths
    .sort()
    .map((path) => new SourceText(path, edit(path, readFileSync(join(FOLDER, path), 'utf8'))));
}

export function quickstart(edit?: (path: string, text: string) => string): CheckedProject {
  return checkProject(quickstartTexts(edit), FOLDER, NOW_MS);
}
