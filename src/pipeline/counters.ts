import type { CallActuals, EstimatedMeasure } from '../model/model-call.ts';

/**
 * The counters port. One rule set binds its counters once per thread; a request then fills a {@link TakeBatch} and
 * takes from all of them in one linearizable step: all or nothing, and a refused request leaves every counter as it
 * was. Implementations: `state/` (shared memory), and the reference model that tests hold it against.
 */
export interface Counters {
  /** Binds the counters of one rule set for this thread. Order of `specs` is the numbering used in batches. */
  bind(specs: readonly CounterSpec[]): CounterBinding;
}

export interface CounterBinding {
  /** A batch for this binding; one per thread is enough, because filling and taking happen in one turn. */
  createBatch(): TakeBatch;
  /**
   * Takes every entry of the batch, or none. `nowMs` is monotonic, `wallMs` is for calendars. On return the
   * batch holds, for each entry, what {@link TakeBatch} describes.
   */
  take(batch: TakeBatch, nowMs: number, wallMs: number): TakeResult;
  /** What {@link take} would answer and say of each entry; takes nothing. */
  look(batch: TakeBatch, nowMs: number, wallMs: number): TakeResult;
  /** What is needed to settle, swap or release the batch just taken; null when nothing of it can change later. */
  reserve(batch: TakeBatch): Reservation | null;
  /** The same of a batch taken with `holds`: with it all can be given back, what is exact too, by {@link cancel}. */
  hold(batch: TakeBatch): Reservation | null;
  /**
   * Books the actual amount of entry `index` in the window or period of its admission; above the reserved amount it
   * is charged in full. Without effect when that window has passed or the entry was settled before.
   */
  settle(reservation: Reservation, index: number, actual: number): void;
  /**
   * {@link settle} for every estimated entry, by its measure: one request has one cost, whatever counters it is kept in. Of what
   * nobody has told the whole reserve is spent.
   */
  settleEstimates(reservation: Reservation, actual: CallActuals): void;
  /** Replaces a reservation by a new batch in one step: counters with equal key keep their unit. Nothing changes on refusal. */
  swap(reservation: Reservation, batch: TakeBatch, nowMs: number, wallMs: number): TakeResult;
  /** Gives back what was not settled; frees slots of `at once`. Idempotent. */
  release(reservation: Reservation): void;
  /** Gives back everything of what is held: nobody has got what it was taken for. Idempotent. */
  cancel(reservation: Reservation): void;
}

export type TakeResult = typeof TAKEN | typeof EXCEEDED | typeof NEEDS_LEASE;
export const TAKEN = 0;
/** At least one counter has no room: see `TakeBatch.retryAtMs`. */
export const EXCEEDED = 1;
/** A quota needs a further slice from the lease source before it can say yes or no. */
export const NEEDS_LEASE = 2;

/**
 * Entries of one take, as parallel arrays (no allocation per request). Filled from index 0; `count` says how many.
 * A counter appears at most once in a batch.
 */
export interface TakeBatch {
  count: number;
  /** Counters that are neither asked nor taken from, though they have entries: those of estimates, where a request uses nothing of them. */
  leavesOut: 'nothing' | 'estimates';
  /** What is taken is held, and may be given back whole. */
  holds: boolean;
  /** A first try with more than may be needed: where it is refused, no counter is exhausted by that, and no threshold crossed. */
  isTrial: boolean;
  /** Index into the bound specs. */
  readonly counter: Int32Array;
  /** Hash of the counter's key; (0, 0) for `in total`. */
  readonly keyHigh: Int32Array;
  readonly keyLow: Int32Array;
  /** Non-negative integers up to 2^53. */
  readonly weight: Float64Array;
  /** Out: what is left after a successful take, or before a refused one. */
  readonly remaining: Float64Array;
  /** Out, after EXCEEDED: the first monotonic moment this entry alone could hold; 0 if it does now, Infinity for never. */
  readonly retryAtMs: Float64Array;
  /** Out: milliseconds until the counter is as if unused (window, bucket) or its period ends (calendar). */
  readonly resetMs: Float64Array;
  /** Out: 1 where the counter could not be kept (table full and `onFailure` is refuse …): see {@link CounterFault}. */
  readonly fault: Uint8Array;
}

export const COUNTER_FAULTS = ['none', 'table-full', 'lock-timeout', 'store-away'] as const;
export type CounterFault = (typeof COUNTER_FAULTS)[number];

/** Most limits that can apply to one request; more on one route is a compile error. */
export const BATCH_ENTRIES_MAX = 64;

