import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TokenIssuer } from '../model/world.ts';
import { createTokenVerifier } from './token-verifier.ts';

const NOW_S = 1_795_456_000;
const clock = { wallMs: () => NOW_S * 1_000, monotonicMs: () => 0 };

interface Signer {
  readonly algorithm: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

async function signer(algorithm: string, kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    algorithm,
    kid,
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm },
  };
}

let signers: Record<'rsa' | 'ec' | 'ed' | 'stranger' | 'next', Signer>;
let server: Server;
let issuer: TokenIssuer;
/** What the server answers, and how often it was asked. */
let served: JWK[] = [];
type Given = () => { readonly status: number; readonly body: string; readonly location?: string };
let answer: Given | null = null;
/** In its place, by path. */
let at = new Map<string, Given>();
let asked = 0;
let askedAt: string[] = [];

beforeAll(async () => {
  const [rsa, ec, ed, stranger, next] = await Promise.all([
    signer('RS256', 'rsa-1'),
    signer('ES256', 'ec-1'),
    signer('EdDSA', 'ed-1'),
    signer('RS256', 'rsa-1'),
    signer('ES256', 'ec-2'),
  ]);
  signers = { rsa, ec, ed, stranger, next };
  server = createServer(({ url = '' }, response) => {
    asked++;
    askedAt.push(url);
    const given = at.get(url)?.() ?? answer?.() ?? { status: 200, body: JSON.stringify({ keys: served }) };
    const location = given.location === undefined ? {} : { location: given.location };
    response.writeHead(given.status, { 'content-type': 'application/json', ...location }).end(given.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = {
    name: 'corporate',
    issuer: 'https://login.acme.example',
    audience: ['orders-api', 'orders-old'],
    keys: { from: 'address', address: `${ownAddress()}/jwks.json` },
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    clockSkewMs: 30_000,
    tenant: { kind: 'claim', claim: 'org' },
    consumerClaim: 'azp',
  };
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function ownAddress(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(() => {
  served = [signers.rsa.jwk, signers.ec.jwk, signers.ed.jwk];
  answer = null;
  at = new Map();
  asked = 0;
  askedAt = [];
});

const CLAIMS = {
  iss: 'https://login.acme.example',
  aud: 'orders-api',
  org: 'acme',
  azp: 'web',
  iat: NOW_S - 10,
  exp: NOW_S + 600,
};

function token(by: Signer, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...changes })
    .setProtectedHeader({ alg: by.algorithm, kid: by.kid })
    .sign(by.privateKey);
}

function verifier(changes: Partial<TokenIssuer> = {}, cooldownMs = 30_000) {
  return createTokenVerifier([{ ...issuer, ...changes }], { clock, cooldownMs });
}

const AMONG = ['corporate'];

describe('a token of an issuer', () => {
  it.each(['rsa', 'ec', 'ed'] as const)(
    'is accepted when %s signed it, and names its caller',
    async (which) => {
      expect(await verifier().verify(await token(signers[which]), AMONG)).toEqual({
        tenant: 'acme',
        consumer: 'web',
        credential: 'jwt:corporate',
        createdMs: (NOW_S - 10) * 1_000,
        expiresMs: (NOW_S + 630) * 1_000,
      });
    },
  );

  it.each<[string, Readonly<Record<string, unknown>>, 'invalid' | 'accepted']>([
    ['one of several audiences', { aud: ['other', 'orders-old'] }, 'accepted'],
    ['another audience', { aud: 'orders' }, 'invalid'],
    ['no audience', { aud: undefined }, 'invalid'],
    ['another issuer', { iss: 'https://login.acme.example/' }, 'invalid'],
    ['an end that has passed', { exp: NOW_S - 30 }, 'invalid'],
    ['an end that has passed within the skew', { exp: NOW_S - 29 }, 'accepted'],
    ['no end', { exp: undefined }, 'invalid'],
    ['a beginning that is to come', { nbf: NOW_S + 31 }, 'invalid'],
    ['a beginning to come within the skew', { nbf: NOW_S + 30 }, 'accepted'],
    ['no tenant', { org: undefined }, 'invalid'],
    ['a tenant that is no name', { org: 'acme\0web' }, 'invalid'],
    ['a consumer that is no text', { azp: ['web'] }, 'invalid'],
  ])('with %s', async (_what, changes, expected) => {
    const verified = await verifier().verify(await token(signers.ec, changes), AMONG);
    expect(typeof verified === 'string' ? verified : 'accepted').toBe(expected);
  });

  it('may belong to one tenant whatever it says', async () => {
    const fixed = verifier({ tenant: { kind: 'fixed', name: 'globex' }, consumerClaim: 'sub' });
    const verified = await fixed.verify(await token(signers.rsa, { sub: 'erp' }), AMONG);
    expect(verified).toMatchObject({ tenant: 'globex', consumer: 'erp' });
  });

  it('is accepted where its issuer is, and nowhere else', async () => {
    const two = createTokenVerifier([issuer, { ...issuer, name: 'other', issuer: 'https://other' }], {
      clock,
    });
    const theirs = await token(signers.rsa);
    expect(await two.verify(theirs, ['other'])).toBe('invalid');
    expect(await two.verify(theirs, ['other', 'corporate'])).toMatchObject({ credential: 'jwt:corporate' });
    expect(await two.verify(theirs, ['unknown'])).toBe('invalid');
  });
});

describe('issuers that have one iss', () => {
  it('are told apart by their audiences', async () => {
    const second = { ...issuer, name: 'second', audience: ['billing-api'] };
    const two = createTokenVerifier([issuer, second], { clock });
    const theirs = await token(signers.rsa, { aud: ['billing-api'] });
    expect(await two.verify(theirs, ['corporate', 'second'])).toMatchObject({ credential: 'jwt:second' });
  });
});

describe('forgeries', () => {
  it('no signature at all (alg none)', async () => {
    expect(await verifier().verify(new UnsecuredJWT(CLAIMS).encode(), AMONG)).toBe('invalid');
    expect(asked).toBe(0);
  });

  it('the public key used as a secret (HS256)', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(signers.rsa.publicKey));
    const forged = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'rsa-1' }).sign(secret);
    expect(await verifier().verify(forged, AMONG)).toBe('invalid');
  });

  it('a key of a stranger under the name of one that is known', async () => {
    expect(await verifier().verify(await token(signers.stranger), AMONG)).toBe('invalid');
  });

  it('an algorithm that is not allowed here', async () => {
    expect(await verifier({ algorithms: ['ES256'] }).verify(await token(signers.rsa), AMONG)).toBe('invalid');
  });

  it('a payload that was changed, parts that are missing, and texts that are none', async () => {
    const [head, , signature] = (await token(signers.ec)).split('.');
    const other = Buffer.from(JSON.stringify({ ...CLAIMS, azp: 'admin' })).toString('base64url');
    for (const forged of [`${head}.${other}.${signature}`, `${head}.${other}.`, 'a.b.c', '..', 'ey', ''])
      expect(await verifier().verify(forged, AMONG)).toBe('invalid');
  });

  it('a key that the token itself brings', async () => {
    const { stranger } = signers;
    const forged = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'RS256', kid: 'mine', jwk: stranger.jwk, jku: 'http://127.0.0.1:1/' })
      .sign(stranger.privateKey);
    expect(await verifier().verify(forged, AMONG)).toBe('invalid');
  });
});

