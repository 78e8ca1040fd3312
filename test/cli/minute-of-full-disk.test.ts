/** A minute in which the disk takes nothing, on a clock of the test: whatever keeps trying says so once, tells no lie, and ends it once. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { AuditAnchoring } from '../../src/cli/run/audit-anchoring.ts';
import { HistoryKeeper as VersionKeeper } from '../../src/cli/run/history-keeper.ts';
import { QuotaKeeper } from '../../src/cli/run/quota-keeper.ts';
import { RateKeeper } from '../../src/cli/run/rate-keeper.ts';
import { systemRandom } from '../../src/cli/run/system-clock.ts';
import { type AlertCondition, createAlertBus } from '../../src/observe/alert-bus.ts';
import type { EventLog } from '../../src/observe/event-log.ts';
import { HistoryKeeper as RequestLogKeeper } from '../../src/observe/history/history-keeper.ts';
import { HISTORY_TABLES } from '../../src/observe/history/history-tables.ts';
import { record } from '../../src/observe/record.cases.ts';
import { type CounterSpec, type LeaseAsk, NEEDS_LEASE, TAKEN } from '../../src/pipeline/counters.ts';
import { readAnchors } from '../../src/state/audit-anchors.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { openHistoryFile } from '../../src/state/history-file.ts';
import { createTakeJournal } from '../../src/state/rates/take-journal.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { openStore } from '../../src/state/store.ts';
import { fill, spec } from '../state/counters-rig.ts';

let mounted: string | null = null;
afterEach(() => {
  vi.useRealTimers();
  if (mounted === null) return;
  execFileSync('umount', ['-l', mounted]);
  rmSync(mounted, { recursive: true });
  mounted = null;
});

const unexamined = () => {
  throw new Error('a new store is not examined');
};

const YEAR = { kind: 'calendar', amount: 100, period: 'year', zone: 'UTC' } as const;
const HOUR = { kind: 'window', amount: 20, windowMs: 3_600_000 } as const;
/** A hundred requests, too, in nano-dollars. */
const PRICE = 2_000_000;
const MONEY = { ...YEAR, amount: 100 * PRICE } as const;
/** Requests that make a journal of takes half full within the minute, when a snapshot is due, but not full. */
const BUSY_EACH_SECOND = 30;

const SPECS: readonly CounterSpec[] = [
  spec('quota', YEAR, { maxKeys: 5_000 }),
  spec('lenient quota', YEAR, { onFailure: 'allow' }),
  spec('budget', MONEY, { maxKeys: 5_000, estimates: 'money' }),
  spec('lenient budget', MONEY, { onFailure: 'allow', estimates: 'money' }),
  spec('rate', HOUR),
  spec('busy', { ...HOUR, amount: 1_000_000 }),
];
const [QUOTA, LENIENT_QUOTA, BUDGET, LENIENT_BUDGET, RATE, BUSY] = [0, 1, 2, 3, 4, 5];

/** What each part of a gateway does each second, and what came of it. */
function openParts(folder: string, time: { monotonicMs: number; wallMs: number }) {
  const clock = { monotonicMs: () => time.monotonicMs, wallMs: () => time.wallMs };
  const opened = openStore(folder, systemRandom(), unexamined, clock);
  if (!opened.ok) throw new Error(opened.error.message);
  const historyFile = openHistoryFile(folder, time.wallMs, false, () => true);
  if (!historyFile.ok) throw new Error(historyFile.error);
  const store = opened.value;
  const notices: string[] = [];
  const delivery = {
    name: 'test',
    deliver: ({ event, alert }: { readonly event: string; readonly alert: AlertCondition }) => {
      notices.push(`${event} ${alert.kind}`);
      expect([alert.kind, alert.message, alert.remedy]).not.toContain('');
      return { ok: true, value: undefined } as const;
    },
  };
  const alerts = createAlertBus({
    clock,
    deliveries: () => [delivery],
    openAlertsMax: { gateway: 100, policy: 100 },
  });
  const registry = createCounterRegistry();
  const rates = new RateKeeper({
    dataFolder: folder,
    registry,
    clock,
    random: systemRandom(),
    alerts,
    keyHashSecret: store.secrets.keyHashSecret,
    threads: 1,
    journalBytes: 256 * 1_024,
  });
  const memory = registry.prepare(SPECS);
  rates.regionsChanged();
  const asks: LeaseAsk[] = [];
  const journal = createTakeJournal(rates.journals()[0]!);
  const leases = { ask: (ask: LeaseAsk) => void asks.push(ask) };
  const counters = createSharedCounters(memory, leases, undefined, undefined, journal).bind(SPECS);
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
  const identity = { kind: 'request-log-not-kept', subject: '' } as const;
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
      rates.tend();
      vi.advanceTimersByTime(1_000);
      anchoring.tend();
      if (time.monotonicMs % 10_000 === 0) versions.retry();
    },
    /** What a request of one caller gets. */
    take(counter: number, key: number): 'taken' | 'unavailable' | 'exceeded' {
      const weight = SPECS[counter]!.estimates === undefined ? 1 : PRICE;
      for (let tries = 0; tries < 3; tries++) {
        const result = counters.take(fill(batch, [{ counter, key, weight }]), time.monotonicMs, time.wallMs);
        if (result === TAKEN) {
          const reservation = counters.reserve(batch);
          if (reservation !== null) counters.settle(reservation, 0, weight);
          journal.flush();
          return 'taken';
        }
        if (result !== NEEDS_LEASE) return batch.fault[0] === 0 ? 'exceeded' : 'unavailable';
        quotas.asked(asks.splice(0));
      }
      return 'unavailable';
    },
    logged: () =>
      historyFile.value.keys(HISTORY_TABLES.blocks, { from: [], order: 'ascending', countMax: 10_000 })
        .length,
    /** Quotas give nothing back, and rate windows are not written as a whole. */
    async kill(): Promise<void> {
      vi.useRealTimers();
      anchoring.close();
      await historyFile.value.close();
      await store.close();
    },
  };
}

