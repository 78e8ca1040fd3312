import { expect, test } from 'vitest';
import { requestContext } from '../../../test/compiler/world.ts';
import { type FilterConstant, refuseTargets } from './targets.ts';

const CASES = ['near', 'far', 'far'].map(
  (pool, at): FilterConstant => ({
    pools: [pool],
    rule: at,
    status: 0,
    code: `case_${at}`,
    text: [],
  }),
);

function refused(pools: readonly string[]) {
  const context = requestContext({});
  const barred = { pools: new Set(['near', 'far']), cases: [0, 1, 2] };
  const refusal = refuseTargets(context, CASES, { barred, pools, status: 503 }, () => []);
  return [refusal?.code, refusal?.status, context.alsoDenied];
}

test('rules that leave out no pool of the call have nothing to do with its refusal', () => {
  expect(refused(['near', 'far'])).toEqual(['case_0', 503, [1, 2]]);
  expect(refused(['far', 'other'])).toEqual(['case_1', 503, [2]]);
  expect(refused(['near'])).toEqual(['case_0', 503, null]);
  expect(refused(['other'])).toEqual([undefined, undefined, null]);
});
