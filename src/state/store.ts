/**
 * The data folder: secrets of this instance, credentials made at run time, and every configuration that ran. One process at
 * a time; every change is synced to disk before it is answered. A store that is damaged or not ours is refused and left alone.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock, Random } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import type { AuditEntry } from '../pipeline/audit.ts';
import { type AdminTokens, openAdminTokens } from './admin-tokens.ts';
import { type AuditLog, openAuditLog, type StoreArrival } from './audit-chain.ts';
import { openAuditKey } from './audit-key.ts';
import { copyStillStore } from './backup-place.ts';
import { type ConfigurationHistory, createConfigurationHistory } from './configuration-history.ts';
import { type CredentialTable, createCredentialTable } from './credential-table.ts';
import { createDirectoryTable, type DirectoryTable } from './directory-table.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { type IdempotencyTable, openIdempotencyTable } from './idempotency-records.ts';
import { LmdbFile } from './lmdb-file.ts';
import { holdStore, type NodeHolder } from './node-fence.ts';
import { createQuotaMarks, type QuotaMarks } from './quota-marks.ts';
import { SECRET_KEY_VARIABLE } from './secret-key.ts';
import { openSetAsideKeys, type SetAsideKeys } from './set-aside-keys.ts';
import type { StoreExamination } from './store-examination.ts';
import { inspectStoreFile } from './store-file.ts';
import {
  MIGRATED_KEY,
  type Migrated,
  migrateStore,
  newestFormat,
  SCHEMA_KEY,
  type SchemaRecord,
  STORE_MIGRATIONS,
  type StoreMigration,
  schemaOfNew,
} from './store-migrations.ts';
import { problem, RESTORE_REMEDY, reasonOf, type StoreProblem } from './store-problem.ts';
import { StoreTables } from './store-tables.ts';
import { openStoredSecrets, type StoredSecrets } from './stored-secrets.ts';
import { syncPath } from './synced-path.ts';

export interface Store {
  readonly secrets: InstanceSecrets;
  /** Those that `store:NAME` means. */
  readonly storedSecrets: StoredSecrets;
  readonly setAsideKeys: SetAsideKeys;
  readonly audit: AuditLog;
  readonly adminTokens: AdminTokens;
  readonly idempotency: IdempotencyTable;
  readonly credentials: CredentialTable;
  readonly directory: DirectoryTable;
  readonly history: ConfigurationHistory;
  readonly quotaMarks: QuotaMarks;
  /** This process, as far as the store is concerned. */
  readonly holder: NodeHolder;
  /** How the process before ended. */
  readonly lastHolder: FolderLock['lastHolder'];
  /** Closes the files and frees the folder. An error: something is in the store that should not be. */
  close(): Promise<Result<void, StoreProblem>>;
}

export interface InstanceSecrets {
  /** Key of the hashes that name counters, 8 bytes. */
  readonly keyHashSecret: Uint8Array;
  /** Secret that hashes of consumer keys are made with, 32 bytes. */
  readonly pepper: Uint8Array;
}

/** In the data folder. */
export const STORE_FILE = 'store.mdb';
const KEY_HASH_SECRET_BYTES = 8;
const PEPPER_BYTES = 32;

/** Looks at every record of a store without endangering this process. */
export type ExamineStore = (path: string) => Result<StoreExamination, StoreProblem>;

/**
 * Opens the data folder, and makes it (mode 0700) with fresh secrets when it is not there. A store whose last holder was lost
 * is examined first; one of an older format is copied and brought to the newest.
 */
export function openStore(
  folder: string,
  random: Random,
  examine: ExamineStore,
  clock: Pick<Clock, 'wallMs'>,
  arrival: StoreArrival = { kind: 'left' },
  migrations: readonly StoreMigration[] = STORE_MIGRATIONS,
): Result<Store, StoreProblem> {
  try {
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
      syncPath(dirname(folder));
    }
  } catch (thrown) {
    return problem(
      'store_unusable',
      folder,
      `The data folder can't be made: ${reasonOf(thrown)}.`,
      'Give the user that runs Portunus the right to make it, or set `data:` to another folder.',
    );
  }
  const lock = lockFolder(folder);
  if (!lock.ok) return lock;
  const path = join(folder, STORE_FILE);
  const sound = lock.value.lastHolder === 'lost' ? soundRecords(path, examine) : ok(undefined);
  const opened = sound.ok
    ? openLocked({ folder, path, random, clock, arrival, migrations, lock: lock.value })
    : sound;
  if (!opened.ok) lock.value.giveUp();
  return opened;
}

function soundRecords(path: string, examine: ExamineStore): Result<void, StoreProblem> {
  // Files that are not there, cut short or not ours are told of by whoever opens them next.
  if (!hasSoundPages(path)) return ok(undefined);
  const examined = examine(path);
  if (!examined.ok) return damaged(path, examined.error.message);
  const [first] = examined.value.damaged;
  return first === undefined ? ok(undefined) : damaged(path, `the checksum of record ${first} is wrong`);
}

function hasSoundPages(path: string): boolean {
  try {
    return inspectStoreFile(path) === 'sound';
  } catch {
    return false;
  }
}

interface Opening {
  readonly folder: string;
  readonly path: string;
  readonly random: Random;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly arrival: StoreArrival;
  readonly migrations: readonly StoreMigration[];
  readonly lock: FolderLock;
}

