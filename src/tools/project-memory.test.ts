import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderJson } from '../diagnostics/render/json.ts';
import { SourceText } from '../diagnostics/source.ts';
import { type CheckedProject, checkProject } from './build-project.ts';
import { ProjectMemory } from './project-memory.ts';

/** Texts that a file of the project may have: right, changed, and wrong in every way that reaches another file. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'portunus.yaml': [
    'portunus: 1\n',
    'portunus: 1\nzone: Europe/Berlin\n',
    'portunus: 1\nlimits: { nestingDepth: 8, diagnosticsPerFile: 1 }\n',
    'portunus: 1\nattributes: { tenant: { plan: { enum: [free, team] } } }\n',
    'portunus: 1\nauthorities: { team: { tags: [v1] } }\n',
    'portunus: 2\n',
  ],
  'routes/a.yaml': [
    'services: { s: { endpoints: [{ url: "http://h" }] } }\nroutes: { r: { service: s, match: { path: /r }, tags: [v1] } }\n',
    'services: { s: { endpoints: [{ url: "http://h" }] } }\nroutes: { r: { service: s, match: { path: /r }, tags: [v2], auth: none } }\n',
    'services: { s: { endpoints: [{ url: "http://h" }] } }\nroutes: { q: { servce: s } }\nx: 1\ny: 2\n',
    'services: {}\n',
  ],
  'routes/c.yaml': [
    'routes: { item: { service: s, match: { path: "/items/{id}" }, tags: [v1, items] } }\n',
    'routes: { item: { service: s, match: { path: "/items/{number}" }, tags: [items], auth: none } }\n',
    '\nroutes:\n  item: { service: s, match: { path: "/items/{id}" }, tags: [v1, items] }\n  more: { service: s, match: { path: /more }, tags: [v1] }\n',
  ],
  'routes/b.yaml': [
    'routes: { other: { service: s, match: { path: /other }, auth: optional } }\n',
    'routes: { r: { service: s, match: { path: /again } } }\n',
    'routes: { other: { service: t, match: { path: /r } } }\n',
    'routes: [',
  ],
  'tenants/a.yaml': [
    'tenants: { acme: { plan: free, consumers: { web: { roles: [buyer], subscriptions: [r] } } } }\n',
    'tenants: { acme: { plan: gold, consumers: { web: { roles: [seller] } } } }\n',
  ],
  'policies/a.policy': [
    'language 1\npolicy "a" { permit }\n',
    'language 1\n\n\npolicy "a" { permit }\n',
    'language 1\npolicy "a" applies to routes tagged "v1" { permit limit at most 5 requests in any 1m  for each tenant }\n',
    'language 1\npolicy "a" { permit when ((((((((((true)))))))))) }\n',
    'language 1\npolicy "b" { permit when consumer has role "buyer" }\n',
    'language 1\npolicy "a" {\n',
  ],
  'policies/b.policy': [
    'language 1\npolicy "b" { forbid when route is "other"  because "no" }\n',
    'language 1\npolicy "b" { set header "x" to "1" in request }\npolicy "b" { permit }\n',
    'language 1\nzone Europe/Berln\n',
  ],
  'policies/c.policy': [
    'language 1\npolicy "c" applies to routes tagged "items" and routes requiring identity { forbid when tenant.name is "acme" }\n',
    'language 1\npolicy "c" applies to routes tagged "items" { forbid when tenant.name is "acme" }\n',
    'language 1\npolicy "c" applies to routes tagged "v1" { deprecate from 2026-01-01 sunset 2027-01-01 successor route "other" }\n',
    'language 1\npolicy "c" applies to routes tagged "items" { forbid when request.parameter["id"] is present }\n',
    'language 1\npolicy "c" applies to route "other" { forbid when tenant is present and tenant.name is "acne" }\n',
    'language 1\npolicy "c" applies to tenant.plan is "free" { permit }\n',
    'language 1\npolicy "c" applies to routes tagged "item" or route "itm" { permit }\n',
    'language 1\npolicy "c" applies to route "r" { set header "x" to "1" in response  when consumer has role "seller" }\n',
  ],
  'policies/d.policy': [
    'language 1\npolicy "d" { set header "y" to "1" in request }\npolicy "e" { set header "z" to "1" in request }\n',
    'language 1\n\npolicy "d" { set header "y" to "1" in request }\npolicy "e" { set header "z" to "1" in request }\n',
    'language 1\n\npolicy "d" { set header "y" to "1" in request }\n\n  policy "e" { set header "y" to "2" in request }\n',
    'language 1\npolicy "d" { set header "y" to "1" in request }\n\npolicy "e" { set header "y" to "2" in request }\n',
    'language 1\npolicy "d" { set header "y" to "1" in request }\npolicy "e" { default request.body.x to 1 }\n',
  ],
  'enforcement.yaml': [
    'policies: { a: shadow }\n',
    'policies: { b: warn, nobody: warn }\n',
    'policies: {}\n',
  ],
};

const FILES = Object.keys(VARIANTS);
const edit = fc.record({ file: fc.constantFrom(...FILES), variant: fc.nat(8) });

/** Everything that can be seen of a build. */
function seen({ built, diagnostics, tests }: CheckedProject): object {
  const { world, policies, bundle } = built ?? {};
  return { diagnostics: renderJson(diagnostics), tests, world, policies, bundle };
}

