import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { err, ok } from '../base/result.ts';
import { type AdminAccess, readAdminAccess } from './access-file.ts';
import type { AdminActions } from './actions.ts';
import { LIVE, LOCAL, REFUSED, STATUS, serverOptions, testToken } from './admin.cases.ts';
import { requestReload, requestStatus } from './client.ts';
import { createAdminServer } from './server.ts';

const { token } = LOCAL;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function gateway(changes: Partial<AdminActions> = {}, address = '127.0.0.1'): Promise<AdminAccess> {
  const server = await createAdminServer({ ...serverOptions(changes), listen: { address, port: 0 } });
  if (!server.ok) throw new Error(server.error);
  cleanups.push(() => server.value.close());
  return { listen: server.value.listen, token, tls: null };
}

/** Something else that listens where the gateway should. */
async function stranger(status: number, body: string): Promise<AdminAccess> {
  const server: Server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return { listen: { address: '127.0.0.1', port: (server.address() as AddressInfo).port }, token, tls: null };
}

describe('the admin client', () => {
  it('reads the status', async () => {
    expect(await requestStatus(await gateway())).toEqual({ ok: true, value: STATUS });
  });

  it('reaches a gateway that listens on every address', async () => {
    expect(await requestStatus(await gateway({}, '0.0.0.0'))).toEqual({ ok: true, value: STATUS });
  });

  it('reloads, and takes a refused configuration as an answer', async () => {
    expect(await requestReload(await gateway())).toEqual({ ok: true, value: LIVE });
    const refusing = await gateway({ reload: () => Promise.resolve(ok(REFUSED)) });
    expect(await requestReload(refusing)).toEqual({ ok: true, value: REFUSED });
  });

  it('says in its words why the gateway refused', async () => {
    const problem = { code: 'store_write_failed', message: 'No room.', place: 'p', remedy: 'Make some.' };
    const access = await gateway({ reload: () => Promise.resolve(err(problem)) });
    expect(await requestReload(access)).toEqual({
      ok: false,
      error: {
        kind: 'refused',
        message: 'The gateway refused (503): It is live, but not recorded yet: No room. Make some.',
      },
    });
  });

  it('says that nothing runs', async () => {
    const access = await gateway();
    for (const cleanup of cleanups.splice(0)) await cleanup();
    expect(await requestStatus(access)).toEqual({
      ok: false,
      error: {
        kind: 'not-running',
        message: `No gateway is running: nothing listens on 127.0.0.1:${access.listen.port}.`,
      },
    });
    expect(await requestStatus({ ...access, startedBy: 'portunus start shop' })).toMatchObject({
      error: { message: expect.stringMatching(/\. Start it with "portunus start shop"\.$/) },
    });
  });

  it('says that the token is refused', async () => {
    const access = await gateway();
    const refused = await requestStatus({ ...access, token: testToken('another').token });
    expect(refused).toMatchObject({ ok: false, error: { kind: 'refused' } });
  });

  it.each([
    [200, 'hello'],
    [200, 'null'],
    [500, '{"code":"internal_error"}'],
    [404, '{}'],
  ])('says that it does not understand %i %s', async (status, body) => {
    const access = await stranger(status, body);
    expect(await requestStatus(access)).toMatchObject({ ok: false, error: { kind: 'failed' } });
    expect(await requestReload(access)).toMatchObject({ ok: false, error: { kind: 'failed' } });
  });

  it('reads no answer without end', async () => {
    const access = await stranger(200, 'x'.repeat(17 * 1_024 * 1_024));
    const answer = await requestStatus(access);
    expect(answer.ok ? '' : answer.error.message).toContain('the answer is longer than 16777216 bytes');
  });
});

describe('the access file', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'portunus-admin-'));
    cleanups.push(() => rm(path, { recursive: true }));
    return path;
  }

  it('is read', async () => {
    const file = join(await folder(), 'admin.json');
    const listen = { address: '127.0.0.1', port: 9_090 };
    await writeFile(file, JSON.stringify({ listen, token }));
    expect(await readAdminAccess(file)).toEqual({ ok: true, value: { listen, token, tls: null } });
    await writeFile(file, JSON.stringify({ listen, token, fingerprints: ['ab'] }));
    const tls = { kind: 'pinned', fingerprints: ['ab'] };
    expect(await readAdminAccess(file)).toEqual({ ok: true, value: { listen, token, tls } });
  });

  it('is absent where no gateway was started', async () => {
    const file = join(await folder(), 'admin.json');
    expect(await readAdminAccess(file)).toMatchObject({ ok: false, error: { kind: 'absent' } });
  });

  it.each([
    '',
    'null',
    '[]',
    '{"listen":{"address":"127.0.0.1","port":"9090"},"token":"t"}',
    '{"listen":{"address":"127.0.0.1","port":70000},"token":"t"}',
    '{"listen":{"address":"127.0.0.1","port":9090}}',
    '{"listen":{"address":"127.0.0.1","port":9090},"token":"t","fingerprints":"ab"}',
    '{"listen":{"address":"127.0.0.1","port":9090},"token":"t","fingerprints":[1]}',
  ])('is refused when it is damaged: %s', async (text) => {
    const file = join(await folder(), 'admin.json');
    await writeFile(file, text);
    expect(await readAdminAccess(file)).toMatchObject({ ok: false, error: { kind: 'unreadable' } });
    expect(await readFile(file, 'utf8')).toBe(text);
  });
});
