/** What the mock provider is told of a project: the keys, accounts, limits and models of the providers that it stands in for. */
import type { Result } from '../../base/result.ts';
import type { KeyLimit, Models, Pool } from '../../model/pools.ts';
import type { SecretReference } from '../../model/world.ts';
import type { AccountOptions, LimitName, Limits } from './accounts.ts';
import type { StoodFor } from './server.ts';

export interface ProjectStoodFor extends StoodFor {
  /** Names of the providers that have their base URL at the mock's port. */
  readonly providers: readonly string[];
}

type ReadSecret = (reference: SecretReference) => Result<Uint8Array, string>;

/** Limits are those that the project declares for each model; keys whose secret can't be read are the gateway's to complain of. */
export function projectStoodFor(models: Models, port: number, readSecret: ReadSecret): ProjectStoodFor {
  const providers = [...models.providers.values()].filter(({ service }) =>
    service.endpoints.some((endpoint) => LOOPBACK.has(endpoint.host) && endpoint.port === port),
  );
  const names = new Set(providers.map(({ name }) => name));
  const pools = [...models.pools.values()].filter(({ provider }) => names.has(provider));
  const served = [...models.models.values()].filter((model) =>
    pools.some(({ name }) => model.pools.includes(name)),
  );
  const upstreamNames = new Map(served.map(({ name, upstreamName }) => [name, upstreamName]));
  return {
    providers: [...names],
    accounts: accountsOf(pools, models.providers, upstreamNames, readSecret),
    models: [...new Set(upstreamNames.values())],
  };
}

/** Where the mock listens, as a base URL says it. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost']);

function accountsOf(
  pools: readonly Pool[],
  providers: Models['providers'],
  upstreamNames: ReadonlyMap<string, string>,
  readSecret: ReadSecret,
): readonly AccountOptions[] {
  const accounts = new Map<string, AccountOptions & { readonly keys: string[] }>();
  for (const { provider, keys } of pools) {
    for (const { account, secret, limits } of keys) {
      const name = `${provider}/${account}`;
      const known = accounts.get(name);
      const read = readSecret(secret);
      const own = read.ok ? [Buffer.from(read.value).toString('latin1').trim()] : [];
      // Keys of one account say its limits once, at any of them.
      const says = known !== undefined && limits.length === 0 ? null : limitsOf(limits, upstreamNames);
      accounts.set(name, {
        name,
        keys: [...(known?.keys ?? []), ...own],
        keysAt: providers.get(provider)!.auth,
        limits: says?.limits ?? known!.limits,
        modelLimits: says?.modelLimits ?? known!.modelLimits!,
      });
    }
  }
  return [...accounts.values()];
}

function limitsOf(
  declared: readonly KeyLimit[],
  upstreamNames: ReadonlyMap<string, string>,
): { readonly limits: Limits; readonly modelLimits: Readonly<Record<string, Limits>> } {
  const limits: Partial<Record<LimitName, number>> = {};
  const modelLimits: Record<string, Partial<Record<LimitName, number>>> = {};
  for (const { unit, windowMs, model, per, amount } of declared) {
    const name = LIMIT_OF[`${unit} ${windowMs}`];
    if (name === undefined || per === 'account') continue;
    const upstreamName = model === null ? null : upstreamNames.get(model);
    if (upstreamName === undefined) continue;
    if (upstreamName === null) limits[name] = amount;
    else modelLimits[upstreamName] = { ...modelLimits[upstreamName], [name]: amount };
  }
  return { limits, modelLimits };
}

/** Money and requests at once are not what providers refuse by; limits of a whole account are looser than theirs. */
const LIMIT_OF: Readonly<Record<string, LimitName>> = {
  'requests 1000': 'rps',
  'requests 60000': 'rpm',
  'requests 86400000': 'rpd',
  'tokens 60000': 'tpm',
  'tokens 86400000': 'tpd',
  'input-tokens 60000': 'itpm',
  'output-tokens 60000': 'otpm',
};
