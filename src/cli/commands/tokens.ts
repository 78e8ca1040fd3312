import { callAdmin } from '../../admin/client.ts';
import type { IssuedToken, TokenDescription } from '../../admin/routes/tokens.ts';
import { parseDuration } from '../../model/literals.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { systemClock } from '../run/system-clock.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

/** `portunus tokens list [FOLDER]`: who may call the admin API, and for what. */
export async function tokensList(
  folder: string,
  options: GatewayOptions & { readonly json?: true },
): Promise<ExitCode> {
  const answer = await ask<{ readonly tokens: readonly TokenDescription[] }>(folder, options, {
    method: 'GET',
    path: '/v1/tokens',
  });
  if (!answer.ok) return failed(answer.error);
  if (options.json) return print(`${JSON.stringify(answer.value, null, 2)}\n`);
  const lines = answer.value.tokens.map(
    ({ id, name, scopes, expiresMs }) =>
      `${id}  ${name.padEnd(20)} ${(expiresMs === null ? 'never ends' : `ends ${new Date(expiresMs).toISOString()}`).padEnd(30)} ${scopes.join(', ')}`,
  );
  return print(`${lines.join('\n')}\n`);
}

/** `portunus tokens issue NAME --scope SCOPE … [FOLDER]`: makes a token and shows it, once. */
export async function tokensIssue(
  name: string,
  folder: string,
  options: GatewayOptions & {
    readonly scope: readonly string[];
    readonly expires?: string;
    readonly json?: true;
  },
): Promise<ExitCode> {
  const expiresMs = expiryOf(options.expires);
  if (expiresMs === undefined) {
    process.stderr.write(`portunus tokens: "${options.expires}" is no duration: write 90 days or 12h.\n`);
    return EXIT.usage;
  }
  const body = { name, scopes: options.scope, expiresMs };
  const answer = await ask<IssuedToken>(folder, options, { method: 'POST', path: '/v1/tokens', body });
  if (!answer.ok) return failed(answer.error);
  if (options.json) return print(`${JSON.stringify(answer.value, null, 2)}\n`);
  return print(
    `${answer.value.token}\nThis is shown once: only its hash is kept. Its name is ${name}, its id ${answer.value.id}.\n`,
  );
}

/** Null: never; undefined: not understood. */
function expiryOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return null;
  const duration = parseDuration(text);
  return duration.ok ? systemClock().wallMs() + duration.value : undefined;
}

/** `portunus tokens revoke ID [FOLDER]`: ends a token at once. */
export async function tokensRevoke(id: string, folder: string, options: GatewayOptions): Promise<ExitCode> {
  const answer = await ask<object>(folder, options, {
    method: 'DELETE',
    path: `/v1/tokens/${encodeURIComponent(id)}`,
  });
  return answer.ok ? print(`The token ${id} is refused from now on.\n`) : failed(answer.error);
}

async function ask<Body>(folder: string, options: GatewayOptions, request: Parameters<typeof callAdmin>[1]) {
  const access = await findGateway(folder, options);
  if (!access.ok) return access;
  const answer = await callAdmin<Body>(access.value, request);
  return answer.ok ? answer : ({ ok: false, error: answer.error.message } as const);
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.fine;
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus tokens: ${why}\n`);
  return EXIT.couldNotRun;
}
