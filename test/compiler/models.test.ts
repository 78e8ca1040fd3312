/** What rule sets carry of providers, pools and models, and what routes without a service become. */
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import { effectiveConfiguration } from '../../src/config/effective.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import type { Models } from '../../src/model/pools.ts';
import type { World } from '../../src/model/world.ts';
import { fact, forbid, is, list, memberOf, not, permit, policies, policy } from './ast.ts';
import { requestContext, route, start, world } from './world.ts';

const PROVIDERS = new SourceText(
  'providers/all.yaml',
  `providers:
  zeta: { extends: builtin/openai, timeouts: { connect: 3s } }
  alpha: { extends: builtin/groq }
  unused: { extends: builtin/mistral }
pools:
  a: { provider: zeta, keys: { k: { secret: env:A } } }
  b: { provider: alpha, keys: { k: { secret: env:B } } }
models:
  chat: { pools: [a, b], as: gpt-4o }
`,
);

function modelsOf(text: string): Models {
  const { world, diagnostics } = loadWorld(
    [new SourceText('portunus.yaml', 'portunus: 1\n'), new SourceText(PROVIDERS.path, text)],
    { projectFolder: '/project' },
  );
  expect(diagnostics).toEqual([]);
  return world!.models;
}

const MODELS = modelsOf(PROVIDERS.text);
const withModels = (models: Models, rest: Partial<World> = {}): World => ({ ...world(), ...rest, models });
const RULES = policies(policy('all', {}, [permit()]));

describe('a rule set', () => {
  it('has the services of providers that pools have keys of, among the others', () => {
    const { bundle } = compileRules(RULES, withModels(MODELS));
    expect(bundle.services.map(({ name }) => name)).toEqual(['alpha', 'backend', 'probe', 'zeta']);
    expect(bundle.models).toEqual(MODELS);
    for (const { route, service } of bundle.routes)
      expect(bundle.services[service]?.name).toBe(route.service);
  });

  it.each([
    ['a provider', 'connect: 3s', 'connect: 4s'],
    ['a pool', 'env:B', 'env:C'],
    ['a model', 'as: gpt-4o', 'as: gpt-4.1'],
  ])('has another hash with %s that says something else', (_, from, to) => {
    const hash = (models: Models) => compileRules(RULES, withModels(models)).bundle.hash;
    expect(hash(modelsOf(PROVIDERS.text))).toBe(hash(MODELS));
    expect(hash(modelsOf(PROVIDERS.text.replace(from, to)))).not.toBe(hash(MODELS));
  });
});

describe('a route of models', () => {
  const chat = route('chat', { service: null, ai: 'openai/chat', auth: 'none' });
  const service = fact('route.service');
  const of = (rule: ReturnType<typeof forbid>) => {
    const { pipeline, bundle } = start(
      policies(policy('p', {}, [permit(), rule])),
      world({ routes: [chat] }),
      'chat',
    );
    const context = requestContext();
    const isRefused = [pipeline.match(context), pipeline.authorise(context)].some(
      (outcome) => outcome.kind === 'respond',
    );
    return { program: bundle.routes[0]!, isRefused };
  };

  it('leads to no service', () => {
    expect(of(forbid('f', { when: is(service, 'backend') })).program.service).toBe(-1);
  });

  it('is of none that a rule names', () => {
    expect(of(forbid('f', { when: is(service, 'backend') })).isRefused).toBe(false);
    expect(of(forbid('f', { when: memberOf(service, list('backend', 'probe')) })).isRefused).toBe(false);
    expect(of(forbid('f', { when: not(is(service, 'backend')) })).isRefused).toBe(true);
  });
});

describe('the configuration in force', () => {
  const values = effectiveConfiguration([PROVIDERS], world().limits);
  const of = (path: string) => values.find((value) => value.path === path);

  it('says which values are those of a shipped description', () => {
    expect(of('providers.zeta.timeouts.connect')).toMatchObject({
      value: '"3s"',
      place: 'providers/all.yaml:2:57',
    });
    expect(of('providers.zeta.timeouts.total')).toMatchObject({ value: '"10m"', place: null });
    expect(of('providers.zeta.baseUrl')).toMatchObject({
      value: '"https://api.openai.com/v1"',
      place: 'builtin/openai',
    });
    expect(of('providers.alpha.limits.0.window')).toMatchObject({ value: '"1d"', place: 'builtin/groq' });
    expect(of('providers.alpha.usage.inStreams')).toMatchObject({
      value: '["x_groq.usage"]',
      place: 'builtin/groq',
    });
    expect(of('pools.a.choose')).toMatchObject({ value: '"headroom"', place: null });
  });

  it('says at which of the addresses of a description a provider is called', () => {
    const text = 'providers: { own: { extends: builtin/openrouter, region: eu } }\n';
    const all = effectiveConfiguration([new SourceText(PROVIDERS.path, text)], world().limits);
    expect(all.find(({ path }) => path === 'providers.own.baseUrl')).toMatchObject({
      value: '"https://eu.openrouter.ai/api/v1"',
      place: 'builtin/openrouter',
    });
    expect(all.find(({ path }) => path === 'providers.own.usage.cost.at')?.place).toBe('builtin/openrouter');
  });
});
