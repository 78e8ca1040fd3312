import { relative, resolve } from 'node:path';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { lockFolder } from '../../state/folder-lock.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openReplacedStore } from '../run/store-arrival.ts';
import { listBackups, restoreBackup } from '../run/store-backups.ts';
import { systemClock, systemRandom } from '../run/system-clock.ts';
import { findSettings } from './data-folder.ts';

/** `portunus restore [FOLDER]`: puts a copy in the place of the store, while no gateway runs on it. */
export async function restore(
  folder: string,
  options: { readonly from?: string; readonly json?: true },
): Promise<ExitCode> {
  const settings = await findSettings(folder);
  const from = options.from === undefined ? null : resolve(options.from);
  const restored = settings.ok ? await restoreInto(settings.value.dataFolder, from) : settings;
  if (!restored.ok) {
    process.stderr.write(`portunus restore: ${restored.error}\n`);
    return EXIT.couldNotRun;
  }
  const { backup, replaced } = restored.value;
  const kept = replaced === null ? '' : ` What was there is ${relative('', replaced)} now.`;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ from: backup, replaced }, null, 2)}\n`
      : `Put ${relative('', backup)} in place.${kept} Keys made and quotas counted since that copy are forgotten.\n`,
  );
  return EXIT.fine;
}

const HELD_REMEDY = 'Stop it first: a copy takes the place of the store only while nobody uses that.';

interface Restored {
  readonly backup: string;
  /** The new name of what was there, or null. */
  readonly replaced: string | null;
}

async function restoreInto(dataFolder: string, from: string | null): Promise<Result<Restored, string>> {
  const clock = systemClock();
  const backup = from ?? listBackups(dataFolder).at(-1);
  if (backup === undefined) return err(`There is no backup in ${dataFolder}. Name a copy with --from.`);
  const lock = lockFolder(dataFolder);
  if (!lock.ok) {
    const { code, message, remedy } = lock.error;
    return err(`${message} ${code === 'store_held' ? HELD_REMEDY : remedy}`);
  }
  const restored = restoreBackup(dataFolder, backup, clock.wallMs());
  if (!restored.ok) {
    lock.value.giveUp();
    return restored;
  }
  lock.value.release();
  const recorded = await recordRestore(dataFolder, backup, clock);
  return recorded.ok ? ok({ backup, replaced: restored.value }) : recorded;
}

/** Without a record of it, the next start would take the log for one that somebody cut short. */
async function recordRestore(
  dataFolder: string,
  target: string,
  clock: Clock,
): Promise<Result<void, string>> {
  const parts = { random: systemRandom(), clock };
  const store = openReplacedStore({ dataFolder, action: 'store.restore', target }, parts);
  if (!store.ok) return err(`The copy is in place, but: ${store.error.message} ${store.error.remedy}`);
  await store.value.close();
  return ok(undefined);
}
