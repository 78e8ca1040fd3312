import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../diagnostics/catalogue.ts';
import { SourceText } from '../diagnostics/source.ts';
import { CONDITION_CASES, RULE_CASES, SCOPE_CASES } from './check.cases.ts';
import { checkPolicies } from './check.ts';
import { checkTests } from './check-tests.ts';
import { DIAGNOSTIC_CASES } from './diagnostics.cases.ts';
import { lex } from './lexer.ts';
import { parsePolicyFile } from './parse.ts';
import { TEST_BLOCK } from './test-block.cases.ts';
import { KEYWORD, LATER_WORDS, SIGN, TEST_WORDS } from './tokens.ts';
import { WORLD } from './world.cases.ts';

const ignore = (): void => {};

/** Whatever the text: diagnostics with a place inside it, or policies, never anything else. */
function survives(text: string): void {
  const { diagnostics, policies } = checkPolicies([new SourceText('a.policy', text)], WORLD);
  expect(diagnostics.length).toBeLessThanOrEqual(50);
  for (const { code, message, help, span } of diagnostics) {
    expect(CATALOGUE[code]).toBeDefined();
    expect(message).toMatch(/^[^\n]{3,400}$/u);
    expect(help).toMatch(/^[^\n]{3,500}$/u);
    expect(span!.start).toBeGreaterThanOrEqual(0);
    expect(span!.end).toBeLessThanOrEqual(Math.max(1, text.length));
    expect(span!.end).toBeGreaterThanOrEqual(span!.start);
  }
  if (diagnostics.some(({ severity }) => severity === 'error')) return;
  const heads = lex(new SourceText('a.policy', text), 64, ignore).tokens.filter(
    (one) => one.tokenType === KEYWORD.policy,
  );
  expect(policies.policies).toHaveLength(heads.length);
}

const PROGRAMS: readonly string[] = [
  ...CONDITION_CASES.map(
    ({ text }) => `language 1\npolicy "p" applies to routes tagged "v1" {\n permit when ${text}\n}`,
  ),
  ...SCOPE_CASES.map(({ text }) => `language 1\npolicy "p"\n applies to ${text}\n{\n permit\n}`),
  ...RULE_CASES.map(
    ({ text }) => `language 1\npolicy "p" applies to routes tagged "v1" {\n ${text}\n permit\n}`,
  ),
  ...DIAGNOSTIC_CASES.filter(({ code }) => code !== 'PT0114').map(({ text }) => text),
  `language 1\npolicy "p" { permit }\n${TEST_BLOCK}`,
];

const TOKENS: readonly string[] = [
  ...Object.keys(KEYWORD),
  ...TEST_WORDS,
  'GET /v1/orders',
  ...Object.keys(SIGN),
  ...[...LATER_WORDS].slice(0, 5),
  ...[
    '"x"',
    '"{tenant.name}"',
    '"10.0.0.0/8"',
    '"v1"',
    '"free"',
    '1',
    '60',
    '5m',
    '1MiB',
    '15%',
    '2027-03-31',
    '08:00',
  ],
  ...[
    '$5',
    '5M',
    'Forbid',
    'on-call',
    '.plan',
    '.name',
    '.tags',
    '["x"]',
    'eu',
    '==',
    "'x'",
    '"',
    '#',
    '\n',
    '\\',
  ],
];

const program = fc.constantFrom(...PROGRAMS);
const token = fc.constantFrom(...TOKENS);

