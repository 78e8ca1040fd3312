/** The files that rate windows are kept in, and the order in which they come to be. All methods throw what the file system throws. */
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CataloguedRegion, writeCatalogue } from './catalogue.ts';
import { MARK_PAGE_BYTES, MARK_SIDE_BYTES, markWords, type Side, UNIT_BYTES } from './journal-format.ts';
import { catalogueName, journalName, STATE_FILE } from './left-behind.ts';
import { snapshotName } from './snapshot-format.ts';
import { type SnapshotOptions, SnapshotWriting } from './snapshot-writing.ts';
import { type RateState, StateFile } from './state-file.ts';

export class RateFiles {
  readonly #folder: string;
  readonly #side: Side;
  readonly #sequence: number;
  #state: StateFile | null = null;
  #journalsMade = false;
  #catalogued = '';

  /** `sequence`: of the state that is there. */
  constructor(folder: string, side: Side, sequence: number) {
    this.#folder = folder;
    this.#side = side;
    this.#sequence = sequence;
  }

  journal(thread: number): string {
    return join(this.#folder, journalName(thread));
  }

  /** What a snapshot needs beside it. Journals are made in their full size: later writes need no room on the disk. */
  prepare(run: number, threads: number, ringUnits: number, regions: readonly CataloguedRegion[]): void {
    this.#openState();
    this.writeCatalogue(run, regions);
    if (this.#journalsMade) return;
    for (let thread = 0; thread < threads; thread++) {
      makeJournal(this.journal(thread), MARK_PAGE_BYTES + ringUnits * UNIT_BYTES, run, this.#side);
    }
    this.#journalsMade = true;
  }

  writeCatalogue(run: number, regions: readonly CataloguedRegion[]): void {
    const names = JSON.stringify(regions);
    if (names === this.#catalogued) return;
    writeCatalogue(join(this.#folder, catalogueName(this.#side)), run, regions);
    this.#catalogued = names;
  }

  snapshot(side: Side, options: Omit<SnapshotOptions, 'path'>): SnapshotWriting {
    return new SnapshotWriting({ ...options, path: join(this.#folder, snapshotName(side)) });
  }

  syncCatalogue(): void {
    syncPath(join(this.#folder, catalogueName(this.#side)));
  }

  writeState(state: Omit<RateState, 'format' | 'sequence'>, copies: 'one' | 'both'): void {
    this.#openState().write(state, copies);
  }

  /** With the names of all files. */
  syncState(): void {
    this.#openState().sync();
    for (const folder of [this.#folder, dirname(this.#folder)]) syncPath(folder);
  }

  /** Calls back once it is durable. */
  syncStateLater(done: () => void): void {
    this.#state?.syncLater((error) => {
      if (error === null) done();
    });
  }

  /** For a file system that takes no more bytes. One that renames nothing either keeps a state that is not true: told by the alert. */
  distrustState(): void {
    try {
      this.#openState().distrust();
    } catch {
      return;
    }
    this.close();
  }

  close(): void {
    this.#state?.close();
    this.#state = null;
  }

  #openState(): StateFile {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#state ??= new StateFile(join(this.#folder, STATE_FILE), this.#sequence);
    return this.#state;
  }
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function makeJournal(path: string, bytes: number, run: number, side: Side): void {
  closeSync(openSync(path, 'a', 0o600));
  const descriptor = openSync(path, 'r+');
  try {
    const there = fstatSync(descriptor).size;
    if (there < bytes) writeAll(descriptor, new Uint8Array(bytes - there), there);
    const mark = markWords(run, -1);
    writeAll(descriptor, new Uint8Array(mark.buffer), side * MARK_SIDE_BYTES);
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, at: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, at + written);
  }
}
