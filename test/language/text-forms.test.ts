/** What rules may ask of hosts, paths and methods is held to what the gateway makes of requests. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { checkFront, FrontFacts } from '../../src/gateway/front-checks.ts';
import { parseAuthority } from '../../src/gateway/host.ts';
import { normalisePath } from '../../src/gateway/target.ts';
import { SUPPORTED_METHODS } from '../../src/model/methods.ts';
import { regexFits, regexTest } from '../../src/model/regex.ts';
import {
  canBe,
  HEADER_VALUE_FORM,
  HOST_FORM,
  METHOD_FORM,
  NAME_FORM,
  PATH_FORMS,
  reachable,
  START,
  type TextForm,
} from '../../src/model/text-forms.ts';

const FORMS: Readonly<Record<string, TextForm>> = {
  host: HOST_FORM,
  method: METHOD_FORM,
  name: NAME_FORM,
  header: HEADER_VALUE_FORM,
  'path, slashes merged': PATH_FORMS.merge,
  'path, slashes kept': PATH_FORMS.keep,
};

/** Texts that the gateway hands to rules, drawn from pieces that matter to it. */
const pathPieces = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '/', '//', '.', '..', '%2f', '%2E', '%61', '%c3%a9', '%5B', ';', '[', '"', '{'),
      fc.string({ maxLength: 2 }),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => `/${pieces.join('')}`);
const hostPieces = fc
  .array(fc.oneof(fc.constantFrom('a', 'B', '.', '-', '_', '7', ':80', '[::1]', '[FE80::a]'), fc.string()), {
    maxLength: 5,
  })
  .map((pieces) => pieces.join(''));

const paths = (slashes: 'merge' | 'keep') =>
  pathPieces.map((path) => normalisePath(path, slashes)).filter((path) => typeof path === 'string');

const TEXTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  host: hostPieces.map(parseAuthority).filter((host) => host !== null),
  method: fc.constantFrom(...SUPPORTED_METHODS),
  name: fc.stringMatching(/^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/),
  header: fc.string({ unit: 'grapheme' }).filter((text) => text.trim() === text),
  'path, slashes merged': paths('merge'),
  'path, slashes kept': paths('keep'),
};

const EXPRESSIONS = [
  '',
  '^/',
  '^[a-z]',
  'a|B',
  '(?i)^b.*$',
  '^.{3}$',
  '[.]$',
  '%2F',
  '(?m)^/.*$',
  '\\ba',
  '^(/|)$',
  'G?E?T$',
  '[^/]',
];

describe.each(Object.keys(FORMS))('the form of a %s', (name) => {
  const form = FORMS[name]!;
  const texts = TEXTS[name]!;

  it('takes every text that there is, and finds whatever is asked of one', () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat(), (text, one, other) => {
        const characters = [...text];
        const [from, to] = [one % (characters.length + 1), other % (characters.length + 1)].sort(
          (a, b) => a - b,
        );
        const piece = (start: number, end?: number) => characters.slice(start, end).join('');
        expect(canBe(form, 'is', text)).toBe(true);
        expect(canBe(form, 'contains', piece(from!, to))).toBe(true);
        expect(canBe(form, 'starts-with', piece(0, to))).toBe(true);
        expect(canBe(form, 'ends-with', piece(from!))).toBe(true);
        expect(canBe(form, 'like', `${piece(0, from)}*${piece(to!)}`)).toBe(true);
        for (const expression of EXPRESSIONS) {
          if (form !== HEADER_VALUE_FORM && regexTest(expression)(text))
            expect(`${expression} ${regexFits(expression, form)}`).toBe(`${expression} true`);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('comes to an end from every state', () => {
    for (const state of reachable(form, [START]))
      expect([...reachable(form, [state])].some(form.isEnd)).toBe(true);
  });

  it('has its example', () => {
    expect(canBe(form, 'is', form.example)).toBe(true);
  });
});

const NEVER: readonly [form: string, question: Parameters<typeof canBe>[1], asked: string][] = [
  ['host', 'is', 'EXAMPLE.org'],
  ['host', 'is', 'example.org:443'],
  ['host', 'is', 'example.org.'],
  ['host', 'is', ''],
  ['host', 'is', '*.example.org'],
  ['host', 'starts-with', 'https://'],
  ['host', 'starts-with', '.example'],
  ['host', 'ends-with', ':8080'],
  ['host', 'ends-with', 'org.'],
  ['host', 'contains', 'x..y'],
  ['host', 'like', '*.Example.*'],
  ['host', 'like', '*?é'],
  ['path, slashes merged', 'is', 'orders'],
  ['path, slashes merged', 'is', '/orders?page=1'],
  ['path, slashes merged', 'is', '/a//b'],
  ['path, slashes merged', 'starts-with', 'orders'],
  ['path, slashes merged', 'starts-with', '/a/../b'],
  ['path, slashes merged', 'ends-with', '/..'],
  ['path, slashes merged', 'contains', '%2f'],
  ['path, slashes merged', 'contains', '%61'],
  ['path, slashes merged', 'contains', ' '],
  ['path, slashes merged', 'contains', 'é'],
  ['path, slashes merged', 'like', 'orders/*'],
  ['path, slashes merged', 'like', '/orders/*?x#*'],
  ['method', 'starts-with', 'get'],
  ['method', 'ends-with', 'ETT'],
  ['method', 'like', 'P?T?T'],
  ['name', 'is', 'Acme'],
  ['name', 'contains', ' '],
  ['name', 'ends-with', '-'],
  ['header', 'is', ' gold'],
  ['header', 'is', 'gold '],
  ['header', 'contains', '\n'],
];

test.each(NEVER)('a %s: %s %j can never be', (form, question, asked) => {
  expect(canBe(FORMS[form]!, question, asked)).toBe(false);
});

const NEVER_FITS: readonly [form: string, expression: string][] = [
  ['host', 'EXAMPLE'],
  ['host', '^https?:'],
  ['host', '[A-Z]'],
  ['host', 'org:8080$'],
  ['host', '^$'],
  ['path, slashes merged', '^orders'],
  ['path, slashes merged', '^(orders|refunds)/'],
  ['path, slashes merged', '\\?page='],
  ['path, slashes merged', '//'],
  ['path, slashes merged', 'a^b'],
  ['path, slashes merged', 'a$b'],
  ['method', '^get$'],
  ['name', '^[A-Z]'],
];

test.each(NEVER_FITS)('a %s can never match %s', (form, expression) => {
  expect(regexFits(expression, FORMS[form]!)).toBe(false);
});

test('slashes are doubled where they are kept', () => {
  expect(canBe(PATH_FORMS.keep, 'is', '/a//b')).toBe(true);
  expect(regexFits('//', PATH_FORMS.keep)).toBe(true);
  expect(regexFits('(?i)^EXAMPLE', HOST_FORM)).toBe(true);
});

test('methods outside the form are refused by the gateway', () => {
  const limits = { requestHeaderCount: 10, requestHeaderBytes: 1_000 };
  for (const method of ['get', 'TRACE', 'FOO', ''])
    expect([
      method,
      canBe(METHOD_FORM, 'is', method),
      checkFront(method, ['host', 'a'], limits, new FrontFacts()) === null,
    ]).toEqual([method, false, false]);
});
