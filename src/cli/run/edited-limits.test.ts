import { expect, test } from 'vitest';
import { allowanceIdentity, counterIdentity, counterLabel } from '../../language/canonical.ts';
import type { LimitRule } from '../../language/typed.ts';
import { editedLimits } from './edited-limits.ts';

const WINDOW = { kind: 'calendar', amount: 20, period: 'day', zone: 'UTC' } as const;
const identity = counterIdentity('p', {
  name: 'app',
  measure: { kind: 'money' } as LimitRule['measure'],
  window: WINDOW,
  per: { kind: 'total' },
});
const spec = (identity: string) => ({
  identity,
  window: WINDOW,
  maxKeys: 10,
  onFailure: 'refuse' as const,
  thresholdsPercent: [],
});

test('what a budget comes to allow more is no edit of the budget, and takes over none of its counts', () => {
  const allowance = allowanceIdentity(identity);
  expect(editedLimits([spec(identity)], [spec(identity), spec(allowance)])).toEqual([]);
  expect(editedLimits([spec(allowance)], [spec(identity)])).toEqual([]);
  expect([identity, allowance].map(counterLabel)).toEqual(['p/app in total', 'p/app (fallback) in total']);
});
