import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryCount, queryValue } from './query.ts';

/** As they come in: what is not ASCII is percent-encoded. */
const raw = fc
  .array(fc.constantFrom('a', 'b', '=', '&', '+', '%41', '%', '%zz', '%C3%A9', '%ff'), { maxLength: 14 })
  .map((parts) => parts.join(''));

describe('a query', () => {
  it('reads as URLSearchParams reads it', () => {
    fc.assert(
      fc.property(raw, fc.constantFrom('a', 'A', '', 'b', 'ab', 'é', '\ufffd'), (query, name) => {
        const expected = new URLSearchParams(query).getAll(name);
        expect(queryValue(query, name)).toBe(expected[0]);
        expect(queryCount(query, name)).toBe(expected.length);
      }),
      { numRuns: 5_000 },
    );
  });
});
