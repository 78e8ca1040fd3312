import { describe, expect, it } from 'vitest';
import { and, fact, is, not, permit, policies, policy, setHeader } from '../../test/compiler/ast.ts';
import { world } from '../../test/compiler/world.ts';
import { PROJECT_CODES } from '../diagnostics/catalogue/project.ts';
import type { TypedExpression } from '../language/typed.ts';
import { compileRules } from './compile.ts';
import { FINDING_CASES } from './conflicts.cases.ts';

describe('what is wrong with policies and routes together', () => {
  it.each(FINDING_CASES)('$code: $what', ({ code, policies: checked, world: of, message, help, related }) => {
    const { diagnostics } = compileRules(checked, of);
    const shown = diagnostics.map((each) => ({
      code: each.code,
      severity: each.severity,
      message: each.message,
      help: each.help,
      related: each.related.map((place) => place.message),
    }));
    const { severity } = PROJECT_CODES[code as keyof typeof PROJECT_CODES];
    expect(shown).toEqual([{ code, severity, message, help, related }]);
  });

  it('shows every code of the catalogue', () => {
    const shown = new Set(FINDING_CASES.map(({ code }) => code));
    expect(Object.keys(PROJECT_CODES).filter((code) => !code.startsWith('PT25') && !shown.has(code))).toEqual(
      [],
    );
  });
});

describe('two values for one field', () => {
  const GET = is(fact('request.method'), 'GET');
  const POST = is(fact('request.method'), 'POST');
  const PATH = is(fact('request.path'), '/');
  const found = (a: TypedExpression, b: TypedExpression) =>
    compileRules(
      policies(
        policy('open', {}, [permit()]),
        policy('a', {}, [setHeader('x-a', 'one', { when: a })]),
        policy('b', {}, [setHeader('x-a', 'two', { when: b })]),
      ),
      world(),
    ).diagnostics.map((diagnostic) => diagnostic.code);

  it.each([
    ['one fact has two values', GET, and(PATH, POST)],
    ['one condition is the opposite of the other', and(PATH, GET), not(GET)],
  ])('are no contradiction when %s', (_, a, b) => {
    expect(found(a, b)).toEqual([]);
  });

  it.each([
    ['conditions are about different facts', GET, PATH],
    ['conditions are equal', GET, GET],
  ])('contradict each other when %s', (_, a, b) => {
    expect(found(a, b)).toEqual(['PT2201']);
  });
});
