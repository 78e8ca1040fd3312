import { type CallerNames, type DecisionNames, NAME_FIELDS, type RouteNames } from './record-names.ts';

/**
 * The binary form of one access record, version 5, as it lies in a record ring.
 *
 * | offset | content                                                                             |
 * |--------|-------------------------------------------------------------------------------------|
 * | 0      | int32: bytes of the frame, a multiple of 8                                          |
 * | 4      | int32: version, and flags from bit 8 (aborted, plain, told groups, sampled, tokens, cache) |
 * | 8      | int32: status · 12: attempts · 16: lengths of the four lists, one byte each         |
 * | 20     | int32: bytes of text · 24: numbers of route and decision · 28: number of the caller |
 * | 32     | ten float64: time, tokens in and out, cost, bytes in and out, four phase times      |
 * | 112    | two float64, where a flag says so: cached and reasoning tokens                      |
 * | 112 …  | uint16 per text: its bytes                                                          |
 * | …      | the texts in UTF-8, one after the other                                             |
 *
 * Numbers stand first and aligned so that they are plain typed-array stores. Texts: the record's own, those of its lists,
 * and those of the groups of names (`record-names.ts`) that it tells: its numbers stand for them from then on, and later
 * frames refer to them by number alone.
 */
export const FORMAT_VERSION = 5;
/** Differs in where the numbers of groups stand. Logs that were written until 2026-11 hold it. */
export const FORMER_VERSION = 4;

/** Bounds in UTF-16 units; longer texts are cut. Paths can be as long as a request line, names are ours. */
export const PATH_UNITS_MAX = 2_048;
export const NAME_UNITS_MAX = 200;
export const LIST_ITEMS_MAX = 8;

export const FIXED_BYTES = 112;
export const NUMBERS_AT = 32;
export const PARTS_BYTES = 16;
/** Request id, trace id, parent span, path. */
export const OWN_TEXTS = 4;
const LIST_COUNT = 4;
const TEXTS_MAX = OWN_TEXTS + NAME_FIELDS.length + LIST_COUNT * LIST_ITEMS_MAX;
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
export const UTF8_BYTES_PER_UNIT_MAX = 3;
const TEXT_UNITS_MAX = PATH_UNITS_MAX + (TEXTS_MAX - 1) * NAME_UNITS_MAX;

export const FRAME_BYTES_MIN = alignFrame(FIXED_BYTES + 2 * OWN_TEXTS);
/** No frame is longer, whatever the record holds. */
export const FRAME_BYTES_MAX = alignFrame(
  FIXED_BYTES + PARTS_BYTES + 2 * TEXTS_MAX + TEXT_UNITS_MAX * UTF8_BYTES_PER_UNIT_MAX,
);

export const ABORTED = 1 << 8;
export const PLAIN = 1 << 9;
/** The frame tells the group, it does not only refer to it. */
export const TELLS_ROUTE = 1 << 10;
export const TELLS_CALLER = 1 << 11;
export const TELLS_DECISION = 1 << 12;
export const SAMPLED = 1 << 13;
/** Two bits: the place of who tells the tokens in the list. */
export const TOKENS_SHIFT = 14;
export const TOKENS_FROM = ['', 'provider', 'bound', 'counted'] as const;
export const TOKENS_MASK = 3;
/** Two numbers more follow the others: cached and reasoning tokens. */
export const HAS_PARTS = 1 << 16;
/** Two bits: the place of the outcome in the list. */
export const CACHE_SHIFT = 17;
export const CACHE_OUTCOMES = ['', 'hit', 'miss', 'bypass'] as const;
export const CACHE_MASK = 3;
export const VERSION_MASK = 0xff;

/** Where the lengths of texts begin, by the flags of a frame. */
export function fixedBytesOf(flags: number): number {
  return (flags & HAS_PARTS) === 0 ? FIXED_BYTES : FIXED_BYTES + PARTS_BYTES;
}

/** The decision's number stands above the route's, in one word; the caller's has the next one. */
export const ROUTE_BITS = 20;
const ROUTE_MASK = (1 << ROUTE_BITS) - 1;
const FORMER_BITS = 12;
const FORMER_MASK = (1 << FORMER_BITS) - 1;

/** The two words that stand at byte 24, as numbers of groups. */
export interface GroupNumbers {
  route: number;
  caller: number;
  decision: number;
}

export function readGroupNumbers(first: number, second: number, version: number, into: GroupNumbers): void {
  if (version === FORMER_VERSION) {
    into.route = first & FORMER_MASK;
    into.caller = (first >>> FORMER_BITS) & FORMER_MASK;
    into.decision = second & FORMER_MASK;
  } else {
    into.route = first & ROUTE_MASK;
    into.decision = first >>> ROUTE_BITS;
    into.caller = second >>> 0;
  }
}

/** Frames begin and end at multiples of 8. */
export function alignFrame(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** `plain` texts are printable ASCII without `"` and `\\`: the encoder sees every unit anyway, and a log line needs no second look. */
export type TextForm = 'plain' | 'any';

/** One frame as the reader has just decoded it, for who would rather copy bytes than make texts of them. */
export interface RecordFrame {
  /** Of request id, trace id, parent span and path. */
  readonly texts: TextForm;
  /** Groups of names are the same objects for all frames that refer to them: what is made of them can be kept by them. */
  readonly routeNames: RouteNames;
  readonly callerNames: CallerNames;
  readonly decisionNames: DecisionNames;
  readonly bytes: Uint8Array;
  /** Where it begins. */
  readonly start: number;
  /** Request id, trace id, parent span and path stand here, one behind the other. */
  readonly textStart: number;
  readonly requestIdBytes: number;
  readonly traceIdBytes: number;
  readonly parentSpanBytes: number;
  readonly pathBytes: number;
}
