import { expect, test } from 'vitest';
import { PROJECT_FOLDER, sources } from '../config.cases.ts';
import { loadWorld } from '../load.ts';

/** The value of an attribute of a type, or what is wrong with it. */
function read(declaration: string, value: string): unknown {
  const texts = {
    'portunus.yaml': `portunus: 1\nrates: { GBP: { rate: 1.25, date: 2026-11-01 } }\nattributes: { tenant: { it: ${declaration} } }\n`,
    'tenants/a.yaml': `tenants: { a: { plan: p, attributes: { it: ${value} } } }\n`,
  };
  const { world, diagnostics } = loadWorld(sources(texts), { projectFolder: PROJECT_FOLDER });
  return (
    world?.directory.tenants.get('a')?.attributes.it ?? diagnostics.map(({ message }) => message).join(' ')
  );
}

test.each([
  ['{ type: text }', 'no', 'no'],
  ['{ type: number }', '5', 5],
  ['{ type: number }', '5_000', 5_000],
  ['{ type: number }', '-1.5', -1.5],
  ['{ type: boolean }', 'false', false],
  ['{ type: duration }', '90 days', 7_776_000_000],
  ['{ type: size }', '1MiB', 1_048_576],
  ['{ type: percent }', '15%', 15],
  ['{ type: money }', '$0.002', 2_000_000],
  ['{ type: money }', '£0.002', 2_500_000],
  ['{ type: date }', '2026-11-01', 20_758],
  ['{ type: time }', '08:30', 510],
  ['{ type: ip }', '10.0.0.1', '10.0.0.1'],
  ['{ type: network }', '10.0.0.0/8', '10.0.0.0/8'],
  ['{ type: network }', '2001:DB8:0::/32', '2001:db8::/32'],
  ['{ enum: [a, b] }', 'b', 'b'],
  ['{ list: duration }', '[5s, 1m]', [5_000, 60_000]],
  ['{ list: text }', '[]', []],
])('%s may be %s', (declaration, value, expected) => expect(read(declaration, value)).toEqual(expected));

test.each([
  ['{ type: text }', '5', 'A text is expected, not 5.'],
  ['{ type: number }', 'five', '"five" is not a number.'],
  ['{ type: number }', '1e300', '1e+300 is too large: numbers end at 2^53.'],
  ['{ type: boolean }', 'yes', '"yes" is neither true nor false.'],
  ['{ type: duration }', '5', '"5" needs a unit here: a duration is expected.'],
  ['{ type: duration }', '[5s]', 'One value is expected, not a list.'],
  ['{ type: money }', '€5', '€5 is in EUR; accounts are kept in USD.'],
  ['{ type: money }', '£7_200_001', '£7_200_001 is too much: amounts end at 9_000_000 USD.'],
  ['{ type: ip }', '10.0.0', '"10.0.0" is not an IP address.'],
  ['{ type: network }', '10.0.0.1/8', '"10.0.0.1/8" has bits behind its length.'],
  ['{ enum: [a, b] }', 'c', '"c" is not a or b.'],
  ['{ list: text }', 'a', 'A list is expected, not "a".'],
  ['{ list: number }', '[1, x]', '"x" is not a number.'],
])('%s may not be %s', (declaration, value, expected) => expect(read(declaration, value)).toBe(expected));
