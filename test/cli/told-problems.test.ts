/** What can't be kept, counted, watched or sent is told with what to do, until it can be again. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { AuditAnchoring } from '../../src/cli/run/audit-anchoring.ts';
import { tellRecount } from '../../src/cli/run/recount-alert.ts';
import { ReplacedKeeper } from '../../src/cli/run/replaced-keeper.ts';
import { sendTraces } from '../../src/cli/run/told-traces.ts';
import { tellWatching } from '../../src/cli/run/watch-alert.ts';
import type { AlertBus } from '../../src/observe/alert-bus.ts';
import type { EventLog } from '../../src/observe/event-log.ts';
import { record } from '../../src/observe/record.cases.ts';
import type { AuditLog } from '../../src/state/audit-chain.ts';
import type { ReplacedLimit } from '../../src/tools/replaced-limits.ts';

/** Messages by kind. */
const open = new Map<string, string>();
const alerts: Pick<AlertBus, 'raise' | 'resolve'> = {
  raise: ({ kind, message }) => open.set(kind, message) !== undefined,
  resolve: ({ kind }) => void open.delete(kind),
};
const clock = { monotonicMs: () => 0, wallMs: () => 0 };
beforeEach(() => open.clear());

it('the end of the audit log, which can not be anchored', () => {
  const parent = mkdtempSync(join(tmpdir(), 'portunus-anchors-'));
  const dataFolder = join(parent, 'data');
  const head = { sequence: 3, hash: 'h' };
  const audit: Partial<AuditLog> = {
    head: () => head,
    sign: (_, place) => ({ ...place, mac: 'm' }),
    onHead: () => {},
  };
  const anchoring = new AuditAnchoring({
    ...{ dataFolder, clock, alerts, deliver: () => {} },
    audit: audit as AuditLog,
    events: { write: () => {} } as Partial<EventLog> as EventLog,
  });
  anchoring.tend();
  expect([...open]).toEqual([['audit-not-anchored', expect.stringContaining('ENOENT')]]);
  mkdirSync(dataFolder);
  anchoring.tend();
  expect(open.size).toBe(0);
  anchoring.close();
  rmSync(parent, { recursive: true });
});

it('limits that stay in force as they were, which can not be kept for the next start', async () => {
  let hasRoom = false;
  const keeper = new ReplacedKeeper(
    {
      write: () => (hasRoom ? Promise.resolve() : Promise.reject(new Error('no room'))),
      registry: { endReplaced: () => {} },
      ...{ clock, alerts, boot: 'b' },
    },
    [],
  );
  const limit: ReplacedLimit = { path: 'p', text: 't', identity: 'i', lengthMs: 1_000 };
  await keeper.prepare([limit]);
  expect([...open]).toEqual([['replaced-limits-not-kept', expect.stringContaining('no room')]]);
  hasRoom = true;
  await keeper.live(2, [limit]);
  expect(open.size).toBe(0);
});

it.each([
  ['connections-not-counted', tellRecount],
  ['files-not-watched', tellWatching],
] as const)('%s', (kind, tell) => {
  tell(alerts, 'nothing can be read.');
  expect([...open]).toEqual([[kind, expect.stringMatching(/: nothing can be read\.$/)]]);
  tell(alerts, null);
  expect(open.size).toBe(0);
});

it('traces that their receiver does not take', async () => {
  const sampled = record({ requestId: '00f067aa0ba902b7', traceSampled: true });
  let code = 1;
  const traces = sendTraces(
    { settings: { endpoint: 'http://otlp.example', share: 1 }, version: '1', spansMax: 10, alerts },
    () => ({
      export: (_spans, done) => done({ code, error: new Error('nobody listens') }),
      shutdown: () => Promise.resolve(),
    }),
  )!;
  traces.accept(sampled, null);
  await traces.stop();
  expect([...open]).toEqual([
    ['traces-not-sent', "Spans can't be sent to http://otlp.example: nobody listens."],
  ]);
  code = 0;
  traces.accept(sampled, null);
  await traces.stop();
  expect(open.size).toBe(0);
});
