/**
 * JSON Web Tokens of issuers that portunus.yaml names (RFC 7519, 8725): signed by a key of the issuer's own set, with an algorithm
 * that is allowed, for this audience, now. Keys are fetched when one is asked for that is not known, and not more often than the
 * cooldown allows, whatever tokens say.
 */
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Clock } from '../base/ports.ts';
import type { TokenIssuer } from '../model/world.ts';
import type { TokenVerifier, VerifiedToken } from '../pipeline/identity.ts';
import { discoveredKeys } from './issuer-discovery.ts';
import { FETCH_TIMEOUT_MS, withPause } from './issuer-fetch.ts';
import { type KeysTold, KeysWatch } from './keys-watch.ts';

/** Between two fetches of one set of keys, whatever comes. */
const COOLDOWN_MS = 30_000;
/** After a fetch that failed. */
const FAILURE_PAUSE_MS = 5_000;
/** After so long the set is fetched anew, so that withdrawn keys are forgotten. */
const KEYS_MAX_AGE_MS = 10 * 60_000;
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;

export interface TokenVerifierOptions {
  readonly clock: Clock;
  /** For tests: how long after a fetch the next one may be made. */
  readonly cooldownMs?: number;
  /** Told of a change: why the keys of an issuer can't be had, or null once they can. */
  readonly onKeys?: KeysTold;
}

export function createTokenVerifier(
  issuers: readonly TokenIssuer[],
  { clock, cooldownMs = COOLDOWN_MS, onKeys = () => {} }: TokenVerifierOptions,
): TokenVerifier {
  const known = new Map(issuers.map((issuer) => [issuer.name, issuer]));
  const pauseMs = Math.min(FAILURE_PAUSE_MS, cooldownMs);
  const watch = new KeysWatch(onKeys);
  const keysAt = (name: string, address: string): JWTVerifyGetKey =>
    URL.canParse(address)
      ? createRemoteJWKSet(new URL(address), {
          cooldownDuration: cooldownMs,
          cacheMaxAge: KEYS_MAX_AGE_MS,
          timeoutDuration: FETCH_TIMEOUT_MS,
          [customFetch]: withPause(pauseMs, clock, (why) => watch.told(name, 'keys', why)),
        })
      : () => Promise.reject(new Error(`${address} is no URL`));
  const keySets = new Map(
    issuers.map(({ name, issuer, keys }) => [
      name,
      keys.from === 'address'
        ? keysAt(name, keys.address)
        : discoveredKeys(issuer, {
            clock,
            fetch: withPause(pauseMs, clock, () => {}),
            keysAt: (address) => keysAt(name, address),
            onRead: (why) => watch.told(name, 'configuration', why),
            cooldownMs,
            maxAgeMs: KEYS_MAX_AGE_MS,
          }),
    ]),
  );
  return {
    async verify(token, among) {
      const issuer = issuerOf(token, among, known);
      if (issuer === null) return 'invalid';
      try {
        const { payload } = await jwtVerify(token, keySets.get(issuer.name)!, {
          issuer: issuer.issuer,
          audience: [...issuer.audience],
          algorithms: [...issuer.algorithms],
          clockTolerance: issuer.clockSkewMs / 1_000,
          currentDate: new Date(clock.wallMs()),
          // Without an end it could be kept for ever.
          requiredClaims: ['exp'],
        });
        return callerOf(payload, issuer) ?? 'invalid';
      } catch (error) {
        return isInvalid(error) ? 'invalid' : 'unavailable';
      }
    },
  };
}

/** What the token says of itself chooses among issuers; the signature proves it. */
function issuerOf(
  token: string,
  among: readonly string[],
  known: ReadonlyMap<string, TokenIssuer>,
): TokenIssuer | null {
  let claimed: unknown;
  let audience: readonly unknown[];
  try {
    const { iss, aud } = decodeJwt(token);
    claimed = iss;
    audience = [aud].flat();
  } catch {
    return null;
  }
  const claimants = among
    .map((name) => known.get(name))
    .filter((issuer) => issuer !== undefined && issuer.issuer === claimed);
  // Several may have one `iss`, each for another audience.
  const meant = claimants.find((issuer) => issuer!.audience.some((each) => audience.includes(each)));
  return meant ?? claimants[0] ?? null;
}

function callerOf(payload: JWTPayload, issuer: TokenIssuer): VerifiedToken | null {
  const tenant = issuer.tenant.kind === 'fixed' ? issuer.tenant.name : payload[issuer.tenant.claim];
  const consumer = payload[issuer.consumerClaim];
  if (typeof tenant !== 'string' || typeof consumer !== 'string') return null;
  if (!NAME.test(tenant) || !NAME.test(consumer)) return null;
  return {
    tenant,
    consumer,
    credential: `jwt:${issuer.name}`,
    createdMs: Math.max(0, Math.floor((payload.iat ?? payload.nbf ?? 0) * 1_000)),
    expiresMs: Math.floor(payload.exp! * 1_000) + issuer.clockSkewMs,
  };
}

/** The token's fault; all else is that of whoever has the keys. */
function isInvalid(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return false;
  // A set that could not be fetched is told by the general error.
  return error instanceof errors.JOSEError && error.code !== errors.JOSEError.code;
}
