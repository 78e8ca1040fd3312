import { readFile } from 'node:fs/promises';
import { CATALOGUE } from '../../diagnostics/catalogue.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';

/** The reference page of all codes; generated from the catalogue and the tests, shipped with the package. */
export const REFERENCE_PAGE = new URL('docs/diagnostics.md', PACKAGE_FOLDER);

/** `portunus check --explain CODE`: the page of one code, as the reference has it. */
export async function explainCode(written: string): Promise<ExitCode> {
  const code = written.toUpperCase();
  if (!Object.hasOwn(CATALOGUE, code)) {
    const near = nearest(code, Object.keys(CATALOGUE));
    const help = near === null ? 'Codes look like PT1203.' : `Did you mean ${near}?`;
    process.stderr.write(`portunus check: There is no code "${written}". ${help}\n`);
    return EXIT.usage;
  }
  const section = sectionOf(await readFile(REFERENCE_PAGE, 'utf8'), code);
  process.stdout.write(`${plain(section)}\n`);
  return EXIT.fine;
}

/** From the heading of the code to the next heading. */
function sectionOf(page: string, code: string): string {
  const start = page.indexOf(`\n### ${code}\n`);
  const end = page.slice(start + 1).search(/\n(?:### PT\d{4}\n|## )/);
  return end === -1 ? page.slice(start + 1) : page.slice(start + 1, start + 1 + end);
}

/** Markdown as a terminal shows it: no heading marks, code blocks indented. */
function plain(markdown: string): string {
  let inBlock = false;
  const lines = markdown.split('\n').flatMap((line) => {
    if (line.startsWith('```')) {
      inBlock = !inBlock;
      return [];
    }
    if (inBlock) return [`    ${line}`.trimEnd()];
    return [line.replace(/^### /, '').replaceAll('**', '')];
  });
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
