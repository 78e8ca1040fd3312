/**
 * Keeps rate windows beyond the process, on the control thread: restores what an earlier process left, gives data threads their
 * journals, and makes a snapshot whenever a journal has grown to half of its ring. Files of the folder:
 *
 * | file         | holds                                                             | survives                   |
 * |--------------|-------------------------------------------------------------------|----------------------------|
 * | `state`      | what may be trusted; written each second, and synced              | the machine                |
 * | `limits-n`   | which counter each number stands for; this process's, the last's  | the machine, after a stop  |
 * | `snapshot-n` | all counters; two in turn                                         | the machine, after a stop  |
 * | `journal-n`  | takes of one data thread since the snapshot (`journal-format.ts`) | the process                |
 *
 * Until the first snapshot of a process is whole, nothing of what the one before left is touched.
 */
import type { Clock } from '../../base/ports.ts';
import { Moment } from '../counter-kind.ts';
import type { CounterRegistry, RateRegion } from '../counter-registry.ts';
import { reasonOf } from '../store-problem.ts';
import { type CataloguedRegion, catalogued, withGone } from './catalogue.ts';
import { JOURNAL_CELLS, JOURNAL_STATES, ringUnits, type Side, UNIT_BYTES } from './journal-format.ts';
import { type LeftBehind, lookBack } from './left-behind.ts';
import { RateFiles } from './rate-files.ts';
import { fillRates, restoreRates } from './restoration.ts';
import type { SnapshotWriting } from './snapshot-writing.ts';
import type { RateState, StoredSnapshot } from './state-file.ts';
import type { TakeJournalStart } from './take-journal.ts';

export interface RateCheckpointsOptions {
  readonly folder: string;
  readonly registry: Pick<CounterRegistry, 'rates'>;
  readonly clock: Clock;
  /** See `machineBoot`. */
  readonly boot: string;
  /** Names this process: hardly ever the same twice. */
  readonly run: number;
  /** Whose hashes the keys of counters are: another secret makes other keys. */
  readonly keys: string;
  readonly threads: number;
  /** Of one data thread. */
  readonly journalBytes: number;
}

export interface RateKeeping {
  /**
   * `exact`: a process that ends now leaves all of it. `in-doubt`: the next one has to take every window as full. `unused`: there are
   * no rate windows.
   */
  readonly state: 'unused' | 'exact' | 'in-doubt';
  /** Why files can't be written; null when they can. */
  readonly problem: string | null;
  /** The fullest journal, 0 … 1. */
  readonly journalShare: number;
  /** Of all data threads. */
  readonly journalBytes: number;
  /** Of the last snapshot; null before the first. */
  readonly snapshotAgeMs: number | null;
  readonly snapshotBytes: number;
  /** How long ago the state was made durable; null before. */
  readonly durableAgeMs: number | null;
}

/** A snapshot is begun when a journal has used so much of its ring: the other half is for what comes meanwhile. */
const SNAPSHOT_FROM_SHARE = 0.5;
/** From here on a snapshot is written without pauses. */
const HURRY_FROM_SHARE = 0.75;
/** Records in one step: about a millisecond. */
const RECORDS_PER_STEP = 4_096;
/** How soon a snapshot that failed is tried again. */
const RETRY_MS = 5_000;

export class RateCheckpoints {
  readonly #options: RateCheckpointsOptions;
  readonly #cells: SharedArrayBuffer;
  readonly #journals: Int32Array;
  readonly #ringUnits: number;
  readonly #side: Side;
  readonly #files: RateFiles;
  #leftBehind: LeftBehind;
  /** What was left behind is in the counters, and they are to be kept. */
  #begun = false;
  #doubt = false;
  /** The state on the disk may be that of the process before: its name and contents were not made durable yet. */
  #owesSync = true;
  #problem: string | null = null;
  #retryAtMs = 0;
  #writing: SnapshotUnderWay | null = null;
  #generation: number;
  /** The last whole one of this process. */
  #snapshot: StoredSnapshot | null = null;
  /** Of which that one speaks. */
  #spokenOf: readonly CataloguedRegion[] = [];
  #tails: readonly number[];
  #snapshotAtMs: number | null = null;
  #durableAtMs: number | null = null;

