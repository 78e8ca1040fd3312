import { relative, resolve } from 'node:path';
import { callAdmin } from '../../admin/client.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { AuditRecord } from '../../pipeline/audit.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { spellCount } from '../moments.ts';
import { backupEntry, recordAlone, thisAccount } from '../run/store-arrival.ts';
import { makeBackup } from '../run/store-backups.ts';
import { systemClock, systemRandom } from '../run/system-clock.ts';
import { findGateway, findSettings } from './data-folder.ts';

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
  const recorded = await record(folder, path);
  if (!recorded.ok) {
    process.stderr.write(
      `portunus backup: The copy is ${relative('', path)}, but the audit log lacks it: ${recorded.error}\n`,
    );
    return EXIT.couldNotRun;
  }
  const records = Object.values(examination.tables).reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ path, tables: examination.tables }, null, 2)}\n`
      : `Copied ${spellCount(records, 'record')} to ${relative('', path)}. It holds secrets: keep it as safe as the data folder. ${LEFT_OUT}\n`,
  );
  return EXIT.fine;
}

/** A file of their own (`history.mdb`), with a retention of its own. */
const LEFT_OUT = 'The request log and the sums of usage are not in it.';

/** By the gateway where one runs, else by this command. */
async function record(folder: string, path: string): Promise<Result<void, string>> {
  const access = await findGateway(folder);
  if (access.ok) {
    const asked = { method: 'POST', path: '/v1/audit/backups', body: { path } } as const;
    const told = await callAdmin<AuditRecord>(access.value, asked);
    if (told.ok) return ok(undefined);
    if (told.error.kind !== 'not-running') return err(told.error.message);
  }
  const settings = await findSettings(folder);
  if (!settings.ok) return settings;
  const parts = { random: systemRandom(), clock: systemClock() };
  return await recordAlone(settings.value.dataFolder, backupEntry(path, thisAccount()), parts);
}
