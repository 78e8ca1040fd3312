import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { World } from '../../model/world.ts';
import { canonicalCondition } from '../canonical.ts';
import { checkPolicies } from '../check.ts';
import type { LimitRule } from '../typed.ts';
import { WORLD } from '../world.cases.ts';

const RATES: World = {
  ...WORLD,
  rates: { EUR: { nanoPerUnit: 1_080_000_000, date: '2026-11-01' } },
};

function ruleOf(rule: string, world = RATES, definition = '') {
  const text = `language 1\n${definition}\npolicy "p" applies to route "list-orders" { ${rule} }`;
  const { policies, diagnostics } = checkPolicies([new SourceText('a.policy', text)], world);
  const messages = diagnostics.map(({ code, message }) => `${code} ${message}`);
  return { rule: policies.policies[0]?.rules[0], messages };
}

function conditionOf(amount: string): string {
  const { rule, messages } = ruleOf(`permit when tenant.deposit > ${amount}`);
  expect(messages).toEqual([]);
  return canonicalCondition(rule!.when!);
}

describe('amounts in a currency that has a rate', () => {
  it('are what they are worth, in conditions', () => {
    expect(conditionOf('€5')).toBe(conditionOf('$5.40'));
    expect(conditionOf('5 EUR')).toBe(conditionOf('$5.40'));
    // rounded up: a nano-unit of a euro is more than one of a dollar
    expect(conditionOf('€0.000000001')).toBe(conditionOf('$0.000000002'));
  });

  it('are what they are worth, where they have a name', () => {
    const { rule, messages } = ruleOf('permit when tenant.deposit > floor', RATES, 'define floor = €5');
    expect(messages).toEqual([]);
    expect(canonicalCondition(rule!.when!)).toBe(conditionOf('$5.40'));
  });

  it('are what they are worth, in budgets, which count in the currency of accounts', () => {
    const { rule, messages } = ruleOf('budget "b" €20 per day in total');
    expect(messages).toEqual([]);
    const { measure, window } = rule as unknown as LimitRule;
    expect(measure).toMatchObject({ kind: 'money', currency: 'USD' });
    expect(window).toMatchObject({ amount: 21_600_000_000 });
  });

  it('are held against prices by what they are worth', () => {
    expect(ruleOf('budget "b" €0.0018 per day in total').messages).toEqual([
      expect.stringMatching(
        /^PT\d+ This budget is smaller than one request, which costs at least \$0\.002 here\.$/,
      ),
    ]);
    expect(ruleOf('budget "b" €0.0019 per day in total').messages).toEqual([]);
  });

  it('end where amounts in the currency of accounts end', () => {
    expect(ruleOf('budget "b" €9_000_000 per day in total').messages).toEqual([
      expect.stringMatching(/^PT\d+ €9_000_000 is too much: amounts end at 9_000_000 USD\.$/),
    ]);
  });

  it('are no unit of numbers, and need a rate of their own', () => {
    expect(ruleOf('permit when tenant.level as EUR > $5').messages).toEqual([
      'PT1214 This is in EUR, and accounts are kept in USD.',
    ]);
    expect(ruleOf('permit when tenant.deposit > £5').messages).toEqual([
      'PT1214 This is in GBP, and accounts are kept in USD.',
    ]);
    expect(ruleOf('permit when tenant.deposit > €5', WORLD).messages).toEqual([
      'PT1214 This is in EUR, and accounts are kept in USD.',
    ]);
  });
});
