/** What windows and token buckets need beside `CounterKind` to go on after their process: see `restoration.ts`. */
import type { CounterWindow } from '../../pipeline/counters.ts';
import type { KindSettings } from '../counter-kind.ts';
import { paceBucket } from '../pace-bucket.ts';
import { windowRing } from '../window-ring.ts';

export interface RateKind {
  /** Books what was taken at `ticks`, which may lie before what the record knows. Negative: a correction. Under the record's lock. */
  book(family: KindSettings, cells: Float64Array, at: number, weight: number, ticks: number): void;
  /** When the weights of a mark (`CounterKind.mark`) count as taken. */
  ticksOf(family: KindSettings, cells: Float64Array, at: number, mark: number): number;
  /** Adds what a record of an earlier process held; `shiftTicks` is added to its moments, rounded so that nothing ends early. */
  restore(
    family: KindSettings,
    cells: Float64Array,
    at: number,
    stored: Float64Array,
    shiftTicks: number,
  ): void;
}

const RATE_KINDS = { window: windowRing, pace: paceBucket } as const;

/** Null for what is no rate: slots in flight end with the process, and quotas have marks. */
export function rateKind(kind: CounterWindow['kind']): RateKind | null {
  return kind === 'window' || kind === 'pace' ? RATE_KINDS[kind] : null;
}
