/**
 * Marks of an earlier process for keys that this one has not met yet. A key either has a mark of its own or is part of the shared
 * counter: so before keys run out, those with marks get their records back; the marks of those that find no room become part
 * of the shared one. Otherwise such a key would begin anew in the shared counter.
 */
import { ok, type Result } from '../base/result.ts';
import type { LockSet } from '../base/shared-lock.ts';
import type { Moment } from './counter-kind.ts';
import { HEADER } from './counter-layout.ts';
import type { QuotaRegion } from './counter-registry.ts';
import { adoptLease, widest } from './lease-records.ts';
import type { KeyedMark, MarkedKey, QuotaMark, QuotaMarks } from './quota-marks.ts';
import type { StoreProblem } from './store-problem.ts';

/** Whether a new key could take the record that a key with a mark will need. `asking`: keys that may be new. */
export function runsOutOfKeys({ families }: QuotaRegion, marksKept: number, asking: number): boolean {
  const { words, keysMax } = widest(families);
  return Atomics.load(words, HEADER.keysUsed) + marksKept + asking > keysMax;
}

/** How many marks there are: a bound of the keys that an earlier process knew. */
export function countMarks(region: QuotaRegion, marks: QuotaMarks): Result<number, StoreProblem> {
  let sum = 0;
  for (const counter of counters(region)) {
    const count = marks.count(counter);
    if (!count.ok) return count;
    sum += count.value;
  }
  return ok(sum);
}

export interface Adoption {
  readonly marks: QuotaMarks;
  readonly locks: LockSet;
  readonly now: Moment;
}

/** Once for each process and counter. Answers `busy` when a lock can't be had now: nothing is wrong, but it is not done. */
export function adoptMarks(
  region: QuotaRegion,
  { marks, locks, now }: Adoption,
): Result<'adopted' | 'busy', StoreProblem> {
  const kept = keptMarks(region, marks);
  if (!kept.ok) return kept;
  const present = region.families[0]!.periods!.startMs(now.wallMs);
  const shared = kept.value.find(({ key }) => key === 'shared')?.mark ?? null;
  const unfit: KeyedMark[] = [];
  for (const { key, mark } of kept.value) {
    if (key === 'shared' || mark.periodMs < present) continue;
    const adopted = adoptLease(region, key, mark, locks, now);
    if (adopted === 'busy') return ok('busy');
    if (adopted === 'no room') unfit.push({ key, mark });
  }
  if (unfit.length === 0) return ok('adopted');
  const most = unfit.reduce<QuotaMark | null>((best, { mark }) => latest(best, mark), shared)!;
  const written = marks.write(
    [{ counter: region.signature, key: 'shared', ...most }],
    counters(region).flatMap((counter) => unfit.map(({ key }) => ({ counter, key }))),
  );
  return written.ok ? ok('adopted') : written;
}

/** Of two marks of a counter the one that allows less: of a later period, or of the same one with more used. */
export function latest(mark: QuotaMark | null, other: QuotaMark | null): QuotaMark | null {
  if (mark === null || other === null) return mark ?? other;
  const isBeyond = mark.periodMs === other.periodMs ? mark.used > other.used : mark.periodMs > other.periodMs;
  return isBeyond ? mark : other;
}

/** Under the name that the counter has, and the one that it had. */
function keptMarks(region: QuotaRegion, marks: QuotaMarks): Result<readonly KeyedMark[], StoreProblem> {
  const byKey = new Map<string, { readonly key: MarkedKey; readonly mark: QuotaMark }>();
  for (const counter of counters(region)) {
    const kept = marks.of(counter);
    if (!kept.ok) return kept;
    for (const { key, mark } of kept.value) {
      const name = key === 'shared' ? key : `${key.keyHigh}/${key.keyLow}`;
      byKey.set(name, { key, mark: latest(mark, byKey.get(name)?.mark ?? null)! });
    }
  }
  return ok([...byKey.values()]);
}

function counters({ signature, formerSignature }: QuotaRegion): readonly string[] {
  return formerSignature === null ? [signature] : [signature, formerSignature];
}