function openLocked(opening: Opening): Result<Store, StoreProblem> {
  const { path } = opening;
  let state: ReturnType<typeof inspectStoreFile>;
  let file: LmdbFile;
  try {
    state = inspectStoreFile(path);
    if (state === 'foreign') return foreign(path);
    if (state === 'cut-short') return damaged(path, 'the file is shorter than it says');
    file = new LmdbFile(path, 'put-back');
  } catch (thrown) {
    return problem('store_unusable', path, `The store can't be opened: ${reasonOf(thrown)}.`, RESTORE_REMEDY);
  }
  const tables = new StoreTables(file);
  const begun = state === 'absent' ? beginStore(tables, opening) : continueStore(tables, opening);
  const read = begun.ok ? createStore(tables, begun.value, opening) : begun;
  // What was only read has nothing to flush; a failure to close it has nobody to tell.
  if (!read.ok) void file.close();
  return read;
}

function foreign(path: string): ReturnType<typeof problem> {
  return problem('store_foreign', path, 'This file was not made by Portunus.', RESTORE_REMEDY);
}

function damaged(path: string, how: string): ReturnType<typeof problem> {
  return problem('store_damaged', path, `The store is damaged: ${how}.`, RESTORE_REMEDY);
}

const SECRETS_KEY = ['secrets'] as const;

interface SecretsRecord {
  readonly keyHashSecret: string;
  readonly pepper: string;
}

function beginStore(
  tables: StoreTables,
  { random, clock, migrations }: Opening,
): Result<InstanceSecrets, StoreProblem> {
  const keyHashSecret = new Uint8Array(KEY_HASH_SECRET_BYTES);
  const pepper = new Uint8Array(PEPPER_BYTES);
  random.fill(keyHashSecret);
  random.fill(pepper);
  const schema = schemaOfNew(newestFormat(migrations), clock.wallMs());
  const secrets: SecretsRecord = {
    keyHashSecret: Buffer.from(keyHashSecret).toString('base64'),
    pepper: Buffer.from(pepper).toString('base64'),
  };
  const written = tables.change((change) => {
    change.put(SCHEMA_KEY, schema);
    change.put(SECRETS_KEY, secrets);
  });
  return written.ok ? ok({ keyHashSecret, pepper }) : written;
}

function continueStore(
  tables: StoreTables,
  { folder, path, clock, migrations }: Opening,
): Result<InstanceSecrets, StoreProblem> {
  const schema = tables.get<SchemaRecord>(SCHEMA_KEY);
  if (!schema.ok) return schema;
  if (schema.value?.madeBy !== 'portunus') return foreign(path);
  const nowMs = clock.wallMs();
  const migrated = migrateStore(tables, schema.value.version, {
    path,
    migrations,
    nowMs,
    backUp: () => copyStillStore(folder, path, nowMs),
  });
  if (!migrated.ok) return migrated;
  const secrets = tables.get<SecretsRecord>(SECRETS_KEY);
  if (!secrets.ok) return secrets;
  if (secrets.value === null) return damaged(path, 'its secrets are missing');
  const keyHashSecret = new Uint8Array(Buffer.from(secrets.value.keyHashSecret, 'base64'));
  const pepper = new Uint8Array(Buffer.from(secrets.value.pepper, 'base64'));
  return ok({ keyHashSecret, pepper });
}

/** What a migration left to be recorded, also one of a process that ended before it could. */
function recordMigration(tables: StoreTables, audit: AuditLog): Result<unknown, StoreProblem> {
  const migrated = tables.get<Migrated>(MIGRATED_KEY);
  if (!migrated.ok || migrated.value === null) return migrated;
  return audit.change([migrationEntry(migrated.value)], (change) => change.remove(MIGRATED_KEY));
}

function migrationEntry({ from, to, backup }: Migrated): AuditEntry {
  return {
    actor: { kind: 'gateway', cause: 'start' },
    action: 'store.migrate',
    target: `store, copied to ${backup} before`,
    before: { format: from },
    after: { format: to },
  };
}

function createStore(
  tables: StoreTables,
  secrets: InstanceSecrets,
  { folder, path, random, clock, arrival, lock }: Opening,
): Result<Store, StoreProblem> {
  const key = openAuditKey(folder, random);
  if (!key.ok) return key;
  const audit = openAuditLog(tables, key.value, clock, arrival);
  if (!audit.ok) return audit;
  const recorded = recordMigration(tables, audit.value);
  if (!recorded.ok) return recorded;
  const fence = holdStore(tables, { random, place: path, isReplaced: arrival.kind === 'replaced' });
  if (!fence.ok) return fence;
  const adminTokens = openAdminTokens(tables, audit.value);
  if (!adminTokens.ok) return adminTokens;
  const idempotency = openIdempotencyTable(tables, clock);
  if (!idempotency.ok) return idempotency;
  const credentials = createCredentialTable(tables, audit.value);
  if (!credentials.ok) return credentials;
  const history = createConfigurationHistory(tables, audit.value);
  if (!history.ok) return history;
  const storedSecrets = openStoredSecrets({
    tables,
    audit: audit.value,
    key: { folder, variable: process.env[SECRET_KEY_VARIABLE] },
    random,
    clock,
  });
  if (!storedSecrets.ok) return storedSecrets;
  const setAsideKeys = openSetAsideKeys(tables, audit.value);
  if (!setAsideKeys.ok) return setAsideKeys;
  return ok({
    secrets,
    storedSecrets: storedSecrets.value,
    setAsideKeys: setAsideKeys.value,
    audit: audit.value,
    adminTokens: adminTokens.value,
    idempotency: idempotency.value,
    credentials: credentials.value,
    directory: createDirectoryTable(tables, audit.value),
    history: history.value,
    quotaMarks: createQuotaMarks(tables, fence.value),
    holder: fence.value.holder,
    lastHolder: lock.lastHolder,
    async close() {
      const closed = await tables.close();
      lock.release();
      return closed;
    },
  });
}
