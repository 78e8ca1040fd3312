import { relative, resolve } from 'node:path';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { makeBackup } from '../run/store-backups.ts';
import { systemClock } from '../run/system-clock.ts';
import { findSettings } from './data-folder.ts';

/** `portunus backup [FOLDER]`: a copy of the store as it is at one moment. */
export async function backup(
  folder: string,
  options: { readonly to?: string; readonly json?: true },
): Promise<ExitCode> {
  const settings = await findSettings(folder);
  const target = options.to === undefined ? null : resolve(options.to);
  const made = settings.ok ? makeBackup(settings.value.dataFolder, systemClock().wallMs(), target) : settings;
  if (!made.ok) {
    process.stderr.write(`portunus backup: ${made.error}\n`);
    return EXIT.couldNotRun;
  }
  const { path, examination } = made.value;
  const records = Object.values(examination.tables).reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ path, tables: examination.tables }, null, 2)}\n`
      : `Copied ${records} records to ${relative('', path)}. It holds secrets: keep it as safe as the data folder.\n`,
  );
  return EXIT.fine;
}
