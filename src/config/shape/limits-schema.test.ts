import { expect, test } from 'vitest';
import { LIMITS } from '../../base/limits.ts';
import { limitsSchema, written } from './limits-schema.ts';

test('schemas/limits.schema.json is the table of bounds', async () => {
  const text = `${JSON.stringify(limitsSchema(LIMITS), null, 2).replaceAll(/\[\s+("\w+"),\s+("\w+")\s+\]/g, '[$1, $2]')}\n`;
  await expect(text).toMatchFileSnapshot('../../../schemas/limits.schema.json');
});

test('amounts are written in the largest unit that divides them', () => {
  expect(written(65_536, 'bytes')).toBe('64KiB');
  expect(written(1_500, 'bytes')).toBe('1500B');
  expect(written(60_000, 'ms')).toBe('1m');
  expect(written(0, 'ms')).toBe('0m');
});
