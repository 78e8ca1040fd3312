/** A project with models, and the providers that it has keys of: mock providers of this process, whose time stands still until a test lets it pass. */
import type { Clock } from '../../src/base/ports.ts';
import type { AccountOptions } from '../../src/tools/mock-provider/accounts.ts';
import { type MockProvider, startMockProvider } from '../../src/tools/mock-provider/server.ts';
import { type Project, RunningGateway, writeProject } from '../gateway/running-gateway.ts';

export interface ModelsProject {
  readonly provider: MockProvider;
  readonly project: Project;
  readonly clock: Clock & { nowMs: number; passesSinceMs: number | null };
  readonly environment: Readonly<Record<string, string>>;
  gateway: RunningGateway;
  start(): Promise<RunningGateway>;
  close(): Promise<void>;
}

export interface ModelsProjectOptions {
  readonly accounts: readonly AccountOptions[];
  /** YAML of `pools:` and `models:`, below providers "openai" and "anthropic". */
  readonly pools: string;
  /** YAML of further providers, one in each line, that are at this base URL. */
  readonly providers?: (baseUrl: string) => readonly string[];
  readonly policies?: string;
  /** In place of the usual ones: YAML of `routes:` and of `tenants:`, and the models that the mock provider knows. */
  readonly routes?: string;
  readonly tenants?: string;
  readonly served?: readonly string[];
  readonly eventMs?: number;
  /** Further lines of portunus.yaml. */
  readonly settings?: string;
  /** Absent: one. */
  readonly dataThreads?: number;
  /** What has to be there before the first start. */
  readonly prepare?: (project: Project) => Promise<void>;
}

/** Secrets are named after the keys of the accounts: `env:KEY_<name in capitals>`. */
export async function startModelsProject(options: ModelsProjectOptions): Promise<ModelsProject> {
  const clock = {
    nowMs: 1_000,
    /** On the clock of the process; null: it stands still. */
    passesSinceMs: null as number | null,
    monotonicMs: (): number =>
      clock.nowMs + (clock.passesSinceMs === null ? 0 : performance.now() - clock.passesSinceMs),
    wallMs: () => Date.now(),
  };
  const started = await startMockProvider({
    port: 0,
    seed: 7,
    accounts: options.accounts,
    models: options.served ?? ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet', 'text-embedding-3-small'],
    latencyMs: [0, 0],
    eventMs: options.eventMs ?? 0,
    clock,
  });
  if (!started.ok) throw new Error(started.error);
  const provider = started.value;
  const project = await writeProject(
    {
      'providers/p.yaml': `providers:
  openai: { extends: builtin/openai, baseUrl: "${provider.url}/v1" }
  anthropic: { extends: builtin/anthropic, baseUrl: "${provider.url}/v1" }
${(options.providers?.(`${provider.url}/v1`) ?? []).map((line) => `  ${line}\n`).join('')}${options.pools}`,
      'routes/models.yaml':
        options.routes ??
        `routes:
  chat: { ai: openai/chat }
  responses: { ai: openai/responses }
  embeddings: { ai: openai/embeddings }
  models: { ai: openai/models }
  messages: { ai: anthropic/messages }
`,
      'tenants/acme.yaml':
        options.tenants ??
        `tenants:
  acme: { plan: free, consumers: { web: { subscriptions: [chat, responses, embeddings, models, messages] } } }
  small: { plan: free, consumers: { web: { subscriptions: [chat] } } }
  flood: { plan: trial, consumers: { web: { subscriptions: [chat] } } }
`,
      'policies/p.policy':
        options.policies ?? 'language 1\npolicy "base" { permit when consumer is subscribed to route }\n',
    },
    {
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(options.dataThreads === undefined ? {} : { dataThreads: options.dataThreads }),
    },
  );
  const keys = options.accounts.flatMap((account) => account.keys);
  const environment = Object.fromEntries(keys.map((key) => [variableOf(key), key]));
  const running: ModelsProject = {
    provider,
    project,
    clock,
    environment,
    gateway: null as unknown as RunningGateway,
    async start() {
      running.gateway = await RunningGateway.start(project, { environment });
      return running.gateway;
    },
    async close() {
      await running.gateway.stop('SIGKILL');
      await project.remove();
      await provider.close();
    },
  };
  await options.prepare?.(project);
  await running.start();
  return running;
}

export function variableOf(key: string): string {
  return `KEY_${key.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

/** What an account of the mock provider has counted. */
export function countsOf({ provider }: Pick<ModelsProject, 'provider'>, account: string) {
  return { ...provider.accounts.find(({ name }) => name === account)!.counts };
}
