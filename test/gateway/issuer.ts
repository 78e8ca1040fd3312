/** An issuer of tokens on this machine: its set of keys, and tokens that end in an hour. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TestIssuer {
  /** URL of its keys. */
  readonly keys: string;
  /** What it calls itself where it is asked where its keys are. */
  readonly address: string;
  /** How often they were asked for. */
  readonly asked: () => number;
  /** `iss`: "us", where nothing is said. */
  token(subject: string, iss?: string): Promise<string>;
  /** The same, signed by somebody else. */
  forged(subject: string): Promise<string>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<TestIssuer> {
  const [own, other] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const key = { ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256' };
  let asked = 0;
  const server = createServer(({ url }, response) => {
    if (url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: address(), jwks_uri: `${address()}/keys` }));
      return;
    }
    asked++;
    response.end(JSON.stringify({ keys: [key] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (subject: string, { privateKey }: typeof own, iss = 'us'): Promise<string> =>
    new SignJWT({ sub: subject, iss, aud: 'them' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setExpirationTime('1h')
      .sign(privateKey);
  return {
    keys: `${address()}/keys`,
    address: address(),
    asked: () => asked,
    token: (subject, iss) => sign(subject, own, iss),
    forged: (subject) => sign(subject, other),
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