describe('the keys of an issuer', () => {
  it('are fetched once for many tokens', async () => {
    const one = verifier();
    for (const by of [signers.rsa, signers.ec, signers.rsa]) await one.verify(await token(by), AMONG);
    expect(asked).toBe(1);
  });

  it('are fetched again for a key that is new, and not again within the cooldown, whatever tokens claim', async () => {
    const patient = verifier();
    await patient.verify(await token(signers.rsa), AMONG);
    served = [...served, signers.next.jwk];
    for (let n = 0; n < 20; n++) {
      const unknown = await token({ ...signers.stranger, kid: `made-up-${n}` });
      expect(await patient.verify(unknown, AMONG)).toBe('invalid');
    }
    expect(asked).toBe(1);

    const quick = verifier({}, 0);
    served = [signers.rsa.jwk];
    await quick.verify(await token(signers.rsa), AMONG);
    expect(await quick.verify(await token(signers.next), AMONG)).toBe('invalid');
    served = [signers.next.jwk];
    expect(await quick.verify(await token(signers.next), AMONG)).toMatchObject({ consumer: 'web' });
    // The set is the issuer's word: what is no longer in it is withdrawn.
    expect(await quick.verify(await token(signers.rsa), AMONG)).toBe('invalid');
  });

  it.each([
    ['an error', { status: 500, body: '' }],
    ['no JSON', { status: 200, body: 'hello' }],
    ['no set of keys', { status: 200, body: '{}' }],
    ['a redirect', { status: 302, body: '', location: 'http://127.0.0.1:1/' }],
    ['more than a megabyte', { status: 200, body: `{"keys":[${' '.repeat(1_100_000)}]}` }],
  ])('that can not be had (%s) are no fault of the token', async (_what, given) => {
    answer = () => given;
    const one = verifier({}, 0);
    expect(await one.verify(await token(signers.rsa), AMONG)).toBe('unavailable');
    answer = null;
    expect(await one.verify(await token(signers.rsa), AMONG)).toMatchObject({ consumer: 'web' });
  });

  it('are not asked for again just after a fetch that failed', async () => {
    answer = () => ({ status: 500, body: '' });
    const time = { ...clock, nowMs: 0, monotonicMs: () => time.nowMs };
    const one = createTokenVerifier([issuer], { clock: time });
    for (let n = 0; n < 20; n++) {
      const madeUp = await token({ ...signers.stranger, kid: `made-up-${n}` });
      expect(await one.verify(madeUp, AMONG)).toBe('unavailable');
    }
    expect(asked).toBe(1);
    answer = null;
    time.nowMs += 5_000;
    expect(await one.verify(await token(signers.rsa), AMONG)).toMatchObject({ consumer: 'web' });
  });

  it('of a server that is away, or an address that is none, are no fault of the token', async () => {
    for (const address of ['http://127.0.0.1:1/jwks', 'https://999.999.999.999/'])
      expect(
        await verifier({ keys: { from: 'address', address } }).verify(await token(signers.rsa), AMONG),
      ).toBe('unavailable');
  });
});

