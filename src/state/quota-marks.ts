/**
 * Durable marks of quotas: for each counter and key, how much of its period may have been used. A mark is raised before what lies
 * below it is used, so a process that ends in any way leaves a mark that is never too low (runtime.md §3).
 */
import { createHash } from 'node:crypto';
import { ok, type Result } from '../base/result.ts';
import type { StoreProblem } from './store-problem.ts';
import type { RecordKey } from './store-records.ts';
import type { StoreTables } from './store-tables.ts';

/** Whose counter it is. `shared`: the one of all keys that the table of the limit has no room for. */
export type MarkedKey = { readonly keyHigh: number; readonly keyLow: number } | 'shared';

export interface QuotaMark {
  /** Start and end of the period, in Unix ms. */
  readonly periodMs: number;
  readonly endMs: number;
  /** No more than this was used in it. */
  readonly used: number;
  /** Thresholds that were told in it (`thresholds.ts`). Absent in marks of earlier versions: none. */
  readonly told?: number;
}

/** What a mark belongs to. */
export interface MarkName {
  /** `QuotaRegion.signature` of the counter. */
  readonly counter: string;
  readonly key: MarkedKey;
}

export interface KeyedMark {
  readonly key: MarkedKey;
  readonly mark: QuotaMark;
}

export interface QuotaMarks {
  /** The mark of the latest period that the key was counted in, or null. */
  read(name: MarkName): Result<QuotaMark | null, StoreProblem>;
  /** How many marks a counter has, without reading them. */
  count(counter: string): Result<number, StoreProblem>;
  /** All marks of a counter. */
  of(counter: string): Result<readonly KeyedMark[], StoreProblem>;
  /** All of them, or none; those of `removed` are no more. Durable when it returns. */
  write(marks: readonly (MarkName & QuotaMark)[], removed?: readonly MarkName[]): Result<void, StoreProblem>;
  /** Marks of counter `from` become those of `to`, where that has none. Durable when it returns. */
  rename(from: string, to: string): Result<void, StoreProblem>;
  /** Forgets periods that ended before a moment; answers how many. */
  forgetEndedBefore(wallMs: number): Result<number, StoreProblem>;
}

const TABLE = 'quota';

/** `fence`: refuses what a process writes that holds the store no more. */
export function createQuotaMarks(tables: StoreTables, fence: Pick<StoreTables, 'change'>): QuotaMarks {
  return {
    read: (name) => tables.get<QuotaMark>(recordKey(name)),
    count: (counter) => tables.count([TABLE, digest(counter)]),
    of(counter) {
      const listed = tables.entries<QuotaMark>([TABLE, digest(counter)]);
      if (!listed.ok) return listed;
      return ok(listed.value.map(({ key, value }) => ({ key: markedKey(key), mark: value })));
    },
    write(marks, removed = []) {
      return fence.change((change) => {
        for (const name of removed) change.remove(recordKey(name));
        for (const mark of marks) {
          const { periodMs, endMs, used, told = 0 } = mark;
          change.put(recordKey(mark), { periodMs, endMs, used, ...(told === 0 ? {} : { told }) });
        }
      });
    },
    rename(from, to) {
      const moved = tables.entries<QuotaMark>([TABLE, digest(from)]);
      if (!moved.ok) return moved;
      const there = tables.entries<QuotaMark>([TABLE, digest(to)]);
      if (!there.ok) return there;
      if (moved.value.length === 0) return ok(undefined);
      const taken = new Set(there.value.map(({ key }) => JSON.stringify(key)));
      return fence.change((change) => {
        for (const { key, value } of moved.value) {
          change.remove(key);
          const target: RecordKey = [TABLE, digest(to), ...key.slice(2)];
          if (!taken.has(JSON.stringify(target))) change.put(target, value);
        }
      });
    },
    forgetEndedBefore(wallMs) {
      const listed = tables.entries<QuotaMark>([TABLE]);
      if (!listed.ok) return listed;
      const ended = listed.value.filter(({ value }) => value.endMs < wallMs);
      if (ended.length === 0) return ok(0);
      const removed = fence.change((change) => {
        for (const { key } of ended) change.remove(key);
      });
      return removed.ok ? ok(ended.length) : removed;
    },
  };
}

function recordKey({ counter, key }: MarkName): RecordKey {
  return key === 'shared' ? [TABLE, digest(counter), key] : [TABLE, digest(counter), key.keyHigh, key.keyLow];
}

function markedKey(record: RecordKey): MarkedKey {
  const [, , keyHigh, keyLow] = record;
  return keyHigh === 'shared' ? 'shared' : { keyHigh: Number(keyHigh), keyLow: Number(keyLow) };
}

/** Keys of LMDB are short, signatures need not be. */
function digest(counter: string): string {
  return createHash('sha256').update(counter, 'utf8').digest('base64url').slice(0, 22);
}
