import { expect, test } from 'vitest';
import { faultsInWords } from './faults.ts';

test('a fault names its place in the document, as often as it is said', () => {
  const document = { openapi: '3.1.0', info: { title: 'a', tags: ['x', { a: 1 }] } };
  const marked = (line: number, remark: string) =>
    `KIND words\n\n  1 | {\n> ${line} |   here\n    |   ^^ ${remark}\n`;
  expect(
    faultsInWords(document, [
      marked(1, 'paths is missing here!'),
      marked(4, 'type must be string'),
      marked(4, 'type must be string'),
      marked(8, 'nam is not expected to be here!'),
      'Token "x" does not exist.',
    ]),
  ).toEqual([
    'the document: "paths" is missing.',
    'info → title: type must be string.',
    'info → tags → [2] → a: nam is not expected.',
    'Token "x" does not exist.',
  ]);
});