describe('an issuer that is asked where its keys are', () => {
  const CONFIGURATION = '/.well-known/openid-configuration';
  const time = { wallMs: () => NOW_S * 1_000, nowMs: 0, monotonicMs: () => time.nowMs };
  beforeEach(() => {
    time.nowMs = 0;
  });

  function keysAt(path: string, ...keys: readonly Signer[]): void {
    at.set(path, () => ({ status: 200, body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) }));
  }
  /** `changes`: to what it says of itself. */
  function configured(path: string, changes: Readonly<Record<string, unknown>> = {}, below = ''): void {
    const said = { issuer: `${ownAddress()}${below}`, jwks_uri: `${ownAddress()}${path}`, ...changes };
    at.set(`${below.replace(/\/$/, '')}${CONFIGURATION}`, () => ({
      status: 200,
      body: JSON.stringify(said),
    }));
  }
  function discovering(cooldownMs = 0, below = '') {
    const found = { ...issuer, issuer: `${ownAddress()}${below}`, keys: { from: 'discovery' } } as const;
    return createTokenVerifier([found], { clock: time, cooldownMs });
  }
  function theirs(by: Signer, below = ''): Promise<string> {
    return token(by, { iss: `${ownAddress()}${below}` });
  }
  const CALLER = { tenant: 'acme', consumer: 'web' };

  it('is asked once for many tokens at a time', async () => {
    configured('/keys');
    const one = discovering(30_000);
    const tokens = await Promise.all([theirs(signers.rsa), theirs(signers.ec), theirs(signers.ed)]);
    for (const outcome of await Promise.all(tokens.map((each) => one.verify(each, AMONG))))
      expect(outcome).toMatchObject(CALLER);
    expect(askedAt).toEqual([CONFIGURATION, '/keys']);
  });

  it.each(['/realms/acme', '/realms/acme/'])('below its own path: %s', async (below) => {
    configured('/keys', {}, below);
    expect(await discovering(0, below).verify(await theirs(signers.rsa, below), AMONG)).toMatchObject(CALLER);
    expect(askedAt[0]).toBe(`/realms/acme${CONFIGURATION}`);
  });

  it('may change its keys, and where they lie, at once for a key that is new', async () => {
    configured('/first');
    keysAt('/first', signers.rsa);
    const one = discovering();
    expect(await one.verify(await theirs(signers.rsa), AMONG)).toMatchObject(CALLER);
    keysAt('/first', signers.ec);
    expect(await one.verify(await theirs(signers.ec), AMONG)).toMatchObject(CALLER);
    configured('/second');
    keysAt('/second', signers.next);
    expect(await one.verify(await theirs(signers.next), AMONG)).toMatchObject(CALLER);
    expect(await one.verify(await theirs(signers.ec), AMONG)).toBe('invalid');
  });

  it('may take the old place away', async () => {
    configured('/first');
    const one = discovering();
    await one.verify(await theirs(signers.rsa), AMONG);
    at.set('/first', () => ({ status: 404, body: '' }));
    configured('/second');
    keysAt('/second', signers.next);
    expect(await one.verify(await theirs(signers.next), AMONG)).toMatchObject(CALLER);
  });

  it('is asked anew after ten minutes, also for keys that are known', async () => {
    configured('/first');
    const one = discovering(30_000);
    const known = await theirs(signers.rsa);
    await one.verify(known, AMONG);
    configured('/second');
    keysAt('/second', signers.next);
    time.nowMs = 599_999;
    expect(await one.verify(known, AMONG)).toMatchObject(CALLER);
    time.nowMs = 600_000;
    expect(await one.verify(known, AMONG)).toBe('invalid');
    expect(askedAt).toEqual([CONFIGURATION, '/first', CONFIGURATION, '/second']);
  });

  it('is not asked more often than the cooldown allows, whatever tokens claim', async () => {
    configured('/keys');
    const one = discovering(30_000);
    for (let n = 0; n < 20; n++)
      expect(await one.verify(await theirs({ ...signers.stranger, kid: `made-up-${n}` }), AMONG)).toBe(
        'invalid',
      );
    expect(askedAt).toEqual([CONFIGURATION, '/keys']);
    time.nowMs = 30_000;
    await one.verify(await theirs({ ...signers.stranger, kid: 'made-up' }), AMONG);
    expect(askedAt).toEqual([CONFIGURATION, '/keys', CONFIGURATION]);
  });

  it('is told of once when it, or its keys, can’t be had, and once when both can', async () => {
    const told: (readonly [string, string | null])[] = [];
    const found = { ...issuer, issuer: ownAddress(), keys: { from: 'discovery' } } as const;
    const onKeys = (name: string, why: string | null) => told.push([name, why]);
    const one = createTokenVerifier([found], { clock: time, cooldownMs: 0, onKeys });
    const ask = async (): Promise<void> => {
      time.nowMs += 60 * 60_000;
      await one.verify(await theirs(signers.rsa), AMONG);
    };
    at.set(CONFIGURATION, () => ({ status: 500, body: '' }));
    await ask();
    await ask();
    const away = `${ownAddress()}${CONFIGURATION} answers 500`;
    expect(told).toEqual([['corporate', away]]);
    at.set('/keys', () => ({ status: 503, body: '' }));
    configured('/keys');
    await ask();
    expect(told.slice(1)).toEqual([
      ['corporate', null],
      ['corporate', `${ownAddress()}/keys answers 503`],
    ]);
    keysAt('/keys', signers.rsa);
    await ask();
    await ask();
    expect(told.slice(3)).toEqual([['corporate', null]]);
  });

  it('is not asked again just after it could not be had', async () => {
    at.set(CONFIGURATION, () => ({ status: 500, body: '' }));
    const one = discovering(30_000);
    const good = await theirs(signers.rsa);
    for (let n = 0; n < 20; n++) expect(await one.verify(good, AMONG)).toBe('unavailable');
    expect(askedAt).toEqual([CONFIGURATION]);
    configured('/keys');
    time.nowMs = 5_000;
    expect(await one.verify(good, AMONG)).toMatchObject(CALLER);
  });

  it.each<[string, () => void]>([
    ['calls itself otherwise', () => configured('/keys', { issuer: `${ownAddress()}/` })],
    ['does not say who it is', () => configured('/keys', { issuer: undefined })],
    ['names no keys', () => configured('/keys', { jwks_uri: undefined })],
    ['names keys by http elsewhere', () => configured('/keys', { jwks_uri: 'http://192.0.2.1/keys' })],
    ['names a file', () => configured('/keys', { jwks_uri: 'file:///etc/passwd' })],
    ['names keys with a password', () => configured('/keys', { jwks_uri: 'http://a:b@127.0.0.1/keys' })],
    ['is null', () => at.set(CONFIGURATION, () => ({ status: 200, body: 'null' }))],
    ['is no JSON', () => at.set(CONFIGURATION, () => ({ status: 200, body: '{' }))],
    ['is away', () => at.set(CONFIGURATION, () => ({ status: 404, body: '' }))],
    [
      'lies elsewhere',
      () => at.set(CONFIGURATION, () => ({ status: 302, body: '', location: `${ownAddress()}/other` })),
    ],
    [
      'takes more than a megabyte',
      () => at.set(CONFIGURATION, () => ({ status: 200, body: `{"a":"${'x'.repeat(1_100_000)}"}` })),
    ],
  ])(
    'can not be relied on when its configuration %s; that is no fault of the token',
    async (_what, wrong) => {
      configured('/keys', {}, '/other');
      wrong();
      const one = discovering();
      const good = await theirs(signers.rsa);
      expect(await one.verify(good, AMONG)).toBe('unavailable');
      expect(askedAt).toEqual([CONFIGURATION]);
      configured('/keys');
      expect(await one.verify(good, AMONG)).toMatchObject(CALLER);
    },
  );
});
