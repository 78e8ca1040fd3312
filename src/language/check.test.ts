import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { canonicalCondition, counterIdentity } from './canonical.ts';
import { CONDITION_CASES, RULE_CASES, SCOPE_CASES } from './check.cases.ts';
import { checkPolicies } from './check.ts';
import { staticValue } from './static-value.ts';
import type { CheckedPolicy, LimitRule } from './typed.ts';
import { WORLD } from './world.cases.ts';

const DECLARATIONS = [
  'language 1',
  'zone America/New_York',
  'holidays "berlin" 2026-12-26, 2026-12-25',
  'calendar "office" in Europe/Berlin mon..fri 08:00..18:00 except holidays "berlin"',
  'calendar "night" sat..sun 22:00..06:00, wed 12:00..24:00',
  'define offices = ["10.0.0.0/8", "2001:db8::/32"]',
  'define regions = ["eu", "us"]',
  'define home = "eu.example"',
  'define floor = 5 USD',
  'define grace = 2 days',
].join('\n');

function check(...texts: readonly string[]) {
  return checkPolicies(
    texts.map((text, index) => new SourceText(`${index}.policy`, text)),
    WORLD,
  );
}

function policyOf(text: string): CheckedPolicy {
  const { policies, diagnostics } = check(`${DECLARATIONS}\n${text}`);
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  return policies.policies[0]!;
}

