import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../src/diagnostics/source.ts';
import { DIAGNOSTIC_CASES } from '../../src/language/diagnostics.cases.ts';
import { FORMAT_CASES } from '../../src/language/format.cases.ts';
import { formatPolicyFile } from '../../src/language/format.ts';
import { formsIn } from './ebnf.ts';
import { GRAMMAR, TOKENS } from './random-sentences.ts';

/** `FUZZ_RUNS` makes a longer run. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 10_000);

const TEXTS = [...FORMAT_CASES.map(({ given }) => given), ...DIAGNOSTIC_CASES.map(({ text }) => text)].filter(
  (text) => text.length < 2_000,
);
const WORDS = [...GRAMMAR.rules.values()]
  .flatMap(formsIn)
  .flatMap((form) => (form.kind === 'word' ? [form.text] : []));
const inserted = fc.oneof(
  fc.constantFrom(...new Set([...WORDS, ...Object.values(TOKENS).flat()])),
  fc.constantFrom('', '#', '"', '/', '\n', '\r', '\\', '5M', 'Forbid', '==', '\u0000', '😀', 'a\u0301'),
  fc.string({ maxLength: 3 }),
);
const edit = fc.tuple(fc.nat(), fc.nat({ max: 10 }), inserted);

/** A policy with a few pieces cut, replaced or put in anywhere. */
const mutated = fc
  .tuple(fc.constantFrom(...TEXTS), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([text, edits]) =>
    edits.reduce((now, [place, length, piece]) => {
      const at = place % (now.length + 1);
      return `${now.slice(0, at)} ${piece} ${now.slice(at + length)}`;
    }, text),
  );

describe('the formatter on mutated policies', () => {
  it('formats to what stays as it is, or says why not, at a place in the file', () => {
    const property = fc.property(mutated, (text) => {
      const result = formatPolicyFile(new SourceText('a.policy', text), 64);
      if (result.kind === 'formatted') {
        expect(formatPolicyFile(new SourceText('a.policy', result.text), 64)).toEqual(result);
        return;
      }
      expect(result.diagnostics.length).toBeGreaterThan(0);
      for (const { span } of result.diagnostics) {
        expect(span!.start).toBeGreaterThanOrEqual(0);
        expect(span!.end).toBeGreaterThanOrEqual(span!.start);
        expect(span!.end).toBeLessThanOrEqual(Math.max(1, text.length));
      }
    });
    fc.assert(property, { numRuns });
  }, 180_000);
});
