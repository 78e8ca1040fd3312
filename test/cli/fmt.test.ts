import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPortunus } from '../gateway/running-gateway.ts';

const ODD = 'language 1 policy "p" {permit}\n';
const FINE = 'language 1\n\npolicy "p" { permit }\n';
const BROKEN = 'language 1 policy "p" {permit\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-fmt-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');
const run = (...commandLine: readonly string[]) => runPortunus(['fmt', ...commandLine], { folder });

describe('portunus fmt', () => {
  it('formats every policy below a folder, and only policies', async () => {
    await write({
      'a.policy': ODD,
      'deep/er/b.policy': ODD,
      'fine.policy': FINE,
      'notes.md': ODD,
      '.hidden/c.policy': ODD,
      'node_modules/d.policy': ODD,
    });
    expect(await run()).toEqual({
      code: 0,
      stdout: 'a.policy\ndeep/er/b.policy\n',
      stderr: '2 files formatted, 1 file fine.\n',
    });
    expect([await read('a.policy'), await read('deep/er/b.policy')]).toEqual([FINE, FINE]);
    for (const other of ['notes.md', '.hidden/c.policy', 'node_modules/d.policy']) {
      expect(await read(other)).toBe(ODD);
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('formats the named files alone, each once', async () => {
    await write({ 'a.policy': ODD, 'b.policy': ODD });
    expect(await run('a.policy', './a.policy')).toMatchObject({ code: 0, stderr: '1 file formatted.\n' });
    expect(await read('b.policy')).toBe(ODD);
  });

  it('keeps the mode of a file, and a link as a link', async () => {
    await write({ 'real/a.policy': ODD });
    await chmod(join(folder, 'real/a.policy'), 0o640);
    await symlink('real/a.policy', join(folder, 'link.policy'));
    expect((await run('link.policy')).code).toBe(0);
    expect(await read('real/a.policy')).toBe(FINE);
    expect((await stat(join(folder, 'real/a.policy'))).mode & 0o777).toBe(0o640);
    expect((await lstat(join(folder, 'link.policy'))).isSymbolicLink()).toBe(true);
  });

  it('--check writes nothing, names what differs and ends with 1', async () => {
    await write({ 'a.policy': ODD, 'fine.policy': FINE });
    expect(await run('--check')).toEqual({
      code: 1,
      stdout: 'a.policy\n',
      stderr: expect.stringMatching(/^1 file to format, 1 file fine\. Run: (?:npx )?portunus fmt\n$/),
    });
    expect(await read('a.policy')).toBe(ODD);
    expect(await run('--check', 'fine.policy')).toEqual({ code: 0, stdout: '', stderr: '1 file fine.\n' });
  });

  it('--diff shows a unified diff and writes nothing; --check with it ends with 1', async () => {
    await write({ 'a.policy': ODD });
    const diff = [
      '--- a.policy\tas it is',
      '+++ a.policy\tformatted',
      '@@ -1,1 +1,3 @@',
      '-language 1 policy "p" {permit}',
      '+language 1',
      '+',
      '+policy "p" { permit }',
      '',
    ].join('\n');
    expect(await run('--diff')).toEqual({ code: 0, stdout: diff, stderr: '1 file to format.\n' });
    expect(await run('--check', '--diff')).toMatchObject({ code: 1, stdout: diff });
    expect(await read('a.policy')).toBe(ODD);
  });

  it('leaves a file with mistakes as it is and says what is wrong', async () => {
    await write({ 'a.policy': ODD, 'broken.policy': BROKEN });
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'a.policy\n' });
    expect(stderr).toMatch(/^error\[PT\d+\]: .*\n {2}--> broken\.policy:1:\d+\n/);
    expect(stderr).toContain('1 file formatted, 1 file with mistakes, left alone.\n');
    expect(await read('broken.policy')).toBe(BROKEN);
  });

  it('says so where there is nothing to format', async () => {
    expect(await run()).toEqual({ code: 0, stdout: '', stderr: 'No *.policy files here.\n' });
  });

  it.each([
    [['nowhere'], 3, 'portunus fmt: nowhere: there is no such file or folder.\n'],
    [['notes.md'], 3, 'portunus fmt: notes.md is no policy: only files that end in .policy are formatted.\n'],
    [['-', 'a.policy'], 2, 'portunus fmt: "-" stands for the standard input, alone.\n'],
    [
      ['latin.policy'],
      3,
      'portunus fmt: latin.policy is not UTF-8 text. Save it as UTF-8.\n1 file not done.\n',
    ],
  ] as const)('fmt %j ends with %d', async (commandLine, code, stderr) => {
    await write({ 'notes.md': ODD });
    await writeFile(join(folder, 'latin.policy'), Buffer.from('# gr\xfc\xdfe', 'latin1'));
    expect(await run(...commandLine)).toEqual({ code, stdout: '', stderr });
  });
});

describe('portunus fmt -', () => {
  const filter = (input: string, ...commandLine: readonly string[]) =>
    runPortunus(['fmt', '-', ...commandLine], { input, folder });

  it('formats the standard input to the standard output', async () => {
    expect(await filter(ODD)).toEqual({ code: 0, stdout: FINE, stderr: '' });
  });

  it('prints nothing but the reasons where the input has mistakes', async () => {
    const { code, stdout, stderr } = await filter(BROKEN);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('--> stdin:1:');
  });

  it('checks', async () => {
    expect(await filter(ODD, '--check')).toEqual({ code: 1, stdout: 'stdin\n', stderr: '' });
    expect(await filter(FINE, '--check')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await filter(FINE, '--diff')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('reads no more than a file may have', async () => {
    const { code, stdout, stderr } = await filter('#'.repeat(20 * 1024 * 1024));
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^portunus fmt: stdin is larger than \d+ bytes\. Split it\.\n$/);
  });
});
