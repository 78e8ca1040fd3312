/** A minute in which the disk takes nothing, on a clock of the test: whatever keeps trying says so once, tells no lie, and ends it once. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { AuditAnchoring } from '../../src/cli/run/audit-anchoring.ts';
import { HistoryKeeper as VersionKeeper } from '../../src/cli/run/history-keeper.ts';
import { QuotaKeeper } from '../../src/cli/run/quota-keeper.ts';
import { systemRandom } from '../../src/cli/run/system-clock.ts';
import { createAlertBus } from '../../src/observe/alert-bus.ts';
import type { EventLog } from '../../src/observe/event-log.ts';
import { HistoryKeeper as RequestLogKeeper } from '../../src/observe/history/history-keeper.ts';
import { HISTORY_TABLES } from '../../src/observe/history/history-tables.ts';
import { record } from '../../src/observe/record.cases.ts';
import { type CounterSpec, type LeaseAsk, NEEDS_LEASE, TAKEN } from '../../src/pipeline/counters.ts';
import { readAnchors } from '../../src/state/audit-anchors.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { openHistoryFile } from '../../src/state/history-file.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { openStore } from '../../src/state/store.ts';
import { fill, spec } from '../state/counters-rig.ts';

let mounted: string | null = null;
afterEach(() => {
  if (mounted === null) return;
  execFileSync('umount', [mounted]);
  rmSync(mounted, { recursive: true });
  mounted = null;
});

const unexamined = () => {
  throw new Error('a new store is not examined');
};

const YEAR = { kind: 'calendar', amount: 100, period: 'year', zone: 'UTC' } as const;

/** What each part of a gateway does each second, and what came of it. */
function openParts(folder: string) {
  const time = { monotonicMs: 1_000_000, wallMs: Date.UTC(2026, 10, 30, 12) };
  const clock = { monotonicMs: () => time.monotonicMs, wallMs: () => time.wallMs };
  const opened = openStore(folder, systemRandom(), unexamined, clock);
  if (!opened.ok) throw new Error(opened.error.message);
  const historyFile = openHistoryFile(folder, time.wallMs, false, () => true);
  if (!historyFile.ok) throw new Error(historyFile.error);
  const store = opened.value;
  const notices: string[] = [];
  const delivery = {
    name: 'test',
    deliver: ({ event, alert }: { readonly event: string; readonly alert: { readonly kind: string } }) => {
      notices.push(`${event} ${alert.kind}`);
      return { ok: true, value: undefined } as const;
    },
  };
  const alerts = createAlertBus({
    clock,
    deliveries: () => [delivery],
    openAlertsMax: { gateway: 100, policy: 100 },
  });
  const registry = createCounterRegistry();
  const specs: CounterSpec[] = [spec('year', YEAR, { maxKeys: 5_000 })];
  const asks: LeaseAsk[] = [];
  const counters = createSharedCounters(registry.prepare(specs), { ask: (ask) => asks.push(ask) }).bind(
    specs,
  );
  const batch = counters.createBatch();
  const quotas = new QuotaKeeper({ registry, marks: store.quotaMarks, clock, alerts, tellGrants: () => {} });
  const events = { write: () => {} } as Partial<EventLog> as EventLog;
  const anchoring = new AuditAnchoring({
    dataFolder: folder,
    audit: store.audit,
    clock,
    alerts,
    events,
    deliver: () => {},
  });
  const versions = new VersionKeeper({
    history: store.history,
    audit: store.audit,
    alerts,
    versionsMax: 100,
    recordsMax: 10_000,
  });
  const identity = { kind: 'request-log-not-kept', subject: '' };
  const requestLog = new RequestLogKeeper({
    store: historyFile.value,
    clock,
    retention: { logBytes: 2 ** 30, logAgeMs: 1e12, rollupsMs: { minute: 1e12, hour: 1e12, day: 1e12 } },
    requestLogQueueBytes: 2 ** 20,
    rollupNames: 100,
    dayStartMs: (ms) => ms - (ms % 86_400_000),
    onAway: ({ message, remedy }) => alerts.raise({ ...identity, severity: 'warning', message, remedy }),
    onBack: () => alerts.resolve(identity),
  });
  return {
    store,
    notices,
    versions,
    second(): void {
      time.monotonicMs += 1_000;
      time.wallMs += 1_000;
      for (let at = 0; at < 20; at++) requestLog.accept(record({ timeMs: time.wallMs }), null);
      requestLog.endBatch();
      requestLog.turn();
      quotas.retry();
      anchoring.tend();
      if (time.monotonicMs % 10_000 === 0) versions.retry();
    },
    /** What a request of one caller gets. */
    take(key: number): 'taken' | 'unavailable' | 'other' {
      for (let tries = 0; tries < 3; tries++) {
        const result = counters.take(
          fill(batch, [{ counter: 0, key, weight: 1 }]),
          time.monotonicMs,
          time.wallMs,
        );
        if (result === TAKEN) return 'taken';
        if (result !== NEEDS_LEASE) return batch.fault[0] === 0 ? 'other' : 'unavailable';
        quotas.asked(asks.splice(0));
      }
      return 'unavailable';
    },
    logged: () =>
      historyFile.value.keys(HISTORY_TABLES.blocks, { from: [], order: 'ascending', countMax: 10_000 })
        .length,
    async close(): Promise<void> {
      requestLog.stop();
      anchoring.close();
      await historyFile.value.close();
      await store.close();
    },
  };
}

