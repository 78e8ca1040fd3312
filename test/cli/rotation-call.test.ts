/** Hooks that give new secrets of provider keys: bounded in time and in what they may say, and never quoted. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { err, ok } from '../../src/base/result.ts';
import { callRotationHook, HOOK_ANSWER_BYTES_MAX } from '../../src/cli/run/rotation-call.ts';
import type { RotationAsked } from '../../src/cli/run/rotation-hooks.ts';
import { signatureFields } from '../../src/observe/webhook-signature.ts';

const ASKED: RotationAsked = { pool: 'main', key: 'k1', account: 'org', provider: 'openai' };
const RUNNING = new AbortController().signal;

describe('a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portunus-hook-'));
  const pidFile = join(folder, 'pid');
  afterAll(() => rmSync(folder, { recursive: true }));

  const sh = (script: string, withinMs = 10_000, stopping = RUNNING) =>
    callRotationHook(
      { kind: 'command', program: '/bin/sh', options: ['-c', script], withinMs },
      ASKED,
      stopping,
    );
  const isOver = () =>
    existsSync(pidFile) && !existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/fd/0`);

  it('is told what is asked, and gives what it says', async () => {
    const asked = JSON.stringify({ event: 'key-rotation-due', ...ASKED });
    expect(await sh('cat')).toEqual(ok(asked));
    expect(await sh('echo "  sk-new "; echo noise >&2')).toEqual(ok('sk-new'));
  });

  it('sees nothing of the environment but where programs are', async () => {
    expect(await sh('env | grep -v "^\\(PWD\\|_\\|SHLVL\\|OLDPWD\\)="')).toEqual(
      ok(`PATH=${process.env.PATH}`),
    );
  });

  it.each([
    ['that fails', 'echo sk-secret; exit 3', 'its command ended with status 3'],
    ['that says nothing', 'echo', 'it said nothing'],
    ['that says too much', 'yes', `it said more than ${HOOK_ANSWER_BYTES_MAX} bytes`],
  ])('%s is an error that says nothing of what it said', async (_, script, error) => {
    expect(await sh(script)).toEqual(err(error));
  });

  it.each([
    ['that does not end', '& sleep 600'],
    ['that leaves something behind that does not end', '&'],
  ])('%s is killed, with what it began', async (_, rest) => {
    const script = `sleep 600 ${rest.replace('&', `& echo $! > ${pidFile};`)}`;
    expect(await sh(script, 300)).toEqual(err('its command did not end within 300 ms'));
    await expect.poll(isOver).toBe(true);
    rmSync(pidFile);
  });

  it('does not outlive the gateway', async () => {
    const stopping = new AbortController();
    const called = sh(`sleep 600 & echo $! > ${pidFile}; wait`, 60_000, stopping.signal);
    await expect.poll(() => existsSync(pidFile)).toBe(true);
    stopping.abort();
    expect(await called).toEqual(err('the gateway stops'));
    await expect.poll(isOver).toBe(true);
  });

  it('that is not there is told of', async () => {
    const hook = { kind: 'command', program: '/nowhere/x', options: [], withinMs: 10_000 } as const;
    expect(await callRotationHook(hook, ASKED, RUNNING)).toEqual(
      err("its command can't be run: spawn /nowhere/x ENOENT"),
    );
  });
});

describe('a webhook', () => {
  const SECRET = 'a secret of webhooks';
  const folder = mkdtempSync(join(tmpdir(), 'portunus-hook-'));
  let server: Server;
  let answer = { status: 200, body: '' };
  let isSigned = false;

  beforeAll(async () => {
    writeFileSync(join(folder, 'secret'), SECRET);
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => {
        const { headers } = request;
        const signed = signatureFields(Buffer.from(SECRET), {
          id: String(headers['webhook-id']),
          timestampS: Number(headers['webhook-timestamp']),
          body,
        });
        isSigned = signed['webhook-signature'] === headers['webhook-signature'] && body.includes('"k1"');
        if (answer.status !== 0) response.writeHead(answer.status).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (withinMs = 10_000, secretFile = 'secret') => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rotate`;
    return callRotationHook(
      { kind: 'webhook', url, secretFile: join(folder, secretFile), withinMs },
      ASKED,
      RUNNING,
    );
  };

  it('is asked with a signature, and gives the secret of its answer', async () => {
    answer = { status: 200, body: '{ "secret": "sk-new" }' };
    expect(await ask()).toEqual(ok('sk-new'));
    expect(isSigned).toBe(true);
  });

  it.each([
    [500, '{ "secret": "sk-new" }', 'its webhook answered 500'],
    [302, '', 'its webhook answered 302'],
    [200, 'sk-new', 'its webhook answered no { "secret": "…" }'],
    [200, '{ "secret": 5 }', 'its webhook answered no { "secret": "…" }'],
    [200, '{ "secret": " " }', 'it said nothing'],
    [200, 'x'.repeat(9_000), `its webhook: its answer is longer than ${HOOK_ANSWER_BYTES_MAX} bytes`],
  ])('that answers %i %s gives none', async (status, body, error) => {
    answer = { status, body };
    expect(await ask()).toEqual(err(error));
  });

  it('that does not answer, or whose secret is not there, gives none', async () => {
    answer = { status: 0, body: '' };
    expect(await ask(100)).toEqual(err('its webhook: no answer within 100 ms'));
    expect(await ask(100, 'missing')).toMatchObject({ ok: false });
  });
});
