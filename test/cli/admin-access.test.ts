/** The file by which commands on the same machine find the gateway. */
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readAdminAccess } from '../../src/admin/access-file.ts';
import { writeAdminAccess } from '../../src/cli/run/admin-access.ts';

const listen = { address: '127.0.0.1', port: 9_090 };
let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-access-'));
  file = join(folder, 'admin.json');
});
afterEach(() => rm(folder, { recursive: true }));

it('is replaced as a whole, and closed to others', async () => {
  for (const token of ['old', 'new'])
    expect((await writeAdminAccess(file, { listen, token, fingerprints: null })).ok).toBe(true);
  expect(await readAdminAccess(file)).toEqual({ ok: true, value: { listen, token: 'new', tls: null } });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['admin.json']);
});

it('is not written through what a crash, or somebody else, left beside it', async () => {
  await writeFile(join(folder, 'others'), 'of others');
  await symlink(join(folder, 'others'), `${file}.unfinished`);
  expect((await writeAdminAccess(file, { listen, token: 'mine', fingerprints: null })).ok).toBe(true);
  expect((await stat(join(folder, 'others'))).size).toBe('of others'.length);
  expect(await readAdminAccess(file)).toMatchObject({ ok: true });
});

it('says that it can not be written', async () => {
  const written = await writeAdminAccess(join(folder, 'missing', 'admin.json'), {
    listen,
    token: 't',
    fingerprints: null,
  });
  expect(written.ok ? '' : written.error).toMatch(/can't be written to .*ENOENT/);
});
