/** `portunus init`: what it writes is a project that works, and holds nothing of where it was copied from. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyProject } from '../../src/cli/commands/init.ts';
import { tourOf } from '../../src/cli/commands/tour.ts';
import { runPortunus } from '../gateway/running-gateway.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-init-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('writes a project that is checked without a word and whose tests pass', async () => {
  const made = await runPortunus(['init', 'mine'], { folder });
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('start mine --mock-upstream 9001') });
  const names = await readdir(join(folder, 'mine'));
  expect(names.filter((name) => !name.startsWith('.')).sort()).toEqual([
    'enforcement.yaml',
    'policies',
    'portunus.yaml',
    'routes',
    'tenants',
    'tour.txt',
  ]);
  expect(await runPortunus(['check', 'mine', '--warnings-as-errors'], { folder })).toMatchObject({ code: 0 });
  expect(await runPortunus(['test', 'mine'], { folder })).toMatchObject({ code: 0 });
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