  /** Reads what is there; nothing is written before there are rate windows. */
  constructor(options: RateCheckpointsOptions) {
    this.#options = options;
    const { folder, boot, keys, clock, threads } = options;
    this.#ringUnits = ringUnits(options.journalBytes);
    this.#cells = new SharedArrayBuffer(4 * JOURNAL_CELLS.cells * threads);
    this.#journals = new Int32Array(this.#cells);
    this.#tails = Array.from({ length: threads }, () => 0);
    const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
    this.#leftBehind = lookBack({ folder, boot, keys, ...now });
    const before = this.#leftBehind.state;
    this.#side = before?.side === 0 ? 1 : 0;
    this.#generation = before?.snapshot.generation ?? 0;
    this.#files = new RateFiles(folder, this.#side, before?.sequence ?? 0);
  }

  /** What was found at the start. */
  get leftBehind(): Pick<LeftBehind, 'kind'> & { readonly why: string | null } {
    const left = this.#leftBehind;
    return { kind: left.kind, why: left.kind === 'unknown' ? left.why : null };
  }

  /** For the data threads, in their order. */
  journals(): readonly TakeJournalStart[] {
    const { threads, run } = this.#options;
    return Array.from({ length: threads }, (_, thread) => ({
      path: this.#files.journal(thread),
      cells: this.#cells,
      thread,
      run,
      ringUnits: this.#ringUnits,
      side: this.#side,
    }));
  }

  /** There are other counters, or under other names: to be called before any thread takes from them. */
  regionsChanged(): void {
    const regions = this.#options.registry.rates();
    if (!this.#begun) {
      if (regions.length > 0) this.#begin(regions);
      return;
    }
    try {
      this.#files.writeCatalogue(this.#options.run, this.#toCatalogue(regions.map(catalogued)));
    } catch (thrown) {
      this.#loseTrust(reasonOf(thrown));
    }
  }

