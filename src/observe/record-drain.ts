import type { AccessRecord } from '../pipeline/record.ts';
import type { RecordCounts } from '../pipeline/traffic.ts';
import type { RecordFrame } from './record-format.ts';
import type { RecordReader, RecordRingCounts } from './record-ring.ts';

/** Takes every drained record. The record is overwritten after the call; `endBatch` follows the last one of a turn. */
export interface RecordConsumer {
  /** `frame` is the same record in bytes; null for one that did not come through a ring. */
  accept(record: AccessRecord, frame: RecordFrame | null): void;
  endBatch(): void;
}

/** Calls back every `intervalMs` until the returned function is called: `setInterval`, or a virtual clock. */
export type Every = (intervalMs: number, callback: () => void) => () => void;

export interface RecordDrainOptions {
  /** One per data thread. */
  readonly readers: readonly RecordReader[];
  readonly consumers: readonly RecordConsumer[];
  readonly every: Every;
}

export interface RecordDrain {
  /** Hands over what lies in the rings now, at most {@link RECORDS_PER_TURN_MAX} of each. Returns how many there were. */
  drainTurn(): number;
  /** Ends the turns and hands over what is left; the data threads must have ended before. */
  stop(): void;
  readonly counts: RecordCounts;
  /** In the order of the readers. */
  readonly rings: readonly RecordRingCounts[];
}

/**
 * A turn of 2,048 records takes about 4 ms, so leases and reloads don't wait for the log; 40 turns a second carry
 * 80,000 records/s of each data thread, twice what one can serve.
 */
export const DRAIN_INTERVAL_MS = 25;
export const RECORDS_PER_TURN_MAX = 2_048;

/** Moves the records of all data threads to the consumers, turn by turn. Runs on the control thread. */
export function createRecordDrain(options: RecordDrainOptions): RecordDrain {
  return new Drain(options);
}

class Drain implements RecordDrain {
  readonly #readers: readonly RecordReader[];
  readonly #consumers: readonly RecordConsumer[];
  readonly #endTurns: () => void;
  #drained = 0;

  constructor(options: RecordDrainOptions) {
    this.#readers = options.readers;
    this.#consumers = options.consumers;
    this.#endTurns = options.every(DRAIN_INTERVAL_MS, () => this.drainTurn());
  }

  drainTurn(): number {
    let records = 0;
    for (const reader of this.#readers) records += reader.drain(RECORDS_PER_TURN_MAX, this.#accept);
    if (records === 0) return 0;
    this.#drained += records;
    for (const consumer of this.#consumers) consumer.endBatch();
    return records;
  }

  stop(): void {
    this.#endTurns();
    while (this.drainTurn() > 0);
  }

  get counts(): RecordCounts {
    let dropped = 0;
    let damaged = 0;
    for (const { counts } of this.#readers) {
      dropped += counts.dropped;
      damaged += counts.damaged;
    }
    return { drained: this.#drained, dropped, damaged };
  }

  get rings(): readonly RecordRingCounts[] {
    return this.#readers.map(({ counts }) => counts);
  }

  readonly #accept = (record: AccessRecord, frame: RecordFrame): void => {
    for (const consumer of this.#consumers) consumer.accept(record, frame);
  };
}
