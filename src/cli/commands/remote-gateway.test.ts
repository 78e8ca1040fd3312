import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type GatewayOptions, remoteGateway } from './remote-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'portunus-remote-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [tokenFile, ca, empty, odd] = ['token', 'ca.pem', 'empty', 'odd'].map((name) => join(folder, name));
writeFileSync(tokenFile!, 'of-file\n');
writeFileSync(ca!, 'PEM');
writeFileSync(empty!, '\n');
writeFileSync(odd!, 'one\ntwo');

const WITH_TOKEN = { PORTUNUS_ADMIN_TOKEN: 'of-variable' };

async function found(options: GatewayOptions, environment: Record<string, string> = WITH_TOKEN) {
  const remote = await remoteGateway(options, environment);
  return remote.ok ? remote.value : remote.error;
}

describe('the gateway that a command is to ask', () => {
  it('is the one of the folder without --url', async () => {
    expect(await found({})).toBeNull();
    expect(await found({ ca: ca! })).toBe('--ca goes with --url.');
    expect(await found({ tokenFile: tokenFile! })).toBe('--token-file goes with --url.');
  });

  it.each([
    ['https://gw.example:9090', { address: 'gw.example', port: 9_090 }],
    ['https://gw.example/', { address: 'gw.example', port: 443 }],
    ['https://192.0.2.7:9090', { address: '192.0.2.7', port: 9_090 }],
    ['https://[2001:db8::1]:9090', { address: '2001:db8::1', port: 9_090 }],
  ])('is %s, known by its certificate', async (url, listen) => {
    const tls = { kind: 'verified', authorities: null };
    expect(await found({ url })).toEqual({ listen, token: 'of-variable', tls });
  });

  it.each(['http://127.0.0.1:9090', 'http://localhost:9090', 'http://[::1]:9090'])(
    'may be the end of a tunnel: %s',
    async (url) => expect(await found({ url })).toMatchObject({ listen: { port: 9_090 }, tls: null }),
  );

  it.each(['http://gw.example:9090', 'http://192.0.2.7', 'http://127.evil.example', 'http://0.0.0.0:9090'])(
    'is shown no token in the clear: %s',
    async (url) => expect(await found({ url })).toMatch(/^--url: without https the token could be read/),
  );

  it.each([
    'gw.example:9090',
    'https://gw.example/v1',
    'https://user@gw.example',
    'https://gw.example?a',
    'https://gw.example#a',
    'ftp://gw.example',
    '',
  ])('is no "%s"', async (url) =>
    expect(await found({ url })).toBe(`--url: "${url}" is not https://HOST:PORT.`),
  );

  it('takes token and authority from files, the token before that of the environment', async () => {
    expect(await found({ url: 'https://gw.example', tokenFile: tokenFile!, ca: ca! })).toMatchObject({
      token: 'of-file',
      tls: { kind: 'verified', authorities: 'PEM' },
    });
  });

  it('says what is missing', async () => {
    const url = 'https://gw.example';
    expect(await found({ url }, {})).toBe(
      '--url needs a token: --token-file FILE, or the variable PORTUNUS_ADMIN_TOKEN. "portunus tokens issue" makes one.',
    );
    expect(await found({ url, tokenFile: empty! })).toContain('--url needs a token');
    expect(await found({ url, tokenFile: odd! })).toBe('The token has characters that no token has.');
    expect(await found({ url, tokenFile: join(folder, 'none') })).toMatch(
      /^--token-file: .*none can't be read/,
    );
    expect(await found({ url, ca: join(folder, 'none') })).toMatch(/^--ca: .*none can't be read/);
    expect(await found({ url: 'http://127.0.0.1', ca: ca! })).toBe('--ca goes with a URL of https.');
  });
});
