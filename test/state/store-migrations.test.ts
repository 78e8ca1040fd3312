/** A store of an older format: copied, brought to the newest in one transaction, and as it was whatever comes between. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ok } from '../../src/base/result.ts';
import { systemRandom } from '../../src/cli/run/system-clock.ts';
import { openStore, type Store } from '../../src/state/store.ts';
import { examineStore } from '../../src/state/store-examination.ts';
import { newestFormat, STORE_MIGRATIONS, type StoreMigration } from '../../src/state/store-migrations.ts';
import { problem } from '../../src/state/store-problem.ts';
import { encodeRecord, type RecordKey } from '../../src/state/store-records.ts';

const NEWEST = newestFormat(STORE_MIGRATIONS);
const DAY_MS = Date.UTC(2026, 10, 30);

let root: string;
let folder: string;
let nowMs: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portunus-migrations-'));
  folder = join(root, 'data');
  nowMs = DAY_MS;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const storeFile = () => join(folder, 'store.mdb');
const backups = () =>
  existsSync(join(folder, 'backups'))
    ? readdirSync(join(folder, 'backups'))
        .filter((name) => name.endsWith('.mdb'))
        .sort()
    : [];
const examine = () => ok({ format: null, tables: {}, damaged: [] });

function opened(migrations?: readonly StoreMigration[]) {
  return openStore(folder, systemRandom(), examine, { wallMs: () => nowMs }, { kind: 'left' }, migrations);
}

async function inStore<Value>(
  migrations: readonly StoreMigration[],
  read: (store: Store) => Value,
): Promise<Value> {
  const store = opened(migrations);
  if (!store.ok) throw new Error(store.error.message);
  try {
    return read(store.value);
  } finally {
    await store.value.close();
  }
}

/** As LMDB sees them, past the checks of the store. */
async function writeRaw(...records: readonly (readonly [RecordKey, unknown])[]): Promise<void> {
  const database = open<Buffer>({ path: storeFile(), noSubdir: true, encoding: 'binary' });
  for (const [key, value] of records) await database.put([...key], encodeRecord(key, value));
  await database.close();
}

async function readRaw(key: RecordKey, path = storeFile()): Promise<unknown> {
  const database = open<Buffer>({ path, noSubdir: true, encoding: 'binary', readOnly: true });
  const record = database.get([...key]);
  await database.close();
  return record === undefined ? null : JSON.parse(record.subarray(4).toString('utf8'));
}

/** A store with a token, and with some records of a table that later formats change. */
async function makeStore(format: number): Promise<void> {
  await inStore(STORE_MIGRATIONS, ({ adminTokens }) => {
    const token = {
      id: 'abc',
      name: 'mine',
      scopes: ['read'],
      tokenHash: 'h',
      createdMs: 1,
      expiresMs: null,
    } as const;
    expect(adminTokens.add(token, { kind: 'gateway', cause: 'start' }, []).ok).toBe(true);
  });
  const schema = { madeBy: 'portunus', version: format };
  await writeRaw(
    [['schema'], format === 1 ? schema : { ...schema, formats: [{ version: format, sinceMs: 5 }] }],
    [['amounts', 'a'], { amount: 1 }],
    [['amounts', 'b'], { amount: 2 }],
  );
}

/** The amounts become `change` of what they are. */
function step(to: number, change: (amount: number) => number): StoreMigration {
  return {
    to,
    what: 'test',
    run: (tables, transaction) => {
      const found = tables.entries<{ readonly amount: number }>(['amounts']);
      if (!found.ok) return found;
      for (const { key, value } of found.value) transaction.put(key, { amount: change(value.amount) });
      return ok(undefined);
    },
  };
}

const LATER = [
  ...STORE_MIGRATIONS,
  step(NEWEST + 1, (amount) => amount * 10),
  step(NEWEST + 2, (amount) => amount + 1),
];
const amounts = async (path?: string) => [
  await readRaw(['amounts', 'a'], path),
  await readRaw(['amounts', 'b'], path),
];

it('steps lead from the first format to the newest, one by one', () => {
  expect(STORE_MIGRATIONS.map(({ to }) => to)).toEqual(STORE_MIGRATIONS.map((_, index) => index + 2));
});

it('a new store has the newest format and nothing to copy', async () => {
  await inStore(STORE_MIGRATIONS, () => {});
  expect(await readRaw(['schema'])).toEqual({
    madeBy: 'portunus',
    version: NEWEST,
    formats: [{ version: NEWEST, sinceMs: DAY_MS }],
  });
  expect(backups()).toEqual([]);
});

