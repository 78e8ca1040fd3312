import { existsSync, statfsSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { readAdminAccess } from '../../admin/access-file.ts';
import { requestStatus } from '../../admin/client.ts';
import type { ServerSettings } from '../../model/world.ts';
import { STORE_FILE } from '../../state/store.ts';
import { newestFormat, STORE_MIGRATIONS } from '../../state/store-migrations.ts';
import { buildProject } from '../../tools/build-project.ts';
import { ProjectMemory } from '../../tools/project-memory.ts';
import { spellCount } from '../moments.ts';
import { PORTUNUS } from '../terminal.ts';
import { addressIsFree } from './address.ts';
import { adminAccessFile } from './admin-access.ts';
import { readProject } from './project-files.ts';
import { listBackups } from './store-backups.ts';
import { examineInChild, verifyAuditInChild } from './store-task.ts';
import { systemClock } from './system-clock.ts';

/** One thing that was looked at. `says` and `remedy` are sentences; nothing to do: ''. */
export interface Finding {
  readonly state: 'sound' | 'notable' | 'wrong';
  readonly what: string;
  readonly says: string;
  readonly remedy: string;
}

/** Below this, quotas and history will soon not be kept. */
const FREE_BYTES_MIN = 100 * 1024 * 1024;
const BACKUP_AGE_NOTED_MS = 7 * 24 * 3_600_000;

export async function examineProject(folder: string): Promise<Finding> {
  const what = 'configuration';
  const files = await readProject(folder);
  if (!files.ok) return { state: 'wrong', what, says: files.error, remedy: '' };
  const { diagnostics, built } = buildProject(
    files.value.texts,
    files.value.folder,
    systemClock().wallMs(),
    new ProjectMemory(),
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const check = `"${PORTUNUS} check ${relative('', folder) || '.'}" shows them.`;
  if (built === null) return { state: 'wrong', what, says: `${spellCount(errors, 'error')}.`, remedy: check };
  const { world, policies } = built;
  const says = `${spellCount(world.routes.size, 'route')}, ${policies.policies.length} policies`;
  if (diagnostics.length === 0) return sound(what, `${says}.`);
  return {
    state: 'notable',
    what,
    says: `${says}, ${spellCount(diagnostics.length, 'warning')}.`,
    remedy: check,
  };
}

export async function examineDataFolder(folder: string, server: ServerSettings): Promise<readonly Finding[]> {
  const { dataFolder } = server;
  if (!existsSync(dataFolder)) {
    const says = `${relative('', dataFolder)} is not there: the first start makes it.`;
    return [{ state: 'notable', what: 'data folder', says, remedy: '' }];
  }
  return [
    await gatewayFinding(server),
    permissions(dataFolder),
    freeSpace(dataFolder),
    storeFinding(folder, dataFolder),
    auditFinding(folder, dataFolder),
    backupFinding(folder, dataFolder),
  ];
}

async function gatewayFinding(server: ServerSettings): Promise<Finding> {
  const what = 'gateway';
  const access = await readAdminAccess(adminAccessFile(server.dataFolder));
  const status = access.ok ? await requestStatus(access.value) : null;
  if (status?.ok) {
    const { alerts, processId } = status.value;
    if (alerts.length === 0) return sound(what, `runs, process ${processId}, without alerts.`);
    const says = `runs, process ${processId}, with ${spellCount(alerts.length, 'alert')}: ${alerts[0]!.message}`;
    return { state: 'wrong', what, says, remedy: alerts[0]!.remedy };
  }
  for (const [setting, listen] of [
    ['listen', server.listen],
    ['admin', server.admin],
  ] as const) {
    const free = await addressIsFree(listen, setting);
    if (!free.ok)
      return { state: 'wrong', what, says: `does not run, and could not: ${free.error}`, remedy: '' };
  }
  return sound(what, 'does not run; its addresses are free.');
}

function permissions(dataFolder: string): Finding {
  const what = 'permissions';
  const open = ['.', STORE_FILE]
    .map((name) => join(dataFolder, name))
    .filter((path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0);
  if (open.length === 0) return sound(what, 'only the owner can read the data folder.');
  const names = open.map((path) => relative('', path)).join(', ');
  const says = `others on this machine may read ${names}, which holds secrets.`;
  return { state: 'wrong', what, says, remedy: `chmod go= ${names}` };
}

function freeSpace(dataFolder: string): Finding {
  const { bavail, bsize } = statfsSync(dataFolder);
  const free = bavail * bsize;
  const says = `${Math.floor(free / (1024 * 1024)).toLocaleString('en-US')} MiB are free.`;
  if (free >= FREE_BYTES_MIN) return sound('disk', says);
  return {
    state: 'wrong',
    what: 'disk',
    says,
    remedy:
      'Make room: quotas that need more of their amount do what their "on failure" says on a full disk.',
  };
}

function storeFinding(folder: string, dataFolder: string): Finding {
  const what = 'store';
  const path = join(dataFolder, STORE_FILE);
  if (!existsSync(path))
    return { state: 'notable', what, says: 'is not there: the first start makes it.', remedy: '' };
  const project = relative('', folder) || '.';
  const remedy =
    listBackups(dataFolder).length > 0
      ? `Stop the gateway, then "${PORTUNUS} restore ${project}" goes back to the newest backup.`
      : `There is no backup. Stop the gateway, then try "${PORTUNUS} start ${project} --recover", which keeps records that are sound; else set \`data:\` to an empty folder.`;
  const examined = examineInChild(path);
  if (!examined.ok) return { state: 'wrong', what, says: examined.error.message, remedy };
  const { tables, damaged, format } = examined.value;
  if (damaged.length > 0)
    return { state: 'wrong', what, says: `these records are damaged: ${damaged.join(', ')}.`, remedy };
  const records = Object.values(tables).reduce((sum, count) => sum + count, 0);
  const newest = newestFormat(STORE_MIGRATIONS);
  const version = format?.version ?? 0;
  if (version > newest) {
    const says = `has format ${version}, and this version of Portunus knows ${newest}.`;
    return { state: 'wrong', what, says, remedy: 'Use the version that made it, or a later one.' };
  }
  const older =
    version < newest ? `, which the next start changes to ${newest}` : sinceText(format?.sinceMs ?? null);
  return sound(
    what,
    `${spellCount(records, 'record')}, each with the checksum that it was written with; format ${version}${older}.`,
  );
}

function sinceText(ms: number | null): string {
  return ms === null ? '' : ` since ${new Date(ms).toISOString().slice(0, 10)}`;
}

function auditFinding(folder: string, dataFolder: string): Finding {
  const what = 'audit log';
  const remedy = `"${PORTUNUS} audit verify ${relative('', folder) || '.'}" tells all. Find out who changed the data folder.`;
  if (!existsSync(join(dataFolder, STORE_FILE)))
    return { state: 'notable', what, says: 'is not there: the first start makes it.', remedy: '' };
  const verdict = verifyAuditInChild(dataFolder, []);
  if (!verdict.ok) {
    const inStore = 'It is a part of the store: what helps that helps it.';
    return { state: 'wrong', what, says: verdict.error.message, remedy: inStore };
  }
  const { records, anchors, findings } = verdict.value;
  if (findings.length > 0)
    return { state: 'wrong', what, says: `is not as it was written: ${findings[0]!.says}`, remedy };
  return sound(
    what,
    `${spellCount(records, 'record')} as written, held against ${spellCount(anchors, 'anchor')}.`,
  );
}

function backupFinding(folder: string, dataFolder: string): Finding {
  const what = 'backups';
  const backups = listBackups(dataFolder);
  const newest = backups.at(-1);
  const remedy = `"${PORTUNUS} backup ${relative('', folder) || '.'}" makes one, also while the gateway runs.`;
  if (newest === undefined) return { state: 'notable', what, says: 'there are none.', remedy };
  const ageMs = systemClock().wallMs() - statSync(newest).mtimeMs;
  const says = `${backups.length}, the newest ${basename(newest)}.`;
  return ageMs <= BACKUP_AGE_NOTED_MS ? sound(what, says) : { state: 'notable', what, says, remedy };
}

function sound(what: string, says: string): Finding {
  return { state: 'sound', what, says, remedy: '' };
}
