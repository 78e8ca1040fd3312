import type { AccessRecord } from '../pipeline/record.ts';
import { AccessLineWriter } from './access-line-writer.ts';
import type { LogDestination } from './log-destination.ts';
import type { RecordConsumer } from './record-drain.ts';
import type { RecordFrame } from './record-format.ts';

export interface AccessLog extends RecordConsumer {
  readonly counts: {
    readonly written: number;
    /** Records that the destination had no room for, because it is slower than the traffic. */
    readonly dropped: number;
  };
}

/** Lines are handed over in pieces of about this size: one call, and one decision to drop, for some 80 records. */
const CHUNK_BYTES = 60_000;

/** Writes one line for every record; see `access-line` for its fields. It never waits for the destination. */
export function createAccessLog(destination: LogDestination): AccessLog {
  return new ChunkedAccessLog(destination);
}

class ChunkedAccessLog implements AccessLog {
  readonly #destination: LogDestination;
  readonly #lines = new AccessLineWriter(CHUNK_BYTES);
  #records = 0;
  #written = 0;
  #dropped = 0;

  constructor(destination: LogDestination) {
    this.#destination = destination;
  }

  accept(record: AccessRecord, frame: RecordFrame | null): void {
    this.#lines.write(record, frame);
    this.#records++;
    if (this.#lines.length >= CHUNK_BYTES) this.endBatch();
  }

  endBatch(): void {
    if (this.#records === 0) return;
    if (this.#destination.write(this.#lines.takeChunk()) === 'taken') this.#written += this.#records;
    else this.#dropped += this.#records;
    this.#records = 0;
  }

  get counts(): AccessLog['counts'] {
    return { written: this.#written, dropped: this.#dropped };
  }
}
