import { describe, expect, it } from 'vitest';
import { TEST_CODES } from '../diagnostics/catalogue/tests.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { placeOf, SourceText } from '../diagnostics/source.ts';
import { checkParsedPolicies } from './check.ts';
import { checkTests } from './check-tests.ts';
import { parsePolicyFile } from './parse.ts';
import { TEST_BLOCK } from './test-block.cases.ts';
import { TEST_DIAGNOSTIC_CASES } from './test-diagnostics.cases.ts';
import { WORLD } from './world.cases.ts';

function checked(text: string, path = 'a.policy') {
  const files = [parsePolicyFile(new SourceText(path, text), 64)];
  const { tests, diagnostics } = checkTests(files, WORLD);
  return { tests, diagnostics: [...checkParsedPolicies(files, WORLD).diagnostics, ...diagnostics] };
}

function shown({ code, span, message, help, related }: Diagnostic) {
  return {
    code,
    at: placeOf(span!).replace('a.policy:', ''),
    message,
    help,
    related: related.map((place) => `${placeOf(place.span)} ${place.message}`),
  };
}

describe('every mistake in a test says what is wrong, where, and what to do', () => {
  it.each(TEST_DIAGNOSTIC_CASES)('$code: $what', ({ code, text, at, message, help, related = [] }) => {
    const { diagnostics, tests } = checked(text);
    expect(diagnostics.map(shown)).toEqual([{ code, at, message, help, related }]);
    expect(tests.length).toBe(code === 'PT1406' ? 2 : 0);
  });

  it('a policy in a test file is one', () => {
    const { diagnostics } = checked('language 1\npolicy "p" { permit }\n', 'a.test.policy');
    expect(diagnostics.map(({ code }) => code)).toEqual(['PT1407']);
  });

  it('a rule that could not be read is one mistake, not another for each test that names it', () => {
    const { diagnostics } = checked(`language 1
policy "p" { permit
  forbid "a" when request.path is
}
test "t" { when GET /search is sent expect refused 403 by "p" "a" }
`);
    expect(diagnostics.map(({ code }) => code)).toEqual(['PT0119']);
  });

  it('shows every code of the catalogue', () => {
    const codes = new Set([...TEST_DIAGNOSTIC_CASES.map(({ code }) => code), 'PT1407']);
    expect(Object.keys(TEST_CODES).filter((code) => !codes.has(code))).toEqual([]);
  });
});

describe('names and values of tests are resolved', () => {
  it('of every form', () => {
    const policy =
      'policy "p" { permit  limit "pace" at most 1_000 requests in any 1m  in total  alert "errors" when true }';
    const { tests, diagnostics } = checked(`language 1\n${policy}\n${TEST_BLOCK}`);
    expect(diagnostics).toEqual([]);
    const [test] = tests;
    const [first, second] = test!.steps;
    expect(new Date(test!.wallMs).toISOString()).toBe('2026-12-05T09:00:00.000Z');
    expect(test!.used).toEqual([{ policy: 'p', rule: 'pace', amount: 1_000 }]);
    expect(second!.caller).toMatchObject({
      identity: {
        tenant: { name: 'acme', plan: 'free', attributes: { tier: 'gold', regions: ['eu', 'us'] } },
        consumer: { name: 'web-shop', roles: ['buyer', 'admin'] },
        credential: { name: 'web-1', createdMs: test!.wallMs - 121 * 86_400_000 },
      },
    });
    expect(first).toMatchObject({
      query: 'page=2',
      host: 'api.example',
      ip: '10.0.0.1',
      headers: ['x-a', '1', 'x-b', '2', 'content-type', 'application/json'],
      body: '{"order":{"lines":3}}',
      bodyBytes: 2_097_152,
      caller: { identity: { consumer: { name: 'crawler', roles: [] } } },
    });
  });

  it.each([
    ['2026-03-29 02:30', '2026-03-29T01:30:00.000Z', 'a time that clocks skip is as much after the gap'],
    ['2026-10-25 02:30', '2026-10-25T00:30:00.000Z', 'of a time shown twice it is the first'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z', 'a date alone is its midnight'],
  ])('%s in Berlin is %s: %s', (written, instant) => {
    const text = `language 1\ntest "t" { given time ${written} in Europe/Berlin when GET /v1/orders is sent expect permitted }`;
    expect(new Date(checked(text).tests[0]!.wallMs).toISOString()).toBe(instant);
  });
});

describe('the body of a test', () => {
  const sent = (parts: string, expected = 'permitted') =>
    checked(`language 1\ntest "t" { when POST /v1/new is sent with ${parts} expect ${expected} }\n`);

  it('has dates and times as JSON writes them', () => {
    const { tests } = sent(
      'body.customer.birthDay 2026-12-01 and body.labels [2027-01-02] and body.note 08:05',
      'permitted with body.customer.birthDay 2026-12-01',
    );
    const [step] = tests[0]!.steps;
    expect(JSON.parse(step!.body)).toEqual({
      customer: { birthDay: '2026-12-01' },
      labels: ['2027-01-02'],
      note: '08:05',
    });
    expect(step!.expects[0]!.body).toEqual([{ path: ['customer', 'birthDay'], value: '2026-12-01' }]);
  });

  it.each([
    ['names no member that the schema has nearly', 'body.colour "red"', 'permitted'],
    ['is to be refused for a name', 'body.ammount 5', 'refused 422'],
    ['has an object that the schema describes', 'body.customer.id "x"', 'permitted'],
  ])('may be one that %s', (_what, parts, expected) => {
    expect(sent(parts, expected).diagnostics).toEqual([]);
  });
});
