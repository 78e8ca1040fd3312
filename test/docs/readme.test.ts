/** The table of commands in the README names every command of the program, and no other. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

function namesIn(path: string, pattern: RegExp): readonly string[] {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  return [...new Set(Array.from(text.matchAll(pattern), ([, name]) => name!))].sort();
}

test('the README names the commands that there are', () => {
  const commands = namesIn('src/cli/program.ts', /\bprogram\s*\.command\('([a-z]+)'/g);
  expect(commands.length).toBeGreaterThan(20);
  expect(namesIn('README.md', /^\| `portunus ([a-z]+)/gm)).toEqual(commands);
});
