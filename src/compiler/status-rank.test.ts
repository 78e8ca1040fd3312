import { expect, it } from 'vitest';
import { statusRank } from './status-rank.ts';

it('names 401 first, then 410, 404, 451, 403, 413, 422, 402, 429, 503, then others ascending (language-rules #29)', () => {
  const statuses = [400, 402, 401, 599, 403, 404, 409, 410, 413, 418, 422, 429, 451, 500, 503];
  expect(statuses.sort((a, b) => statusRank(a) - statusRank(b))).toEqual([
    ...[401, 410, 404, 451, 403, 413, 422, 402, 429, 503],
    ...[400, 409, 418, 500, 599],
  ]);
});
