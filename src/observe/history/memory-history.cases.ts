import { err, ok, type Result } from '../../base/result.ts';
import {
  HistoryAway,
  type HistoryChange,
  type HistoryEntry,
  type HistoryKey,
  type HistoryKeyRange,
  type HistoryProblem,
  type HistoryRange,
  type HistoryStore,
} from '../../pipeline/history.ts';

/** A history in memory, for tests: sorted, and full whenever they want. */
export class MemoryHistory implements HistoryStore {
  readonly #entries = new Map<string, HistoryEntry>();
  full = false;
  /** As after a write that failed, while the file can't be opened again. */
  away = false;
  writes = 0;

  get(key: HistoryKey): Uint8Array | null {
    this.#open();
    return this.#entries.get(key.join())?.bytes ?? null;
  }

  *entries(table: number, { from, order }: HistoryRange): Generator<HistoryEntry> {
    this.#open();
    const sorted = [...this.#entries.values()]
      .filter(({ key }) => key[0] === table)
      .sort((left, right) => compare(left.key, right.key));
    const bound = [table, ...from] as const;
    if (order === 'ascending') yield* sorted.filter(({ key }) => compare(key, bound) >= 0);
    else yield* sorted.reverse().filter(({ key }) => from.length === 0 || compare(key, bound) <= 0);
  }

  keys(table: number, range: HistoryKeyRange): readonly HistoryKey[] {
    return Array.from(this.entries(table, range), ({ key }) => key).slice(0, range.countMax);
  }

  write({ puts, removes }: HistoryChange): Result<void, HistoryProblem> {
    if (this.full || this.away) return err({ message: 'It is full.', remedy: 'Make room.' });
    this.writes++;
    for (const { key, bytes } of puts) this.#entries.set(key.join(), { key, bytes: Uint8Array.from(bytes) });
    for (const key of removes) this.#entries.delete(key.join());
    return ok(undefined);
  }

  reading<T>(ask: () => T): Result<T, HistoryProblem> {
    try {
      return ok(ask());
    } catch (thrown) {
      return err({ message: (thrown as Error).message, remedy: 'See to the disk.' });
    }
  }

  #open(): void {
    if (this.away) throw new HistoryAway({ message: 'It is away.', remedy: 'See to the disk.' });
  }

  usedBytes(table: number): number {
    return Array.from(this.entries(table, { from: [], order: 'ascending' })).reduce(
      (sum, { bytes }) => sum + bytes.length,
      0,
    );
  }
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const difference = (left[part] ?? Number.NEGATIVE_INFINITY) - (right[part] ?? Number.NEGATIVE_INFINITY);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}
