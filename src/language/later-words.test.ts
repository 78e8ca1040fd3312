import { expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { LATER_PARTS } from './later-words.ts';
import { parsePolicyFile } from './parse.ts';
import { KEYWORD_GROUPS } from './tokens.ts';

const RULES: ReadonlySet<string> = new Set(KEYWORD_GROUPS.rule);
const offered = [...new Set([...LATER_PARTS.values()].map(({ today }) => today ?? ''))]
  .flatMap((today) => [...today.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text))
  .filter((text) => RULES.has(text.split(' ', 1)[0]!) && !text.includes('…'));

it.each(offered)('what stands for a word of a later version can be read today: %s', (rule) => {
  const source = new SourceText('a.policy', `language 1\npolicy "p" {\n  ${rule}\n}\n`);
  expect(parsePolicyFile(source, 50).diagnostics).toEqual([]);
});

it('several words have something', () => {
  expect(offered.length).toBeGreaterThan(2);
});
