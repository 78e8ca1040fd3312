/**
 * Writes request log and rollups: blocks each second, rollups each minute, in one step with the number of the first block that
 * they don't count. So after a crash those blocks are counted again, and the rollups are what a recount of the log would give.
 */
import type { Clock } from '../../base/ports.ts';
import type { Result } from '../../base/result.ts';
import type { HistoryChange, HistoryKey, HistoryProblem, HistoryStore } from '../../pipeline/history.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import type { RecordConsumer } from '../record-drain.ts';
import type { RecordFrame } from '../record-format.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { openBlock } from './record-block.ts';
import { createLogBlocks, type LogBlocks } from './request-log.ts';
import { createRollups, type Granularity, type Rollups } from './rollups.ts';

export interface HistoryRetention {
  /** Of the log in the file, compressed; 0 keeps none. */
  readonly logBytes: number;
  readonly logAgeMs: number;
  readonly rollupsMs: Readonly<Record<Granularity, number>>;
}

export interface HistoryKeeperOptions {
  readonly store: HistoryStore;
  readonly clock: Clock;
  readonly retention: HistoryRetention;
  /** The limits of these names. */
  readonly requestLogQueueBytes: number;
  readonly rollupNames: number;
  readonly dayStartMs: (ms: number) => number;
  /** The file can't be written, with each failed try; and when it can be again. */
  readonly onAway: (problem: HistoryProblem) => void;
  readonly onBack: () => void;
}

/** How often {@link HistoryKeeper.turn} is to be called. */
export const HISTORY_TURN_MS = 1_000;
const ROLLUPS_EVERY_MS = 60_000;
/** Each try on a full disk makes LMDB write a line to the console. */
const RETRY_MS = 10_000;
/** Blocks that have come together are written before the second is over. */
const WRITTEN_AT_BYTES = 512 * 1024;
/** Blocks and rollups removed in one turn. */
const REMOVED_MAX = 64;

export class HistoryKeeper implements RecordConsumer {
  readonly rollups: Rollups;
  readonly #options: HistoryKeeperOptions;
  readonly #blocks: LogBlocks | null;
  #nextRollupsMs: number;
  #nextTryMs = 0;
  #away = false;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
    const { store, clock } = options;
    this.rollups = createRollups({ store, namesMax: options.rollupNames, dayStartMs: options.dayStartMs });
    const lastKey = lastBlock(store);
    this.#blocks =
      options.retention.logBytes === 0
        ? null
        : createLogBlocks({ clock, waitingBytesMax: options.requestLogQueueBytes, lastKey });
    this.#nextRollupsMs = clock.monotonicMs() + ROLLUPS_EVERY_MS;
    this.#countAgain();
  }

  /** Records that are in no log because the file could not be written for too long. */
  get lost(): number {
    return this.#blocks === null ? 0 : this.#blocks.counts.lost;
  }

  /** Of the log, that wait for a file that can't be written. */
  get waitingBytes(): number {
    return this.#blocks === null ? 0 : this.#blocks.waitingBytes;
  }

  accept(record: AccessRecord, frame: RecordFrame | null): void {
    this.rollups.accept(record, frame);
    this.#blocks?.accept(record, frame);
  }

  endBatch(): void {
    if (!this.#away && this.#blocks !== null && this.#blocks.waitingBytes >= WRITTEN_AT_BYTES) this.flush();
  }

  /** To be called each {@link HISTORY_TURN_MS}. */
  turn(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#away && nowMs < this.#nextTryMs) return;
    if (nowMs >= this.#nextRollupsMs) this.#writeAll();
    else this.flush();
  }

  /** Makes what was recorded so far visible to a search, and durable. */
  flush(): void {
    const change = this.#options.store.reading(() => this.#newest());
    if (change.ok && change.value.puts.length === 0 && change.value.removes.length === 0) return;
    if (this.#write(change)) this.#blocks?.written();
  }

  /** Everything, at the end of the process. */
  stop(): void {
    this.#writeAll();
  }

  /** What {@link flush} writes. */
  #newest(): HistoryChange {
    return { puts: this.#blocks?.pending() ?? [], removes: this.#outgrown() };
  }

  #writeAll(): void {
    const { store, clock } = this.#options;
    this.#blocks?.close();
    if (!this.#write(store.reading(() => this.#everything()))) return;
    this.#blocks?.written();
    this.rollups.written();
    this.#nextRollupsMs = clock.monotonicMs() + ROLLUPS_EVERY_MS;
  }

  #everything(): HistoryChange {
    const { retention, clock } = this.#options;
    const blocks = this.#blocks?.pending() ?? [];
    const counted = this.#firstUncounted(blocks.at(-1)?.key ?? lastBlock(this.#options.store));
    const puts = [...blocks, ...this.rollups.pending(), counted];
    const removes = [
      ...this.#outgrown(),
      ...this.#aged(clock.wallMs() - retention.logAgeMs),
      ...this.rollups.outdated(clock.wallMs(), retention.rollupsMs, REMOVED_MAX),
    ];
    return { puts, removes };
  }

  /** A file that can't be read for what is to be written is away like one that can't be written. */
  #write(change: Result<HistoryChange, HistoryProblem>): boolean {
    const written = change.ok ? this.#options.store.write(change.value) : change;
    if (!written.ok) {
      this.#away = true;
      this.#nextTryMs = this.#options.clock.monotonicMs() + RETRY_MS;
      // What waits is bounded, by being closed into blocks.
      this.#blocks?.close();
      this.#options.onAway(written.error);
    } else if (this.#away) {
      this.#away = false;
      this.#options.onBack();
    }
    return written.ok;
  }

  /** Oldest blocks, as many as the contents are too large, by their mean size. */
  #outgrown(): readonly HistoryKey[] {
    const { store, retention } = this.#options;
    const excess = store.usedBytes(HISTORY_TABLES.blocks) - retention.logBytes;
    if (excess <= 0) return [];
    return oldestBlocks(store).slice(0, Math.ceil(excess / BLOCK_BYTES_LEAST));
  }

  #aged(beforeMs: number): readonly HistoryKey[] {
    return oldestBlocks(this.#options.store).filter(([, openedMs]) => openedMs! < beforeMs);
  }

  #firstUncounted(last: HistoryKey | null): { readonly key: HistoryKey; readonly bytes: Uint8Array } {
    const [, openedMs = 0, number = -1] = last ?? [];
    return { key: COUNTED_KEY, bytes: Buffer.from(JSON.stringify([openedMs, number + 1])) };
  }

  /** Blocks that were written after the rollups, before the process was lost. */
  #countAgain(): void {
    const { store } = this.#options;
    const bytes = store.get(COUNTED_KEY);
    const from = bytes === null ? [] : (JSON.parse(Buffer.from(bytes).toString()) as number[]);
    for (const entry of store.entries(HISTORY_TABLES.blocks, { from, order: 'ascending' })) {
      openBlock(entry.bytes)?.read((record, frame) => this.rollups.accept(record, frame));
    }
  }
}

/** A block of a quiet second; of those that are removed at a time, few enough that the log is not emptied by one step. */
const BLOCK_BYTES_LEAST = 4_096;

const COUNTED_KEY: HistoryKey = [HISTORY_TABLES.counted, 0];

function oldestBlocks(store: HistoryStore): readonly HistoryKey[] {
  return store.keys(HISTORY_TABLES.blocks, { from: [], order: 'ascending', countMax: REMOVED_MAX });
}

function lastBlock(store: HistoryStore): HistoryKey | null {
  return store.keys(HISTORY_TABLES.blocks, { from: [], order: 'descending', countMax: 1 })[0] ?? null;
}
