import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareNames, credentialAt, readBlock, ScannedBlock, writeBlock } from './credential-block.ts';
import { BLOCK_KEYS_MAX, createCredentialTable, type StoredCredential } from './credential-table.ts';
import { LmdbFile } from './lmdb-file.ts';
import { StoreTables } from './store-tables.ts';

let folder = '';
let tables: StoreTables;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-keys-'));
  const path = join(folder, 'store.mdb');
  tables = new StoreTables(new LmdbFile(path, 'as-is', { noSync: true }));
});
afterEach(async () => {
  await tables.close();
  rmSync(folder, { recursive: true });
});

/** Records of changes are the audit log's own tests. */
const AUDIT: Parameters<typeof createCredentialTable>[1] = {
  change(_entries, write) {
    const written = tables.change(write);
    return written.ok ? { ok: true, value: [] } : written;
  },
};

function table() {
  const made = createCredentialTable(tables, AUDIT);
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

function credential(tenant: string, consumer: string, name: string, createdMs = 5): StoredCredential {
  const keyId = `id${name}`;
  const expiresMs = createdMs % 2 === 0 ? createdMs + 1 : null;
  return { tenant, consumer, name, keyId, hash: `ptnh1:${keyId}:digest-_${createdMs}`, createdMs, expiresMs };
}

describe('the table of credentials', () => {
  it('holds what a map would hold, in order, over changes that split, empty and move its blocks', () => {
    const credentials = table();
    const model = new Map<string, StoredCredential>();
    let state = 12_345;
    const draw = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const drawn = (): StoredCredential =>
      credential(['a', 'a-b', 'b'][draw(3)]!, ['x', 'x.y', 'z'][draw(3)]!, `k${draw(160)}`, draw(1_000));
    const spell = ({ tenant, consumer, name }: StoredCredential): string => `${tenant}/${consumer}/${name}`;
    for (let round = 0; round < 40; round++) {
      // Grows to well over a thousand keys, then shrinks to few.
      const put = Array.from({ length: round < 20 ? 150 : 10 }, drawn);
      const all = [...model.values()];
      const remove = Array.from({ length: round < 20 ? 20 : 70 }, () => all[draw(all.length)] ?? drawn());
      for (const each of remove) model.delete(spell(each));
      for (const each of put) model.set(spell(each), each);
      expect(credentials.change({ put, remove }, []).ok).toBe(true);
      const expected = [...model.values()].sort(compareNames);
      const found: StoredCredential[] = [];
      credentials.scan((block) => {
        for (let index = 0; index < block.count; index++) found.push(credentialAt(block, index));
      });
      expect(found).toEqual(expected);
      const after = drawn();
      expect(credentials.page(['a', 'x.y'], after, 30)).toEqual({
        ok: true,
        value: expected
          .filter((each) => each.tenant === 'a' && each.consumer === 'x.y' && compareNames(each, after) > 0)
          .slice(0, 30),
      });
      expect(credentials.get(after)).toEqual({ ok: true, value: model.get(spell(after)) ?? null });
    }
    const blocks = tables.entries<string>(['credential-block']);
    expect(blocks.ok && blocks.value.length).toBeLessThan(40);
  });

  it('reads blocks of any length as they were written, and none that was cut', () => {
    const held = Array.from({ length: 700 }, (_, at) =>
      credential(
        't',
        `c${at >> 3}`,
        `k${at}`,
        [0, 7, 12_345_678, 123_456_789, 8_640_000_000_000_000][at % 5],
      ),
    );
    const text = writeBlock(held);
    const found: StoredCredential[] = [];
    readBlock(text, (each) => found.push(each));
    expect(found).toEqual(held);
    const block = new ScannedBlock();
    for (const end of [1, 4, 9, 30, text.length - 1])
      expect(() => block.read(Buffer.from(text.slice(0, end)))).toThrow('amid a key');
  });

  it('fills its blocks where keys come in order', () => {
    const credentials = table();
    for (let n = 0; n < 10; n++) {
      const put = Array.from({ length: BLOCK_KEYS_MAX }, (_, i) =>
        credential('t', 'c', String(10_000 + 1_000 * n + i)),
      );
      credentials.change({ put }, []);
    }
    const blocks = tables.entries<string>(['credential-block']);
    expect(blocks.ok && blocks.value.length).toBe(10);
  });

  it('keeps an ending for each hash, also of those that an earlier version kept by name', () => {
    const name = { tenant: 'acme', consumer: 'web', name: 'web-1' };
    tables.change((write) => {
      write.put(['credential-end', 'acme', 'web', 'web-1'], { hash: 'h1', endsMs: 7 });
      write.put(['credential-end', 'acme', 'web', 'web-2'], { hash: 'h1', endsMs: 0 });
    });
    const revoked = { ...name, name: 'web-2', hash: 'h1', endsMs: 0 };
    expect(table().endings()).toEqual({ ok: true, value: [revoked] });
    const other = { ...name, hash: 'h2', endsMs: 9 };
    table().change({ endings: [other] }, []);
    expect(table().endings()).toEqual({ ok: true, value: [revoked, other] });
  });

  it('gathers what an earlier version kept one by one', () => {
    const old = credential('acme', 'web', 'web-1');
    tables.change((write) => {
      write.put(['credential', 'acme', 'web', 'web-1'], old);
      write.put(['credential', 'acme', 'app', 'app-1'], credential('acme', 'app', 'app-1', 6));
    });
    const found = table().page([], null, 9);
    expect(found).toEqual({ ok: true, value: [credential('acme', 'app', 'app-1', 6), old] });
    expect(tables.entries(['credential'])).toEqual({ ok: true, value: [] });
  });
});
