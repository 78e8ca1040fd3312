import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Random } from '../base/ports.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import type { StoredAdminToken } from './admin-tokens.ts';
import type { ConfigurationVersion } from './configuration-history.ts';
import type { StoredCredential } from './credential-table.ts';
import { type ExamineStore, openStore, type Store } from './store.ts';
import { newestState } from './store-file.ts';
import type { StoreProblem } from './store-problem.ts';
import { encodeRecord } from './store-records.ts';

let next = 1;
/** Bytes that count up: no two secrets are equal. */
const random: Random = {
  fill(target) {
    target.fill(next++);
  },
  uint32: () => next++,
};

/** What was asked for, and what it finds: by itself nothing. */
let examined: string[];
let damagedRecords: string[];
const examine: ExamineStore = (path) => {
  examined.push(path);
  return { ok: true, value: { format: null, tables: {}, damaged: damagedRecords } };
};

let root: string;
let folder: string;
let opened: Store[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portunus-store-'));
  folder = join(root, 'data');
  opened = [];
  examined = [];
  damagedRecords = [];
});
afterEach(async () => {
  for (const store of opened) await store.close();
  rmSync(root, { recursive: true, force: true });
});

function begin(): Store {
  const result = openStore(folder, random, examine, clock);
  if (!result.ok) throw new Error(result.error.message);
  opened.push(result.value);
  return result.value;
}

async function end(store: Store): Promise<void> {
  opened = opened.filter((other) => other !== store);
  await store.close();
}

function refused(): StoreProblem {
  const result = openStore(folder, random, examine, clock);
  if (!result.ok) return result.error;
  opened.push(result.value);
  throw new Error('the store was opened');
}

function credential(name: string): StoredCredential {
  return {
    tenant: 'acme',
    consumer: 'web',
    name,
    keyId: `id-${name}`,
    hash: `ptnh1:id-${name}:h`,
    createdMs: 5,
    expiresMs: null,
  };
}

const clock = { wallMs: () => 1_000 };
const actor: AuditActor = { kind: 'gateway', cause: 'start' };
const adminToken: StoredAdminToken = {
  id: 'abc',
  name: 'local',
  scopes: ['read'],
  tokenHash: 'token-hash',
  createdMs: 5,
  expiresMs: null,
};
const KEPT = { versionsMax: 200, audit: [] };

function version(epoch: number): ConfigurationVersion {
  return { epoch, hash: 'aa', digest: 'd', timeMs: 7, reason: 'start', actor };
}

const storeFile = () => join(folder, 'store.mdb');

/** Writes one record as LMDB sees it, past the checks of the store. */
async function writeRaw(key: string[], value: Buffer): Promise<void> {
  const database = open<Buffer>({ path: storeFile(), noSubdir: true, encoding: 'binary' });
  await database.put(key, value);
  await database.close();
}

