import { isDeepStrictEqual } from 'node:util';
import type { CstNode } from 'chevrotain';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { PolicyGrammar } from '../../src/language/grammar/policies.ts';
import { lex } from '../../src/language/lexer.ts';
import { Choices } from '../compiler/choices.ts';
import { drawnNumbers, GRAMMAR, randomSentence, TOKENS, Ways, withRandomGaps } from './random-sentences.ts';

const PARSER = new PolicyGrammar('recovers');
/** What reads right texts in its place. */
const STOPPING = new PolicyGrammar('stops');
const SENTENCES_PER_RULE = 150;

/** What lexer and parser say against a text that should be one `rule`. */
function complaints(rule: string, text: string): readonly string[] {
  const problems: Diagnostic[] = [];
  const { tokens } = lex(new SourceText('a.policy', text), 64, (problem) => problems.push(problem));
  const trees = [PARSER, STOPPING].map((parser) => {
    parser.input = tokens;
    return (parser as unknown as Readonly<Record<string, () => CstNode>>)[rule]!();
  });
  const mistakes = [...problems, ...PARSER.errors, ...STOPPING.errors].map(({ message }) => message);
  return isDeepStrictEqual(trees[0], trees[1]) ? mistakes : [...mistakes, 'the trees differ'];
}

describe('sentences of grammar/portunus.ebnf', () => {
  const rules = [...GRAMMAR.rules.keys()].filter((name) => name !== 'File');
  const ways = new Ways();

  it.each(rules)('the parser reads every %s', (rule) => {
    for (let seed = 1; seed <= SENTENCES_PER_RULE; seed++) {
      const choices = new Choices(drawnNumbers(seed * rules.length + rules.indexOf(rule), 4_000));
      const words = randomSentence(rule, { choices, ways });
      // what ends with a name in brackets is a path only where a value follows
      const [whole, value] = rule === 'BodyPath' ? ['RequestPart', [' 1']] : [rule, []];
      const text = [withRandomGaps(words, choices), ...value].join('\n');
      expect({ text, complaints: complaints(whole, text) }).toEqual({ text, complaints: [] });
    }
  });

  it('take every way through the grammar', () => {
    // `File` is a loop of parse.ts over declarations, not a rule of the parser
    expect(ways.missing().filter((way) => !way.startsWith('File#'))).toEqual([]);
  });

  it('know every token', () => {
    expect([...GRAMMAR.tokens.keys()].sort()).toEqual(Object.keys(TOKENS).sort());
  });
});
