/**
 * What an earlier process has left of its rate windows: all of it, or the moment as of which every window has to be taken as full.
 * After the end of a process that is known to the last take; after the end of the machine nothing is that was not stopped before.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TICKS_PER_MS } from '../counter-kind.ts';
import { type CataloguedRegion, readCatalogue } from './catalogue.ts';
import type { Side } from './journal-format.ts';
import { type JournalEntries, readJournal } from './journal-reading.ts';
import type { RateContents } from './restoration.ts';
import { snapshotName } from './snapshot-format.ts';
import { readSnapshot, type Snapshot } from './snapshot-reading.ts';
import { type RateState, readState } from './state-file.ts';

export type LeftBehind =
  /** No earlier process had any. */
  | { readonly kind: 'nothing'; readonly state: null }
  | { readonly kind: 'contents'; readonly contents: RateContents; readonly state: RateState }
  /** `ticks`: nothing was taken after. */
  | {
      readonly kind: 'unknown';
      readonly why: UnknownBecause;
      readonly ticks: number;
      readonly state: RateState | null;
    };

export type UnknownBecause = 'machine-ended' | 'damaged' | 'not-journaled' | 'other-keys';

export interface LookingBack {
  readonly folder: string;
  readonly boot: string;
  /** Whose hashes the keys are. */
  readonly keys: string;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const STATE_FILE = 'state';

/** How long after the last durable word of a process it may have taken: it says one each second, and disks are slow at times. */
const SILENCE_MS = 10_000;

export function catalogueName(side: Side): string {
  return `limits-${side}`;
}

export function journalName(thread: number): string {
  return `journal-${thread}`;
}

export function lookBack(looking: LookingBack): LeftBehind {
  const state = readState(join(looking.folder, STATE_FILE));
  const ticks = looking.monotonicMs * TICKS_PER_MS;
  if (state === 'absent') return { kind: 'nothing', state: null };
  if (state === 'unreadable') return { kind: 'unknown', why: 'damaged', ticks, state: null };
  const unknown = (why: UnknownBecause, agoMs: number): LeftBehind => {
    return { kind: 'unknown', why, ticks: ticks - agoMs * TICKS_PER_MS, state };
  };
  const isSameBoot =
    looking.boot !== '' && state.boot === looking.boot && state.monotonicMs <= looking.monotonicMs;
  const agoMs = isSameBoot ? 0 : elapsedMs(state, looking);
  if (state.keys !== looking.keys) return unknown('other-keys', agoMs);
  if (state.kept === 'in-doubt') return unknown('not-journaled', agoMs);
  if (!isSameBoot && state.kept !== 'stopped') return unknown('machine-ended', agoMs);
  const stoppedTicks = ticks - agoMs * TICKS_PER_MS;
  const shiftTicks = isSameBoot ? 0 : stoppedTicks - state.monotonicMs * TICKS_PER_MS;
  const contents = readContents(looking.folder, state, shiftTicks);
  return contents === null ? unknown('damaged', agoMs) : { kind: 'contents', contents, state };
}

/**
 * How long the earlier process is gone for certain, when the machine or its boot is another one: no longer than both clocks say. One
 * that was set forward frees nothing early; nor does a folder that another machine has taken over, which runs for longer.
 */
function elapsedMs(state: RateState, { monotonicMs, wallMs }: LookingBack): number {
  const silenceMs = state.kept === 'stopped' ? 0 : SILENCE_MS;
  return Math.max(0, Math.min(monotonicMs, wallMs - state.wallMs - silenceMs));
}

function readContents(folder: string, state: RateState, shiftTicks: number): RateContents | null {
  try {
    const regions = readCatalogue(readFileSync(join(folder, catalogueName(state.side)), 'utf8'), state.run);
    const snapshot = readSnapshot(readFileSync(join(folder, snapshotName(state.snapshot.side))), {
      ...state.snapshot,
      run: state.run,
      threads: state.tails.length,
    });
    const journals = state.kept === 'stopped' ? [] : readJournals(folder, state);
    return regions === null || snapshot === null || journals === null
      ? null
      : checked({ regions, snapshot, journals, shiftTicks });
  } catch {
    // Absent or unreadable files are as good as damaged ones.
    return null;
  }
}

function readJournals(folder: string, state: RateState): readonly JournalEntries[] | null {
  const { run, ringUnits, side } = state;
  const journals: JournalEntries[] = [];
  for (const [thread, tail] of state.tails.entries()) {
    const file = readFileSync(join(folder, journalName(thread)));
    const { generation } = state.snapshot;
    const journal = readJournal(file, { run, tail, ringUnits, generation, side });
    if (journal === null) return null;
    journals.push(journal);
  }
  return journals;
}

/** Every region that is spoken of is listed: a list that is older than the snapshot would lose counters. */
function checked(contents: RateContents): RateContents | null {
  const listed = new Set(contents.regions.map(({ region }: CataloguedRegion) => region));
  const isWhole = ({ chunks }: Snapshot): boolean => chunks.every(({ region }) => listed.has(region));
  return isWhole(contents.snapshot) ? contents : null;
}
