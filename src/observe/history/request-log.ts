import type { Clock } from '../../base/ports.ts';
import type { HistoryEntry, HistoryKey } from '../../pipeline/history.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import type { RecordConsumer } from '../record-drain.ts';
import type { RecordFrame } from '../record-format.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { RecordBlockWriter } from './record-block.ts';

/** The access records that are not in the history yet, as blocks. */
export interface LogBlocks extends RecordConsumer {
  /** What is to be written. The last block may go on: it is written again under its key, as long as it is small. */
  pending(): readonly HistoryEntry[];
  /** What {@link pending} said is in the file. */
  written(): void;
  /** Of closed blocks that wait. */
  readonly waitingBytes: number;
  /** The last block ends here, however small. */
  close(): void;
  readonly counts: {
    readonly kept: number;
    /** Records given up because too many waited for a file that can't be written. */
    readonly lost: number;
  };
}

/** Below this a block goes on with the next second: a block a second for a request a second would be all names. */
const BLOCK_SMALL_BYTES = 8 * 1024;

export interface LogBlocksOptions {
  readonly clock: Clock;
  /** The limit `requestLogQueueBytes`: of blocks that wait for a file that can't be written. */
  readonly waitingBytesMax: number;
  /** Of the last block in the file, or null. */
  readonly lastKey: HistoryKey | null;
}

export function createLogBlocks(options: LogBlocksOptions): LogBlocks {
  return new Blocks(options);
}

class Blocks implements LogBlocks {
  readonly #options: LogBlocksOptions;
  readonly #open = new RecordBlockWriter();
  #openKey: HistoryKey | null = null;
  #changed = false;
  #waiting: HistoryEntry[] = [];
  waitingBytes = 0;
  #openedMs: number;
  #number: number;
  #kept = 0;
  #lost = 0;
  #unwritten = 0;

  constructor(options: LogBlocksOptions) {
    this.#options = options;
    const [, openedMs = 0, number = -1] = options.lastKey ?? [];
    this.#openedMs = openedMs;
    this.#number = number;
  }

  get counts(): LogBlocks['counts'] {
    return { kept: this.#kept, lost: this.#lost };
  }

  accept(record: AccessRecord, frame: RecordFrame | null): void {
    if (!this.#open.add(record, frame)) {
      this.close();
      this.#open.add(record, frame);
    }
    this.#changed = true;
    this.#unwritten++;
  }

  endBatch(): void {}

  pending(): readonly HistoryEntry[] {
    return this.#changed ? [...this.#waiting, this.#openEntry()] : [...this.#waiting];
  }

  written(): void {
    this.#kept += this.#unwritten;
    this.#unwritten = 0;
    this.#waiting = [];
    this.waitingBytes = 0;
    this.#changed = false;
    if (this.#open.frameBytes >= BLOCK_SMALL_BYTES) this.#clear();
  }

  close(): void {
    if (this.#changed) {
      const entry = this.#openEntry();
      this.#waiting.push(entry);
      this.waitingBytes += entry.bytes.length;
    }
    this.#clear();
    this.#giveUp();
  }

  #clear(): void {
    this.#open.clear();
    this.#openKey = null;
    this.#changed = false;
  }

  /** Keys ascend, whatever the clock does. */
  #openEntry(): HistoryEntry {
    if (this.#openKey === null) {
      this.#openedMs = Math.max(this.#openedMs, this.#options.clock.wallMs());
      this.#number++;
      this.#openKey = [HISTORY_TABLES.blocks, this.#openedMs, this.#number];
    }
    return { key: this.#openKey, bytes: this.#open.block() };
  }

  /** Oldest first, and all of them where one alone is too much. */
  #giveUp(): void {
    if (this.waitingBytes <= this.#options.waitingBytesMax) return;
    this.#waiting = [];
    this.waitingBytes = 0;
    this.#lost += this.#unwritten;
    this.#unwritten = 0;
  }
}