/** An empty one. */
export function createTakeBatch(): TakeBatch {
  return {
    count: 0,
    leavesOut: 'nothing',
    holds: false,
    isTrial: false,
    counter: new Int32Array(BATCH_ENTRIES_MAX),
    keyHigh: new Int32Array(BATCH_ENTRIES_MAX),
    keyLow: new Int32Array(BATCH_ENTRIES_MAX),
    weight: new Float64Array(BATCH_ENTRIES_MAX),
    remaining: new Float64Array(BATCH_ENTRIES_MAX),
    retryAtMs: new Float64Array(BATCH_ENTRIES_MAX),
    resetMs: new Float64Array(BATCH_ENTRIES_MAX),
    fault: new Uint8Array(BATCH_ENTRIES_MAX),
  };
}

export interface CounterSpec {
  /** Stable across threads, reloads, restarts and nodes (language-rules #27). */
  readonly identity: string;
  /** Another name that the same counter had: what was counted under it is taken over. */
  readonly formerIdentity?: string;
  readonly window: CounterWindow;
  readonly maxKeys: number;
  readonly onFailure: 'refuse' | 'allow';
  /**
   * Shares of the amount, ascending, whose crossing is told to the {@link ThresholdSink}: 100 by the first refusal, the others by
   * what is settled (language-rules #14). Each once until the counter is as new or its period ends.
   */
  readonly thresholdsPercent: readonly number[];
  /** What becomes of requests that it has no room for: told with the threshold of 100. Absent: they are refused. */
  readonly withoutRoom?: WithoutRoom;
  /** The delivery that is told of crossings. Absent: all that take everything. */
  readonly notify?: string;
  /**
   * What is taken is a reserve of this measure, settled or given back later. Absent: the weight is exact, and once taken it stays
   * taken: neither `settle` nor `release` changes it (a count of requests).
   */
  readonly estimates?: EstimatedMeasure;
  /**
   * Of a limit that an edit has replaced (language-rules #27): it stays in force beside its successor until the moment that the
   * control thread sets, and takes leave it out from then on. Absent: it is in force as long as its rule set.
   */
  readonly replaced?: true;
  /** Of a policy that only watches: it never waits for a lease, and its marks follow what it counted. Absent: it is enforced. */
  readonly watching?: true;
}

export interface WithoutRoom {
  /** Calls go to one of these, where all limits without room name it. */
  readonly models: readonly string[];
  readonly waits: boolean;
}

export type CounterWindow =
  | { readonly kind: 'window'; readonly amount: number; readonly windowMs: number }
  | { readonly kind: 'pace'; readonly amount: number; readonly periodMs: number; readonly burst: number }
  | { readonly kind: 'concurrency'; readonly amount: number }
  | {
      readonly kind: 'calendar';
      readonly amount: number;
      readonly period: 'day' | 'week' | 'month' | 'quarter' | 'year';
      readonly zone: string;
    };

/**
 * Where the counters of a thread ask for leases: parts of a quota that are durable before they are used. Asking again for what
 * was asked for is harmless. Who was told {@link NEEDS_LEASE} takes anew when grants have arrived.
 */
export interface LeaseSource {
  ask(ask: LeaseAsk): void;
}

/** What is wanted: room for `weight` in the counter of a key. Plain data. */
export interface LeaseAsk {
  /** Names the memory of the counter. */
  readonly region: number;
  readonly keyHigh: number;
  readonly keyLow: number;
  readonly weight: number;
}

/** Where the counters of a thread tell which thresholds were crossed. Called within `take`, `swap`, `settle` and `release`. */
export interface ThresholdSink {
  crossed(crossing: ThresholdCrossing): void;
}

export interface ThresholdCrossing {
  /** Of the bound counter. */
  readonly identity: string;
  readonly keyHigh: number;
  readonly keyLow: number;
  /** The counter is the one that keys share when there are too many of them. */
  readonly isShared: boolean;
  readonly percent: number;
  /** Settled amount; the whole amount at 100. */
  readonly used: number;
  /** When the counter is as if unused, or its period ends: Unix ms. */
  readonly resetsWallMs: number;
}

/** Whose turn it is where requests wait for room in counters: who came later does not overtake them. */
export interface Turns {
  /** Nobody waits, or whoever does has its turn now. */
  readonly areFree: boolean;
  /** The first moment at which the first who waits for this counter may have room; 0 where nobody does. */
  firstAtMs(counter: string): number;
}

export const NOBODY_WAITS: Turns = Object.freeze({ areFree: true, firstAtMs: () => 0 });

/** Opaque to its holder. */
export interface Reservation {
  readonly entries: number;
}
