import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ok } from '../base/result.ts';
import type { AuditEntry } from '../pipeline/audit.ts';
import { LmdbFile } from './lmdb-file.ts';
import { openSetAsideKeys, type SetAsideKey, type SetAsideKeys } from './set-aside-keys.ts';
import { StoreTables } from './store-tables.ts';

const actor = { kind: 'account', name: 'test' } as const;
const entry: AuditEntry = {
  actor,
  action: 'provider-keys.disable',
  target: 'key',
  before: null,
  after: null,
};
let folder: string;
let tables: StoreTables;
let recorded: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-set-aside-'));
  tables = new StoreTables(new LmdbFile(join(folder, 'store.mdb'), 'put-back'));
  recorded = 0;
});
afterEach(async () => {
  await tables.close();
  rmSync(folder, { recursive: true, force: true });
});

function opened(keysMax?: number): SetAsideKeys {
  const change: Parameters<typeof openSetAsideKeys>[1]['change'] = (entries, write) => {
    const written = tables.change(write);
    if (written.ok) recorded += entries.length;
    return written.ok ? ok([]) : written;
  };
  const keys = openSetAsideKeys(tables, { change }, keysMax);
  if (!keys.ok) throw new Error(keys.error.message);
  return keys.value;
}

const disabled = (key: string): SetAsideKey => ({ pool: 'pool', key, as: 'disabled' });
const all = () => true;

it('keys that people have set aside are found again, with the last word of each', () => {
  const keys = opened();
  keys.set(disabled('a'), entry, all);
  keys.set(disabled('b'), entry, all);
  keys.set({ ...disabled('a'), as: 'draining' }, entry, all);
  keys.free(disabled('b'), entry);
  expect(recorded).toBe(4);
  for (const each of [keys, opened()]) expect(each.list()).toEqual([{ ...disabled('a'), as: 'draining' }]);
});

it('of too many the oldest that is no key any more is forgotten', () => {
  const keys = opened(2);
  for (const name of ['a', 'b', 'c']) keys.set(disabled(name), entry, ({ key }) => key !== 'b');
  keys.set(disabled('c'), entry, () => false);
  for (const each of [keys, opened(2)]) expect(each.list()).toEqual([disabled('a'), disabled('c')]);
});
