import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Random } from '../base/ports.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import { SECRET_KEY_VARIABLE } from './secret-key.ts';
import { openStore, type Store } from './store.ts';
import { decodeRecord, encodeRecord } from './store-records.ts';

const actor: AuditActor = { kind: 'gateway', cause: 'test' };
const SECRET = Buffer.from('sk-first-value-0123456789');
let next = 1;
const random: Random = { fill: (target) => void target.fill(next++), uint32: () => next++ };
const clock = { nowMs: 1_000, wallMs: () => clock.nowMs };
let folder: string;
let store: Store;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'portunus-secrets-')), 'data');
  store = begin();
});
afterEach(async () => {
  await store.close();
  vi.unstubAllEnvs();
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

function begin(): Store {
  const opened = openStore(
    folder,
    random,
    () => ({ ok: true, value: { format: null, tables: {}, damaged: [] } }),
    clock,
  );
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

async function again(): Promise<void> {
  await store.close();
  store = begin();
}

const set = (name: string, value: Buffer, keepFormerMs = 0) =>
  store.storedSecrets.set(name, value, { actor, keepFormerMs, usedBy: null });

function value(name = 'openai/k2'): string | undefined {
  const opened = store.storedSecrets.open(name);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value === null ? undefined : Buffer.from(opened.value.present.value).toString();
}

function problem(name = 'openai/k2') {
  const opened = store.storedSecrets.open(name);
  return opened.ok ? null : opened.error;
}

const keyFile = () => join(folder, 'secrets.key');

describe('a stored secret', () => {
  it('is there again after a restart, and in no file as it is', async () => {
    expect(set('openai/k2', SECRET)).toMatchObject({ ok: true, value: { generation: 1, sinceMs: 1_000 } });
    await again();
    expect(value()).toBe(SECRET.toString());
    for (const file of ['store.mdb', 'secrets.key', 'audit.key']) {
      const bytes = readFileSync(join(folder, file));
      for (const form of ['utf8', 'base64', 'hex'] as const)
        expect(bytes.includes(form === 'utf8' ? SECRET : Buffer.from(SECRET.toString(form)))).toBe(false);
    }
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
  });

  it('is replaced and removed, with a record of each in the audit log', () => {
    set('openai/k2', SECRET);
    set('openai/k2', Buffer.from('second'));
    expect(value()).toBe('second');
    expect(store.storedSecrets.list()).toMatchObject([
      { name: 'openai/k2', generation: 2, formerUntilMs: null },
    ]);
    expect(store.storedSecrets.remove('openai/k2', actor)).toEqual({ ok: true, value: 'removed' });
    expect(store.storedSecrets.remove('openai/k2', actor)).toEqual({ ok: true, value: 'unknown' });
    expect(value()).toBeUndefined();
    const records = store.audit.records(0, 10);
    expect(records.ok && records.value.map(({ action }) => action)).toEqual([
      'secrets.set',
      'secrets.set',
      'secrets.remove',
    ]);
    expect(JSON.stringify(records)).not.toContain('second');
  });

  it('is kept beside its successor for as long as it is told, over a restart, and can take its place again', async () => {
    set('openai/k2', SECRET);
    set('openai/k2', Buffer.from('second'), 5_000);
    await again();
    const opened = store.storedSecrets.open('openai/k2');
    expect(opened.ok && opened.value).toMatchObject({
      view: { generation: 2, formerUntilMs: 6_000 },
      present: { generation: 2 },
      former: { generation: 1, value: SECRET },
    });
    store.storedSecrets.goBack('openai/k2', actor);
    expect(value()).toBe(SECRET.toString());
    set('openai/k2', Buffer.from('third'), 5_000);
    store.storedSecrets.endFormer('openai/k2', actor);
    await again();
    expect(store.storedSecrets.list()).toMatchObject([{ generation: 2, formerUntilMs: null }]);
    expect(value()).toBe('third');
  });

  it('can take the place of no other: its name is sealed with it', async () => {
    set('a', Buffer.from('of a'));
    set('b', Buffer.from('of b'));
    await store.close();
    const database = open<Buffer>({ path: join(folder, 'store.mdb'), noSubdir: true, encoding: 'binary' });
    const key = ['sealed-secret', 'a'] as const;
    const record = decodeRecord(key, database.get([...key])!) as object;
    database.putSync(['sealed-secret', 'b'], encodeRecord(['sealed-secret', 'b'], { ...record, name: 'b' }));
    await database.close();
    store = begin();
    expect(problem('b')).toMatchObject({ code: 'secret_sealed' });
    expect(value('a')).toBe('of a');
  });
});

describe('the key of stored secrets', () => {
  it('that is missing is told of, and another is not made in its place', async () => {
    set('openai/k2', SECRET);
    rmSync(keyFile());
    await again();
    expect(problem()).toMatchObject({
      code: 'secrets_key_unusable',
      message: `The key of stored secrets is missing: there is no ${keyFile()}.`,
    });
    expect(set('other', SECRET).ok).toBe(false);
    expect(existsSync(keyFile())).toBe(false);
  });

  it('that is another one opens nothing, and seals nothing beside', async () => {
    set('openai/k2', SECRET);
    writeFileSync(keyFile(), 'ab'.repeat(32));
    await again();
    expect(problem()?.message).toBe(
      'The secret "openai/k2" can\'t be opened: it was sealed with another key, or its record was changed.',
    );
    expect(set('other', SECRET).ok).toBe(false);
    store.storedSecrets.remove('openai/k2', actor);
    expect(set('other', SECRET).ok).toBe(true);
  });

  it.each([
    [
      'that others may read is refused',
      () => chmodSync(keyFile(), 0o640),
      /others may read it: run "chmod 600/,
    ],
    ['that is none is refused', () => writeFileSync(keyFile(), 'short'), /it is not 32 bytes in hex/],
  ])('%s', async (_what, damage, message) => {
    set('openai/k2', SECRET);
    damage();
    await again();
    expect(problem()?.message).toMatch(message);
  });

  it('may come from the environment instead: then there is no file', async () => {
    vi.stubEnv(SECRET_KEY_VARIABLE, 'cd'.repeat(32));
    await again();
    set('openai/k2', SECRET);
    expect(existsSync(keyFile())).toBe(false);
    expect(value()).toBe(SECRET.toString());
    vi.stubEnv(SECRET_KEY_VARIABLE, 'no key');
    await again();
    expect(problem()).toMatchObject({ place: 'the variable PORTUNUS_SECRETS_KEY' });
  });
});
