import fc from 'fast-check';
import { expect, it } from 'vitest';
import { outermostMembers } from './outermost-members.ts';

const NAMES = ['usage', 'id', 'é'];
const read = (text: string): unknown => outermostMembers(new TextEncoder().encode(text), NAMES);

it('reads what the parser reads of each name, wherever else it stands and however it is written', () => {
  const name = fc.oneof(fc.constantFrom(...NAMES, 'choices', 'us"age', '\\'), fc.string({ maxLength: 4 }));
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: fc.constantFrom(...'"\\{}[],: é\u{1f600}a'), maxLength: 8 }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(true, false, null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  const written = fc.tuple(fc.dictionary(name, value, { maxKeys: 4 }), fc.constantFrom(0, 1, '\t'));
  fc.assert(
    fc.property(written, fc.constantFrom('', ' ', '\n', '\ufeff'), ([object, space], before) => {
      const text = before + JSON.stringify(object, null, space);
      const parsed = JSON.parse(text.replace('\ufeff', '')) as Record<string, unknown>;
      const expected = Object.fromEntries(
        NAMES.filter((one) => Object.hasOwn(parsed, one)).map((one) => [one, parsed[one]]),
      );
      expect(read(text)).toEqual(expected);
      // Cut anywhere, it is no answer.
      for (let at = 0; at < text.trimEnd().length; at += 3) expect(read(text.slice(0, at))).toBeNull();
    }),
    { numRuns: 300 },
  );
});

it.each([
  ['{"us\\u0061ge":1}', { usage: 1 }],
  ['{"usage":1,"usage":2}', { usage: 2 }],
  ['{"usage":{"usage":3}}', { usage: { usage: 3 } }],
  ['{"choices":[{"usage":3}]}', {}],
  ['{}', {}],
  [' { } ', {}],
  ['{"usage":1} x', null],
  ['{"usage":1,}', null],
  ['{"usage" 1}', null],
  ['{"usage":}', null],
  ['[{"usage":1}]', null],
  ['<html>', null],
  ['', null],
])('%s', (text, expected) => {
  expect(read(text)).toEqual(expected);
});
