/**
 * What a later process has to know before it trusts the other files of this folder: two copies of it, written in turn, so that one
 * that was torn or damaged leaves the other.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { assert } from '../../base/assert.ts';
import type { Side } from './journal-format.ts';
import { sealed, unsealed } from './sealed-text.ts';

export interface RateState {
  readonly format: 1;
  /** Counts writes: the higher one of two copies is the newer. */
  readonly sequence: number;
  /** Names the process; see `journal-format.ts`. */
  readonly run: number;
  /** The boot of the machine, as the kernel names it. */
  readonly boot: string;
  /** When it was written: windows and buckets hold no moment after it but those of the journal. */
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** Whose hashes the keys are. */
  readonly keys: string;
  /** `stopped`: the snapshot is all, and durable. `running`: the journals go on. `in-doubt`: takes may be missing in both. */
  readonly kept: 'stopped' | 'running' | 'in-doubt';
  readonly snapshot: StoredSnapshot;
  /** Of each thread's journal: the position of the first block that the snapshot needs. */
  readonly tails: readonly number[];
  readonly ringUnits: number;
  /** Of the list of limits, and of the marks in the journals. */
  readonly side: Side;
}

export interface StoredSnapshot {
  readonly side: Side;
  /** Counts the attempts at snapshots. */
  readonly generation: number;
  readonly bytes: number;
  readonly chunks: number;
}

const COPY_BYTES = 4_096;

/** `unreadable`: there is something, and nothing in it can be trusted. */
export function readState(path: string): RateState | 'absent' | 'unreadable' {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (thrown) {
    const isAbsent = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    return isAbsent && !existsSync(distrustedPath(path)) ? 'absent' : 'unreadable';
  }
  const copies = [0, 1]
    .map((copy) => unsealed<RateState>(text.toString('latin1', copy * COPY_BYTES, (copy + 1) * COPY_BYTES)))
    .filter((state) => state?.format === 1)
    .sort((a, b) => b!.sequence - a!.sequence);
  return copies[0] ?? 'unreadable';
}

/** Throws what the file system throws. */
export class StateFile {
  readonly #path: string;
  #descriptor: number | null = null;
  #sequence: number;
  #isSyncing = false;

  /** `sequence`: of the state that is there. */
  constructor(path: string, sequence: number) {
    this.#path = path;
    this.#sequence = sequence;
  }

  /** `both`: for what the older copy must not contradict. */
  write(state: Omit<RateState, 'format' | 'sequence'>, copies: 'one' | 'both'): void {
    if (this.#descriptor === null && !existsSync(this.#path)) {
      // Made as a whole: a state of which a part is there is damaged, one that is absent says that there was nothing.
      const made = Buffer.concat([this.#copy(state).bytes, this.#copy(state).bytes]);
      writeFileSync(`${this.#path}.new`, made, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    }
    this.#descriptor ??= openSync(this.#path, 'r+');
    for (let copy = 0; copy < (copies === 'both' ? 2 : 1); copy++) {
      const { bytes, at } = this.#copy(state);
      const written = writeSync(this.#descriptor, bytes, 0, COPY_BYTES, at);
      if (written < COPY_BYTES) throw new Error(`${this.#path}: only ${written} bytes could be written`);
    }
  }

  sync(): void {
    if (this.#descriptor !== null) fsyncSync(this.#descriptor);
  }

  /** Makes durable what is written, without waiting; a sync that is under way is not joined by another. */
  syncLater(done: (error: Error | null) => void): void {
    if (this.#isSyncing || this.#descriptor === null) return;
    this.#isSyncing = true;
    fdatasync(this.#descriptor, (error) => {
      this.#isSyncing = false;
      done(error);
    });
  }

  /** Nothing of it is to be trusted. Works where no byte can be written. */
  distrust(): void {
    renameSync(this.#path, distrustedPath(this.#path));
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #copy(state: Omit<RateState, 'format' | 'sequence'>): { readonly bytes: Buffer; readonly at: number } {
    const text = sealed({ format: 1, sequence: ++this.#sequence, ...state } satisfies RateState);
    assert(text.length <= COPY_BYTES, 'the state of rate windows fits into its copy');
    const bytes = Buffer.from(text.padEnd(COPY_BYTES, ' '), 'latin1');
    return { bytes, at: (this.#sequence % 2) * COPY_BYTES };
  }
}

function distrustedPath(path: string): string {
  return `${path}-in-doubt`;
}
