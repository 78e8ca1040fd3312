import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globTest } from './glob.ts';

const letters = (alphabet: readonly string[]) =>
  fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }).map((parts) => parts.join(''));

describe('a glob', () => {
  it('matches what its definition matches', () => {
    fc.assert(
      fc.property(
        letters(['a', 'b', '*', '?', '\u{1f600}']),
        letters(['a', 'b', '\u{1f600}']),
        (glob, text) => {
          expect(globTest(glob)(text)).toBe(definition([...glob], [...text]));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('takes time linear in the text for each star', () => {
    const text = 'a'.repeat(20_000);
    expect(globTest(`${'*a'.repeat(20)}b`)(text)).toBe(false);
  });
});

function definition(glob: readonly string[], text: readonly string[]): boolean {
  if (glob[0] === undefined) return text.length === 0;
  if (glob[0] === '*')
    return definition(glob.slice(1), text) || (text.length > 0 && definition(glob, text.slice(1)));
  return (
    text.length > 0 && (glob[0] === '?' || glob[0] === text[0]) && definition(glob.slice(1), text.slice(1))
  );
}
