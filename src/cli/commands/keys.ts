import type { AdminRequest } from '../../admin/client.ts';
import { callAdmin } from '../../admin/client.ts';
import type { IssuedView, KeyView } from '../../governance/key-views.ts';
import { DURATION_UNITS, parseDate, parseDuration } from '../../model/literals.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

interface Common extends GatewayOptions {
  readonly json?: true;
}
interface Expiry {
  readonly expiresIn?: string;
  readonly expires?: string;
}
interface IssueOptions extends Common, Expiry {
  readonly name?: string;
  readonly environment?: string;
}
export interface RotateOptions extends Common, Expiry {
  readonly overlap?: string;
  readonly environment?: string;
}

/** `portunus keys issue TENANT/CONSUMER [FOLDER]`. */
export function issueKey(holder: string, folder: string, options: IssueOptions): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const [tenant, consumer] = nameParts(holder, 2, 'TENANT/CONSUMER');
    const { name, environment } = options;
    const body = { tenant, consumer, name, environment, expiresMs: expiryOf(options) };
    return printIssued(await ask<IssuedView>({ method: 'POST', path: '/v1/keys', body }), options);
  });
}

/** `portunus keys list [FOLDER]`: every page of them. */
export function listKeys(
  folder: string,
  options: Common & { readonly tenant?: string; readonly consumer?: string },
): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (options.tenant !== undefined) query.set('tenant', options.tenant);
    if (options.consumer !== undefined) {
      const [tenant, consumer] = nameParts(options.consumer, 2, 'TENANT/CONSUMER');
      query.set('tenant', tenant!);
      query.set('consumer', consumer!);
    }
    for (let first = true, next: string | null = ''; next !== null; first = false) {
      const path: string = `/v1/keys?${query}`;
      const page = await ask<{ readonly keys: readonly KeyView[]; readonly next: string | null }>({
        method: 'GET',
        path,
      });
      if (first) process.stdout.write(options.json ? '[' : `${row(HEADINGS)}\n`);
      process.stdout.write(options.json ? jsonLines(page.keys, first) : page.keys.map(keyLine).join(''));
      next = page.next;
      query.set('after', next ?? '');
    }
    if (options.json) process.stdout.write('\n]\n');
    return EXIT.fine;
  });
}

/** `portunus keys rotate TENANT/CONSUMER/KEY [FOLDER]`. */
export function rotateConsumerKey(key: string, folder: string, options: RotateOptions): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const overlapMs = durationOf(options.overlap ?? '7d');
    const body = { overlapMs, environment: options.environment, expiresMs: expiryOf(options) };
    const issued = await ask<IssuedView>({ method: 'POST', path: `${pathOf(key)}/rotation`, body });
    const end =
      overlapMs === 0 ? 'has ended' : `counts until ${moment(Date.now() + overlapMs)} at the latest`;
    return printIssued(issued, options, ` ${key} ${end}.`);
  });
}

/** `portunus keys expire TENANT/CONSUMER/KEY [FOLDER]`. */
export function expireKey(key: string, folder: string, options: Common & Expiry): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const expiresMs = expiryOf(options);
    if (expiresMs === undefined) throw new Misuse('Say when: --expires-in 7d, or --expires 2027-05-01.');
    const view = await ask<KeyView>({ method: 'PUT', path: `${pathOf(key)}/expiry`, body: { expiresMs } });
    return print(view, options, `${spell(view)} ends ${moment(view.expiresMs)}.`);
  });
}

/** `portunus keys revoke TENANT/CONSUMER/KEY [FOLDER]`. */
export function revokeKey(key: string, folder: string, options: Common): Promise<ExitCode> {
  return keysCommand(folder, options, async (ask) => {
    const view = await ask<KeyView>({ method: 'DELETE', path: pathOf(key) });
    return print(view, options, `${spell(view)} is revoked: no request is let in by it any more.`);
  });
}

const PAGE = 1_000;

type Ask = <Body>(request: AdminRequest) => Promise<Body>;

/** Told on the standard error; 3, or 2 for what was asked wrongly. */
class Failure extends Error {}
export class Misuse extends Error {}

export async function keysCommand(
  folder: string,
  options: GatewayOptions,
  run: (ask: Ask) => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    // The gateway is looked for once the command is known to be called rightly.
    return await run(async <Body>(request: AdminRequest): Promise<Body> => {
      const access = await findGateway(folder, options);
      if (!access.ok) throw new Failure(access.error);
      const answer = await callAdmin<Body>(access.value, request);
      if (answer.ok) return answer.value;
      throw new Failure(answer.error.message);
    });
  } catch (error) {
    if (!(error instanceof Failure || error instanceof Misuse)) throw error;
    process.stderr.write(`portunus keys: ${error.message}\n`);
    return error instanceof Misuse ? EXIT.usage : EXIT.couldNotRun;
  }
}

export function nameParts(text: string, count: number, form: string): readonly string[] {
  const found = text.split('/');
  if (found.length === count && found.every((part) => part !== '')) return found;
  throw new Misuse(`"${text}" is not ${form}.`);
}

function pathOf(key: string): string {
  return `/v1/keys/${nameParts(key, 3, 'TENANT/CONSUMER/KEY').map(encodeURIComponent).join('/')}`;
}

/** Undefined where nothing was said. */
function expiryOf({ expiresIn, expires }: Expiry): number | undefined {
  if (expiresIn !== undefined && expires !== undefined)
    throw new Misuse('Say either --expires-in or --expires.');
  if (expiresIn !== undefined) return Date.now() + durationOf(expiresIn);
  if (expires === undefined) return undefined;
  const day = parseDate(expires);
  if (!day.ok) throw new Misuse(day.error.why);
  // As in tenants/*.yaml: the last day counts, until 24:00 UTC.
  return (day.value + 1) * DURATION_UNITS.d;
}

export function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok) throw new Misuse(duration.error.why);
  return duration.value;
}

function print(view: KeyView, { json }: Common, sentence: string): ExitCode {
  process.stdout.write(json ? `${JSON.stringify(view, null, 2)}\n` : `${sentence}\n`);
  return EXIT.fine;
}

function printIssued(issued: IssuedView, options: Common, more = ''): ExitCode {
  const until = issued.expiresMs === null ? '' : `, until ${moment(issued.expiresMs)}`;
  const lines = [
    `Issued ${spell(issued)}${until}.${more} This key is shown once and kept nowhere:`,
    '',
    issued.key,
  ];
  return print(issued, options, lines.join('\n'));
}

function spell({ tenant, consumer, name }: KeyView): string {
  return `${tenant}/${consumer}/${name}`;
}

function moment(ms: number | null): string {
  return ms === null ? 'never' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

const HEADINGS = ['key', 'kind', 'id', 'state', 'in', 'created', 'expires'];
const WIDTHS = [32, 11, 12, 8, 6, 20];
const KINDS: Readonly<Record<KeyView['kind'], string>> = {
  key: 'bearer key',
  certificate: 'certificate',
  signature: 'signing',
};

function keyLine(view: KeyView): string {
  const { kind, keyId, state, in: place, createdMs, expiresMs } = view;
  return `${row([spell(view), KINDS[kind], keyId, state, place, moment(createdMs), moment(expiresMs)])}\n`;
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, at) => cell.padEnd(WIDTHS[at] ?? 0))
    .join('  ')
    .trimEnd();
}

function jsonLines(keys: readonly KeyView[], first: boolean): string {
  return keys.map((key, at) => `${first && at === 0 ? '' : ','}\n  ${JSON.stringify(key)}`).join('');
}
