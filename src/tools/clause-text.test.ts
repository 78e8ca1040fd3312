import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { checkPolicies } from '../language/check.ts';
import type { TypedExpression } from '../language/typed.ts';
import { WORLD } from '../language/world.cases.ts';
import { clauseText } from './clause-text.ts';

const DEFINES =
  'define old = ["/v1/", "/v2/"]\ndefine eu = ["eu", "us"]\ndefine nets = ["10.0.0.0/08", "::1"]\ndefine sizes = [1KiB, 1MiB]\n';

/** The clauses of a condition, as people see them. */
function clausesOf(condition: string): string[] {
  const text = `language 1\n${DEFINES}policy "p" applies to routes tagged "v1" { permit when ${condition} }\n`;
  const { policies, diagnostics } = checkPolicies([new SourceText('a.policy', text)], WORLD);
  expect(diagnostics).toEqual([]);
  return leaves(policies.policies[0]!.rules[0]!.when!).map(clauseText);
}

function leaves(expression: TypedExpression): TypedExpression[] {
  if (expression.kind === 'and' || expression.kind === 'or') return expression.operands.flatMap(leaves);
  return expression.kind === 'not' ? leaves(expression.operand) : [expression];
}

describe('the text of a clause', () => {
  it('is as it was written, on one line', () => {
    expect(clausesOf('tenant.tier\n  in ["gold"]')).toEqual(['tenant.tier in ["gold"]']);
    expect(clausesOf('tenant.notes ends with " it"')).toEqual(['tenant.notes ends with " it"']);
  });

  it.each([
    [
      'any of old has request.path starts with it',
      ['request.path starts with "/v1/"', 'request.path starts with "/v2/"'],
    ],
    ['no one of eu has it is request.host', ['"eu" is request.host', '"us" is request.host']],
    [
      'every of eu has it not in tenant.regions',
      ['"eu" not in tenant.regions', '"us" not in tenant.regions'],
    ],
    ['any of nets has request.ip in it', ['request.ip in "10.0.0.0/8"', 'request.ip in "::1"']],
    [
      'any of sizes has tenant.allowance > it * 2',
      ['tenant.allowance > 1KiB * 2', 'tenant.allowance > 1MiB * 2'],
    ],
  ])('names the item of a defined list: %s', (condition, texts) => {
    expect(clausesOf(condition)).toEqual(texts);
  });

  it('leaves elements of other lists as they are', () => {
    const question = 'any of tenant.regions has it is "eu" or it ends with "it"';
    expect(clausesOf(question)).toEqual([question]);
  });
});