it('says so once and ends it once, and all that was answered is there', async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'portunus-minute-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return skip('only who may mount can make a full disk');
  }
  mounted = folder;
  const parts = openParts(folder);
  const { store, notices, versions } = parts;
  for (let second = 0; second < 10; second++) parts.second();
  expect([parts.take(1), notices]).toEqual(['taken', []]);

  const filler = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  const actor = { kind: 'gateway', cause: 'test' } as const;
  const answered = { done: 0, refused: 0 };
  const taken = new Map<number, number>();
  for (let second = 0; second < 60; second++) {
    parts.second();
    const digest = `hash-${second}`;
    versions.keep({ epoch: second + 1, hash: digest, timeMs: 0, reason: 'file change', actor }, [
      { path: 'a.policy', text: digest.repeat(1_000) },
    ]);
    const changed = store.audit.change(
      [{ actor, action: 'tokens.issue', target: `t${second}`, before: null, after: 'x'.repeat(8_000) }],
      (change) => change.put(['test', second], 'x'.repeat(8_000)),
    );
    answered[changed.ok ? 'done' : 'refused']++;
    for (let key = 1_000 * (second + 1); key < 1_000 * (second + 1) + 20; key++) {
      const got = parts.take(key);
      expect(['taken', 'unavailable']).toContain(got);
      if (got === 'taken') taken.set(key, 1);
    }
  }
  expect(answered.refused).toBeGreaterThan(50);
  expect(notices.toSorted()).toEqual([...new Set(notices)].toSorted());
  for (const kind of ['history-not-kept', 'quotas-not-kept', 'request-log-not-kept'])
    expect(notices).toContain(`raised ${kind}`);

  rmSync(filler);
  for (let second = 0; second < 21; second++) parts.second();
  const raised = notices.filter((notice) => notice.startsWith('raised'));
  expect(notices.toSorted()).toEqual(
    [...raised, ...raised.map((notice) => notice.replace('raised', 'resolved'))].toSorted(),
  );
  // Nothing that was refused is there, nothing that was answered is missing.
  const records = store.audit.records(0, 1_000);
  if (!records.ok) throw new Error(records.error.message);
  const { value } = records;
  expect(value.filter(({ action }) => action === 'tokens.issue')).toHaveLength(answered.done);
  expect(value.filter(({ action }) => action === 'configuration.load')).toHaveLength(60);
  for (const [at, { sequence, previous }] of value.entries())
    expect([sequence, previous]).toEqual([at + 1, at === 0 ? previous : value[at - 1]!.hash]);
  expect(readAnchors(folder).at(-1)).toMatchObject({ kind: 'anchor', sequence: store.audit.head().sequence });
  expect(parts.logged()).toBeGreaterThan(0);
  // One of a hundred was taken by each; no take without a mark was let in.
  for (const key of [1, ...taken.keys()]) {
    let more = 0;
    while (parts.take(key) === 'taken') more++;
    expect(more + 1).toBe(YEAR.amount);
  }
  await parts.close();
});
