/** `portunus init`: what it writes is a project that works, and holds nothing of where it was copied from. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyProject } from '../../src/cli/commands/init.ts';
import { tourOf } from '../../src/cli/commands/tour.ts';
import { freePort, PORTUNUS, runPortunus } from '../gateway/running-gateway.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-init-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('writes a project that is checked without a word and whose tests pass', async () => {
  const made = await runPortunus(['init', 'mine'], { folder });
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('start mine --mock-upstream 9001 --mock-provider 9002'),
  });
  const names = await readdir(join(folder, 'mine'));
  expect(names.filter((name) => !name.startsWith('.')).sort()).toEqual([
    'data',
    'enforcement.yaml',
    'policies',
    'portunus.yaml',
    'providers',
    'routes',
    'tenants',
    'tour.txt',
  ]);
  expect(await runPortunus(['check', 'mine', '--warnings-as-errors'], { folder })).toMatchObject({ code: 0 });
  expect(await runPortunus(['test', 'mine'], { folder })).toMatchObject({ code: 0 });
});

it('makes the admin token, tells it to its account alone, and the first start keeps it', async () => {
  await runPortunus(['init', 'mine'], { folder });
  const data = join(folder, 'mine', 'data');
  const file = join(data, 'admin-access.json');
  const { token } = JSON.parse(await readFile(file, 'utf8')) as { readonly token: string };
  expect(token).toMatch(/^ptn_admin_/);
  expect([(await stat(data)).mode & 0o777, (await stat(file)).mode & 0o777]).toEqual([0o700, 0o600]);
  for (const name of await readdir(data))
    if (name !== 'admin-access.json') expect((await readFile(join(data, name))).includes(token)).toBe(false);
  const audit = await runPortunus(['audit', 'verify', 'mine'], { folder });
  expect(audit).toMatchObject({ code: 0 });
  const exported = await runPortunus(['audit', 'export', 'mine'], { folder });
  expect(JSON.parse(exported.stdout)).toMatchObject({
    action: 'tokens.issue',
    actor: { kind: 'account' },
    after: { name: 'local' },
  });

  const settings = join(folder, 'mine', 'portunus.yaml');
  const [port, adminPort] = [await freePort(), await freePort()];
  const text = await readFile(settings, 'utf8');
  await writeFile(settings, text.replace('8080', `${port}`).replace('9090', `${adminPort}`));
  const child = spawn(process.execPath, [PORTUNUS, 'start', 'mine'], { cwd: folder });
  try {
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (output.includes('Portunus is running')) break;
    }
    const status = await fetch(`http://127.0.0.1:${adminPort}/v1/tokens`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { tokens } = (await status.json()) as { readonly tokens: readonly { readonly name: string }[] };
    expect([status.status, tokens.map(({ name }) => name)]).toEqual([200, ['local']]);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ token, listen: { port: adminPort } });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

it('leaves keys and the admin token of the project it copies where they are', async () => {
  const used = join(folder, 'used');
  for (const path of ['data', 'policies/data']) await mkdir(join(used, path), { recursive: true });
  await writeFile(join(used, 'data', 'first-keys.json'), '[]');
  await writeFile(join(used, 'policies/data/a.policy'), 'language 1\n');
  expect(await copyProject(used, join(folder, 'mine'))).toEqual({ ok: true, value: undefined });
  expect(await readdir(join(folder, 'mine'), { recursive: true })).toEqual([
    'policies',
    'policies/data',
    'policies/data/a.policy',
  ]);
});

it('writes into no folder that holds something, and says where it can’t', async () => {
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const refused = await runPortunus(['init', '.'], { folder });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(
    /^portunus init: \. is not empty \(it holds notes\.txt\)\. Name a new folder: /,
  );
  for (const name of ['notes.txt', 'notes.txt/below']) {
    expect(await runPortunus(['init', name], { folder })).toEqual({
      code: 3,
      stdout: '',
      stderr: `portunus init: ${name} is not a folder, or lies in something that is none.\n`,
    });
  }
  expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
});

it('names the files of the project it is printed for', () => {
  expect(
    tourOf('Raise the 5 in {project}/policies/plans.policy', {
      url: 'http://127.0.0.1:8080',
      keys: [],
      project: 'mine',
    }),
  ).toBe('Raise the 5 in mine/policies/plans.policy');
});
