/**
 * Writes a snapshot of all rate windows in steps, while data threads go on: a shard is copied under its lock, and encoded outside
 * of it. Throws what the file system throws; the snapshot before stays as it is.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { LockSet, lockOwner } from '../../base/shared-lock.ts';
import type { CounterFamily } from '../counter-family.ts';
import { Moment } from '../counter-kind.ts';
import { HEADER, META, SHARD } from '../counter-layout.ts';
import type { RateRegion } from '../counter-registry.ts';
import { cellsAt, metaAt, shardAt } from '../counter-table.ts';
import { JOURNAL_CELLS, wordSum } from './journal-format.ts';
import { CHUNK, CHUNK_MAGIC, SHARED_COUNTER } from './snapshot-format.ts';
import { WordBuffer } from './word-buffer.ts';

export interface SnapshotOptions {
  readonly path: string;
  readonly run: number;
  readonly generation: number;
  /** {@link JOURNAL_CELLS} of all threads. */
  readonly cells: SharedArrayBuffer;
  readonly regions: readonly RateRegion[];
}

export interface SnapshotExtent {
  readonly bytes: number;
  readonly chunks: number;
}

export class SnapshotWriting {
  readonly #options: SnapshotOptions;
  readonly #journals: Int32Array;
  readonly #threads: number;
  readonly #locks = new LockSet(lockOwner(threadId));
  readonly #now = new Moment();
  readonly #buffer = new WordBuffer();
  readonly #descriptor: number;
  #region = 0;
  #shard = SHARED_COUNTER;
  #bytes = 0;
  #chunks = 0;

  constructor(options: SnapshotOptions) {
    this.#options = options;
    this.#journals = new Int32Array(options.cells);
    this.#threads = this.#journals.length / JOURNAL_CELLS.cells;
    // Not cut to nothing: what it occupies is room that a full disk can't take.
    closeSync(openSync(options.path, 'a', 0o600));
    this.#descriptor = openSync(options.path, 'r+');
  }

  get extent(): SnapshotExtent {
    return { bytes: this.#bytes, chunks: this.#chunks };
  }

  /** Writes some `records` more; true when all is written. A shard is written as a whole. */
  step(records: number, nowMs: number, wallMs: number): boolean {
    this.#now.set(nowMs, wallMs);
    const { regions } = this.#options;
    for (let left = records; left > 0 && this.#region < regions.length; ) {
      const region = regions[this.#region]!;
      const looked = this.#dump(region);
      // A lock that can't be had is asked for in the next step.
      if (looked === null) break;
      left -= looked + 1;
      this.#shard++;
      if (this.#shard < region.layout.shards) continue;
      this.#shard = SHARED_COUNTER;
      this.#region++;
    }
    this.#write();
    return this.#region === regions.length;
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Answers how many records it looked at; null when the lock is busy. */
  #dump(region: RateRegion): number | null {
    const family = region.families[0]!;
    const copy = this.#copy(family, this.#shard);
    if (copy === null) return null;
    const { positions, meta, cells } = copy;
    const records = meta.length / META.cells;
    if (records === 0) return 0;
    const at = this.#buffer.length;
    this.#head(region, positions);
    let kept = 0;
    for (let record = 0; record < records; record++) {
      if (copy.free.has(record)) continue;
      const from = record * family.recordCells;
      if (region.families.every((view) => view.kind.asNew(view, cells, from, this.#now))) continue;
      this.#record(meta, record, cells.subarray(from, from + family.recordCells));
      kept++;
    }
    const { words, length } = this.#buffer;
    words[at + CHUNK.records] = kept;
    words[at + CHUNK.bodyWords] = length - at - CHUNK.words;
    words[at + CHUNK.sum] = wordSum(words, at + CHUNK.words, length, wordSum(words, at, at + CHUNK.sum, 0));
    return records;
  }

  #copy(family: CounterFamily, shard: number): ShardCopy | null {
    const { words } = family;
    const isShared = shard === SHARED_COUNTER;
    const header = isShared ? HEADER.lock : shardAt(shard);
    if (!this.#locks.acquire(words, isShared ? HEADER.lock : header + SHARD.lock)) {
      this.#locks.releaseAll();
      return null;
    }
    const first = isShared ? family.overflowRecord : shard * family.recordsPerShard;
    const records = isShared ? 1 : words[header + SHARD.handedOut]!;
    const positions: number[] = [];
    for (let thread = 0; thread < this.#threads; thread++) {
      positions.push(this.#journals[thread * JOURNAL_CELLS.cells + JOURNAL_CELLS.appended]!);
    }
    const meta = words.slice(metaAt(family, first), metaAt(family, first + records));
    const cells = family.cells.slice(cellsAt(family, first), cellsAt(family, first + records));
    const firstFree = isShared ? 0 : words[header + SHARD.firstFree]!;
    this.#locks.releaseAll();
    const free = new Set<number>();
    for (let link = firstFree; link > 0; link = meta[(link - 1 - first) * META.cells + META.next]!) {
      free.add(link - 1 - first);
    }
    return { positions, meta, cells, free };
  }

  #head(region: RateRegion, positions: readonly number[]): void {
    const buffer = this.#buffer;
    buffer.push(CHUNK_MAGIC);
    buffer.push(this.#options.run);
    buffer.push(this.#options.generation);
    buffer.push(this.#chunks++);
    buffer.push(region.region);
    buffer.push(this.#shard);
    for (let word = CHUNK.records; word < CHUNK.words; word++) buffer.push(0);
    for (const position of positions) buffer.push(position);
  }

  #record(meta: Int32Array, record: number, cells: Float64Array): void {
    const buffer = this.#buffer;
    buffer.push(meta[record * META.cells + META.keyHigh]!);
    buffer.push(meta[record * META.cells + META.keyLow]!);
    let bits = 0;
    for (let cell = 0; cell < cells.length; cell++) if (cells[cell] !== 0) bits |= 1 << cell;
    buffer.push(bits);
    for (let cell = 0; cell < cells.length; cell++) if (cells[cell] !== 0) buffer.pushDouble(cells[cell]!);
  }

  #write(): void {
    const bytes = this.#buffer.bytes();
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#bytes + written);
    }
    this.#bytes += bytes.length;
    this.#buffer.length = 0;
  }
}

interface ShardCopy {
  readonly positions: readonly number[];
  readonly meta: Int32Array;
  readonly cells: Float64Array;
  /** Records that no key has. */
  readonly free: ReadonlySet<number>;
}
