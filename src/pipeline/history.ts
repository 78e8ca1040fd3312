import type { Result } from '../base/result.ts';

/**
 * Where request log and rollups are kept: a table of bytes in the order of its keys. Made by `state/`, used by `observe/`. What it
 * promises is less than the store does: the last second may be lost with the process, and a full disk costs history only.
 * Reads throw {@link HistoryAway} while the file can't be opened again after a write that failed.
 */
export interface HistoryStore {
  /** Null when there is none, or it is not as it was written. */
  get(key: HistoryKey): Uint8Array | null;
  /** Entries of one table in the order of their keys. Damaged ones are left out. */
  entries(table: number, range: HistoryRange): Iterable<HistoryEntry>;
  keys(table: number, range: HistoryKeyRange): readonly HistoryKey[];
  /** All of it is on the disk when this returns, or nothing. */
  write(change: HistoryChange): Result<void, HistoryProblem>;
  /** What `ask` reads of this store, or why that could not be read. */
  reading<T>(ask: () => T): Result<T, HistoryProblem>;
  /** Room that the entries of a table take up in the file. */
  usedBytes(table: number): number;
}

/** The first part names the table. */
export type HistoryKey = readonly [table: number, ...path: number[]];

export interface HistoryEntry {
  readonly key: HistoryKey;
  readonly bytes: Uint8Array;
}

export interface HistoryRange {
  /** Without the table. The least key of an ascending range, the greatest of a descending one; empty for all. */
  readonly from: readonly number[];
  readonly order: 'ascending' | 'descending';
}

export interface HistoryKeyRange extends HistoryRange {
  readonly countMax: number;
}

export interface HistoryChange {
  readonly puts: readonly HistoryEntry[];
  readonly removes: readonly HistoryKey[];
}

export interface HistoryProblem {
  /** One sentence. */
  readonly message: string;
  readonly remedy: string;
}

export class HistoryAway extends Error {
  readonly problem: HistoryProblem;

  constructor(problem: HistoryProblem) {
    super(problem.message);
    this.problem = problem;
  }
}