/** Variants beyond the last one: the file is not there. */
function sourcesOf(project: ReadonlyMap<string, number>): SourceText[] {
  return FILES.flatMap((path) => {
    const text = VARIANTS[path]![project.get(path) ?? 0];
    return text === undefined ? [] : [new SourceText(path, text)];
  });
}

describe('a build with the memory of earlier ones', () => {
  test('is what a build without is, after any edits', () => {
    let fine = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), fc.boolean(), (edits, reversed) => {
        const memory = new ProjectMemory();
        const project = new Map<string, number>();
        for (const { file, variant } of edits) {
          project.set(file, variant);
          const sources = reversed ? sourcesOf(project).reverse() : sourcesOf(project);
          const warm = checkProject(sources, '/srv/gateway', 0, memory);
          const cold = checkProject(sources, '/srv/gateway', 0);
          expect(seen(warm)).toEqual(seen(cold));
          if (cold.built !== null) fine++;
        }
      }),
      { numRuns: 300 },
    );
    // Of some 900 builds: neither only right nor only wrong projects.
    expect(fine).toBeGreaterThan(30);
  });

  const service = 'services: { s: { endpoints: [{ url: "http://h" }] } }\n';
  const route = (name: string, rest: string) => `${name}: { service: s, match: { path: /${name} }, ${rest} }`;
  const routes = (...all: string[]) => `${service}routes: { ${all.join(', ')} }\n`;
  const tenant = (name: string) => `tenants: { ${name}: { plan: free } }\n`;
  const everybody = 'language 1\npolicy "all" { permit }\n';

  test.each([
    [
      'a route elsewhere that makes a scope unsure',
      'policy "p" applies to tenant.plan is "free" and routes tagged "a" { permit }',
      { 'routes/a.yaml': routes(route('x', 'tags: [a]')), 'tenants/a.yaml': tenant('acme') },
      {
        'routes/a.yaml': routes(route('x', 'tags: [a]'), route('y', 'auth: optional')),
        'tenants/a.yaml': tenant('acme'),
      },
    ],
    [
      'a tenant whose name is nearly that of a rule',
      'policy "p" applies to routes requiring identity and routes tagged "a" { forbid when tenant is "acne" }',
      { 'routes/a.yaml': routes(route('x', 'tags: [a]')), 'tenants/a.yaml': tenant('globex') },
      { 'routes/a.yaml': routes(route('x', 'tags: [a]')), 'tenants/a.yaml': tenant('acme') },
    ],
    [
      'another path of a successor',
      'policy "p" applies to routes tagged "a" { deprecate from 2026-01-01 sunset 2027-01-01 successor route "y" }',
      { 'routes/a.yaml': routes(route('x', 'tags: [a]'), route('y', 'tags: []')) },
      {
        'routes/a.yaml': routes(
          route('x', 'tags: [a]'),
          'y: { service: s, match: { path: /elsewhere }, tags: [] }',
        ),
      },
    ],
    [
      'slashes that are merged now, so that a path never has two',
      'policy "p" applies to routes tagged "a" { forbid when request.path contains "//" }',
      {
        'portunus.yaml': 'portunus: 1\nmergeSlashes: false\n',
        'routes/a.yaml': routes(route('x', 'tags: [a]')),
      },
      { 'routes/a.yaml': routes(route('x', 'tags: [a]')) },
    ],
  ])('sees %s', (_, policy, before, after) => {
    const files = (changing: object): SourceText[] =>
      Object.entries({
        'portunus.yaml': 'portunus: 1\n',
        'policies/all.policy': everybody,
        'policies/p.policy': `language 1\n${policy}\n`,
        ...changing,
      }).map(([path, text]) => new SourceText(path, text));
    const memory = new ProjectMemory();
    const first = checkProject(files(before), '/srv/gateway', 0, memory);
    const warm = checkProject(files(after), '/srv/gateway', 0, memory);
    const cold = checkProject(files(after), '/srv/gateway', 0);
    expect(seen(warm)).toEqual(seen(cold));
    // a policy that nothing has changed for would show nothing
    const p = ({ built }: CheckedProject) => built?.policies.policies.find(({ name }) => name === 'p');
    expect(p(first)).toBeDefined();
    expect(p(warm)).not.toEqual(p(first));
  });

  test('keeps the world while no YAML file changes, and the checked policies of files that do not', () => {
    const memory = new ProjectMemory();
    const builtWith = (project: Readonly<Record<string, number>>) => {
      const { built } = checkProject(sourcesOf(new Map(Object.entries(project))), '/srv/gateway', 0, memory);
      return built!;
    };
    const first = builtWith({ 'enforcement.yaml': 2 });
    const second = builtWith({ 'enforcement.yaml': 2, 'policies/a.policy': 1 });
    expect(second.world).toBe(first.world);
    expect(second.policies.policies[1]).toBe(first.policies.policies[1]);
    expect(second.policies.policies[0]).not.toBe(first.policies.policies[0]);
    const third = builtWith({ 'enforcement.yaml': 2, 'tenants/a.yaml': 5 });
    expect(third.world).not.toBe(first.world);
  });

  test('keeps the programs of a policy that only moved, and says where it is now', () => {
    const memory = new ProjectMemory();
    const builtOf = (policies: string) => {
      const texts = {
        'portunus.yaml': 'portunus: 1\n',
        'routes/a.yaml': routes(route('x', 'tags: [a]'), route('y', 'tags: []')),
        'policies/p.policy': `language 1\n${policies}`,
      };
      const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
      return checkProject(sources, '/srv/gateway', 0, memory).built!.bundle;
    };
    const p = 'policy "p" applies to routes tagged "a" { permit }\n';
    const before = builtOf(`policy "all" { permit }\n${p}`);
    const after = builtOf(`policy "all" { permit forbid "odd" when request.method is "PUT" }\n\n\n${p}`);
    expect(after.rules.map(({ place }) => place)).toEqual([
      'policies/p.policy:2:23',
      'policies/p.policy:2:16',
      'policies/p.policy:5:43',
    ]);
    expect(before.rules.at(-1)!.place).toBe('policies/p.policy:3:43');
    const lowered = (name: string) => memory.compiled.lowered.get(name)!.rules[0]!;
    const rule = lowered('p');
    builtOf(`\n\n${p}policy "all" { permit }\n`);
    expect(lowered('p')).toBe(rule);
  });

  test('says where a mistake is now when its rules only moved', () => {
    const memory = new ProjectMemory();
    const set = (value: string) => `policy "set-${value}" { set header "x" to "${value}" in request }\n`;
    const found = ['', '\n\n'].map((above) => {
      const texts = {
        'portunus.yaml': 'portunus: 1\n',
        'routes/a.yaml': routes(route('x', 'tags: [a]')),
        'policies/all.policy': everybody,
        'policies/p.policy': `language 1\n${above}${set('1')}${set('2')}`,
      };
      const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
      const warm = checkProject(sources, '/srv/gateway', 0, memory);
      expect(seen(warm)).toEqual(seen(checkProject(sources, '/srv/gateway', 0)));
      return warm.diagnostics.map(({ code, span }) => `${code} ${span?.source.position(span.start).line}`);
    });
    expect(found).toEqual([['PT2201 3'], ['PT2201 5']]);
  });

  test('holds few former texts of a file, however often it is edited', () => {
    const memory = new ProjectMemory();
    const amounts = Array.from({ length: 12 }, () => 5);
    for (let edit = 0; edit < 30; edit++) {
      amounts[(edit * 5) % amounts.length]!++;
      const policies = amounts.map(
        (amount, at) =>
          `policy "p${at}" { permit limit at most ${amount} requests in any 1m  for each tenant }\n`,
      );
      const texts = {
        'portunus.yaml': 'portunus: 1\n',
        'routes/a.yaml': routes(route('x', 'tags: [a]')),
        'policies/p.policy': `language 1\n${policies.join('')}`,
      };
      const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
      expect(checkProject(sources, '/srv/gateway', 0, memory).built).not.toBeNull();
      const held = [...memory.compiled.lowered.values()].map(({ rules }) => rules[0]!.rule.span.source);
      expect(new Set(held).size).toBeLessThanOrEqual(3);
    }
    const current = [...memory.compiled.lowered.values()].filter(
      ({ policy, rules }) => rules[0]!.rule.span.source === policy.span.source,
    );
    expect(current.length).toBeLessThan(amounts.length);
  });

  test('forgets files that are gone', () => {
    const memory = new ProjectMemory();
    checkProject(sourcesOf(new Map()), '/srv/gateway', 0, memory);
    expect(memory.files.readings.has('routes/b.yaml')).toBe(true);
    checkProject(sourcesOf(new Map([['routes/b.yaml', 9]])), '/srv/gateway', 0, memory);
    expect(memory.files.readings.has('routes/b.yaml')).toBe(false);
  });
});
