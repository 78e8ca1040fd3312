import fc from 'fast-check';
import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { sameValue } from '../../base/same-value.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { readCarefully } from './careful-reader.ts';
import { refusedCharacter } from './characters.ts';
import { placeKey, readFast } from './fast-reader.ts';
import { locatorOf } from './locator.ts';
import { yamlSoup, yamlValue } from './yaml.cases.ts';

const LEVELS = LIMIT_DEFAULTS.nestingDepth;

/** What each reader makes of a text; undefined when it refuses it. */
function readings(text: string) {
  const fast = readFast(text, LEVELS);
  const careful = readCarefully(new SourceText('f.yaml', text), LIMIT_DEFAULTS);
  return {
    fast: fast.kind === 'read' ? fast.value : undefined,
    style: fast.kind === 'read' ? fast.style : 'failed',
    careful: careful.value,
    diagnostics: careful.diagnostics.map(({ code, message }) => `${code} ${message}`),
  };
}

/** The promise on which the fast path rests: what js-yaml calls plain, the other reader reads alike. */
function expectAlike(text: string): void {
  fc.pre(refusedCharacter(new SourceText('', text)) === null);
  const { fast, style, careful, diagnostics } = readings(text);
  if (style !== 'plain') return;
  // js-yaml takes {[a]} for {a: null}. No schema accepts null (tested there), so such a file is explained in any case.
  if (
    diagnostics.length > 0 &&
    diagnostics.every((diagnostic) => diagnostic.startsWith('PT3010')) &&
    holdsNull(fast)
  )
    return;
  expect({ text, diagnostics }).toEqual({ text, diagnostics: [] });
  expect({ text, same: sameValue(fast, careful), fast, careful }).toMatchObject({ same: true });
}

function holdsNull(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === null;
  return Object.values(value).some(holdsNull);
}

describe('both readers read alike', () => {
  test('what js-yaml writes', () => {
    const style = fc.record({
      indent: fc.integer({ min: 1, max: 6 }),
      flowLevel: fc.integer({ min: -1, max: 3 }),
      noArrayIndent: fc.boolean(),
      condenseFlow: fc.boolean(),
      forceQuotes: fc.boolean(),
      lineWidth: fc.constantFrom(-1, 20, 80),
    });
    fc.assert(
      fc.property(yamlValue, style, (value, options) => {
        const text = dump(value, { ...options, noRefs: true, noCompatMode: true });
        expectAlike(text);
      }),
      { numRuns: 1_000 },
    );
  });

  test('what the yaml package writes', () => {
    const style = fc.record({
      indent: fc.integer({ min: 1, max: 6 }),
      indentSeq: fc.boolean(),
      lineWidth: fc.constantFrom(0, 20, 80),
      defaultStringType: fc.constantFrom(
        'PLAIN',
        'QUOTE_SINGLE',
        'QUOTE_DOUBLE',
        'BLOCK_LITERAL',
        'BLOCK_FOLDED',
      ),
      collectionStyle: fc.constantFrom('any', 'block', 'flow'),
    });
    fc.assert(
      fc.property(yamlValue, style, (value, options) => {
        const text = stringify(value, { ...options, aliasDuplicateObjects: false });
        expectAlike(text);
      }),
      { numRuns: 1_000 },
    );
  });

  // Found by the one below.
  test.each(['{#\r\n}', '{#\n}', '[#\r\n]', '[a,#\n]', 'a: [\nb]', '- a: {\n  b: c}'])('%j', expectAlike);

  test('fragments of YAML in any order', () => {
    fc.assert(fc.property(yamlSoup, expectAlike), { numRuns: 5_000 });
  });
});

test('both readers know the same places', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);
  const leaf = fc.constantFrom(
    {},
    { a: 1 },
    { consumers: { x: {}, y: { team: 'consumers' } }, plan: 'consumers' },
    { list: ['x'] },
  );
  const section = fc.dictionary(name, leaf, { maxKeys: 4 });
  const style = fc.record({
    indent: fc.integer({ min: 1, max: 4 }),
    flowLevel: fc.integer({ min: -1, max: 4 }),
  });
  fc.assert(
    fc.property(section, section, style, (routes, tenants, options) => {
      const text = dump({ routes, tenants }, { ...options, noRefs: true });
      const fast = readFast(text, LEVELS);
      const source = new SourceText('f.yaml', text);
      const locator = locatorOf(source, LEVELS);
      const paths = [
        ...Object.keys(routes).map((key) => ['routes', key]),
        ...Object.entries(tenants).flatMap(([key, tenant]) => [
          ['tenants', key],
          ...Object.keys('consumers' in tenant ? tenant.consumers! : {}).map((consumer) => [
            'tenants',
            key,
            'consumers',
            consumer,
          ]),
        ]),
      ];
      for (const path of paths) {
        const { line, column } = source.position(locator.locate(path, 'key').start);
        expect(fast.kind === 'read' && fast.places.get(placeKey(path))).toBe(`${line}:${column}`);
      }
    }),
    { numRuns: 500 },
  );
});
