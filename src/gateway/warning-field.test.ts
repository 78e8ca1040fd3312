import { describe, expect, it } from 'vitest';
import type { Warning } from '../pipeline/context.ts';
import type { RuleInfo } from '../pipeline/program.ts';
import { WARNING_FIELD_CHARACTERS_MAX, warningField } from './warning-field.ts';

function rule(shownName: string, mode: RuleInfo['mode'] = 'enforce'): RuleInfo {
  return {
    policy: 'p',
    rule: shownName,
    shownName,
    kind: 'warn',
    place: 'p.policy:1:1',
    mode,
    reviewDueDay: null,
  };
}

const field = (warnings: readonly Warning[], rules: readonly RuleInfo[]): string =>
  warningField(warnings, { rule: (index) => rules[index] ?? null });

describe('Portunus-Warning', () => {
  it('names rule, code and text of several rules in one list', () => {
    const warnings = [
      { rule: 0, code: 'a', detail: 'first' },
      { rule: 1, code: 'b', detail: 'second' },
    ];
    expect(field(warnings, [rule('p/one'), rule('p/two', 'warn')])).toBe(
      'portunus-warning: "p/one";code="a";detail="first", "p/two";code="b";detail="second"\r\n',
    );
  });

  it.each([
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ['café 100% "x"\n', '%"caf%c3%a9 100%25 %22x%22%0a"'],
    ['a\r\nevil: 1', '%"a%0d%0aevil: 1"'],
    ['', '""'],
  ])('%j is written as %s', (detail, written) => {
    expect(field([{ rule: 0, code: 'a', detail }], [rule('p/one')])).toBe(
      `portunus-warning: "p/one";code="a";detail=${written}\r\n`,
    );
  });

  it('says nothing of rules of shadowed policies', () => {
    expect(field([{ rule: 0, code: 'a', detail: 'x' }], [rule('p/one', 'shadow')])).toBe('');
  });

  it('is bounded: a text that does not fit is left out, then the rule', () => {
    const long = 'x'.repeat(WARNING_FIELD_CHARACTERS_MAX - 40);
    const warnings = ['short', long, long].map((detail, at) => ({ rule: at, code: 'a', detail }));
    const names = ['p/one', 'p/two', long].map((name) => rule(name));
    expect(field(warnings, names)).toBe(
      'portunus-warning: "p/one";code="a";detail="short", "p/two";code="a"\r\n',
    );
  });
});