describe('the data folder', () => {
  it('is made for its owner alone, with secrets of the right size', () => {
    const { secrets, adminTokens, audit } = begin();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(storeFile()).mode & 0o777).toBe(0o600);
    expect(secrets.keyHashSecret).toHaveLength(8);
    expect(secrets.pepper).toHaveLength(32);
    expect(statSync(join(folder, 'audit.key')).mode & 0o777).toBe(0o600);
    expect([adminTokens.list(), audit.head().sequence]).toEqual([[], 0]);
  });

  it('keeps everything over a restart', async () => {
    const first = begin();
    const { keyHashSecret, pepper } = first.secrets;
    first.adminTokens.add(adminToken, actor);
    first.credentials.change({ put: [credential('b'), credential('a')] }, []);
    first.history.add(version(1), [{ path: 'portunus.yaml', text: 'portunus: 1\n' }], KEPT);
    await end(first);
    const second = begin();
    expect(second.secrets).toEqual({ keyHashSecret, pepper });
    expect(second.adminTokens.list()).toEqual([adminToken]);
    expect(second.audit.head().sequence).toBe(1);
    expect(second.credentials.page([], null, 9)).toEqual({
      ok: true,
      value: [credential('a'), credential('b')],
    });
    expect(second.history.versions()).toEqual([version(1)]);
    expect(second.history.files(1)).toEqual({
      ok: true,
      value: [{ path: 'portunus.yaml', text: 'portunus: 1\n' }],
    });
    expect(second.history.files(2)).toEqual({ ok: true, value: null });
  });

  it('finds credentials by tenant and consumer, and goes on behind any name', () => {
    const { credentials } = begin();
    const of = (tenant: string, consumer: string, name: string) => ({
      ...credential(name),
      tenant,
      consumer,
    });
    const all = [of('a', 'x', '1'), of('a', 'x', '2'), of('a', 'xy', '1'), of('b', 'x', '1')];
    credentials.change({ put: all.toReversed() }, []);
    const page = (...asked: Parameters<typeof credentials.page>) => {
      const found = credentials.page(...asked);
      return found.ok ? found.value : found.error;
    };
    expect(page([], null, 9)).toEqual(all);
    expect(page(['a'], null, 9)).toEqual(all.slice(0, 3));
    expect(page(['a', 'x'], null, 9)).toEqual(all.slice(0, 2));
    expect(page([], null, 0)).toEqual([]);
    expect(page([], null, 2)).toEqual(all.slice(0, 2));
    expect(page([], all[1]!, 2)).toEqual(all.slice(2));
    expect(page(['a'], { tenant: 'a', consumer: 'x', name: '11' }, 9)).toEqual(all.slice(1, 3));
    credentials.change({ remove: [all[1]!], put: [all[0]!] }, []);
    expect(page(['a', 'x'], null, 9)).toEqual([all[0]]);
  });

  it('remembers the end of a key in a file, and who had a key once', async () => {
    const first = begin();
    const ending = { tenant: 'acme', consumer: 'web', name: 'a', hash: 'h', endsMs: 7 };
    const past = { tenant: 'acme', consumer: 'web', numbers: { web: 3 }, ended: ['night'] };
    first.credentials.change({ endings: [ending], past: [past] }, []);
    await end(first);
    const { credentials } = begin();
    expect(credentials.endings()).toEqual({ ok: true, value: [ending] });
    expect(credentials.past('acme', 'web')).toEqual({ ok: true, value: past });
    expect(credentials.past('acme', 'we')).toEqual({ ok: true, value: null });
  });

  it('holds much more than the first map of the file', async () => {
    const store = begin();
    const text = 'x'.repeat(4 * 1024 * 1024);
    for (let epoch = 0; epoch < 4; epoch++) {
      expect(store.history.add(version(epoch), [{ path: 'a', text: text + epoch }], KEPT).ok).toBe(true);
    }
    await end(store);
    expect(begin().history.files(3)).toMatchObject({ ok: true, value: [{ text: `${text}3` }] });
  });

  it('keeps a bounded number of versions and no text that none of them has', async () => {
    const store = begin();
    for (let epoch = 0; epoch < KEPT.versionsMax + 3; epoch++) {
      const files = [
        { path: 'same', text: 'same' },
        { path: 'own', text: `own ${epoch}` },
      ];
      store.history.add(version(epoch), files, KEPT);
    }
    expect(store.history.versions()).toHaveLength(KEPT.versionsMax);
    expect(store.history.files(2)).toEqual({ ok: true, value: null });
    await end(store);
    const database = open<Buffer>({ path: storeFile(), noSubdir: true, encoding: 'binary' });
    const texts = database.getKeys({ start: ['text'] }).filter((key) => (key as string[])[0] === 'text');
    expect(Array.from(texts)).toHaveLength(KEPT.versionsMax + 1);
    await database.close();
  });
});

