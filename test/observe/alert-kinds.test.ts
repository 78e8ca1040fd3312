/** No alert is untested: each kind stands in a test that raises it, or waits for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ALERT_KINDS } from '../../src/observe/alert-kinds.ts';

it('each kind stands in a test, in the order of the alphabet', () => {
  const kinds = Object.keys(ALERT_KINDS);
  expect(kinds).toEqual(kinds.toSorted());
  const tests = ['src', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => readFileSync(`${folder}/${path}`, 'utf8')),
  );
  const stands = (kind: string) => {
    const word = new RegExp(`(?<![\\w-])${kind}(?![\\w-])`);
    return tests.some((text) => word.test(text));
  };
  expect(kinds.filter((kind) => !stands(kind))).toEqual([]);
});