type Parts = ReturnType<typeof openParts>;

/** As many requests of one caller; how many of them were let in. */
function takeMany({ take }: Pick<Parts, 'take'>, counter: number, key: number, requests: number): number {
  return Array.from({ length: requests }, () => take(counter, key)).filter((got) => got === 'taken').length;
}

it('each limit does what it says for that, it is told once and ends once, and all that was answered is there', async ({
  skip,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'portunus-minute-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return skip('only who may mount can make a full disk');
  }
  mounted = folder;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const time = { monotonicMs: 1_000_000, wallMs: Date.UTC(2026, 10, 30, 12) };
  const parts = openParts(folder, time);
  const { store, notices, versions } = parts;
  for (let second = 0; second < 10; second++) parts.second();
  for (const counter of [QUOTA, BUDGET, RATE]) expect(parts.take(counter, 1)).toBe('taken');
  expect(notices).toEqual([]);

  const filler = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  const actor = { kind: 'gateway', cause: 'test' } as const;
  const answered = { done: 0, refused: 0 };
  /** Callers who came on a full disk, by limit. */
  const taken = { [QUOTA]: new Set<number>(), [BUDGET]: new Set<number>() };
  const unavailable = { [QUOTA]: 0, [BUDGET]: 0 };
  const allowed = { [LENIENT_QUOTA]: 0, [LENIENT_BUDGET]: 0, [RATE]: 1 };
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
    for (const counter of [QUOTA, BUDGET]) {
      for (let key = 1_000 * (second + 1); key < 1_000 * (second + 1) + 10; key++) {
        const got = parts.take(counter, key);
        expect(['taken', 'unavailable']).toContain(got);
        if (got === 'taken') taken[counter]!.add(key);
        else unavailable[counter]!++;
      }
    }
    for (const counter of [LENIENT_QUOTA, LENIENT_BUDGET, RATE])
      allowed[counter]! += takeMany(parts, counter, 1, 2);
    expect(takeMany(parts, BUSY, 1, BUSY_EACH_SECOND)).toBe(BUSY_EACH_SECOND);
  }
  expect(answered.refused).toBeGreaterThan(50);
  for (const counter of [QUOTA, BUDGET]) expect(unavailable[counter]).toBeGreaterThan(0);
  // Those that allow on failure go on to their amount, and no further; rate windows need no disk.
  expect(allowed).toEqual({ [LENIENT_QUOTA]: 100, [LENIENT_BUDGET]: 100, [RATE]: HOUR.amount });
  expect(notices.toSorted()).toEqual([...new Set(notices)].toSorted());
  for (const kind of ['history', 'quotas', 'request-log', 'rate-windows'])
    expect(notices).toContain(`raised ${kind}-not-kept`);

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
  for (const counter of [QUOTA, BUDGET]) {
    for (const key of [1, ...[...taken[counter]!].filter((_, at) => at % 4 === 0)])
      expect(1 + takeMany(parts, counter, key, YEAR.amount)).toBe(YEAR.amount);
  }
  await parts.kill();

  // Nor is anything of the minute forgotten by the next process.
  const next = openParts(folder, time);
  for (const counter of [QUOTA, LENIENT_QUOTA, BUDGET, LENIENT_BUDGET, RATE])
    expect([SPECS[counter]!.identity, next.take(counter, 1)]).toEqual([SPECS[counter]!.identity, 'exceeded']);
  expect(next.take(RATE, 2)).toBe('taken');
  await next.kill();
});