describe('conditions', () => {
  it.each(CONDITION_CASES)('$text', ({ text, means }) => {
    const policy = policyOf(`policy "p" applies to routes tagged "v1" { permit when ${text} }`);
    expect(canonicalCondition(policy.rules[0]!.when!)).toBe(means);
  });

  it.each(CONDITION_CASES)('read their own canonical form the same: $means', ({ text, means }) => {
    // lists hold a literal on the left in canonical form, dates and times their run-time numbers
    if (/^(?:not \()?"|\d (?:days|min|of money)$/.test(means)) return expect(text).not.toBe(means);
    const policy = policyOf(
      `policy "p" applies to routes tagged "v1" { permit when ${means.replaceAll('{d}', '\\{d}')} }`,
    );
    expect(canonicalCondition(policy.rules[0]!.when!)).toBe(means);
  });
});

describe('heads', () => {
  it('say from when until when a policy is in force: a part of its scope, in the zone of the file', () => {
    const { scope, effective } = policyOf(
      'policy "p" effective from 2026-12-01 until 2026-12-31 applies to route "admin" { permit }',
    );
    const date = 'request.date["America/New_York"]';
    expect(canonicalCondition(scope!)).toBe(
      `route is "admin" and ${date} >= 20788 days and ${date} <= 20818 days`,
    );
    expect(effective).toEqual({ firstDay: 20_788, lastDay: 20_818, zone: 'America/New_York' });
    const other = policyOf('policy "p" effective after 2026-12-31 { permit }');
    expect(canonicalCondition(other.scope!)).toBe(`${date} >= 20819 days`);
  });

  it('say when people are to look at a policy again', () => {
    const due = (head: string) => policyOf(`policy "p" ${head} { permit }`).review?.dueDay;
    expect(due('review every 90 days reviewed 2026-10-01')).toBe(20_727 + 90);
    expect(due('review by 2026-10-01 reviewed 2026-09-30')).toBe(20_727);
    expect(due('review every 90 days')).toBeNull();
    expect(due('reviewed 2026-10-01')).toBeUndefined();
  });
});

describe('scopes', () => {
  it.each(SCOPE_CASES)('$text', ({ text, means }) => {
    const { scope } = policyOf(`policy "p" applies to ${text} { timeout 1s }`);
    const routes = [...WORLD.routes.values()].filter((route) => staticValue(scope!, route) !== false);
    expect(
      routes
        .map(({ name }) => name)
        .sort()
        .join(' '),
    ).toBe(means);
  });
});

describe('rules', () => {
  it.each(RULE_CASES)('$text', ({ text, rule }) => {
    const policy = policyOf(`policy "p" applies to routes tagged "v1" { ${text} }`);
    expect(plain(policy.rules[0]!)).toMatchObject(rule);
  });

  it.each([
    ['request.body["amount"] > 5', 'request.body.amount > 5'],
    ['request.body["customer"]["@type"] is "x"', 'request.body.customer["@type"] is "x"'],
    ['request.body[ "order\\u{2d}id" ] is "x"', 'request.body["order-id"] is "x"'],
    [
      'any of request.body["items"] has it["price"] is present',
      'any of request.body.items has it.price is present',
    ],
    [
      'any of request.body.items has it["unit-price"] > 5',
      'any of request.body.items has it["unit-price"] > 5',
    ],
  ])('%s is known by the same text as %s', (spelled, canonical) => {
    const keyOf = (condition: string) =>
      policyOf(
        `policy "p" applies to route "place-order" { forbid when ${condition}  because "{request.body[\\"order-id\\"]}" }`,
      ).rules[0]!.key;
    expect(keyOf(spelled)).toBe(keyOf(canonical));
    expect(
      keyOf(
        keyOf(canonical)
          .replace(/^forbid {2}when /, '')
          .replace(/ {2}because.*$/, ''),
      ),
    ).toBe(keyOf(canonical));
  });

  it('count for one key, however its path is spelled', () => {
    const identityOf = (key: string) => {
      const [rule] = policyOf(
        `policy "p" applies to route "place-order" { limit "l" at most 5 requests in any 1m  for each ${key} }`,
      ).rules;
      return counterIdentity('p', rule as LimitRule);
    };
    expect(identityOf('request.body["currency"]')).toBe(identityOf('request.body.currency'));
    expect(identityOf('request.body["order-id"]')).toContain('request.body[\\"order-id\\"]');
  });

  /** Facts by their paths, without spans. */
  function plain(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== 'object') return value;
    const node = value as Readonly<Record<string, unknown>>;
    if (node.kind === 'limit-fact') return { limit: node.fact };
    if (node.kind === 'fact') {
      const { path } = node.definition as { readonly path: string };
      return node.parameter === null ? path : `${path}[${JSON.stringify(node.parameter)}]`;
    }
    return Object.fromEntries(
      Object.entries(node)
        .filter(([name]) => name !== 'span')
        .map(([name, inner]) => [name, plain(inner)]),
    );
  }
});

describe('policies', () => {
  it('have name, title, owner and the place of their name', () => {
    const policy = policyOf('policy "p" "What it is for"\n  owner "ops@acme.example"\n{ permit }');
    expect(policy).toMatchObject({
      name: 'p',
      title: 'What it is for',
      owner: 'ops@acme.example',
      scope: null,
    });
    expect(policy.span.source.text.slice(policy.span.start, policy.span.end)).toBe('"p"');
  });

  it('count equal rules once, however they are spelled', () => {
    const policy = policyOf(
      'policy "p" { permit when route is "admin" permit when (route   is "admin") # again\n timeout 60s timeout 1m }',
    );
    expect(policy.rules.map(({ key }) => key)).toEqual(['permit  when route is "admin"', 'timeout 60000ms']);
  });

  it('tell unnamed limits apart by window and key, not by amount', () => {
    const policy = policyOf(
      'policy "p" { limit at most 5 requests in any 1s in total limit at most 5 requests in any 2s in total quota 5 requests per day in total }',
    );
    expect(policy.rules).toHaveLength(3);
  });

  it('keep a counter when amount, burst, condition and reply change', () => {
    const identity = (text: string) => {
      const [rule] = policyOf(`policy "p" applies to routes tagged "v1" { ${text} }`).rules;
      return rule !== undefined && 'counterIdentity' in rule ? rule.counterIdentity : null;
    };
    const before = identity('limit 5 requests per 1m for each tenant');
    expect(
      identity(
        'limit 6 requests per 60s, burst 9 for each tenant when tenant.trial is true when exceeded status 403',
      ),
    ).toBe(before);
    expect(identity('limit 5 requests per 2m for each tenant')).not.toBe(before);
    expect(identity('limit 5 requests per 1m for each consumer')).not.toBe(before);
    expect(identity('limit "n" 5 requests per 1m for each tenant')).not.toBe(before);
  });

  it('mean the same in any order of files, policies, rules and lines', () => {
    const rules = [
      'permit',
      'timeout 5s',
      'forbid "x" when route is "admin"',
      'limit at most 5 requests in any 1s in total',
    ];
    const texts = ['a', 'B', 'ä', '\u{1F600}', '\uFF5E'].map((name) => ({ name, rules }));
    const written = (order: readonly { name: string; rules: readonly string[] }[], gap: string): string[] =>
      order.map(
        (policy) => `language 1${gap}policy "${policy.name}"${gap}{${gap}${policy.rules.join(gap)}${gap}}`,
      );
    const meaning = (files: readonly string[]) =>
      check(...files).policies.policies.map((policy) => [policy.name, policy.rules.map(({ key }) => key)]);
    const expected = meaning(written(texts, ' '));
    expect(expected.map(([name]) => name)).toEqual(['B', 'a', 'ä', '\uFF5E', '\u{1F600}']);
    const shuffled = fc.shuffledSubarray(texts, { minLength: texts.length });
    const shuffledRules = fc.shuffledSubarray(rules, { minLength: rules.length });
    fc.assert(
      fc.property(shuffled, shuffledRules, fc.constantFrom(' ', '\n', ' # x\n'), (order, own, gap) => {
        expect(
          meaning(
            written(
              order.map(({ name }) => ({ name, rules: own })),
              gap,
            ),
          ),
        ).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});
