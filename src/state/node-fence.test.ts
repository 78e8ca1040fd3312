import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Random } from '../base/ports.ts';
import { LmdbFile } from './lmdb-file.ts';
import { holdStore, type NodeFence } from './node-fence.ts';
import { createQuotaMarks } from './quota-marks.ts';
import { problem } from './store-problem.ts';
import { StoreTables } from './store-tables.ts';

let folder: string;
let tables: StoreTables;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-fence-'));
  tables = new StoreTables(new LmdbFile(join(folder, 'store.mdb'), 'put-back'));
});
afterEach(async () => {
  await tables.close();
  rmSync(folder, { recursive: true });
});

let drawn = 0;
const random: Random = { fill: (bytes) => bytes.fill(++drawn), uint32: () => 7 };

function hold(arrival: 'left' | 'replaced' = 'left', of = tables): NodeFence {
  const held = holdStore(of, { random, place: 'store.mdb', isReplaced: arrival === 'replaced' });
  if (!held.ok) throw new Error(held.error.message);
  return held.value;
}

const PERIOD = { periodMs: 0, endMs: 10 };
const used = (amount: number) => [{ counter: 'c', key: 'shared', ...PERIOD, used: amount } as const];
const read = () => createQuotaMarks(tables, tables).read({ counter: 'c', key: 'shared' });

it('each process of a node has a number one higher; a replaced store is another node', () => {
  const holders = [hold(), hold(), hold('replaced'), hold()].map(({ holder }) => holder);
  const [one, , other] = holders;
  expect(holders.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  expect(holders.map(({ node }) => node)).toEqual([one!.node, one!.node, other!.node, other!.node]);
  expect(one!.node).toMatch(/^[0-9a-f]{16}$/);
  expect(other!.node).not.toBe(one!.node);
});

it('what a former process writes late is refused, and leaves nothing', () => {
  const former = createQuotaMarks(tables, hold());
  expect(former.write(used(5)).ok).toBe(true);
  const later = createQuotaMarks(tables, hold());
  expect(later.write(used(8)).ok).toBe(true);
  const late = former.write(used(6));
  expect(late).toMatchObject({ ok: false, error: { code: 'store_fenced' } });
  expect(late.ok ? '' : late.error.message).toMatch(
    /held by process 2 of node .*; this is process 1 of node/,
  );
  expect(former.rename('c', 'd')).toMatchObject({ ok: false, error: { code: 'store_fenced' } });
  expect(former.forgetEndedBefore(20)).toMatchObject({ ok: false, error: { code: 'store_fenced' } });
  expect(read()).toEqual({ ok: true, value: { ...PERIOD, used: 8 } });
});

it('on a full disk the number is taken with the first lease', () => {
  let isFull = true;
  const disk = Object.create(tables) as StoreTables;
  disk.get = (key) => tables.get(key);
  disk.change = (write) => (isFull ? problem('store_write_failed', '', 'Full.', '') : tables.change(write));
  const former = hold();
  const fence = hold('left', disk);
  const marks = createQuotaMarks(tables, fence);
  expect(marks.write(used(5))).toMatchObject({ ok: false, error: { code: 'store_write_failed' } });
  expect(createQuotaMarks(tables, former).write(used(3)).ok).toBe(true);
  isFull = false;
  expect(marks.write(used(5)).ok).toBe(true);
  expect(marks.write(used(6)).ok).toBe(true);
  expect(createQuotaMarks(tables, former).write(used(9))).toMatchObject({ ok: false });
  expect(hold().holder.epoch).toBe(fence.holder.epoch + 1);
});
