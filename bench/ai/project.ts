import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchProject } from '../projects.ts';
import { CONSUMER } from '../projects.ts';

export const CHAT_PATH = '/v1/chat/completions';
export const MODEL = 'gpt-4o-mini';

export interface AiProjectOptions {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly port: number;
  readonly adminPort: number;
}

/**
 * A governed route to a model: consumer key checked, two deciding rules, requests and tokens limited per consumer, requests and money per
 * tenant. So the most that the call can take is reserved before it is sent, and settled by what the answer tells of its usage. One of
 * three keys is chosen by headroom, and what the call may take is reserved on it as well. Nothing is masked.
 */
export function writeAiProject({ folder, upstreamPort, port, adminPort }: AiProjectOptions): BenchProject {
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);
  for (const name of ['routes', 'tenants', 'policies', 'providers'])
    mkdirSync(join(folder, name), { recursive: true });
  write(
    'portunus.yaml',
    `portunus: 1
listen: { address: 127.0.0.1, port: ${port} }
admin: { address: 127.0.0.1, port: ${adminPort} }
dataThreads: 1
data: ./data
limits:
  upstreamConnectionsPerEndpoint: 16_384
  connectionsPerAddress: 16_384
`,
  );
  const keys = ['k1', 'k2', 'k3'];
  for (const key of keys) write(`providers/${key}.txt`, `sk-bench-${key}-${'x'.repeat(40)}\n`);
  write(
    'providers/models.yaml',
    `providers:
  upstream:
    extends: builtin/openai
    baseUrl: http://127.0.0.1:${upstreamPort}/v1
    timeouts: { connect: 20s, firstByte: 20s, idle: 1h, total: 1h }
pools:
  main:
    provider: upstream
    keys:
${keys.map((key) => `      ${key}: { secret: "file:${key}.txt", limits: { rpm: 100_000_000, tpm: 100_000_000_000 } }`).join('\n')}
models:
  ${MODEL}: { pools: [main], price: { input: $0.15, output: $0.60, asOf: 2026-11-30 } }
`,
  );
  write('routes/models.yaml', 'routes:\n  chat: { ai: openai/chat }\n');
  write(
    'tenants/acme.yaml',
    `tenants:
  acme:
    plan: team
    consumers:
      ${CONSUMER}: { roles: [buyer], subscriptions: [chat] }
`,
  );
  write('policies/bench.policy', POLICY);
  return { folder, dataFolder: join(folder, 'data'), port, adminPort };
}

const POLICY = `language 1
zone UTC

policy "bench" "Subscribed consumers with a fresh key may call"
    owner "bench@portunus.example"
{
    permit "subscribed" when consumer is subscribed to route
    forbid "old-key" when credential.age > 400 days
    limit "window" at most 1_000_000_000 requests in any 1h  for each consumer
    limit "tokens" at most 1_000_000_000_000 tokens in any 1h  for each consumer
    quota "month" 2_000_000_000 requests per month  for each tenant
    budget "spend" $1_000_000 per month  for each tenant
}
`;
