/** Other files in the place of those of a project, with a crash at every point of the way. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readProject } from '../../src/cli/run/project-files.ts';
import { finishRewrite, rewriteProject } from '../../src/cli/run/project-rewrite.ts';
import type { ConfigurationFile } from '../../src/state/configuration-history.ts';

const BEFORE = [
  { path: 'policies/old.policy', text: 'language 1\n' },
  { path: 'portunus.yaml', text: 'portunus: 1\n' },
  { path: 'routes/same.yaml', text: 'routes: {}\n' },
];
const WANTED = [
  { path: 'policies/new/deep.policy', text: 'language 1 # new\n' },
  { path: 'portunus.yaml', text: 'portunus: 1 # new\n' },
  { path: 'routes/same.yaml', text: 'routes: {}\n' },
];
const JOURNAL = '.portunus-rollback.json';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-rewrite-'));
  for (const file of BEFORE) await put(file);
  await writeFile(join(folder, 'README.md'), 'their own');
});
afterEach(async () => {
  await chmod(join(folder, 'policies'), 0o755);
  await rm(folder, { recursive: true, force: true });
});

async function put({ path, text }: ConfigurationFile): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function present(): Promise<readonly ConfigurationFile[]> {
  const files = await readProject(folder);
  if (!files.ok) throw new Error(files.error);
  return files.value.texts.map(({ path, text }) => ({ path, text }));
}

async function left(): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.includes('unfinished') || name.includes(JOURNAL));
}

it('gives the folder exactly the files that are wanted, and leaves what is not configuration', async () => {
  expect(await rewriteProject(folder, await present(), WANTED)).toEqual({ ok: true, value: undefined });
  expect(await present()).toEqual(WANTED);
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('their own');
  expect(await left()).toEqual([]);
  expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'nothing to do' });
});

it('is finished after a crash at every step', async () => {
  const steps = [
    () => put(WANTED[0]!),
    () => writeFile(join(folder, '.portunus.yaml.unfinished'), 'portunus: 1 # ne'),
    () => put(WANTED[1]!),
    () => rm(join(folder, 'policies/old.policy')),
  ];
  const journal = { write: WANTED.slice(0, 2), remove: ['policies/old.policy'] };
  for (let done = 0; done <= steps.length; done++) {
    await rewriteProject(folder, await present(), BEFORE);
    await writeFile(join(folder, JOURNAL), JSON.stringify(journal));
    for (const step of steps.slice(0, done)) await step();
    expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'finished' });
    expect(await present()).toEqual(WANTED);
    await rm(join(folder, '.portunus.yaml.unfinished'), { force: true });
    expect(await left()).toEqual([]);
  }
});

it('that can not be finished says so, and is tried again', async () => {
  await writeFile(join(folder, JOURNAL), '{"write":[');
  expect(await finishRewrite(folder)).toMatchObject({ ok: false, error: expect.stringContaining(JOURNAL) });
  const blocked = { write: [{ path: 'README.md/x.policy', text: '' }], remove: [] };
  await writeFile(join(folder, JOURNAL), JSON.stringify(blocked));
  expect(await finishRewrite(folder)).toMatchObject({
    ok: false,
    error: expect.stringContaining('interrupted'),
  });
  await rm(join(folder, 'README.md'));
  expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'finished' });
});

it('touches nothing where a file is a link: it comes from elsewhere', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'portunus-elsewhere-'));
  await writeFile(join(elsewhere, 'p.yaml'), 'portunus: 1\n');
  await rm(join(folder, 'portunus.yaml'));
  await symlink(join(elsewhere, 'p.yaml'), join(folder, 'portunus.yaml'));
  const before = await present();
  const rewritten = await rewriteProject(folder, before, WANTED);
  expect(rewritten).toMatchObject({ ok: false, error: expect.stringContaining('portunus.yaml is a link') });
  expect(await present()).toEqual(before);
  expect(await left()).toEqual([]);
  await rm(elsewhere, { recursive: true });
});

it('writes nothing outside of the folder', async () => {
  const rewritten = await rewriteProject(folder, await present(), [{ path: '../x.policy', text: '' }]);
  expect(rewritten).toMatchObject({ ok: false, error: expect.stringContaining('outside') });
  expect(await present()).toEqual(BEFORE);
});