it('one of the first format is copied, changed and recorded, once; what it holds stays', async () => {
  await makeStore(1);
  const [names, entry] = await inStore(STORE_MIGRATIONS, ({ adminTokens, audit }) => {
    const records = audit.records(0, 10);
    return [adminTokens.list().map(({ name }) => name), records.ok ? records.value.at(-1) : null];
  });
  expect(names).toEqual(['mine']);
  expect(await readRaw(['schema'])).toEqual({
    madeBy: 'portunus',
    version: NEWEST,
    formats: [
      { version: 1, sinceMs: null },
      { version: NEWEST, sinceMs: DAY_MS },
    ],
  });
  expect(backups()).toEqual(['store-20261130T000000.000Z.mdb']);
  const copy = join(folder, 'backups', backups()[0]!);
  expect(entry).toMatchObject({
    action: 'store.migrate',
    target: `store, copied to ${copy} before`,
    before: { format: 1 },
    after: { format: NEWEST },
  });
  expect(await readRaw(['schema'], copy)).toEqual({ madeBy: 'portunus', version: 1 });
  const examined = [await examineStore(copy), await examineStore(storeFile())];
  expect(examined.map((each) => each.ok && each.value.format)).toEqual([
    { version: 1, sinceMs: null },
    { version: NEWEST, sinceMs: DAY_MS },
  ]);

  nowMs += 1;
  await inStore(STORE_MIGRATIONS, () => {});
  expect(backups()).toHaveLength(1);
});

it('one that a process had no time to record is recorded by the next, once', async () => {
  await makeStore(NEWEST);
  await writeRaw([['migrated'], { from: 1, to: NEWEST, backup: '/backups/a.mdb' }]);
  const migrations = () =>
    inStore(STORE_MIGRATIONS, ({ audit }) => {
      const records = audit.records(0, 10);
      return records.ok ? records.value.filter(({ action }) => action === 'store.migrate') : [];
    });
  expect(await migrations()).toMatchObject([{ target: 'store, copied to /backups/a.mdb before' }]);
  expect(await migrations()).toHaveLength(1);
});

it('steps see what those before them have written', async () => {
  await makeStore(1);
  await inStore(LATER, () => {});
  expect(await amounts()).toEqual([{ amount: 11 }, { amount: 21 }]);
  const copy = join(folder, 'backups', backups()[0]!);
  expect(await amounts(copy)).toEqual([{ amount: 1 }, { amount: 2 }]);
});

it('a step that can’t be done leaves nothing of those before it', async () => {
  await makeStore(NEWEST);
  const before = await readRaw(['schema']);
  const failing: StoreMigration = {
    to: NEWEST + 2,
    what: 'test',
    run: () => problem('store_damaged', storeFile(), 'The store is damaged: a record is odd.', 'unsaid'),
  };
  const refused = opened([...LATER.slice(0, -1), failing]);
  expect(refused).toMatchObject({
    ok: false,
    error: { code: 'store_damaged', message: 'The store is damaged: a record is odd.' },
  });
  expect(refused.ok ? '' : refused.error.remedy).toContain('start --recover');
  expect([await readRaw(['schema']), await amounts()]).toEqual([before, [{ amount: 1 }, { amount: 2 }]]);
  // Started again and again it fills no disk.
  expect(backups()).toEqual([]);
});

it('a kill in the middle leaves the old format, and the next start does all of it', async () => {
  await makeStore(1);
  const dist = new URL('../../dist/src/', import.meta.url);
  const program = `
    import { openStore } from ${JSON.stringify(new URL('state/store.js', dist).href)};
    import { STORE_MIGRATIONS } from ${JSON.stringify(new URL('state/store-migrations.js', dist).href)};
    import { systemRandom } from ${JSON.stringify(new URL('cli/run/system-clock.js', dist).href)};
    const run = (tables, change) => {
      change.put(['amounts', 'a'], { amount: 10 });
      console.log('amount ' + tables.get(['amounts', 'a']).value.amount);
      process.kill(process.pid, 'SIGKILL');
      for (;;);
    };
    const migrations = [...STORE_MIGRATIONS, { to: ${NEWEST + 1}, what: 'test', run }];
    const clock = { wallMs: () => ${nowMs} };
    openStore(${JSON.stringify(folder)}, systemRandom(), () => { throw new Error('unasked') }, clock, { kind: 'left' }, migrations);`;
  const killed = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: fileURLToPath(dist),
  });
  expect([killed.signal, killed.stdout]).toEqual(['SIGKILL', 'amount 10\n']);
  expect([await readRaw(['schema']), await amounts()]).toEqual([
    { madeBy: 'portunus', version: 1 },
    [{ amount: 1 }, { amount: 2 }],
  ]);
  nowMs += 1;
  await inStore(LATER, () => {});
  expect(await amounts()).toEqual([{ amount: 11 }, { amount: 21 }]);
  expect(backups()).toHaveLength(2);
});

it('without a copy nothing is changed', async () => {
  await makeStore(1);
  writeFileSync(join(folder, 'backups'), 'no folder');
  expect(opened()).toMatchObject({
    ok: false,
    error: {
      code: 'store_write_failed',
      message: expect.stringMatching(
        new RegExp(`^The store has format 1, and can't be copied before it gets format ${NEWEST}: EEXIST`),
      ),
    },
  });
  expect(await readRaw(['schema'])).toEqual({ madeBy: 'portunus', version: 1 });
});

it('a newer store is refused in plain words, and left alone', async () => {
  await makeStore(1);
  await inStore(LATER, () => {});
  const refused = opened();
  expect(refused).toEqual({
    ok: false,
    error: {
      code: 'store_newer',
      place: storeFile(),
      message: `The store has format ${NEWEST + 2}; this version of Portunus knows ${NEWEST}.`,
      remedy: 'Start the version that made it, or a later one.',
    },
  });
  expect(backups()).toHaveLength(1);
});
