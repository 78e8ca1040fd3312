import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readProject } from '../../src/cli/run/project-files.ts';
import { SourceText } from '../../src/diagnostics/source.ts';

/**
 * A fenced block of a page: ```` ```policy ```` is right, ```` ```policy PT1204 ```` gives this finding. The blocks named by a
 * file (```` ```yaml portunus.yaml ````) before it, in its section, stand in the place of the library's.
 */
export interface Example {
  readonly page: string;
  readonly line: number;
  readonly code: string | null;
  readonly text: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export const LIBRARY = fileURLToPath(new URL('../../policies/library', import.meta.url));
/** When the pages are read: before all dates in them. */
export const TODAY_MS = Date.UTC(2026, 10, 24);

export function examplesOf(page: string): readonly Example[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```policy(?: (PT\d{4}))?\n([\s\S]*?)^```$/gm)].map((block) => ({
    page,
    line: text.slice(0, block.index).split('\n').length,
    code: block[1] ?? null,
    text: block[2]!,
    files: filesBefore(text.slice(0, block.index)),
  }));
}

function filesBefore(text: string): Example['files'] {
  const section = text.slice(text.lastIndexOf('\n## '));
  const blocks = [...section.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)];
  return blocks.map((block) => ({ path: block[1]!, text: block[2]! }));
}

export async function libraryTexts(): Promise<readonly SourceText[]> {
  const files = await readProject(LIBRARY);
  if (!files.ok) throw new Error(files.error);
  return files.value.texts;
}

/** The library's routes, services and tenants, with this example instead of its policies; what it leaves open is permitted. */
export function projectWith(library: readonly SourceText[], example: Example): readonly SourceText[] {
  const folders = new Set(example.files.map(({ path }) => path.split('/')[0]));
  return [
    ...library.filter(({ path }) => !path.endsWith('.policy') && !folders.has(path.split('/')[0])),
    ...example.files.map(({ path, text }) => new SourceText(path, text)),
    new SourceText('policies/everything-else.policy', 'language 1\npolicy "everything else" { permit }\n'),
    new SourceText('policies/example.policy', `language 1\n${example.text}`),
  ];
}
