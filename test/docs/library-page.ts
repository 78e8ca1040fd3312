import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIBRARY } from './examples.ts';

/** The page `policies/README.md`: what the library has, from the head of each file. */
export function libraryPage(): string {
  return `${INTRODUCTION}\n\n| policy | what for | needs |\n|---|---|---|\n${policies().map(row).join('\n')}\n\n${CLOSING}\n`;
}

export function policies(): readonly string[] {
  return readdirSync(join(LIBRARY, 'policies'))
    .filter((name) => name.endsWith('.policy') && !name.endsWith('.test.policy'))
    .sort();
}

const INTRODUCTION = `# Policies to copy

[\`quickstart/\`](quickstart) is what \`npm start\` runs. [\`library/\`](library) has policies for needs that many have: copy a file and its
\`.test.policy\` into your project, put your own routes, tags and attributes in, and run \`portunus test\`.`;

const CLOSING = `Try them as they are:

\`\`\`sh
npx portunus test policies/library --coverage
npx portunus explain refund policies/library
\`\`\`

This page is made from the files by \`npm run generate\`. The test suite drops each rule in turn and sees to it that a test of the library fails.`;

function row(file: string): string {
  const text = readFileSync(join(LIBRARY, 'policies', file), 'utf8');
  const [, name, title] = /^policy "([^"]+)" "([^"]+)"/m.exec(text)!;
  const needs = /^# Needs: ([\s\S]*?)\.\s/m.exec(text)?.[1]?.replaceAll('\n# ', ' ') ?? '';
  return `| [${name}](library/policies/${file}) | ${title} | ${needs} |`;
}
