import { describe, expect, it } from 'vitest';
import { ENCODINGS } from '../model/tokenizers.ts';
import { loadEncoding } from './token-count.ts';

describe.each(ENCODINGS)('tokens of %s', (encoding) => {
  it.each([
    ['letters', 'x', 1],
    ['letters of two bytes', 'é', 2],
    ['signs', '!', 1],
    ['blanks', ' ', 1],
    ['line feeds', '\n', 1],
  ])(
    'of a run of %s are counted up to a length, and bounded by its bytes beyond',
    async (_what, unit, bytes) => {
      const count = await loadEncoding(encoding);
      expect(count([unit.repeat(128)])).toBeLessThan(128 * bytes);
      expect(count([`a b ${unit.repeat(129)}`])).toBe(4 + 129 * bytes);
      expect(count([unit.repeat(129), 'hi'])).toBe(129 * bytes + 1);
    },
  );

  it('of what looks like a mark are those of its text', async () => {
    const count = await loadEncoding(encoding);
    expect(count(['<|endoftext|>'])).toBeGreaterThan(3);
  });
});
