import { relative } from 'node:path';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { lockFolder } from '../../state/folder-lock.ts';
import { openStore, type Store } from '../../state/store.ts';
import type { StoreProblem, StoreProblemCode } from '../../state/store-problem.ts';
import { spellCount } from '../moments.ts';
import { openReplacedStore } from './store-arrival.ts';
import { listBackups, rebuildStore, restoreBackup } from './store-backups.ts';
import { examineInChild } from './store-task.ts';

/** What a recovery is for. One that is held, or made by a later version, is left alone. */
const RECOVERABLE: readonly StoreProblemCode[] = ['store_damaged', 'store_foreign', 'store_unusable'];

/**
 * Opens the store; where it can't be, goes back to the newest backup that is sound, or else keeps those records that are. What was
 * there is kept beside it.
 */
export function openOrRecover(dataFolder: string, random: Random, clock: Clock): Result<Store, StoreProblem> {
  const opened = openStore(dataFolder, random, examineInChild, clock);
  if (opened.ok || !RECOVERABLE.includes(opened.error.code)) return opened;
  const lock = lockFolder(dataFolder);
  if (!lock.ok) return lock;
  const recovered = recover(dataFolder, clock.wallMs());
  if (recovered.ok) lock.value.release();
  else lock.value.giveUp();
  if (!recovered.ok) {
    const remedy = `${recovered.error} Set \`data:\` to an empty folder to begin anew.`;
    return err({ ...opened.error, remedy });
  }
  process.stderr.write(`${opened.error.message} ${recovered.value}\n`);
  const target = recovered.value;
  return openReplacedStore({ dataFolder, action: 'store.recover', target }, { random, clock });
}

/** Both sides are sentences. */
function recover(dataFolder: string, wallMs: number): Result<string, string> {
  const unusable: string[] = [];
  for (const backup of listBackups(dataFolder).toReversed()) {
    const restored = restoreBackup(dataFolder, backup, wallMs);
    if (restored.ok)
      return ok(
        `Went back to ${relative('', backup)}: keys made and quotas counted since then are forgotten.`,
      );
    unusable.push(restored.error);
  }
  const rebuilt = rebuildStore(dataFolder, wallMs);
  if (rebuilt.ok)
    return ok(
      `There is no sound backup: ${spellCount(rebuilt.value, 'damaged record')} ${rebuilt.value === 1 ? 'was' : 'were'} left out.`,
    );
  return err(
    [...unusable, "There is no sound backup, and the store can't be rebuilt:", rebuilt.error].join(' '),
  );
}
