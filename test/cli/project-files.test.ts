/** What is read of a project folder: nothing that its name makes configuration is passed over. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProjectWatcher, readProject } from '../../src/cli/run/project-files.ts';
import { systemClock } from '../../src/cli/run/system-clock.ts';
import { timerAfter } from '../../src/upstream/timers.ts';

let outer: string;
let project: string;
beforeEach(async () => {
  outer = await mkdtemp(join(tmpdir(), 'portunus-files-'));
  project = join(outer, 'project');
  await write('portunus.yaml', 'portunus: 1\n');
});
afterEach(() => rm(outer, { recursive: true, force: true }));

async function write(path: string, text: string | Buffer): Promise<void> {
  const file = join(project, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function read(): Promise<Readonly<Record<string, string>> | string> {
  const files = await readProject(project);
  if (!files.ok) return files.error.replace(`${relative(process.cwd(), project)}/`, '');
  return Object.fromEntries(files.value.texts.map(({ path, text }) => [path, text]));
}

describe('links', () => {
  it('are followed, to files and to folders, also out of the project', async () => {
    await write('../shared/routes/a.yaml', 'routes: {}\n');
    await write('../shared/p.policy', 'language 1\n');
    await symlink(join(outer, 'shared/routes'), join(project, 'routes'));
    await mkdir(join(project, 'policies'));
    await symlink(join(outer, 'shared/p.policy'), join(project, 'policies/p.policy'));
    expect(await read()).toEqual({
      'portunus.yaml': 'portunus: 1\n',
      'routes/a.yaml': 'routes: {}\n',
      'policies/p.policy': 'language 1\n',
    });
  });

  it.each([
    ['to nothing', 'nowhere.policy', 'policies/odd.policy is a link to nothing.'],
    ['to themselves', 'odd.policy', 'policies/odd.policy is a link that leads in a circle.'],
    ['to a folder above', '..', 'policies/odd.policy is a link back to a folder that it lies in.'],
  ])('%s are refused', async (_what, target, error) => {
    await write('policies/p.policy', 'language 1\n');
    await symlink(target, join(project, 'policies/odd.policy'));
    expect(await read()).toBe(error);
  });
});

it.each([
  ['policies/pipe.policy', 'policies/pipe.policy is not a file.'],
  ['routes', 'routes is not a folder.'],
])('a pipe in the place of %s is refused', async (path, error) => {
  await mkdir(join(project, 'policies'));
  execFileSync('mkfifo', [join(project, path)]);
  expect(await read()).toBe(error);
});

it('a folder in the place of portunus.yaml is refused', async () => {
  await rm(join(project, 'portunus.yaml'));
  await mkdir(join(project, 'portunus.yaml'));
  expect(await read()).toBe('portunus.yaml is not a file.');
});

it('bytes that are not UTF-8 are left to be found in their place, but for schemas', async () => {
  await write('policies/p.policy', Buffer.from('language 1 # caf\xe9\n', 'latin1'));
  expect(await read()).toMatchObject({ 'policies/p.policy': 'language 1 # caf\ufffd\n' });
  await write('routes/a.schema.json', Buffer.from('{ "title": "caf\xe9" }', 'latin1'));
  expect(await read()).toBe('routes/a.schema.json is not UTF-8 text. Save it as UTF-8.');
});

it('a file may be larger than settings allow by themselves: the check knows what they say', async () => {
  const large = `# ${'x'.repeat(5 * 1_024 * 1_024)}\n`;
  await write('policies/p.policy', large);
  expect(await read()).toMatchObject({ 'policies/p.policy': large });
  await write('policies/p.policy', Buffer.alloc(64 * 1_024 * 1_024 + 1, 'x'));
  expect(await read()).toBe('policies/p.policy is larger than 67108864 bytes. Split it.');
});

it('a folder that can’t be watched is named; one that has gone meanwhile is nothing to tell', async () => {
  const watcher = new ProjectWatcher(() => {}, systemClock(), timerAfter);
  expect(watcher.watch([project, join(project, 'gone')])).toBeNull();
  // No folder: the system's own words are told.
  expect(watcher.watch([project, join(project, 'portunus.yaml', 'below')])).toMatch(
    /portunus\.yaml\/below can't be watched: ENOTDIR: /,
  );
  watcher.stop();
});

describe('a change is noticed', () => {
  /** Resolves when the watcher has told of a change that `change` made. */
  async function noticed(change: () => Promise<void>): Promise<void> {
    const files = await readProject(project);
    if (!files.ok) throw new Error(files.error);
    let watcher: ProjectWatcher | undefined;
    const told = new Promise<void>((resolve) => {
      watcher = new ProjectWatcher(resolve, systemClock(), timerAfter);
    });
    watcher!.watch(files.value.folders);
    await change();
    await told;
    watcher!.stop();
  }

  it('in what a link leads to', async () => {
    await write('../shared/p.policy', 'language 1\n');
    await mkdir(join(project, 'policies'));
    await symlink(join(outer, 'shared/p.policy'), join(project, 'policies/p.policy'));
    await noticed(() => write('../shared/p.policy', 'language 1\n# changed\n'));
  });

  it('in a volume that Kubernetes mounts', async () => {
    for (const version of ['..1', '..2'])
      await write(`policies/${version}/p.policy`, `language 1\n# ${version}\n`);
    await symlink('..1', join(project, 'policies/..data'));
    await symlink('..data/p.policy', join(project, 'policies/p.policy'));
    await noticed(async () => {
      await symlink('..2', join(project, 'policies/..data_tmp'));
      await rename(join(project, 'policies/..data_tmp'), join(project, 'policies/..data'));
    });
    expect(await read()).toMatchObject({ 'policies/p.policy': 'language 1\n# ..2\n' });
  });
});

it('what was meant to be configuration is read, so that the check can say where it belongs', async () => {
  await write('policy/p.policy', 'language 1\n');
  await write('Routes/a.yaml', 'routes: {}\n');
  await write('policies/plans.polcy', 'language 1\n');
  await write('tenants/acme.YAML', 'tenants: {}\n');
  await write('docs/a.yaml', 'a: 1\n');
  await write('policies/README.md', 'Ours.\n');
  expect(Object.keys((await read()) as object)).toEqual([
    'Routes/a.yaml',
    'policies/plans.polcy',
    'policy/p.policy',
    'portunus.yaml',
    'tenants/acme.YAML',
  ]);
});
