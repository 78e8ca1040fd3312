import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '../../base/result.ts';
import { secretReader } from './secret-reader.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-secret-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(path: string) {
  const secret = secretReader({ open: () => ok(null) })({ in: 'file', path });
  return secret.ok ? ok(Buffer.from(secret.value).toString('latin1')) : secret;
}

describe('a secret in a file', () => {
  it.each([
    ['sk-1', 'sk-1'],
    ['sk-1\r\n', 'sk-1'],
    ['sk-1\n\n', 'sk-1\n'],
    ['', ''],
    ['x'.repeat(65_536), 'x'.repeat(65_536)],
  ])('is all of it but a line break at its end', (text, expected) => {
    writeFileSync(join(folder, 'key'), text);
    symlinkSync(join(folder, 'key'), join(folder, 'link'));
    for (const name of ['key', 'link']) expect(read(join(folder, name))).toEqual(ok(expected));
  });

  it('that is too large, or not there, is refused', () => {
    writeFileSync(join(folder, 'key'), 'x'.repeat(65_537));
    expect(read(join(folder, 'key'))).toEqual(err('it is larger than 65536 bytes'));
    expect(read(join(folder, 'none'))).toEqual(err('no such file'));
  });

  it('that is a pipe, a device or a folder is refused, and nobody waits for it', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const why = 'it is no regular file: pipes, devices and folders are not read';
    for (const path of [join(folder, 'pipe'), '/dev/zero', '/dev/null', folder])
      expect(read(path)).toEqual(err(why));
  });
});
