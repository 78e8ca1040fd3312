import type { Clock } from '../../base/ports.ts';
import type { HistoryKey, HistoryStore } from '../../pipeline/history.ts';
import type { LogQuery } from '../../pipeline/log-query.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { matches, neededText } from './log-query.ts';
import { copyRecord, openBlock, type RecordBlock } from './record-block.ts';

/** Where the next part of a search goes on: before this record. */
export interface LogCursor {
  readonly openedMs: number;
  readonly number: number;
  /** Of the records of that block, those before this one are still to be looked at. */
  readonly before: number;
}

export interface LogPage {
  /** Newest first. */
  readonly records: readonly AccessRecord[];
  /** Null when everything has been looked at. */
  readonly next: LogCursor | null;
}

export interface LogSearchOptions {
  readonly store: HistoryStore;
  readonly clock: Clock;
  /** Lets others have their turn: a search goes block by block. */
  readonly pause: () => Promise<void>;
}

/** A block is open for a minute at most, so its records arrived no later than that after it was opened. */
export const BLOCK_OPEN_MS_MAX = 60_000;
const KEYS_AT_ONCE = 64;
/** After this the search answers with what it has, and where to go on. */
const SEARCH_MS_MAX = 2_000;

/** The newest records that fit, up to `recordsMax`. */
export async function searchLog(
  { store, clock, pause }: LogSearchOptions,
  query: LogQuery,
  recordsMax: number,
  after: LogCursor | null,
): Promise<LogPage> {
  const needed = query.texts.map(neededText).filter((text) => text !== null);
  const endMs = clock.monotonicMs() + SEARCH_MS_MAX;
  const records: AccessRecord[] = [];
  for (const place of blocksBackwards(store, after)) {
    if (query.sinceMs !== null && place.openedMs + BLOCK_OPEN_MS_MAX < query.sinceMs) break;
    if (clock.monotonicMs() >= endMs) return { records, next: { ...place, before: beforeIn(place, after) } };
    const bytes = store.get(keyOf(place));
    // Retention may have taken it away meanwhile.
    const found = bytes === null ? [] : findIn(bytes, query, needed, beforeIn(place, after));
    for (const { record, index } of found) {
      if (records.length === recordsMax) return { records, next: { ...place, before: index + 1 } };
      records.push(record);
    }
    await pause();
  }
  return { records, next: null };
}

type Place = Pick<LogCursor, 'openedMs' | 'number'>;

/** Newest first; a few keys at a time, so that no transaction of the file outlives the turn. */
function* blocksBackwards(store: HistoryStore, after: LogCursor | null): Generator<Place> {
  let from = after === null ? [] : [after.openedMs, after.number];
  for (;;) {
    const keys = store.keys(HISTORY_TABLES.blocks, { from, order: 'descending', countMax: KEYS_AT_ONCE });
    for (const [, openedMs, number] of keys) {
      yield { openedMs: openedMs!, number: number! };
      from = [openedMs!, number! - 1];
    }
    if (keys.length < KEYS_AT_ONCE) return;
  }
}

function keyOf({ openedMs, number }: Place): HistoryKey {
  return [HISTORY_TABLES.blocks, openedMs, number];
}

function beforeIn(place: Place, after: LogCursor | null): number {
  const same = after !== null && after.openedMs === place.openedMs && after.number === place.number;
  return same ? after.before : Number.MAX_SAFE_INTEGER;
}

interface Found {
  readonly record: AccessRecord;
  readonly index: number;
}

/** Newest first. */
function findIn(bytes: Uint8Array, query: LogQuery, needed: readonly string[], before: number): Found[] {
  const block = openBlock(bytes);
  if (block === null || !mayHold(block, query, needed)) return [];
  const found: Found[] = [];
  let index = 0;
  block.read((record) => {
    if (index < before && matches(record, query)) found.push({ record: copyRecord(record), index });
    index++;
  });
  return found.reverse();
}

function mayHold(block: RecordBlock, { sinceMs, untilMs }: LogQuery, needed: readonly string[]): boolean {
  const { fromMs, toMs } = block.head;
  if (sinceMs !== null && toMs < sinceMs) return false;
  if (untilMs !== null && fromMs >= untilMs) return false;
  return needed.every((text) => block.mentions(text));
}
