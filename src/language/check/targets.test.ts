import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Provider } from '../../model/pools.ts';
import type { World } from '../../model/world.ts';
import { canonicalCondition } from '../canonical.ts';
import { checkPolicies } from '../check.ts';
import { AI_WORLD } from '../world.cases.ts';

/** Pools of three providers: in Germany, in the United States, and one that says nothing of its region. */
const WORLD: World = {
  ...AI_WORLD,
  models: {
    ...AI_WORLD.models,
    providers: new Map(
      [
        provider('near', 'DE'),
        provider('far', 'US'),
        provider('unsaid', null),
        provider('poolless', 'eu-west-1'),
      ].map((one) => [one.name, one]),
    ),
    pools: new Map(
      ['near', 'far', 'unsaid'].map((name) => [
        name,
        { ...AI_WORLD.models.pools.get('main')!, name, provider: name },
      ]),
    ),
  },
};

function provider(name: string, region: string | null): Provider {
  return { name, dialect: 'openai', region } as Provider;
}

/** Which pools a rule leaves out, and when. */
function barred(rule: string) {
  const text = `language 1\npolicy "p" applies to routes tagged "ai" {\n  permit\n  ${rule}\n}\n`;
  const { policies, diagnostics } = checkPolicies([new SourceText('a.policy', text)], WORLD);
  expect(diagnostics).toEqual([]);
  const filter = policies.policies[0]!.rules.find(({ kind }) => kind === 'filter');
  return filter?.kind !== 'filter'
    ? null
    : filter.barred.map(({ pools, when }) => [pools.join(', '), canonicalCondition(when)]);
}

describe('rules over facts of targets', () => {
  it.each([
    ['require target.region in ["DE", "FR"]', [['far, unsaid', 'true']]],
    ['forbid when target.region is "US"', [['far, unsaid', 'true']]],
    ['forbid when not target.region is "US"', [['near, unsaid', 'true']]],
    ['require target.pool is "near" or target.provider is "far"', [['unsaid', 'true']]],
    [
      'require "eu" target.region is "DE" when tenant.plan is "free"',
      [['far, unsaid', 'tenant.plan is "free"']],
    ],
    [
      'require target.region in tenant.regions',
      [
        ['far', 'not ("US" in tenant.regions)'],
        ['near', 'not ("DE" in tenant.regions)'],
        ['unsaid', 'true'],
      ],
    ],
    [
      'forbid when target.pool starts with "f" and consumer has role "buyer"',
      [['far', 'consumer has role "buyer"']],
    ],
  ])('%s', (rule, expected) => {
    expect(barred(rule)).toEqual(expected);
  });

  it('that all pools fit leave none out', () => {
    expect(barred('require target.pool in ["near", "far", "unsaid"]')).toEqual([]);
  });

  it.each([
    ['"DE", "eu-west-2", "SE"', []],
    ['"DE", "eu-wset-1"', ['There is no region "eu-wset-1".']],
    ['"DE", "eu-west-1", "EU West 1"', ['There is no region "EU West 1".']],
  ])('lists speak of regions to come, but for slips: %s', (regions, messages) => {
    const text = `language 1\npolicy "p" applies to routes tagged "ai" {\n  permit\n  require target.region in [${regions}]\n}\n`;
    const { diagnostics } = checkPolicies([new SourceText('a.policy', text)], WORLD);
    expect(diagnostics.map(({ message }) => message)).toEqual(messages);
  });

  it('are no others', () => {
    expect(barred('forbid when tenant.plan is "free"')).toBeNull();
  });
});
