import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import type { Route } from '../model/world.ts';
import { checkPolicies } from './check.ts';
import { matchesGlob, type StaticValue, staticValue } from './static-value.ts';
import { WORLD } from './world.cases.ts';

function conditionOf(text: string) {
  const source = new SourceText('a.policy', `language 1\npolicy "p" { timeout 1s when ${text} }`);
  const { policies, diagnostics } = checkPolicies([source], WORLD);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return policies.policies[0]!.rules[0]!.when!;
}

function valueFor(text: string, route: string): StaticValue {
  return staticValue(conditionOf(text), WORLD.routes.get(route)!);
}

describe('what a route alone decides', () => {
  const cases: readonly (readonly [string, string, StaticValue])[] = [
    ['true', 'admin', true],
    ['false', 'admin', false],
    ['route is "admin"', 'admin', true],
    ['route is not "admin"', 'admin', false],
    ['route.service is "orders"', 'status', false],
    ['route in ["admin", "status"]', 'status', true],
    ['route not in ["admin", "status"]', 'status', false],
    ['route.tags contains "v1"', 'get-order', true],
    ['route.tags contains "v1"', 'status', false],
    ['route.state is "draft"', 'admin', true],
    ['route.requires_identity is true', 'admin', true],
    ['route.requires_identity is true', 'open-search', false],
    ['route.version is present', 'admin', false],
    ['route.version otherwise "1" is "1"', 'admin', true],
    ['route like "get-*"', 'get-order', true],
    ['route starts with "get"', 'admin', false],
    ['request.method is "GET"', 'admin', 'unknown'],
    ['request.ip in ["10.0.0.0/8"]', 'admin', 'unknown'],
    ['request.header["x"] is present', 'admin', 'unknown'],
    ['request.parameter["id"] is present', 'get-order', true],
    ['request.parameter["id"] is present', 'admin', false],
    ['request.parameter["rest"] is present', 'admin', true],
    ['tenant is present', 'admin', true],
    ['tenant is present', 'open-search', 'unknown'],
    ['tenant is present', 'status', false],
    ['tenant is absent', 'status', true],
    ['team is present', 'admin', 'unknown'],
    ['team is present', 'status', false],
    ['team otherwise "shop" is "shop"', 'status', true],
    ['tenant.tier otherwise "gold" in ["gold"]', 'status', true],
    ['consumer has role "buyer"', 'status', false],
    ['consumer does not have role "buyer"', 'status', true],
    ['consumer has role "buyer"', 'admin', 'unknown'],
    ['consumer is subscribed to route', 'status', false],
    ['consumer is not subscribed to route', 'status', true],
    ['not request.method is "GET"', 'admin', 'unknown'],
    ['not route is "admin"', 'admin', false],
    ['request.method is "GET" and route is "admin"', 'status', false],
    ['request.method is "GET" and route is "admin"', 'admin', 'unknown'],
    ['request.method is "GET" or route is "admin"', 'admin', true],
    ['request.method is "GET" or route is "admin"', 'status', 'unknown'],
  ];
  it.each(cases)('%s for %s: %s', (text, route, value) => {
    expect(valueFor(text, route)).toBe(value);
  });
});

describe('three-valued logic', () => {
  const atom = fc.constantFrom(
    'true',
    'false',
    'route is "admin"',
    'request.method is "GET"',
    'request.host is "a"',
  );
  const condition: fc.Arbitrary<string> = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      atom,
      tie('condition').map((inner) => `not (${inner})`),
      fc
        .array(tie('condition'), { minLength: 2, maxLength: 3 })
        .map((all) => all.map((one) => `(${one})`).join(' and ')),
      fc
        .array(tie('condition'), { minLength: 2, maxLength: 3 })
        .map((all) => all.map((one) => `(${one})`).join(' or ')),
    ),
  })).condition;

  /** What the condition is with the two request facts replaced by truth values. */
  function decided(text: string, method: boolean, host: boolean): boolean {
    const plain = text
      .replaceAll('request.method is "GET"', String(method))
      .replaceAll('request.host is "a"', String(host));
    const value = valueFor(plain, 'admin');
    expect(value).not.toBe('unknown');
    return value === true;
  }

  it('never says true or false where a request could make it otherwise', () => {
    fc.assert(
      fc.property(condition, (text) => {
        const value = valueFor(text, 'admin');
        const outcomes = [
          ...[decided(text, true, true), decided(text, true, false)],
          ...[decided(text, false, true), decided(text, false, false)],
        ];
        if (value !== 'unknown') expect(new Set(outcomes)).toEqual(new Set([value]));
      }),
      { numRuns: 300 },
    );
  });
});

describe('globs', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\u{1F600}'), maxLength: 8 });
  const globs = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '\u{1F600}'), maxLength: 8 });

  it('agree with the regular expression they stand for', () => {
    fc.assert(
      fc.property(letters, globs, (text, glob) => {
        const pattern = glob.replace(/[.]/g, '\\.').replaceAll('*', '[^]*').replaceAll('?', '[^]');
        expect(matchesGlob(text, glob)).toBe(new RegExp(`^${pattern}$`, 'u').test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('take no more steps than text times pattern', () => {
    expect(matchesGlob('a'.repeat(20_000), `${'*a'.repeat(30)}b`)).toBe(false);
  });
});

it('every route of the project is asked with its own facts', () => {
  const names = (text: string) =>
    [...WORLD.routes.values()]
      .filter((route: Route) => staticValue(conditionOf(text), route) === true)
      .map(({ name }) => name);
  expect(names('route.requires_identity is false')).toEqual(['open-search', 'status']);
});
