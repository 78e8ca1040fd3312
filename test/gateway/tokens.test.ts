/** Tokens at a data thread, over real sockets: requests wait for what is found out about them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TokenVerifier, VerifiedToken } from '../../src/pipeline/identity.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, route } from './rules.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

const VERIFIED: VerifiedToken = {
  tenant: 'acme',
  consumer: 'web',
  credential: 'jwt:corporate',
  createdMs: 0,
  expiresMs: Number.MAX_SAFE_INTEGER,
};

/** Answers when it is told to. */
class Verifier implements TokenVerifier {
  readonly asked: { readonly token: string; readonly among: readonly string[] }[] = [];
  readonly #settle: ((outcome: Awaited<ReturnType<TokenVerifier['verify']>>) => void)[] = [];

  verify(token: string, among: readonly string[]): ReturnType<TokenVerifier['verify']> {
    this.asked.push({ token, among });
    return new Promise((resolve) => this.#settle.push(resolve));
  }

  settle(outcome: Awaited<ReturnType<TokenVerifier['verify']>>): void {
    for (const each of this.#settle.splice(0)) each(outcome);
  }
}

let upstream: UpstreamServer;
let gateway: Gateway;
let verifier: Verifier;
const OTHERS = { certificates: false, signatures: false } as const;
const BY_TOKEN = { auth: 'required', identify: { keys: false, issuers: ['corporate'], ...OTHERS } } as const;
const BY_BOTH = { auth: 'required', identify: { keys: true, issuers: ['corporate'], ...OTHERS } } as const;
const BY_KEY = { auth: 'required' } as const;

beforeEach(async () => {
  upstream = await startUpstream();
  verifier = new Verifier();
});
afterEach(async () => {
  gateway.close();
  await upstream.close();
});

async function start(limits: Parameters<typeof startGateway>[0]['limits'] = {}): Promise<void> {
  const routes = [
    route('token', '/token', BY_TOKEN),
    route('both', '/both', BY_BOTH),
    route('key', '/key', BY_KEY),
  ];
  gateway = await startGateway({ bundle: bundle(routes, upstream.port), tokens: verifier, limits });
}

async function ask(
  path: string,
  bearer: string,
): Promise<{ status: number; code: string; challenge: string }> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    headers: { authorization: `Bearer ${bearer}` },
  });
  const text = await response.text();
  const { code = '' } = response.status === 200 ? {} : (JSON.parse(text) as { code?: string });
  return { status: response.status, code, challenge: response.headers.get('www-authenticate') ?? '' };
}

async function begun(count: number): Promise<void> {
  await expect.poll(() => gateway.thread.inFlight()).toBe(count);
}

test('requests of one token wait for one verification; later ones wait for nothing', async () => {
  await start();
  const waiting = Array.from({ length: 5 }, () => ask('/token', 'a.b.c'));
  await begun(5);
  expect(upstream.requests).toHaveLength(0);
  expect(gateway.thread.load()).toMatchObject({ tokensVerifying: 1, identitiesKnown: 0 });
  verifier.settle(VERIFIED);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect((await ask('/token', 'a.b.c')).status).toBe(200);
  expect(gateway.thread.load()).toMatchObject({ tokensVerifying: 0, identitiesKnown: 1 });
  expect(verifier.asked).toEqual([{ token: 'a.b.c', among: ['corporate'] }]);
});

test.each([
  ['invalid', 401, 'unauthenticated'],
  ['unavailable', 503, 'token_keys_unavailable'],
] as const)('one that is %s is answered %i, and asked for anew', async (outcome, status, code) => {
  await start();
  for (let round = 1; round <= 2; round++) {
    const waiting = ask('/token', 'a.b.c');
    await expect.poll(() => verifier.asked).toHaveLength(round);
    verifier.settle(outcome);
    const answer = await waiting;
    expect(answer).toMatchObject({ status, code });
    if (status === 401) expect(answer.challenge).toContain('error="invalid_token"');
  }
  expect(upstream.requests).toHaveLength(0);
});

test('one that names nobody here, or has ended, is refused', async () => {
  await start();
  for (const outcome of [
    { ...VERIFIED, consumer: 'nobody' },
    { ...VERIFIED, expiresMs: 1 },
  ]) {
    const waiting = ask('/token', `a.b.${outcome.expiresMs}`);
    await begun(1);
    verifier.settle(outcome);
    expect(await waiting).toMatchObject({ status: 401 });
  }
});

test('each route takes what it says: keys, tokens, or both', async () => {
  await start();
  expect((await ask('/token', 'ptn_test_web')).status).toBe(401);
  expect((await ask('/both', 'ptn_test_web')).status).toBe(200);
  expect((await ask('/key', 'a.b.c')).status).toBe(401);
  expect(verifier.asked).toEqual([]);
  const waiting = ask('/both', 'a.b.c');
  await begun(1);
  verifier.settle(VERIFIED);
  expect((await waiting).status).toBe(200);
});

test('what is kept of tokens is bounded, and works at none', async () => {
  await start({ identityCacheEntries: 0 });
  for (let round = 1; round <= 2; round++) {
    const waiting = ask('/token', 'a.b.c');
    await expect.poll(() => verifier.asked).toHaveLength(round);
    verifier.settle(VERIFIED);
    expect((await waiting).status).toBe(200);
  }
});

test('more tokens than may be verified at a time are told to come back', async () => {
  await start({ tokensVerifying: 2 });
  const waiting = [ask('/token', 'a.b.1'), ask('/token', 'a.b.2')];
  await begun(2);
  expect(await ask('/token', 'a.b.3')).toMatchObject({ status: 503, code: 'overloaded' });
  expect(gateway.thread.load()).toMatchObject({ tokensVerifying: 2, tokensVerifyingRefused: 1 });
  verifier.settle(VERIFIED);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
});

test('a client that goes away while its token is verified leaves nothing behind', async () => {
  await start();
  const abort = new AbortController();
  const gone = fetch(`http://127.0.0.1:${gateway.port}/token`, {
    headers: { authorization: 'Bearer a.b.c' },
    signal: abort.signal,
  }).catch(() => 'gone');
  await begun(1);
  abort.abort();
  expect(await gone).toBe('gone');
  await begun(0);
  verifier.settle(VERIFIED);
  await gateway.recorded(1);
  expect(upstream.requests).toHaveLength(0);
});
