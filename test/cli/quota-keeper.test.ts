import { expect, it } from 'vitest';
import { QuotaKeeper } from '../../src/cli/run/quota-keeper.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import type { QuotaMarks } from '../../src/state/quota-marks.ts';

const HOUR_MS = 3_600_000;

it('marks of past periods are cleared away at the start and once a day, sooner again where that failed', () => {
  let nowMs = 0;
  let works = true;
  const cleared: number[] = [];
  const alerts: string[] = [];
  const marks: Partial<QuotaMarks> = {
    forgetEndedBefore() {
      cleared.push(nowMs / HOUR_MS);
      const error = { code: 'store_write_failed', message: 'No room.', place: '/', remedy: 'Room.' } as const;
      return works ? { ok: true, value: 0 } : { ok: false, error };
    },
  };
  const keeper = new QuotaKeeper({
    registry: createCounterRegistry(),
    marks: marks as QuotaMarks,
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    alerts: {
      raise: ({ subject }) => alerts.push(`raised ${subject}`) > 0,
      resolve: () => alerts.push('resolved'),
    },
    tellGrants: () => {},
  });
  for (; nowMs <= 48 * HOUR_MS; nowMs += HOUR_MS) {
    works = nowMs !== 24 * HOUR_MS;
    keeper.retry();
  }
  expect(cleared).toEqual([0, 24, 25]);
  expect(alerts).toEqual(['resolved', 'raised past periods', 'resolved']);
});
