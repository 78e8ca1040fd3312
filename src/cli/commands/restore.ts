import { relative, resolve } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { lockFolder } from '../../state/folder-lock.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { listBackups, restoreBackup } from '../run/store-backups.ts';
import { systemClock } from '../run/system-clock.ts';
import { findSettings } from './data-folder.ts';

/** `portunus restore [FOLDER]`: puts a copy in the place of the store, while no gateway runs on it. */
export async function restore(
  folder: string,
  options: { readonly from?: string; readonly json?: true },
): Promise<ExitCode> {
  const settings = await findSettings(folder);
  const from = options.from === undefined ? null : resolve(options.from);
  const restored = settings.ok ? restoreInto(settings.value.dataFolder, from) : settings;
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

interface Restored {
  readonly backup: string;
  /** The new name of what was there, or null. */
  readonly replaced: string | null;
}

function restoreInto(dataFolder: string, from: string | null): Result<Restored, string> {
  const backup = from ?? listBackups(dataFolder).at(-1);
  if (backup === undefined) return err(`There is no backup in ${dataFolder}. Name a copy with --from.`);
  const lock = lockFolder(dataFolder);
  if (!lock.ok) return err(`${lock.error.message} ${lock.error.remedy}`);
  const restored = restoreBackup(dataFolder, backup, systemClock().wallMs());
  if (restored.ok) lock.value.release();
  else lock.value.giveUp();
  return restored.ok ? ok({ backup, replaced: restored.value }) : restored;
}
