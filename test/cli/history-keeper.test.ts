/** What went live and who did it, kept on a disk that has room only at times. */
import { beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '../../src/base/result.ts';
import {
  HistoryKeeper,
  RECORDS_WAITING_MAX,
  VERSIONS_WAITING_MAX,
} from '../../src/cli/run/history-keeper.ts';
import type { AuditActor, AuditEntry } from '../../src/pipeline/audit.ts';
import type { AuditLog } from '../../src/state/audit-chain.ts';
import type { ConfigurationHistory, ConfigurationVersion } from '../../src/state/configuration-history.ts';

const actor: AuditActor = { kind: 'token', id: 'abc', name: 'deploy' };
const NO_ROOM = {
  code: 'store_write_failed',
  message: 'No room.',
  place: 'p',
  remedy: 'Make some.',
} as const;

let hasRoom: boolean;
let kept: ConfigurationVersion[];
let recorded: AuditEntry[];
let pruned: number[];
const alerts = new Map<string, string>();
let keeper: HistoryKeeper;

beforeEach(() => {
  [hasRoom, kept, recorded, pruned] = [true, [], [], []];
  alerts.clear();
  const history = {
    versions: () => kept,
    add: (version, _files, { audit }) => {
      if (!hasRoom) return err(NO_ROOM);
      kept.push(version);
      recorded.push(...audit);
      return ok(undefined);
    },
  } as Partial<ConfigurationHistory> as ConfigurationHistory;
  const audit = {
    change: (entries: readonly AuditEntry[]) => {
      if (!hasRoom) return err(NO_ROOM);
      recorded.push(...entries);
      return ok([]);
    },
    prune: (recordsMax: number) => {
      pruned.push(recordsMax);
      return ok(undefined);
    },
  } as Partial<AuditLog> as AuditLog;
  keeper = new HistoryKeeper({
    history,
    audit,
    alerts: {
      raise: ({ kind, message }) => alerts.set(kind, message) !== undefined,
      resolve: ({ kind }) => void alerts.delete(kind),
    },
    versionsMax: 200,
    recordsMax: 5_000,
  });
});

const files = (epoch: number) => [{ path: 'portunus.yaml', text: `portunus: 1 # ${epoch}\n` }];
function keep(epoch: number, reason = 'file change'): void {
  keeper.keep({ epoch, hash: `h${epoch}`, timeMs: epoch, reason, actor }, files(epoch));
}
const epochs = () => kept.map(({ epoch }) => epoch);

describe('the history of versions', () => {
  it('keeps each version with the record of who made it live', () => {
    keep(1, 'start');
    keep(2);
    keep(3, 'rollback to 1');
    expect(epochs()).toEqual([1, 2, 3]);
    expect(recorded.map(({ action, before, after }) => [action, before, after])).toMatchObject([
      ['configuration.load', null, { version: 1 }],
      ['configuration.load', { version: 1 }, { version: 2 }],
      ['configuration.rollback', { version: 2 }, { version: 3 }],
    ]);
    expect(recorded[1]).toMatchObject({ actor, target: 'version 2 (file change)' });
    expect(keeper.problem).toBeNull();
  });

  it('knows files that ran last by their number, and gives others the next one', () => {
    expect(keeper.epochOf(files(1), 'h1')).toBe(1);
    keep(1);
    expect(keeper.epochOf(files(1), 'h1')).toBe(1);
    expect(keeper.epochOf(files(2), 'h1')).toBe(2);
    expect(keeper.epochOf(files(1), 'other rules')).toBe(2);
    keep(1);
    expect(epochs()).toEqual([1]);
  });

  it('lets what has no room wait, says so, and keeps it in its order', () => {
    keep(1);
    hasRoom = false;
    keep(2);
    keeper.record('the stop', {
      actor,
      action: 'gateway.stop',
      target: 'gateway',
      before: null,
      after: null,
    });
    keep(3);
    expect(alerts.get('history-not-kept')).toBe(
      'The history lacks version 2, the stop, version 3 so far: No room.',
    );
    expect(keeper.problem).toEqual(NO_ROOM);
    expect(keeper.epochOf(files(3), 'h3')).toBe(3);
    hasRoom = true;
    keeper.retry();
    expect(epochs()).toEqual([1, 2, 3]);
    expect(recorded.map(({ action }) => action).slice(1)).toEqual([
      'configuration.load',
      'gateway.stop',
      'configuration.load',
    ]);
    expect([keeper.problem, alerts.size]).toEqual([null, 0]);
  });

  it('gives up texts of the oldest that wait, but not who made them live', () => {
    hasRoom = false;
    for (let epoch = 1; epoch <= VERSIONS_WAITING_MAX + 5; epoch++) keep(epoch);
    hasRoom = true;
    keeper.retry();
    expect(epochs()).toEqual(Array.from({ length: VERSIONS_WAITING_MAX }, (_, index) => index + 6));
    expect(recorded).toHaveLength(VERSIONS_WAITING_MAX + 5);
  });

  it('counts the records that it had to give up, and says how many when there is room', () => {
    hasRoom = false;
    for (let epoch = 1; epoch <= RECORDS_WAITING_MAX + 7; epoch++) keep(epoch);
    hasRoom = true;
    keeper.retry();
    expect(recorded).toHaveLength(RECORDS_WAITING_MAX + 1);
    expect(recorded[0]).toMatchObject({ action: 'audit.lost', after: { count: 7 } });
    keep(RECORDS_WAITING_MAX + 8);
    expect(recorded.filter(({ action }) => action === 'audit.lost')).toHaveLength(1);
  });

  it('holds the audit log to its bound, once nothing waits', () => {
    hasRoom = false;
    keep(1);
    keeper.retry();
    expect(pruned).toEqual([]);
    hasRoom = true;
    keeper.retry();
    keeper.retry();
    expect(pruned).toEqual([5_000]);
  });
});
