/** A scenario as the configuration of a project would have it. */
import { AS_THE_DIALECT } from '../../src/ai/usage-fields.cases.ts';
import type { LimitHeaders, Models, Pool, Provider } from '../../src/model/pools.ts';
import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { keysOf, type Scenario, type ScenarioAccount, type ScenarioProvider } from './scenario.ts';

export const MODEL = 'model';
const PLACE = 'bench.yaml:1';

export function configuredModels({ providers, deadlineMs }: Scenario): Models {
  return {
    providers: new Map(providers.map((spec) => [spec.name, providerOf(spec)])),
    pools: new Map(providers.map((spec) => [spec.name, poolOf(spec, deadlineMs)])),
    models: new Map([
      [
        MODEL,
        {
          name: MODEL,
          upstreamName: MODEL,
          pools: providers.map(({ name }) => name),
          tags: [],
          price: null,
          datedPrices: [],
          poolPrices: [],
          contextTokens: null,
          outputTokensMax: null,
          answerTokensMost: null,
          searches: false,
          tokenizer: null,
          place: PLACE,
        },
      ],
    ]),
  };
}

function poolOf({ name, accounts }: ScenarioProvider, deadlineMs: number): Pool {
  return {
    name,
    provider: name,
    choose: 'headroom',
    sticky: null,
    queue: { upToMs: deadlineMs, waiting: 10_000 },
    rotationHook: null,
    keys: accounts.flatMap((account) =>
      keysOf(account).map((key) => ({
        name: key,
        account: account.name,
        secret: { in: 'environment', name: key } as const,
        priority: 1,
        weight: 1,
        limits: account.isDeclared ? limitsOf(account) : [],
        place: PLACE,
      })),
    ),
    place: PLACE,
  };
}

function limitsOf({ windows }: ScenarioAccount): Pool['keys'][number]['limits'] {
  return windows.map((window) => ({ ...window, source: 'declared', model: null, per: 'model', zone: null }));
}

function providerOf({ name, tokensCounted }: ScenarioProvider): Provider {
  return {
    name,
    dialect: 'openai',
    service: serviceOf(name),
    region: null,
    auth: { header: 'authorization', prefix: 'Bearer ' },
    headers: [],
    modelMembers: [],
    limitHeaders: (['requests', 'tokens'] as const).map(
      (unit): LimitHeaders => ({
        unit,
        windowMs: 60_000,
        limit: `x-ratelimit-limit-${unit}`,
        remaining: `x-ratelimit-remaining-${unit}`,
        reset: `x-ratelimit-reset-${unit}`,
        resetFormat: 'duration',
      }),
    ),
    retryHeaders: [{ name: 'retry-after-ms', format: 'milliseconds' }],
    errors: [
      { statuses: [429], codes: [], messageContains: null, means: 'throttled' },
      { statuses: [401], codes: [], messageContains: null, means: 'unauthorised' },
      { statuses: [503], codes: [], messageContains: null, means: 'overloaded' },
    ],
    tokensCounted,
    dailyZone: null,
    outputCapMember: 'max_tokens',
    streamUsage: 'asked',
    usage: AS_THE_DIALECT,
    place: PLACE,
  };
}

/** Nothing of it is used: the provider is simulated behind the port. */
function serviceOf(name: string): Provider['service'] {
  return {
    name,
    owner: null,
    endpoints: [],
    timeouts: { connectMs: 1_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 120_000 },
    tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
    ...SERVICE_SETTINGS,
    place: PLACE,
  };
}
