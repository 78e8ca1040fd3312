import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../src/diagnostics/source.ts';
import { CONDITION_CASES, RULE_CASES, SCOPE_CASES } from '../../src/language/check.cases.ts';
import { formatPolicyFile } from '../../src/language/format.ts';
import { lex } from '../../src/language/lexer.ts';
import { parsePolicyFile } from '../../src/language/parse.ts';
import { Choices } from '../compiler/choices.ts';
import { DECLARATIONS, randomSentence, withRandomGaps } from './random-sentences.ts';

/** `FORMAT_SEED` repeats a run that failed; `FORMAT_RUNS` makes a longer one. */
const seed = process.env.FORMAT_SEED;
const numRuns = Number(process.env.FORMAT_RUNS ?? 1_500);

const source = (text: string): SourceText => new SourceText('a.policy', text);
const isFine = (text: string): boolean => parsePolicyFile(source(text), 64).diagnostics.length === 0;

/** What the file says, without the places where it says so. */
function meaning(text: string): unknown {
  const { file, diagnostics } = parsePolicyFile(source(text), 64);
  expect(diagnostics).toEqual([]);
  return JSON.parse(
    JSON.stringify(file, (key, value: unknown) => (key === 'span' || key === 'extent' ? undefined : value)),
  );
}

function comments(text: string): readonly string[] {
  const lexed = lex(source(text), 64, () => {});
  return lexed.comments.map(({ image }) => image.trimEnd()).sort();
}

function formatted(text: string): string {
  const result = formatPolicyFile(source(text), 64);
  expect(result).toMatchObject({ kind: 'formatted' });
  return result.kind === 'formatted' ? result.text : '';
}

/** The promises of the formatter on one file. */
function keepsItsPromises(text: string): void {
  const once = formatted(text);
  expect(formatted(once)).toBe(once);
  expect(meaning(once)).toEqual(meaning(text));
  expect(comments(once)).toEqual(comments(text));
  expect(once).not.toMatch(/[ \t\r]\n|\n\n\n|^\n|\n\n$/);
  expect(once.endsWith('\n')).toBe(true);
}

/** Sentences of these rules are drawn until the builder has nothing against them. */
const IS_WANTED = {
  Rule: (words: readonly string[]) => isFine(`language 1 policy "p" { ${words.join(' ')} }`),
  ...Object.fromEntries(
    DECLARATIONS.map((name) => [name, (words: readonly string[]) => isFine(`language 1 ${words.join(' ')}`)]),
  ),
};

const numbers = fc.uint16Array({ minLength: 200, maxLength: 1_500, size: 'max' });
const randomFile = numbers.map((drawn) => {
  const choices = new Choices(drawn);
  const declarations = choices
    .times(1, 4, () => randomSentence(choices.one(DECLARATIONS), { choices, isWanted: IS_WANTED }))
    .flat();
  return withRandomGaps(['language', '1', ...declarations], choices);
});

describe('the formatter', () => {
  let accepted = 0;

  it('keeps meaning and comments of random policies, and changes nothing the second time', () => {
    const property = fc.property(randomFile, (text) => {
      if (!isFine(text)) return;
      accepted++;
      keepsItsPromises(text);
    });
    fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  }, 120_000);

  it('was given policies that are mostly right', () => {
    expect(accepted).toBeGreaterThan(numRuns / 2);
  });

  it('keeps its promises on every program of the checker’s tables', () => {
    for (const { text } of CONDITION_CASES) keepsItsPromises(`language 1 policy "p" { permit when ${text} }`);
    for (const { text } of SCOPE_CASES)
      keepsItsPromises(`language 1 policy "p" applies to ${text} { permit }`);
    for (const { text } of RULE_CASES) keepsItsPromises(`language 1 policy "p" { ${text} }`);
  });

  it.each(policyFiles(new URL('../../policies', import.meta.url).pathname))('has been run on %s', (path) => {
    const text = readFileSync(path, 'utf8');
    keepsItsPromises(text);
    expect(text, `run: npx portunus fmt ${path}`).toBe(formatted(text));
  });
});

function policyFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.policy'))
    .map((name) => join(folder, name))
    .sort();
}
