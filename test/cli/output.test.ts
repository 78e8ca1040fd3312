/** What becomes of commands whose output nobody takes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PORTUNUS } from '../gateway/running-gateway.ts';

const ODD = `language 1\n${'policy "p" {   permit }\n'.repeat(200)}`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-output-'));
  for (const name of ['a.policy', 'b.policy']) await writeFile(join(folder, name), ODD);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** `$0` is Node, `$1` the command line of Portunus. */
async function shell(script: string) {
  const child = spawn('bash', ['-c', script, process.execPath, PORTUNUS], { cwd: folder, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  return { stdout, stderr };
}

it('a reader that has seen enough is no failure', async () => {
  const { stdout, stderr } = await shell('$0 $1 fmt --diff | head -n 1; echo "ended with $PIPESTATUS"');
  expect(stdout).toBe('--- a.policy\tas it is\nended with 0\n');
  expect(stderr).toBe('2 files to format.\n');
});

it('a full disk is one, and is told', async () => {
  const { stdout, stderr } = await shell('$0 $1 check --explain PT1203 > /dev/full; echo "ended with $?"');
  expect(stderr).toBe('portunus: the output cannot be written: ENOSPC: no space left on device, write\n');
  expect(stdout).toBe('ended with 3\n');
});

it('fmt leaves a file as it is, and nothing beside it, where the new text does not fit', async () => {
  const { stdout, stderr } = await shell('ulimit -f 1; $0 $1 fmt a.policy; echo "ended with $?"');
  expect(stdout).toBe('a.policy\nended with 3\n');
  expect(stderr).toContain('portunus fmt: a.policy: EFBIG: file too large, write\n');
  expect(await readFile(join(folder, 'a.policy'), 'utf8')).toBe(ODD);
  expect(await readdir(folder)).toEqual(['a.policy', 'b.policy']);
});

it('nor is a reader of its messages that has gone: the code says what it found', async () => {
  const script = 'exec 3> >(exit); wait $!; $0 $1 fmt --check 2>&3; echo "ended with $?"';
  expect((await shell(script)).stdout).toBe('a.policy\nb.policy\nended with 1\n');
  const refused = 'exec 3> >(exit); wait $!; $0 $1 status . 2>&3; echo "ended with $?"';
  expect((await shell(refused)).stdout).toBe('ended with 3\n');
});
