import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/compiler/digests.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { formatPolicyFile } from '../../src/language/format.ts';
import { lex } from '../../src/language/lexer.ts';
import { buildProject } from '../../src/tools/build-project.ts';
import { Choices } from '../compiler/choices.ts';
import { drawnNumbers, withRandomGaps } from './random-sentences.ts';

const PROJECT = fileURLToPath(new URL('../../policies/quickstart', import.meta.url));
const TEXTS = readdirSync(PROJECT, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:ya?ml|policy)$/.test(name) && !name.startsWith('data'))
  .sort()
  .map((name) => new SourceText(name, readFileSync(join(PROJECT, name), 'utf8')));

/** What is compiled of the quick start, its policies rewritten. Rules know their line, which formatting changes. */
function compiledText(rewrite: (policy: SourceText) => string): string {
  const texts = TEXTS.map((text) =>
    text.path.endsWith('.policy') ? new SourceText(text.path, rewrite(text)) : text,
  );
  const { built, diagnostics } = buildProject(texts, PROJECT, 0);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { rules, hash: _, ...bundle } = built!.bundle;
  return canonicalJson({ ...bundle, rules: rules.map((rule) => ({ ...rule, place: '' })) });
}

function formatted(source: SourceText): string {
  const result = formatPolicyFile(source, 64);
  return result.kind === 'formatted' ? result.text : '';
}

describe('formatting changes nothing that is compiled', () => {
  const untouched = compiledText(({ text }) => text);

  it('of the quick start, however its words are laid out', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const scrambled = (source: SourceText): string => {
        const words = lex(source, 64, () => {}).tokens.map(({ image }) => image);
        return withRandomGaps(words, new Choices(drawnNumbers(seed, words.length + 2)));
      };
      const format = (source: SourceText): string =>
        formatted(new SourceText(source.path, scrambled(source)));
      expect([seed, compiledText(scrambled), compiledText(format)]).toEqual([seed, untouched, untouched]);
    }
  });

  it('and a changed rule is another hash', () => {
    expect(compiledText(({ text }) => text.replace('at most 60', 'at most 61'))).not.toBe(untouched);
  });
});
