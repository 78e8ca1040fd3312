import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { AdminAccess } from '../../admin/access-file.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** Options of commands that ask a running gateway: with `url` one on another machine, else the one of the project folder. */
export interface GatewayOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly tokenFile?: string;
}

/** Where the token may stand instead of in a file. It is never an argument, because others see those. */
const TOKEN_VARIABLE = 'PORTUNUS_ADMIN_TOKEN';

/** How to reach the gateway that `--url` names; null without it. The error is a sentence or two. */
export async function remoteGateway(
  { url, ca, tokenFile }: GatewayOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Result<AdminAccess | null, string>> {
  if (url === undefined) {
    const lone = ca === undefined ? (tokenFile === undefined ? null : '--token-file') : '--ca';
    return lone === null ? ok(null) : err(`${lone} goes with --url.`);
  }
  const place = placeOf(url);
  if (!place.ok) return place;
  const { address, port, secure } = place.value;
  if (!secure && ca !== undefined) return err('--ca goes with a URL of https.');
  const token = await textOf(tokenFile, '--token-file');
  if (!token.ok) return token;
  const authorities = await textOf(ca, '--ca');
  if (!authorities.ok) return authorities;
  const presented = (token.value ?? environment[TOKEN_VARIABLE] ?? '').trim();
  if (presented === '')
    return err(
      `--url needs a token: --token-file FILE, or the variable ${TOKEN_VARIABLE}. "portunus tokens issue" makes one.`,
    );
  // node:http throws for a header field with others
  if (!/^[\x21-\x7e]+$/.test(presented)) return err('The token has characters that no token has.');
  return ok({
    listen: { address, port },
    token: presented,
    tls: secure ? { kind: 'verified', authorities: authorities.value } : null,
  });
}

interface GatewayPlace {
  readonly address: string;
  readonly port: number;
  readonly secure: boolean;
}

function placeOf(text: string): Result<GatewayPlace, string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain =
    url !== null && url.username + url.password + url.search + url.hash === '' && url.pathname === '/';
  if (url === null || !plain || !(url.protocol === 'https:' || url.protocol === 'http:'))
    return err(`--url: "${text}" is not https://HOST:PORT.`);
  const address = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  if (!secure && !isLoopback(address))
    return err(`--url: without https the token could be read on the way to ${address}.`);
  return ok({ address, port: Number(url.port === '' ? (secure ? 443 : 80) : url.port), secure });
}

/** What never leaves this machine: a tunnel's end, for instance. */
function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

async function textOf(file: string | undefined, option: string): Promise<Result<string | null, string>> {
  if (file === undefined) return ok(null);
  try {
    return ok(await readFile(file, 'utf8'));
  } catch (error) {
    return err(`${option}: ${file} can't be read: ${(error as Error).message}.`);
  }
}
