/** An issuer of tokens on this machine: its set of keys, and tokens that end in an hour. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TestIssuer {
  /** URL of its keys. */
  readonly keys: string;
  /** How often they were asked for. */
  readonly asked: () => number;
  token(subject: string): Promise<string>;
  /** The same, signed by somebody else. */
  forged(subject: string): Promise<string>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<TestIssuer> {
  const [own, other] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const key = { ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256' };
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.end(JSON.stringify({ keys: [key] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sign = (subject: string, { privateKey }: typeof own): Promise<string> =>
    new SignJWT({ sub: subject, iss: 'us', aud: 'them' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setExpirationTime('1h')
      .sign(privateKey);
  return {
    keys: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked: () => asked,
    token: (subject) => sign(subject, own),
    forged: (subject) => sign(subject, other),
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
