/**
 * Where the keys of an issuer lie, as its own configuration says (OpenID Connect Discovery 1.0, 4). It is read anew as keys are:
 * when it is old, and when a key is asked for that is not where it was, but not more often than the cooldown allows.
 */
import type { FetchImplementation, JWTVerifyGetKey } from 'jose';
import type { Clock } from '../base/ports.ts';
import { isKeysAddress } from '../model/issuer-address.ts';
import { FETCH_TIMEOUT_MS } from './issuer-fetch.ts';

export interface DiscoveryOptions {
  readonly clock: Clock;
  /** To read the configuration with. */
  readonly fetch: FetchImplementation;
  /** Keys that lie at an address. */
  readonly keysAt: (address: string) => JWTVerifyGetKey;
  /** Told why a reading failed, or null. */
  readonly onRead: (why: string | null) => void;
  readonly cooldownMs: number;
  readonly maxAgeMs: number;
}

interface Configuration {
  readonly address: string;
  readonly keys: JWTVerifyGetKey;
  readonly readMs: number;
}

/** Rejects with an error that is none of JOSE where the configuration can't be had. */
export function discoveredKeys(issuer: string, options: DiscoveryOptions): JWTVerifyGetKey {
  const { clock, keysAt, onRead, cooldownMs, maxAgeMs } = options;
  let latest: Configuration | null = null;
  let reading: Promise<Configuration> | null = null;
  /** All who need it at a time wait for one fetch. */
  const read = (): Promise<Configuration> => {
    reading ??= readKeysAddress(issuer, options.fetch)
      .then((address) => {
        // Keys that lie where they lay are not fetched anew for it.
        const keys = latest?.address === address ? latest.keys : keysAt(address);
        latest = { address, keys, readMs: clock.monotonicMs() };
        onRead(null);
        return latest;
      })
      .catch((error: Error) => {
        onRead(error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message);
        throw error;
      })
      .finally(() => {
        reading = null;
      });
    return reading;
  };
  const within = async (ageMs: number): Promise<Configuration> =>
    latest !== null && clock.monotonicMs() - latest.readMs < ageMs ? latest : await read();

  return async (header, token) => {
    const used = await within(maxAgeMs);
    try {
      return await used.keys(header, token);
    } catch (error) {
      const next = await within(cooldownMs);
      if (next.keys === used.keys) throw error;
      return await next.keys(header, token);
    }
  };
}

async function readKeysAddress(issuer: string, fetch: FetchImplementation): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, {
    method: 'GET',
    headers: new Headers({ accept: 'application/json' }),
    redirect: 'manual',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  const configuration = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown } | null;
  // 4.3: to the letter. Otherwise one issuer could speak for another that has its server.
  if (configuration?.issuer !== issuer) throw new Error(`${url} is of another issuer`);
  const address = configuration.jwks_uri;
  if (typeof address !== 'string' || !isKeysAddress(address))
    throw new Error(`${url} names no address of keys that can be trusted`);
  return address;
}
