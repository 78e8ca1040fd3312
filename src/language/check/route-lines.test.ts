import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Route, World } from '../../model/world.ts';
import { checkPolicies } from '../check.ts';
import { staticValue } from '../static-value.ts';
import { AI_WORLD } from '../world.cases.ts';

/** A line `llm` of two operations, beside the routes that there are. */
const CHAT = [...AI_WORLD.routes.values()].find(({ ai }) => ai === 'openai/chat')!;
const LINE: readonly Route[] = [
  { ...CHAT, name: 'llm/chat' },
  { ...CHAT, name: 'llm/models', ai: 'openai/models' },
];
const LINED: World = {
  ...AI_WORLD,
  routes: new Map([...AI_WORLD.routes, ...LINE.map((route): [string, Route] => [route.name, route])]),
};

function check(scope: string, rule = 'forbid') {
  const text = `language 1\npolicy "p" applies to ${scope} {\n  ${rule}\n}\n`;
  return checkPolicies([new SourceText('a.policy', text)], LINED);
}

function applied(scope: string): string[] {
  const { policies: checked, diagnostics } = check(scope);
  expect(diagnostics).toEqual([]);
  const condition = checked.policies[0]!.scope!;
  const routes = [...LINED.routes.values()];
  return routes.filter((route) => staticValue(condition, route) === true).map(({ name }) => name);
}

describe('the name of a line stands for all of its routes', () => {
  it.each([
    ['route "llm"', ['llm/chat', 'llm/models']],
    ['route "llm", "open-search"', ['open-search', 'llm/chat', 'llm/models']],
    ['route "llm/chat"', ['llm/chat']],
    ['every route and route is "llm"', ['llm/chat', 'llm/models']],
    ['every route and route in ["llm"]', ['llm/chat', 'llm/models']],
  ])('in %s', (scope, names) => {
    expect(applied(scope)).toEqual(names);
  });

  it('and what is none of them is left out by its opposite', () => {
    const all = [...LINED.routes.keys()];
    const others = all.filter((name) => !name.startsWith('llm/'));
    expect(applied('every route and route is not "llm"')).toEqual(others);
    expect(applied('every route and route not in ["llm"]')).toEqual(others);
  });

  it('and of a folder that may govern the line', () => {
    const owned = { routes: ['llm'], services: [], tags: [] };
    const authorities = [{ folder: 'policies/ai', scope: { tenants: null, owned }, place: '' }];
    const text = 'language 1\npolicy "p" applies to every route {\n  forbid\n}\n';
    const source = new SourceText('policies/ai/a.policy', text);
    const [policy] = checkPolicies([source], { ...LINED, authorities }).policies.policies;
    const governed = [...LINED.routes.values()].filter(
      (route) => staticValue(policy!.scope!, route) === true,
    );
    expect(governed.map(({ name }) => name)).toEqual(['llm/chat', 'llm/models']);
  });

  it('and is suggested where it was meant', () => {
    expect(check('route "llmm"').diagnostics).toMatchObject([
      { code: 'PT1101', help: 'Did you mean "llm" (routes/shop.yaml:14:3)?' },
    ]);
  });

  it('and is no successor', () => {
    const rule = 'deprecate from 2026-11-01 sunset 2027-03-31 successor route "llm"';
    expect(check('route "open-search"', rule).diagnostics).toMatchObject([
      { code: 'PT2121', message: expect.stringContaining('it stands for several routes') },
    ]);
  });
});
