/** Calls what a pool names for new secrets: a command or a webhook, bounded in time and in what it may say. Nothing that it says is kept or logged. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';
import type { RotationHook } from '../../model/pools.ts';
import { postForText } from '../../observe/http-post.ts';
import { secretBytes, signatureFields } from '../../observe/webhook-signature.ts';
import type { RotationAsked } from './rotation-hooks.ts';

/** More than any secret, with what JSON puts around it. */
export const HOOK_ANSWER_BYTES_MAX = 8_192;

/** `stopping`: the gateway ends, and no command may outlive it. */
export function callRotationHook(
  hook: RotationHook,
  asked: RotationAsked,
  stopping: AbortSignal,
): Promise<Result<string, string>> {
  const body = JSON.stringify({ event: 'key-rotation-due', ...asked });
  return hook.kind === 'command' ? run(hook, body, stopping) : ask(hook, body);
}

type Command = Extract<RotationHook, { kind: 'command' }>;

function run(
  { program, options, withinMs }: Command,
  input: string,
  stopping: AbortSignal,
): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    // Of the environment only where programs are: keys of other providers may be in it. A group of its own, so that all of it is killed.
    const child = spawn(program, options, {
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    const pieces: Buffer[] = [];
    let bytes = 0;
    let isClosed = false;
    const end = (result: Result<string, string>): void => {
      clearTimeout(deadline);
      stopping.removeEventListener('abort', stop);
      // As long as its output is open, it or something that it began is there.
      if (child.pid !== undefined && !isClosed) killGroup(child.pid);
      child.stdout.destroy();
      resolve(result);
    };
    const deadline = setTimeout(() => end(err(`its command did not end within ${withinMs} ms`)), withinMs);
    const stop = (): void => end(err('the gateway stops'));
    stopping.addEventListener('abort', stop);
    child.on('error', ({ message }) => end(err(`its command can't be run: ${message}`)));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.stdout.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > HOOK_ANSWER_BYTES_MAX) end(err(TOO_LONG));
      else pieces.push(piece);
    });
    child.on('close', (code, signal) => {
      isClosed = true;
      if (code !== 0) end(err(`its command ended with ${signal ?? `status ${code}`}`));
      else end(said(Buffer.concat(pieces).toString('utf8')));
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

type Webhook = Extract<RotationHook, { kind: 'webhook' }>;

async function ask({ url, secretFile, withinMs }: Webhook, body: string): Promise<Result<string, string>> {
  const secret = readSecret(secretFile);
  if (!secret.ok) return secret;
  const timestampS = Math.floor(Date.now() / 1_000);
  const signed = signatureFields(secret.value, { id: `msg_${randomUUID()}`, timestampS, body });
  const fields = { ...signed, 'content-type': 'application/json' };
  const answer = await postForText(url, fields, body, {
    timeoutMs: withinMs,
    bytesMax: HOOK_ANSWER_BYTES_MAX,
  });
  if (!answer.ok) return err(`its webhook: ${answer.error}`);
  if (answer.value.status !== 200) return err(`its webhook answered ${answer.value.status}`);
  return secretIn(answer.value.text);
}

function readSecret(file: string): Result<Uint8Array, string> {
  try {
    const bytes = secretBytes(readFileSync(file, 'utf8'));
    return bytes === null ? err(`the secret in ${file} is too short`) : ok(bytes);
  } catch (error) {
    return err(`its secretFile can't be read: ${(error as Error).message}`);
  }
}

function secretIn(text: string): Result<string, string> {
  try {
    const { secret } = JSON.parse(text) as { readonly secret?: unknown };
    if (typeof secret === 'string') return said(secret);
  } catch {
    // Told below, without the text.
  }
  return err('its webhook answered no { "secret": "…" }');
}

function said(text: string): Result<string, string> {
  const secret = text.trim();
  return secret === '' ? err('it said nothing') : ok(secret);
}

const TOO_LONG = `it said more than ${HOOK_ANSWER_BYTES_MAX} bytes`;
