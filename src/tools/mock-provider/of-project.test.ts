import { expect, it } from 'vitest';
import { err, ok } from '../../base/result.ts';
import { loadWorld } from '../../config/load.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { projectStoodFor } from './of-project.ts';

const FILES = [
  new SourceText('portunus.yaml', 'portunus: 1\n'),
  new SourceText(
    'providers/a.yaml',
    `providers:
  mock: { extends: builtin/openai, baseUrl: "http://127.0.0.1:9002/v1" }
  claude: { extends: builtin/anthropic, baseUrl: "http://localhost:9002/v1" }
  real: { extends: builtin/groq }
  other: { extends: builtin/openai, baseUrl: "http://127.0.0.1:9003/v1" }
pools:
  main:
    provider: mock
    keys:
      k1: { account: org, secret: env:K1, limits: { rpm: 5, tpd: 900, concurrency: 3, account: { rpd: 7 }, models: { fast: { rpm: 9 } } } }
      k2: { account: org, secret: env:K2 }
      lost: { secret: env:LOST }
  anthropic: { provider: claude, keys: { k3: { secret: env:K3, limits: { itpm: 10, otpm: 20 } } } }
  groq: { provider: real, keys: { k4: { secret: env:K4 } } }
  far: { provider: other, keys: { k5: { secret: env:K5 } } }
models:
  fast: { pools: [main], as: gpt-4o-mini, price: { input: $1, output: $1, asOf: 2026-11-01 } }
  sonnet: { pools: [anthropic], as: claude-sonnet-4-0 }
  llama: { pools: [groq] }
`,
  ),
];

it('stands in for the providers at its port: their keys, accounts, declared limits and models', () => {
  const { world, diagnostics } = loadWorld(FILES, { projectFolder: '/project' });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const stoodFor = projectStoodFor(world!.models, 9_002, (reference) =>
    reference.in === 'environment' && reference.name !== 'LOST'
      ? ok(Buffer.from(`secret of ${reference.name}\n`))
      : err('it is not set'),
  );
  expect(stoodFor).toEqual({
    providers: ['mock', 'claude'],
    models: ['gpt-4o-mini', 'claude-sonnet-4-0'],
    accounts: [
      {
        name: 'mock/org',
        keys: ['secret of K1', 'secret of K2'],
        keysAt: { header: 'authorization', prefix: 'Bearer ' },
        limits: { rpm: 5, tpd: 900 },
        modelLimits: { 'gpt-4o-mini': { rpm: 9 } },
      },
      {
        name: 'mock/lost',
        keys: [],
        keysAt: { header: 'authorization', prefix: 'Bearer ' },
        limits: {},
        modelLimits: {},
      },
      {
        name: 'claude/k3',
        keys: ['secret of K3'],
        keysAt: { header: 'x-api-key', prefix: '' },
        limits: { itpm: 10, otpm: 20 },
        modelLimits: {},
      },
    ],
  });
});
