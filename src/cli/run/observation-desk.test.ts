import { expect, test } from 'vitest';
import type { AdminActions } from '../../admin/actions.ts';
import type { AdminCall } from '../../admin/route.ts';
import { OBSERVATION_ROUTES } from '../../admin/routes/observation.ts';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { MemoryHistory } from '../../observe/history/memory-history.cases.ts';
import { createRollups } from '../../observe/history/rollups.ts';
import { createObservationDesk, type ObservationDeskParts } from './observation-desk.ts';

test('while the history is away, log and usage say so; afterwards they are read again', async () => {
  const store = new MemoryHistory();
  const rollups = createRollups({ store, namesMax: 10, dayStartMs: (ms) => ms });
  const observation = createObservationDesk({
    observation: {
      drain: { drainTurn: () => {} },
      history: { flush: () => {}, rollups },
      historyFile: store,
    },
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    limits: LIMIT_DEFAULTS,
    currency: () => 'USD',
  } as unknown as ObservationDeskParts);
  const gone = new AbortController().signal;
  const answers = () =>
    Promise.all(
      ['searchLog', 'usage'].map((name) => {
        const route = OBSERVATION_ROUTES.find(({ operation }) => operation === name)!;
        const query = { limit: 10, by: 'route', granularity: 'hour', from: 0, to: 10 };
        return route.answer({ query, gone } as unknown as AdminCall, { observation } as AdminActions);
      }),
    );
  store.away = true;
  const away = { problem: 'history_unreadable', detail: 'It is away. See to the disk.' };
  expect(await answers()).toEqual([away, away]);
  store.away = false;
  expect(await answers()).toMatchObject([{ status: 200 }, { status: 200 }]);
});
