import { describe, expect, it } from 'vitest';
import { type ModelPrice, priceAt } from '../../model/pools.ts';
import { sources } from '../config.cases.ts';
import { loadWorld } from '../load.ts';

/** Input of a million tokens, by key, on a day: the model lists $10, and $20 from the second of January on. */
function inputOn(day: string, pool: string, keys: Readonly<Record<string, string>>): Record<string, number> {
  const written = Object.entries(keys).map(
    ([key, own]) => `${key}: { secret: "env:${key.toUpperCase()}"${own} }`,
  );
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools: { main: { provider: openai${pool}, keys: { ${written.join(', ')} } } }
models: { m: { pools: [main], price: { input: $10, output: $10, asOf: 2026-01-01 }, pricesFrom: { 2027-01-02: { input: $20, output: $20 } } } }
`,
  };
  const { world, diagnostics } = loadWorld(sources(texts), { projectFolder: '/project' });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const model = world!.models.models.get('m')!;
  const ofPool = model.poolPrices.find(({ pool: name }) => name === 'main');
  return Object.fromEntries(
    Object.keys(keys).map((key) => {
      const own = ofPool?.keys.find(({ key: name }) => name === key) ?? ofPool ?? model;
      return [key, (priceAt(own, Date.parse(day)) as ModelPrice).inputNano / 1e9];
    }),
  );
}

const OWN = ', prices: { m: { input: $3, output: $3, asOf: 2026-02-01 } }';
const LATER = ', pricesFrom: { m: { 2027-01-03: { input: $5, output: $5 } } }';

describe('what a key costs', () => {
  it.each([
    ['what the model says', '', '', [10, 20, 20]],
    ['less by a discount of its pool, also later', ', discount: 20%', '', [8, 16, 16]],
    ['its own discount in place of that of its pool', ', discount: 20%', ', discount: 5%', [9.5, 19, 19]],
    ['more by a surcharge', ', surcharge: 12.5%', '', [11.25, 22.5, 22.5]],
    ['what its pool says of the model, whatever the model says later', OWN, '', [3, 3, 3]],
    ['a share of the price of the model, whatever its pool says', OWN, ', discount: 50%', [5, 10, 10]],
    ['what it says itself, whatever its pool does', ', discount: 20%', OWN, [3, 3, 3]],
    ['as before until a day of its own', ', discount: 20%', LATER, [8, 16, 5]],
    ['as its pool until a day of its own', OWN, LATER, [3, 3, 5]],
    ['its own price, and from a day on another', '', `${OWN}${LATER}`, [3, 3, 5]],
    ['nothing, with a discount of all', '', ', discount: 100%', [0, 0, 0]],
  ])('is %s', (_what, pool, key, expected) => {
    const on = (day: string) => inputOn(day, pool, { k1: key, k2: '' });
    expect(['2026-12-01', '2027-01-02', '2027-01-03'].map((day) => on(day).k1)).toEqual(expected);
  });

  it('is that of its pool alone for the other keys', () => {
    expect(inputOn('2026-12-01', ', discount: 10%', { k1: OWN, k2: '', k3: ', surcharge: 0%' })).toEqual({
      k1: 3,
      k2: 9,
      k3: 10,
    });
  });

  it('is known where it is from a day on alone', () => {
    const texts = {
      'portunus.yaml': 'portunus: 1\n',
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main: { provider: openai, choose: cheapest, keys: { k1: { secret: env:A, limits: { perDay: $5 } }, k2: { secret: env:B, discount: 20% } } }
models: { m: { pools: [main], pricesFrom: { 2026-01-02: { input: $20, output: $20 } } } }
`,
    };
    expect(loadWorld(sources(texts), { projectFolder: '/project' }).diagnostics).toEqual([]);
  });
});
