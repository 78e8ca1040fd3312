import { userInfo } from 'node:os';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { AuditActor, AuditEntry } from '../../pipeline/audit.ts';
import { AnchorFile, readAnchors } from '../../state/audit-anchors.ts';
import { AUDIT_BEGIN, type AuditLog } from '../../state/audit-chain.ts';
import type { AuditPlace } from '../../state/audit-hash.ts';
import { openStore, type Store } from '../../state/store.ts';
import type { StoreProblem } from '../../state/store-problem.ts';
import { examineInChild } from './store-task.ts';

export interface Replaced {
  readonly dataFolder: string;
  readonly action: 'store.restore' | 'store.recover';
  /** Which copy, or how it was mended. */
  readonly target: string;
}

/**
 * Opens a store that was just put in the place of another. The audit log says so, by whom, and what the log that was left ended with;
 * the anchors say that it goes on from here.
 */
export function openReplacedStore(
  { dataFolder, action, target }: Replaced,
  parts: { readonly random: Random; readonly clock: Clock },
): Result<Store, StoreProblem> {
  let end: AuditPlace = AUDIT_BEGIN;
  const before = lastAnchor(dataFolder);
  const store = openStore(dataFolder, parts.random, examineInChild, parts.clock, {
    kind: 'replaced',
    entryFor: (found) => {
      end = found;
      return { actor: thisAccount(), action, target, before, after: found };
    },
  });
  if (!store.ok) return store;
  const { audit } = store.value;
  const timeMs = parts.clock.wallMs();
  try {
    const file = new AnchorFile(dataFolder);
    file.append({ kind: 'fork', timeMs, ...audit.sign('fork', end) });
    file.append({ kind: 'anchor', timeMs, ...audit.sign('anchor', audit.head()) });
    file.sync();
    file.close();
  } catch (thrown) {
    // Verification will call the log truncated where its owner put it back: a wrong alarm, but no wrong silence.
    process.stderr.write(`The anchors of the audit log can't be written: ${(thrown as Error).message}.\n`);
  }
  return store;
}

/** A copy holds the secrets of the instance: who made one is worth knowing. */
export function backupEntry(path: string, actor: AuditActor): AuditEntry {
  return { actor, action: 'store.backup', target: path, before: null, after: null };
}

/** Records something while no gateway runs. The error is a sentence. */
export async function recordAlone(
  dataFolder: string,
  entry: AuditEntry,
  parts: { readonly random: Random; readonly clock: Clock },
): Promise<Result<void, string>> {
  const store = openStore(dataFolder, parts.random, examineInChild, parts.clock);
  if (!store.ok) return err(`${store.error.message} ${store.error.remedy}`);
  const { audit } = store.value;
  const recorded = await audit.append(entry);
  const anchored = recorded.ok ? anchorAlone(dataFolder, audit, parts.clock.wallMs()) : ok(undefined);
  await store.value.close();
  return recorded.ok ? anchored : err(`${recorded.error.message} ${recorded.error.remedy}`);
}

/** Anchors the end of the log while no gateway runs. The error is a sentence. */
export function anchorAlone(dataFolder: string, audit: AuditLog, timeMs: number): Result<void, string> {
  try {
    const file = new AnchorFile(dataFolder);
    file.append({ kind: 'anchor', timeMs, ...audit.sign('anchor', audit.head()) });
    file.sync();
    file.close();
    return ok(undefined);
  } catch (thrown) {
    return err(`The anchors of the audit log can't be written: ${(thrown as Error).message}.`);
  }
}

function lastAnchor(dataFolder: string): AuditPlace | null {
  try {
    const last = readAnchors(dataFolder).findLast((line) => line.kind !== 'unreadable');
    return last === undefined ? null : { sequence: last.sequence, hash: last.hash };
  } catch {
    return null;
  }
}

/** Whoever runs this command. */
export function thisAccount(): AuditActor {
  try {
    return { kind: 'account', name: userInfo().username };
  } catch {
    // a user number that has no name, as in containers
    return { kind: 'account', name: String(process.getuid?.() ?? 'unknown') };
  }
}
