import type { PoolKey, RotationHook } from '../../model/pools.ts';
import { spellSecretPlace } from '../../model/secret-place.ts';
import type { RotationDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { clip } from '../show.ts';
import { durationMs } from './literals.ts';
import { resolvePath } from './paths.ts';

interface HookContext {
  readonly projectFolder: string;
  readonly report: Report;
}

/** What is asked for new secrets of a pool. Null: a problem was reported. */
export function buildRotationHook(
  { command, webhook, secretFile, within }: RotationDocument,
  here: Here,
  context: HookContext,
): RotationHook | null {
  const withinMs = durationMs(within);
  if (command !== undefined && webhook === undefined && secretFile === undefined) {
    const [written, ...options] = command as readonly [string, ...string[]];
    const program = resolvePath(written, below(here, 'command', 0), context.projectFolder, context.report);
    return program === null ? null : { kind: 'command', program, options, withinMs };
  }
  if (webhook !== undefined && secretFile !== undefined && command === undefined)
    return buildWebhook({ webhook, secretFile, withinMs }, here, context);
  context.report({
    code: 'PT3215',
    message:
      'What is asked for new secrets is a command, or a webhook with the secretFile that it is signed with.',
    target: valueAt(here),
    help: 'Write `command: [/usr/local/bin/new-key]`, or `webhook` and `secretFile`.',
  });
  return null;
}

function buildWebhook(
  {
    webhook,
    secretFile,
    withinMs,
  }: { readonly webhook: string; readonly secretFile: string; readonly withinMs: number },
  here: Here,
  { projectFolder, report }: HookContext,
): RotationHook | null {
  const secret = resolvePath(secretFile, below(here, 'secretFile'), projectFolder, report);
  if (!isCallable(webhook))
    report({
      code: 'PT3215',
      message: `"${clip(webhook)}" is not an address that secrets can be asked for.`,
      target: valueAt(below(here, 'webhook')),
      help: 'Write it like https://vault.example.com/rotate, without a name or password in it; http is taken on this machine alone.',
    });
  else if (secret !== null) return { kind: 'webhook', url: webhook, secretFile: secret, withinMs };
  return null;
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

function isCallable(written: string): boolean {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname));
}

/** Whether the gateway can put new secrets in their place. */
export function checkStored(pool: string, keys: readonly PoolKey[], here: Here, report: Report): void {
  const other = keys.find(({ secret }) => secret.in !== 'store');
  if (other === undefined) return;
  report({
    code: 'PT3216',
    message: `The secret of key "${other.name}" of pool "${pool}" is ${spellSecretPlace(other.secret)}, which no hook can replace.`,
    target: valueAt(here),
    help: `Write \`secret: "store:${pool}/${other.name}"\` at the key, and set it with "portunus secrets set"; or remove \`rotation\`.`,
  });
}
