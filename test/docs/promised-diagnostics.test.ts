import { describe, expect, it, test } from 'vitest';
import { CATALOGUE } from '../../src/diagnostics/catalogue.ts';
import { placeOf, SourceText } from '../../src/diagnostics/source.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { PROMISED } from './promised-diagnostics.cases.ts';

const PROJECT = {
  'portunus.yaml': `portunus: 1
attributes:
  tenant: { level: { type: number, label: caller }, deposit: { type: money, label: caller } }
currency: USD
`,
  'routes/shop.yaml': `services:
  shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] }
routes:
  # permitted by every policy here but one
  chat: { service: shop, match: { methods: [POST], path: /chat }, tags: [v1] }
  public-search: { service: shop, match: { path: /search }, tags: [v1], auth: optional }
  refund: { service: shop, match: { methods: [POST], path: /refunds }, tags: [money] }
`,
};

/** Routes without a permit are no mistake of the case, unless it says so. */
const REST = 'policy "rest" applies to routes tagged "money" or route "public-search" { permit }\n';

describe('each of the twelve diagnostics of the design is said', () => {
  it.each(PROMISED)('$code', ({ files, said }) => {
    const rest = 'enforcement.yaml' in files ? '' : REST;
    const texts = { ...PROJECT, ...files, 'policies/z.policy': `language 1\n${rest}` };
    const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
    const { diagnostics } = checkProject(sources, '/project', Date.UTC(2026, 10, 24));
    const found = diagnostics.map(({ code, span, message, help, related }) => ({
      code,
      at: span === null ? '' : placeOf(span),
      message,
      help,
      related: related.map((place) => `${placeOf(place.span)} ${place.message}`),
    }));
    expect(found).toEqual([{ related: [], ...said }]);
  });
});

test('those that cannot be said yet say what they wait for, and all others have the code of the design', () => {
  expect(PROMISED).toHaveLength(12);
  for (const { code, said, waitsFor } of PROMISED) {
    expect(said.code in CATALOGUE).toBe(true);
    if (waitsFor === undefined) expect(said.code).toBe(code);
  }
});
