import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { placeOf, SourceText } from '../src/diagnostics/source.ts';
import { parseKey } from '../src/governance/consumer-key.ts';
import { buildProject } from '../src/tools/build-project.ts';

const FOLDER = fileURLToPath(new URL('../policies/quickstart', import.meta.url));

function sources(): readonly SourceText[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(yaml|policy)$/.test(name) && !name.startsWith('data'))
    .sort()
    .map((name) => new SourceText(name, readFileSync(join(FOLDER, name), 'utf8')));
}

describe('the quick-start project', () => {
  const { built, diagnostics } = buildProject(sources(), FOLDER, Date.now());

  it('is checked and compiled without a word', () => {
    const found = diagnostics.map(
      ({ code, span, message }) => `${span === null ? '' : placeOf(span)} ${code} ${message}`,
    );
    expect(found).toEqual([]);
    expect(built).not.toBeNull();
  });

  it('listens where the README says, on loopback only, in front of the bundled mocks', () => {
    const { server, services } = built!.world;
    const { providers } = built!.bundle.models;
    const ofModels = [...providers.values()].flatMap(({ service }) => service.endpoints);
    expect(ofModels).toMatchObject([{ protocol: 'http', host: '127.0.0.1', port: 9002, basePath: '/v1' }]);
    expect(server.listen).toEqual({ address: '127.0.0.1', port: 8080 });
    expect(server.admin).toEqual({ address: '127.0.0.1', port: 9090 });
    expect([...services.values()].flatMap(({ endpoints }) => endpoints)).toEqual([
      { protocol: 'http', host: '127.0.0.1', port: 9001, basePath: '', weight: 1 },
    ]);
  });

  it('has two tenants of different plans, whose consumers get their keys at the first start', () => {
    const { directory, enforcement } = built!.world;
    const tenants = [...directory.tenants.values()];
    expect(tenants.map(({ name, plan }) => [name, plan])).toEqual([
      ['acme', 'free'],
      ['globex', 'enterprise'],
    ]);
    for (const consumer of tenants.flatMap(({ consumers }) => [...consumers.values()])) {
      expect(consumer.credentials).toEqual([]);
    }
    expect([...enforcement].map(([policy, { mode }]) => [policy, mode])).toEqual([['key-hygiene', 'shadow']]);
  });

  it('holds no key', () => {
    for (const { text } of sources()) {
      for (const word of text.split(/[\s"',]+/)) expect(parseKey(word)).toBeNull();
      expect(text).not.toContain('ptnh1:');
    }
  });

  it('shows every kind of rule there is', () => {
    const kinds = new Set(built!.policies.policies.flatMap(({ rules }) => rules.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual([
      'forbid',
      'limit',
      'permit',
      'quota',
      'remove-header',
      'require',
      'set-header',
      'timeout',
    ]);
    const windows = new Set(built!.bundle.counters.map(({ window }) => window.kind));
    expect([...windows].sort()).toEqual(['calendar', 'concurrency', 'pace', 'window']);
  });
});
