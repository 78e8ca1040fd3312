import { assert } from '../base/assert.ts';
import { ok, type Result } from '../base/result.ts';
import { periodClock } from '../model/calendar-periods.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import { regionSignature } from './counter-layout.ts';
import type { MarkedKey, QuotaMarks } from './quota-marks.ts';
import type { StoreProblem } from './store-problem.ts';

/**
 * A quota that was given another period begins with what the present period of the old one has counted, and never with less than it
 * knows already. Marks, not what was used: what is granted and still used by requests of the old rules lies below them.
 */
export function carryMarks(
  marks: QuotaMarks,
  from: CounterSpec,
  to: CounterSpec,
  wallMs: number,
): Result<void, StoreProblem> {
  assert(to.window.kind === 'calendar', 'a quota follows the calendar');
  const counter = regionSignature(to);
  const before = marks.of(regionSignature(from));
  if (!before.ok) return before;
  const present = marks.of(counter);
  if (!present.ok) return present;
  const periods = periodClock(to.window.period, to.window.zone);
  const [periodMs, endMs] = [periods.startMs(wallMs), periods.endMs(wallMs)];
  const known = new Map(
    present.value
      .filter(({ mark }) => mark.periodMs >= periodMs)
      .map(({ key, mark }) => [nameOf(key), mark.used] as const),
  );
  const carried = before.value
    .filter(({ key, mark }) => mark.endMs > wallMs && mark.used > (known.get(nameOf(key)) ?? 0))
    .map(({ key, mark: { used } }) => ({ counter, key, periodMs, endMs, used }));
  return carried.length === 0 ? ok(undefined) : marks.write(carried);
}

function nameOf(key: MarkedKey): string {
  return key === 'shared' ? key : `${key.keyHigh}/${key.keyLow}`;
}
