/** Other files in the place of those of a project, with a crash at every point of the way. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { err, ok, type Result } from '../../src/base/result.ts';
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

const begin = (): Result<void, string> => ok(undefined);
const rewrite = async (wanted: readonly ConfigurationFile[]): Promise<Result<void, string>> =>
  await rewriteProject(folder, await present(), wanted, begin);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const leave = (journal: unknown): Promise<void> => writeFile(join(folder, JOURNAL), JSON.stringify(journal));

/** As it lies there after a crash. */
const BEGUN = {
  write: [
    { ...WANTED[0]!, before: null },
    { ...WANTED[1]!, before: sha256(BEFORE[1]!.text) },
  ],
  remove: [{ path: 'policies/old.policy', before: sha256(BEFORE[0]!.text) }],
};

async function left(): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.includes('unfinished') || name.includes(JOURNAL));
}

it('gives the folder exactly the files that are wanted, and leaves what is not configuration', async () => {
  expect(await rewrite(WANTED)).toEqual({ ok: true, value: undefined });
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
  for (let done = 0; done <= steps.length; done++) {
    await rewrite(BEFORE);
    await leave(BEGUN);
    for (const step of steps.slice(0, done)) await step();
    expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'finished' });
    expect(await present()).toEqual(WANTED);
    await rm(join(folder, '.portunus.yaml.unfinished'), { force: true });
    expect(await left()).toEqual([]);
    expect((await readdir(folder, { recursive: true })).filter((name) => name.includes('edited'))).toEqual(
      [],
    );
  }
});

it('that can not be finished says so, and is tried again', async () => {
  await writeFile(join(folder, JOURNAL), '{"write":[');
  expect(await finishRewrite(folder)).toMatchObject({ ok: false, error: expect.stringContaining(JOURNAL) });
  await put({ path: 'routes/x', text: '' });
  await leave({ write: [{ path: 'routes/x/y.yaml', text: '', before: null }], remove: [] });
  expect(await finishRewrite(folder)).toMatchObject({
    ok: false,
    error: expect.stringContaining("interrupted can't be finished: routes/x is no folder"),
  });
  await rm(join(folder, 'routes/x'));
  expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'finished' });
});

it.each([
  '../x.policy',
  '/tmp/x.policy',
  'policies/../../x.policy',
  '.git/hooks/x.yaml',
  'policies/.x.policy',
  'policies//x.policy',
  'policies/x.sh',
  'node_modules/x/y.yaml',
  '',
])('is not finished where a journal from elsewhere names what is no configuration: %j', async (path) => {
  await leave({ write: [{ path, text: '', before: null }], remove: [] });
  expect(await finishRewrite(folder)).toMatchObject({
    ok: false,
    error: expect.stringContaining(JOURNAL),
  });
  await leave({ write: [], remove: [{ path: path === '' ? 'README.md' : path, before: null }] });
  expect((await finishRewrite(folder)).ok).toBe(false);
  expect(await present()).toEqual(BEFORE);
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('their own');
});

it.each([null, [], {}, { write: [{}], remove: [] }, { write: [], remove: ['portunus.yaml'] }])(
  'is not finished from a journal that is not as it is written: %j',
  async (journal) => {
    await leave(journal);
    expect(await finishRewrite(folder)).toMatchObject({
      ok: false,
      error: expect.stringContaining('not as Portunus writes it'),
    });
    expect(await present()).toEqual(BEFORE);
  },
);

it('follows no link that somebody laid where it writes first', async () => {
  const victim = join(folder, 'README.md');
  await symlink(victim, join(folder, '.portunus.yaml.unfinished'));
  await leave(BEGUN);
  expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'finished' });
  expect(await readFile(victim, 'utf8')).toBe('their own');
});

it('keeps what was edited after the crash beside, and finishes', async () => {
  await leave(BEGUN);
  await put({ path: 'portunus.yaml', text: 'portunus: 1 # edited\n' });
  await put({ path: 'policies/old.policy', text: 'language 1 # edited\n' });
  expect(await finishRewrite(folder)).toEqual({ ok: true, value: 'finished' });
  expect(await present()).toEqual(WANTED);
  const beside = (name: string, text: string): string => `.${name}.edited-${sha256(text).slice(0, 8)}`;
  for (const [place, name, text] of [
    ['.', 'portunus.yaml', 'portunus: 1 # edited\n'],
    ['policies', 'old.policy', 'language 1 # edited\n'],
  ] as const)
    expect(await readFile(join(folder, place, beside(name, text)), 'utf8')).toBe(text);
});

it('begins nothing that could never be finished: something else lies where a file or a folder is wanted', async () => {
  await put({ path: 'policies/new', text: 'a file of theirs' });
  expect(await rewrite(WANTED)).toEqual({
    ok: false,
    error: 'policies/new is no folder: move it away first.',
  });
  await rm(join(folder, 'policies/new'));
  await mkdir(join(folder, 'policies/new/deep.policy'), { recursive: true });
  expect(await rewrite(WANTED)).toEqual({
    ok: false,
    error: 'policies/new/deep.policy is no file: move it away first.',
  });
  expect(await left()).toEqual([]);
});

it('puts a folder where a file lies that goes', async () => {
  const wanted = [BEFORE[1]!, { path: 'policies/old.policy/deep.policy', text: 'language 1\n' }];
  expect((await rewrite(wanted)).ok).toBe(true);
  expect((await present()).map(({ path }) => path)).toEqual([
    'policies/old.policy/deep.policy',
    'portunus.yaml',
  ]);
});

it('touches nothing where its begin can not be recorded', async () => {
  expect(await rewriteProject(folder, await present(), WANTED, () => err('no room'))).toEqual(err('no room'));
  expect(await present()).toEqual(BEFORE);
  expect(await left()).toEqual([]);
});

it('touches nothing where a file is a link: it comes from elsewhere', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'portunus-elsewhere-'));
  await writeFile(join(elsewhere, 'p.yaml'), 'portunus: 1\n');
  await rm(join(folder, 'portunus.yaml'));
  await symlink(join(elsewhere, 'p.yaml'), join(folder, 'portunus.yaml'));
  const before = await present();
  const rewritten = await rewriteProject(folder, before, WANTED, begin);
  expect(rewritten).toMatchObject({ ok: false, error: expect.stringContaining('portunus.yaml is a link') });
  expect(await present()).toEqual(before);
  expect(await left()).toEqual([]);
  await rm(elsewhere, { recursive: true });
});

it('writes nothing outside of the folder', async () => {
  const rewritten = await rewrite([{ path: '../x.policy', text: '' }]);
  expect(rewritten).toMatchObject({ ok: false, error: expect.stringContaining('outside') });
  expect(await present()).toEqual(BEFORE);
});
