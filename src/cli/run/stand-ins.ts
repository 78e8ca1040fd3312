/** What `start` runs beside the gateway for trials: the mock upstream and the mock provider, both on loopback. Development tools. */
import type { Clock } from '../../base/ports.ts';
import { ok, type Result } from '../../base/result.ts';
import type { Models } from '../../model/pools.ts';
import type { StoredSecrets } from '../../state/stored-secrets.ts';
import { projectStoodFor } from '../../tools/mock-provider/of-project.ts';
import { type MockProvider, startMockProvider } from '../../tools/mock-provider/server.ts';
import { type MockUpstream, startMockUpstream } from '../../tools/mock-upstream.ts';
import { secretReader } from './secret-reader.ts';

export interface StandInOptions {
  /** Ports. */
  readonly mockUpstream?: number;
  readonly mockProvider?: number;
}

export interface StandIns {
  /** One for each, as the banner shows it. */
  readonly lines: readonly string[];
  /** These are in force from now on. */
  live(models: Models): void;
  close(): Promise<void>;
}

export async function startStandIns(
  { mockUpstream, mockProvider }: StandInOptions,
  models: Models,
  { clock, secrets }: { readonly clock: Clock; readonly secrets: Pick<StoredSecrets, 'open'> },
): Promise<Result<StandIns, string>> {
  const upstream = mockUpstream === undefined ? null : await startMockUpstream({ port: mockUpstream });
  if (upstream?.ok === false) return upstream;
  const readSecret = secretReader(secrets);
  const stoodFor = (now: Models) => projectStoodFor(now, mockProvider ?? 0, readSecret);
  const first = stoodFor(models);
  const provider =
    mockProvider === undefined
      ? null
      : await startMockProvider({ port: mockProvider, ...ANSWERS, ...first, clock });
  if (provider?.ok === false) {
    await upstream?.value.close();
    return provider;
  }
  return ok({
    lines: [
      ...(upstream === null ? [] : [upstreamLine(upstream.value)]),
      ...(provider === null ? [] : [providerLine(provider.value, first.providers)]),
    ],
    live: (now) => provider?.value.standInFor(stoodFor(now)),
    close: async () => {
      await upstream?.value.close();
      await provider?.value.close();
    },
  });
}

/** Quick, but slow enough to see a stream come. */
const ANSWERS = { seed: 1, latencyMs: [40, 160], eventMs: 15 } as const;

function upstreamLine({ url }: MockUpstream): string {
  return `  upstream  ${url}   (the bundled mock, for trying out)`;
}

function providerLine({ url }: MockProvider, providers: readonly string[]): string {
  const whom =
    providers.length === 0
      ? `; no provider of this project has ${url}/v1 as its baseUrl`
      : `, in place of ${providers.join(', ')}`;
  return `  models    ${url}   (the bundled mock provider, for trying out${whom})`;
}