  /** To be called once a second. True: a snapshot is under way, and `step` is to be called. */
  tend(): boolean {
    if (!this.#begun) return false;
    if (this.#isLost()) this.#loseTrust(this.#problem ?? 'a journal is full, or can not be written');
    const wanted = this.#doubt || this.#problem !== null || this.#share() >= SNAPSHOT_FROM_SHARE;
    if (wanted && this.#writing === null && this.#options.clock.monotonicMs() >= this.#retryAtMs) {
      this.#attempt(() => this.beginSnapshot());
    }
    this.#beat();
    return this.#writing !== null;
  }

  /** One step of the snapshot. `hurry`: the next one should follow at once. */
  step(): 'done' | 'more' | 'hurry' {
    const writing = this.#writing;
    if (writing === null) return 'done';
    const { clock } = this.#options;
    this.#attempt(() => {
      const isWhole = writing.snapshot.step(RECORDS_PER_STEP, clock.monotonicMs(), clock.wallMs());
      if (isWhole) this.#endSnapshot(writing, 'running');
    });
    if (this.#writing === null) return 'done';
    return this.#share() >= HURRY_FROM_SHARE ? 'hurry' : 'more';
  }

  /**
   * The end. `whole`: no thread takes any more, and memory is as it should be: a durable snapshot of all is left, which holds after the
   * end of the machine too. Otherwise the journals are what is left.
   */
  close(memory: 'whole' | 'in-doubt'): void {
    this.#abandon();
    if (this.#begun && memory === 'whole') this.#attempt(() => this.#writeWhole('stopped'));
    this.#files.close();
    this.#begun = false;
  }

  inspect(): RateKeeping {
    const nowMs = this.#options.clock.monotonicMs();
    const age = (atMs: number | null): number | null => (atMs === null ? null : nowMs - atMs);
    return {
      state: !this.#begun ? 'unused' : this.#doubt ? 'in-doubt' : 'exact',
      problem: this.#problem,
      journalShare: this.#share(),
      journalBytes: this.#begun ? this.#options.threads * this.#ringUnits * UNIT_BYTES : 0,
      snapshotAgeMs: age(this.#snapshotAtMs),
      snapshotBytes: this.#snapshot?.bytes ?? 0,
      durableAgeMs: age(this.#durableAtMs),
    };
  }

  #begin(regions: readonly RateRegion[]): void {
    this.#begun = true;
    const { clock } = this.#options;
    const now = new Moment();
    now.set(clock.monotonicMs(), clock.wallMs());
    const left = this.#leftBehind;
    if (left.kind === 'contents') restoreRates(left.contents, regions, now);
    if (left.kind === 'unknown') fillRates(regions, left.ticks);
    this.#attempt(() => this.#writeWhole('running'));
    // A first snapshot that fails leaves what the process before wrote, which is soon too old.
    if (this.#snapshot === null) this.#loseTrust(this.#problem!);
    // Its contents may be large, and are not needed any more.
    if (left.kind === 'contents') this.#leftBehind = { ...left, contents: NO_CONTENTS };
  }

  // -- snapshots -----------------------------------------------------------------------------------------------

  /** What fails is tried again; until then journals and the snapshot before go on being true. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.#abandon();
      this.#problem = reasonOf(thrown);
      this.#retryAtMs = this.#options.clock.monotonicMs() + RETRY_MS;
    }
  }

  /** Copies all counters, in steps. */
  beginSnapshot(): void {
    const { run, registry, threads } = this.#options;
    const regions = registry.rates();
    const spokenOf = regions.map(catalogued);
    this.#files.prepare(run, threads, this.#ringUnits, this.#toCatalogue(spokenOf));
    const generation = ++this.#generation;
    const tails = this.#journalsAt(JOURNAL_CELLS.flushed);
    for (const [thread, tail] of tails.entries()) {
      const cells = thread * JOURNAL_CELLS.cells;
      // In this order: a loss that names the generation before happened to entries that the snapshot will find booked.
      Atomics.store(this.#journals, cells + JOURNAL_CELLS.generation, generation);
      if (Atomics.load(this.#journals, cells + JOURNAL_CELLS.state) === JOURNAL_STATES.on) continue;
      // After a loss nothing in the ring is needed.
      Atomics.store(this.#journals, cells + JOURNAL_CELLS.tail, tail);
      Atomics.store(this.#journals, cells + JOURNAL_CELLS.state, JOURNAL_STATES.on);
    }
    const last = this.#snapshot ?? this.#leftBehind.state?.snapshot;
    const side = last?.side === 0 ? 1 : 0;
    const snapshot = this.#files.snapshot(side, { run, generation, cells: this.#cells, regions });
    this.#writing = { snapshot, side, generation, tails, spokenOf };
  }

  /** Limits that edits removed stay listed for as long as a snapshot speaks of them: it would be damaged otherwise. */
  #toCatalogue(present: readonly CataloguedRegion[]): readonly CataloguedRegion[] {
    return withGone(present, [...this.#spokenOf, ...(this.#writing?.spokenOf ?? [])]);
  }

  #writeWhole(kept: 'running' | 'stopped'): void {
    const { clock } = this.#options;
    this.beginSnapshot();
    const writing = this.#writing!;
    let isWhole = false;
    // Again where a lock was busy: each try waits for it.
    for (let tries = 0; !isWhole; tries++) {
      if (tries === TRIES_MAX) throw new Error('a counter stays locked');
      isWhole = writing.snapshot.step(Number.POSITIVE_INFINITY, clock.monotonicMs(), clock.wallMs());
    }
    this.#endSnapshot(writing, kept);
  }

  #endSnapshot(writing: SnapshotUnderWay, kept: 'running' | 'stopped'): void {
    const { snapshot, side, generation, tails } = writing;
    const isFirst = this.#snapshot === null;
    if (kept === 'stopped') {
      snapshot.sync();
      this.#files.syncCatalogue();
    }
    const before = { snapshot: this.#snapshot, tails: this.#tails };
    this.#snapshot = { side, generation, ...snapshot.extent };
    this.#tails = tails;
    const lost = kept === 'running' && this.#isLost();
    try {
      this.#writeState(
        lost ? 'in-doubt' : kept,
        isFirst || this.#doubt || kept === 'stopped' ? 'both' : 'one',
      );
    } catch (thrown) {
      ({ snapshot: this.#snapshot, tails: this.#tails } = before);
      throw thrown;
    }
    snapshot.close();
    this.#writing = null;
    this.#spokenOf = writing.spokenOf;
    this.#snapshotAtMs = this.#options.clock.monotonicMs();
    this.#problem = null;
    this.#doubt = lost;
    for (const [thread, tail] of tails.entries()) {
      Atomics.store(this.#journals, thread * JOURNAL_CELLS.cells + JOURNAL_CELLS.tail, tail);
    }
    this.#owesSync ||= kept === 'stopped';
    if (!this.#owesSync) return;
    // What was said before must not come back with the end of the machine: "stopped" after a start, "running" after a stop. Where that
    // fails the state names this snapshot all the same: it is not to be overwritten.
    this.#files.syncState();
    this.#owesSync = false;
  }

  #abandon(): void {
    this.#writing?.snapshot.close();
    this.#writing = null;
  }

  // -- the state -----------------------------------------------------------------------------------------------

  #isLost(): boolean {
    return this.#journalsAt(JOURNAL_CELLS.state).includes(JOURNAL_STATES.lost);
  }

  /** Files don't hold all that was taken. Written down until it is: a process that starts now has to know. */
  #loseTrust(why: string): void {
    this.#doubt = true;
    this.#problem = why;
    this.#beat();
  }

  #beat(): void {
    try {
      const atMs = this.#options.clock.monotonicMs();
      if (this.#doubt) this.#writeState('in-doubt', 'both');
      else this.#writeState('running', 'one');
      this.#files.syncStateLater(() => {
        this.#durableAtMs = atMs;
      });
    } catch (thrown) {
      this.#problem = reasonOf(thrown);
      // Where nothing can be written there is to be nothing that could be believed.
      if (this.#doubt) this.#files.distrustState();
    }
  }

  #writeState(kept: RateState['kept'], copies: 'one' | 'both'): void {
    const { run, boot, keys, clock } = this.#options;
    const snapshot = this.#snapshot ?? { side: 0, generation: this.#generation, bytes: 0, chunks: 0 };
    const [monotonicMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    const [tails, ringUnits, side] = [this.#tails, this.#ringUnits, this.#side];
    this.#files.writeState(
      { run, boot, monotonicMs, wallMs, keys, kept, snapshot, tails, ringUnits, side },
      copies,
    );
  }

  #journalsAt(cell: number): readonly number[] {
    return Array.from({ length: this.#options.threads }, (_, thread) =>
      Atomics.load(this.#journals, thread * JOURNAL_CELLS.cells + cell),
    );
  }

  #share(): number {
    const flushed = this.#journalsAt(JOURNAL_CELLS.flushed);
    const used = this.#journalsAt(JOURNAL_CELLS.tail).map((tail, thread) => (flushed[thread]! - tail) | 0);
    return Math.max(0, ...used) / this.#ringUnits;
  }
}

interface SnapshotUnderWay {
  readonly snapshot: SnapshotWriting;
  readonly side: Side;
  readonly generation: number;
  /** Positions of the journals when it was begun: what lies before them is in it. */
  readonly tails: readonly number[];
  readonly spokenOf: readonly CataloguedRegion[];
}

/** Of a lock that is busy, each after 100 ms. */
const TRIES_MAX = 20;

const NO_CONTENTS = {
  regions: [],
  snapshot: { words: new Int32Array(0), chunks: [] },
  journals: [],
  shiftTicks: 0,
} as const;
