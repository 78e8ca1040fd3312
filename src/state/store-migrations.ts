/**
 * Formats of the store, and how one becomes the next. All steps that a store needs are one transaction, behind a copy of the file:
 * after a crash it has its old format or the newest, nothing between.
 */
import { err, ok, type Result } from '../base/result.ts';
import { removeCopy } from './backup-place.ts';
import { problem, RESTORE_REMEDY, type StoreProblem } from './store-problem.ts';
import type { RecordKey } from './store-records.ts';
import type { StoreChange, StoreTables } from './store-tables.ts';

export const SCHEMA_KEY = ['schema'] as const satisfies RecordKey;

/** What a store says of itself. */
export interface SchemaRecord {
  readonly madeBy: 'portunus';
  /** Of its format. */
  readonly version: number;
  /** The formats it has had, oldest first, the present one last; since when is null where nobody wrote it down. */
  readonly formats: readonly StoreFormat[];
}

export interface StoreFormat {
  readonly version: number;
  readonly sinceMs: number | null;
}

/** One step, from the format before to `to`. */
export interface StoreMigration {
  readonly to: number;
  /** What becomes of the records, for people. */
  readonly what: string;
  /** Reads what the steps before have left, and writes. An error ends the whole: nothing is kept then. */
  readonly run: (tables: StoreTables, change: StoreChange) => Result<void, StoreProblem>;
}

const FIRST_FORMAT = 1;

/** In ascending order, each by one. */
export const STORE_MIGRATIONS: readonly StoreMigration[] = [
  {
    to: 2,
    what: 'the store tells which formats it has had, and since when',
    run: (tables, change) => {
      const schema = tables.get<Omit<SchemaRecord, 'formats'>>(SCHEMA_KEY);
      if (!schema.ok) return schema;
      change.put(SCHEMA_KEY, { ...schema.value, formats: [{ version: FIRST_FORMAT, sinceMs: null }] });
      return ok(undefined);
    },
  },
];

/** The format that stores are made in, and brought to. */
export function newestFormat(migrations: readonly StoreMigration[]): number {
  return migrations.at(-1)?.to ?? FIRST_FORMAT;
}

export function schemaOfNew(version: number, sinceMs: number): SchemaRecord {
  return { madeBy: 'portunus', version, formats: [{ version, sinceMs }] };
}

export interface MigrationParts {
  readonly path: string;
  readonly migrations: readonly StoreMigration[];
  readonly nowMs: number;
  /** Copies the store, and answers where the copy is. Throws what the file system throws. */
  readonly backUp: () => string;
}

/** Written with the steps, and removed with the audit record that tells of them. */
export const MIGRATED_KEY = ['migrated'] as const satisfies RecordKey;

/** What was done to a store when it was opened. */
export interface Migrated {
  readonly from: number;
  readonly to: number;
  readonly backup: string;
}

/** Brings a store to the newest format, where it has another. A newer one is refused, and left alone. */
export function migrateStore(
  tables: StoreTables,
  from: number,
  { path, migrations, nowMs, backUp }: MigrationParts,
): Result<void, StoreProblem> {
  const to = newestFormat(migrations);
  if (from === to) return ok(undefined);
  if (from > to) {
    const message = `The store has format ${from}; this version of Portunus knows ${to}.`;
    return problem('store_newer', path, message, 'Start the version that made it, or a later one.');
  }
  let backup: string;
  try {
    backup = backUp();
  } catch (thrown) {
    const message = `The store has format ${from}, and can't be copied before it gets format ${to}: ${(thrown as Error).message}.`;
    return problem(
      'store_write_failed',
      path,
      message,
      'Make room on the disk and see that it can be written to, then try again.',
    );
  }
  const migrated: Migrated = { from, to, backup };
  const steps = migrations.filter((step) => step.to > from);
  const done = runSteps(tables, steps, migrated, nowMs);
  if (done.ok) return done;
  // The store is as it was. Each try of a service manager would leave another copy.
  removeCopy(backup);
  return done;
}

function runSteps(
  tables: StoreTables,
  steps: readonly StoreMigration[],
  migrated: Migrated,
  nowMs: number,
): Result<void, StoreProblem> {
  let failed: StoreProblem | null = null;
  const written = tables.change((change) => {
    for (const step of steps) {
      const run = step.run(tables, change);
      const schema = run.ok ? tables.get<SchemaRecord>(SCHEMA_KEY) : run;
      if (!schema.ok || schema.value === null) {
        failed = schema.ok ? tables.damaged('it does not say its format').error : schema.error;
        // ends the transaction, and with it every step before
        throw new Error(failed.message);
      }
      const formats = [...schema.value.formats, { version: step.to, sinceMs: nowMs }];
      change.put(SCHEMA_KEY, { ...schema.value, version: step.to, formats });
    }
    change.put(MIGRATED_KEY, migrated);
  });
  if (failed !== null) return err({ ...(failed as StoreProblem), remedy: RESTORE_REMEDY });
  return written;
}