describe('a second start on the same folder', () => {
  it('is refused and names the process that holds it', () => {
    begin();
    expect(refused()).toMatchObject({
      code: 'store_held',
      message: `Another gateway runs on this data folder (process ${process.pid}).`,
    });
  });

  it('is let in after the first has closed', async () => {
    await end(begin());
    begin();
  });

  it('is refused while another process holds it, and let in once that one is killed', async () => {
    await end(begin());
    const lockFile = join(folder, 'portunus.lock');
    // Holds the lock as we do: on a descriptor of its own that a `flock` child has locked.
    const holder = spawn(
      process.execPath,
      [
        '-e',
        `const fs = require('node:fs'); const fd = fs.openSync(${JSON.stringify(lockFile)}, 'a+');
         const { status } = require('node:child_process').spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
         fs.ftruncateSync(fd); fs.writeSync(fd, process.pid + '\\n'); process.stdout.write(String(status)); setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = once(holder, 'exit');
    try {
      expect(String((await once(holder.stdout, 'data'))[0])).toBe('0');
      expect(refused().message).toContain(`process ${holder.pid}`);
    } finally {
      holder.kill('SIGKILL');
      await exited;
    }
    begin();
  });

  it('is examined where the last holder was lost, and refused for what is found', async () => {
    await end(begin());
    await end(begin());
    expect(examined).toEqual([]);
    writeFileSync(join(folder, 'portunus.lock'), '4194304\n');
    damagedRecords = ['["secrets"]'];
    expect(refused()).toMatchObject({
      code: 'store_damaged',
      message: expect.stringContaining('["secrets"]'),
    });
    expect(examined).toEqual([join(folder, 'store.mdb')]);
    // A refusal proves nothing: the next start looks again.
    expect(refused().code).toBe('store_damaged');
    damagedRecords = [];
    await end(begin());
    begin();
    expect(examined).toHaveLength(3);
  });

  it('is let in when a dead process has left its number', async () => {
    await end(begin());
    writeFileSync(join(folder, 'portunus.lock'), '1\n');
    begin();
  });
});

describe('a store that is not as it was written', () => {
  it('is refused, and left alone, when the file is no LMDB file', async () => {
    await end(begin());
    writeFileSync(storeFile(), 'something else that a person has put here\n'.repeat(500));
    const before = readFileSync(storeFile());
    expect(refused().code).toBe('store_foreign');
    expect(readFileSync(storeFile()).equals(before)).toBe(true);
  });

  it('is refused when LMDB made it but Portunus did not', async () => {
    await end(begin());
    rmSync(storeFile());
    rmSync(`${storeFile()}-lock`);
    await writeRaw(['theirs'], Buffer.from('data'));
    expect(refused().code).toBe('store_foreign');
  });

  it('is refused when the file was cut short', async () => {
    const store = begin();
    store.credentials.change({ put: Array.from({ length: 200 }, (_, i) => credential(`c${i}`)) }, []);
    await end(store);
    // Behind its last page lies room that was made ahead of use.
    const descriptor = openSync(storeFile(), 'r');
    const { pages } = newestState(descriptor);
    closeSync(descriptor);
    truncateSync(storeFile(), (pages - 1) * 4_096);
    expect(refused().code).toBe('store_damaged');
    truncateSync(storeFile(), 4_096);
    expect(refused().code).toBe('store_damaged');
    truncateSync(storeFile(), 100);
    expect(refused().code).toBe('store_foreign');
  });

  it.each(['schema', 'secrets', 'audit-head'])(
    'is refused when the checksum of %s is wrong',
    async (record) => {
      await end(begin());
      await writeRaw([record], Buffer.from('junk of sorts'));
      expect(refused()).toMatchObject({ code: 'store_damaged', message: expect.stringContaining(record) });
    },
  );

  it('a credential is refused when one bit of it has changed in the file', async () => {
    const store = begin();
    store.credentials.change({ put: [credential('needle')] }, []);
    await end(store);
    const bytes = readFileSync(storeFile());
    for (let at = bytes.indexOf('id-needle'); at !== -1; at = bytes.indexOf('id-needle', at + 1)) {
      bytes[at]! ^= 1;
    }
    writeFileSync(storeFile(), bytes);
    const read = begin().credentials.scan(() => {});
    expect(read).toMatchObject({ ok: false, error: { code: 'store_damaged' } });
  });

  it('a credential is refused when it lies under the key of another', async () => {
    const store = begin();
    store.credentials.change({ put: [credential('a')] }, []);
    await end(store);
    await writeRaw(
      ['credential', 'acme', 'web', 'b'],
      encodeRecord(['credential', 'acme', 'web', 'a'], credential('a')),
    );
    expect(refused().code).toBe('store_damaged');
  });

  it('is refused when a later version made it', async () => {
    await end(begin());
    await writeRaw(['schema'], encodeRecord(['schema'], { madeBy: 'portunus', version: 3 }));
    expect(refused()).toMatchObject({ code: 'store_newer', message: expect.stringContaining('format 3') });
  });

  it('is refused when the secrets are missing', async () => {
    await end(begin());
    const database = open<Buffer>({ path: storeFile(), noSubdir: true, encoding: 'binary' });
    await database.remove(['secrets']);
    await database.close();
    expect(refused()).toMatchObject({ code: 'store_damaged', message: expect.stringContaining('secrets') });
  });

  it('frees the folder again after a refusal', async () => {
    await end(begin());
    const bytes = readFileSync(storeFile());
    writeFileSync(storeFile(), 'x'.repeat(10_000));
    expect(refused().code).toBe('store_foreign');
    writeFileSync(storeFile(), bytes);
    begin();
  });

  it('says when the folder is a file', () => {
    openSync(folder, 'w');
    expect(refused().code).toBe('store_unusable');
    expect(existsSync(folder)).toBe(true);
  });
});