/** A valid or nearly valid program with pieces cut, doubled, replaced or inserted. */
const mutated = fc
  .tuple(
    program,
    fc.array(
      fc.tuple(fc.nat(), fc.nat({ max: 12 }), fc.oneof(token, fc.string({ maxLength: 3 }), fc.constant(''))),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((now, [place, length, inserted]) => {
      const at = place % (now.length + 1);
      return `${now.slice(0, at)} ${inserted} ${now.slice(at + length)}`;
    }, text),
  );

describe('any text gives diagnostics or policies', () => {
  it('random characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), survives), { numRuns: 1_000 });
  });

  it('random bytes read as Latin-1', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1'));
    fc.assert(fc.property(bytes, survives), { numRuns: 500 });
  });

  it('random tokens', () => {
    const soup = fc.array(token, { maxLength: 60 }).map((tokens) => tokens.join(' '));
    fc.assert(fc.property(soup, survives), { numRuns: 1_500 });
  });

  it('random tokens inside a policy', () => {
    const soup = fc
      .array(token, { maxLength: 40 })
      .map((tokens) => `language 1\npolicy "p" { ${tokens.join(' ')} }`);
    fc.assert(fc.property(soup, survives), { numRuns: 1_500 });
  });

  it('mutated programs', () => {
    fc.assert(fc.property(mutated, survives), { numRuns: 2_000 });
  });

  it('programs joined and cut anywhere', () => {
    const joined = fc
      .tuple(program, program, fc.nat(), fc.nat())
      .map(([a, b, cut, start]) => a.slice(0, cut % (a.length + 1)) + b.slice(start % (b.length + 1)));
    fc.assert(fc.property(joined, survives), { numRuns: 1_000 });
  });
});

describe('bounds', () => {
  const deep = (open: string, inner: string, close: string, depth: number): string =>
    `language 1\npolicy "p" { permit when ${open.repeat(depth)}${inner}${close.repeat(depth)} }`;

  it.each([
    ['parentheses', '(', 'true', ')'],
    ['negations', 'not ', 'true', ''],
    ['both', 'not (', 'true', ')'],
    ['brackets', '[', '"x"', ']'],
  ])('a million nested %s end in a diagnostic', (_, open, inner, close) => {
    const source = new SourceText('a.policy', deep(open, inner, close, 1_000_000));
    const codes = parsePolicyFile(source, 64).diagnostics.map(({ code }) => code);
    expect(codes).toContain('PT0114');
  });

  it.each([8, 64, 256])('nesting of %d is read, one more is not', (depth) => {
    const codes = (text: string) =>
      parsePolicyFile(new SourceText('a.policy', text), depth).diagnostics.map(({ code }) => code);
    expect(codes(deep('(', 'true', ')', depth))).toEqual([]);
    expect(codes(deep('not ', 'true', '', depth))).toEqual([]);
    expect(codes(deep('(', 'true', ')', depth + 1))).toEqual(['PT0114']);
    expect(codes(deep('not ', 'true', '', depth + 1))).toEqual(['PT0114']);
  });

  it('the deepest nesting the setting allows is checked as well', () => {
    const world = { ...WORLD, limits: { ...WORLD.limits, nestingDepth: 256 } };
    const text = deep('not (', 'route is "admin"', ')', 128);
    const { diagnostics, policies } = checkPolicies([new SourceText('a.policy', text)], world);
    expect(diagnostics).toEqual([]);
    expect(policies.policies).toHaveLength(1);
  });

  it('a long chain is no nesting', () => {
    const chain = Array.from(
      { length: 5_000 },
      (_, index) => `route is not "r" and request.path is not "/${index}"`,
    );
    const text = `language 1\npolicy "p" { permit when ${chain.join(' and ').replaceAll('route is not "r" and ', '')} }`;
    const { policies } = checkPolicies([new SourceText('a.policy', text)], WORLD);
    const [rule] = policies.policies[0]!.rules;
    expect(rule!.when).toMatchObject({ kind: 'and' });
    expect(rule!.when!.kind === 'and' && rule!.when!.operands.length).toBe(5_000);
  });

  it('thirteen thousand mistakes in one policy end, and the first of them are told', () => {
    const text = `language 1\npolicy "p" {\n${'  forbid wen tenant.plan is "x"\n'.repeat(13_000)}}\n`;
    const { diagnostics } = checkPolicies([new SourceText('a.policy', text)], WORLD);
    expect(diagnostics).toHaveLength(50);
    expect(diagnostics.every(({ span }) => span!.start < 2_000)).toBe(true);
  });

  it('mistakes in the tests of a file are no more than that either', () => {
    const test = (at: number) => `test "t${at}" { when GET /nowhere is sent expect permitted }\n`;
    const text = `language 1\n${Array.from({ length: 2_000 }, (_, at) => test(at)).join('')}`;
    expect(
      checkTests([parsePolicyFile(new SourceText('a.policy', text), 64)], WORLD).diagnostics,
    ).toHaveLength(50);
  });
});
