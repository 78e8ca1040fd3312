import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { checkPolicies } from './check.ts';
import { DECLARATION_SLIPS, RULE_SLIPS } from './slips.cases.ts';
import { WORLD } from './world.cases.ts';

function found(text: string) {
  const { diagnostics } = checkPolicies([new SourceText('a.policy', `language 1\n${text}\n`)], WORLD, null);
  return diagnostics.map(({ code, help }) => ({ code, help }));
}

describe('what people write by habit is answered with what to write here, once', () => {
  it.each(RULE_SLIPS)('$written', ({ written, code, help }) => {
    const head = 'policy "p" applies to routes tagged "v1" and routes requiring identity {';
    expect(found(`${head}\n  ${written}\n}`)).toEqual([{ code, help }]);
  });

  it.each(DECLARATION_SLIPS)('$written', ({ written, code, help }) => {
    expect(found(written)).toEqual([{ code, help }]);
  });
});

it('a fact is named as it was written: the zone of the file is understood', () => {
  const text = (fact: string): string => `language 1\npolicy "p" { forbid when ${fact} is "monday" }\n`;
  const said = (fact: string) =>
    checkPolicies([new SourceText('a.policy', text(fact))], WORLD, null).diagnostics.map(
      (one) => one.message,
    );
  expect(said('request.weekday')).toEqual(['There is no request.weekday "monday".']);
  expect(said('request.weekday["UTC"]')).toEqual(['There is no request.weekday["UTC"] "monday".']);
});

it('a word that is none does not end the reading where a fact is looked for', () => {
  const { diagnostics } = checkPolicies(
    [new SourceText('a.policy', 'language 1\npolicy "p" {\n  set header "x-a" to Plan in request\n}\n')],
    WORLD,
    null,
  );
  expect(diagnostics.map(({ message }) => message)).toEqual(['Plan is not a word of the language.']);
});
