import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHistoryFile } from './history-file.ts';

it('says why it could not be read, where reads throw', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portunus-history-'));
  const opened = openHistoryFile(folder, 0, false, () => true);
  if (!opened.ok) throw new Error(opened.error);
  const file = opened.value;
  file.write({ puts: [{ key: [1, 2], bytes: Buffer.from('kept') }], removes: [] });
  expect(file.reading(() => Buffer.from(file.get([1, 2])!).toString())).toEqual({ ok: true, value: 'kept' });
  await file.close();
  expect(() => file.usedBytes(1)).toThrow();
  const read = file.reading(() => file.usedBytes(1));
  expect(read).toMatchObject({ ok: false, error: { message: expect.stringContaining("can't be read: ") } });
  rmSync(folder, { recursive: true, force: true });
});
