/** Holds what the service charged against amounts, marks and what `status` printed. Pure. */
import { type CountedRoute, keysOf } from './counters.ts';
import type { PrintedCounter } from './printed.ts';

/** What one kill cost one route, in the unit of its counters. */
export interface Loss {
  readonly route: CountedRoute;
  /** Marked as used, and never charged by the service. */
  readonly lost: number;
  /** Open slice and reservations as `status` printed them last; null where the process was killed before it could. */
  readonly printed: number | null;
  /** The load had rested since `status` was printed, so that it said exactly what was open. */
  readonly isExact: boolean;
  /** The most that may be lost: what was printed, and unless that is exact what may have been granted or reserved since. */
  readonly allowed: number;
}

/** A tenth of an amount is the largest slice there is (`state/lease-plan.ts`). */
const SLICE_SHARE_MAX = 1 / 10;

/** What may have happened between the last word of `status` and the kill. */
export type Since = { readonly kind: 'nothing' } | { readonly kind: 'load'; readonly outstanding: number };

/** `gapBefore` and `gap`: how far the marks were above what was charged, after the kill before and after this one. */
export function lossOf(
  route: CountedRoute,
  { gapBefore, gap }: { readonly gapBefore: number; readonly gap: number },
  printed: PrintedCounter | null,
  since: Since,
): Loss {
  const told = printed === null ? null : printed.openSlice + printed.reserved;
  const loss = { route, lost: gap - gapBefore, printed: told };
  if (since.kind === 'nothing') return { ...loss, isExact: true, allowed: told ?? 0 };
  const further = keysOf(route) * Math.max(1, Math.floor(route.amount * SLICE_SHARE_MAX));
  // What was let through and had not left yet, or was reserved after the last word.
  return { ...loss, isExact: false, allowed: (told ?? 0) + further + since.outstanding * route.atMost };
}
