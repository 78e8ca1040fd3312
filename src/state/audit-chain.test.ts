import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Random } from '../base/ports.ts';
import type { AuditActor, AuditEntry, AuditRecord } from '../pipeline/audit.ts';
import { ANCHORS_FILE, ANCHORS_MAX, AnchorFile, readAnchors } from './audit-anchors.ts';
import { AUDIT_VALUE_CHARACTERS_MAX, PRUNED_AT_ONCE, type StoreArrival } from './audit-chain.ts';
import { auditHash, type SignedPlace, signPlace } from './audit-hash.ts';
import { auditRecordsOf, verifyAuditOf } from './audit-reading.ts';
import type { AuditVerdict, ForeignAnchor } from './audit-verification.ts';
import { openStore, STORE_FILE, type Store } from './store.ts';
import { decodeRecord, encodeRecord, type RecordKey } from './store-records.ts';

let next = 1;
const random: Random = { fill: (target) => target.fill(next++), uint32: () => next++ };
const clock = { wallMs: () => 1_795_456_000_000 };
const actor: AuditActor = { kind: 'token', id: 'abc', name: 'local' };

let folder: string;
const opened: Store[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-audit-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const unexamined = (): never => {
  throw new Error('left as it should be');
};

function begin(arrival?: StoreArrival): Store {
  const result = openStore(folder, random, unexamined, clock, arrival);
  if (!result.ok) throw new Error(result.error.message);
  opened.push(result.value);
  return result.value;
}

async function end(store: Store): Promise<void> {
  opened.splice(opened.indexOf(store), 1);
  await store.close();
}

function entry(number: number): AuditEntry {
  return { actor, action: 'keys.issue', target: `key ${number}`, before: null, after: { number } };
}

/** Anchored after each record, as the gateway does it. */
async function logOf(records: number): Promise<void> {
  const store = begin();
  const anchors = new AnchorFile(folder);
  store.audit.onHead((head) =>
    anchors.append({ kind: 'anchor', timeMs: clock.wallMs(), ...store.audit.sign('anchor', head) }),
  );
  for (let number = 1; number <= records; number++) await store.audit.append(entry(number));
  anchors.sync();
  anchors.close();
  await end(store);
}

const auditKey = () => Buffer.from(readFileSync(join(folder, 'audit.key'), 'utf8').trim(), 'hex');
const storePath = () => join(folder, STORE_FILE);

async function verify(foreign: readonly ForeignAnchor[] = []): Promise<AuditVerdict> {
  const verdict = await verifyAuditOf(folder, storePath(), foreign);
  if (!verdict.ok) throw new Error(verdict.error.message);
  return verdict.value;
}

/** Changes records past the store, with right checksums: as somebody would who knows the format, but not the key. */
async function tamper(change: (raw: Raw) => void): Promise<void> {
  const database = open<Buffer>({ path: storePath(), noSubdir: true, encoding: 'binary' });
  database.transactionSync(() => change(rawOf(database)));
  await database.close();
}

interface Raw {
  record(sequence: number): AuditRecord;
  put(key: RecordKey, value: unknown): void;
  putBytes(key: RecordKey, bytes: Buffer): void;
  remove(key: RecordKey): void;
  head(): SignedPlace;
}

function rawOf(database: RootDatabase<Buffer>): Raw {
  const get = (key: RecordKey) => decodeRecord(key, database.get([...key])!);
  return {
    record: (sequence) => get(['audit', sequence]) as AuditRecord,
    put: (key, value) => database.putSync([...key], encodeRecord(key, value)),
    putBytes: (key, bytes) => database.putSync([...key], bytes),
    remove: (key) => void database.removeSync([...key]),
    head: () => get(['audit-head']) as SignedPlace,
  };
}

/** All records from one on with fresh hashes, as a forger would chain them. */
function rechain(raw: Raw, from: number, to: number, edit: (record: AuditRecord) => AuditRecord): string {
  let previous = from === 1 ? raw.record(1).previous : raw.record(from - 1).hash;
  for (let sequence = from; sequence <= to; sequence++) {
    const { hash: _hash, ...rest } = edit({ ...raw.record(sequence), previous });
    previous = auditHash(rest);
    raw.put(['audit', sequence], { ...rest, hash: previous });
  }
  return previous;
}

const edited = (record: AuditRecord): AuditRecord =>
  record.sequence === 2 ? { ...record, target: 'another key' } : record;

describe('the audit log', () => {
  it('keeps who, what, before and after, chained, over a restart', async () => {
    await logOf(3);
    const store = begin();
    const records = store.audit.records(0, 10);
    if (!records.ok) throw new Error(records.error.message);
    expect(records.value.map(({ sequence, action, target }) => [sequence, action, target])).toEqual([
      [1, 'keys.issue', 'key 1'],
      [2, 'keys.issue', 'key 2'],
      [3, 'keys.issue', 'key 3'],
    ]);
    expect(records.value[2]).toMatchObject({
      actor,
      before: null,
      after: { number: 3 },
      previous: records.value[1]!.hash,
    });
    expect(store.audit.head()).toEqual({ sequence: 3, hash: records.value[2]!.hash });
    await store.audit.append(entry(4));
    await end(store);
    expect(await verify()).toMatchObject({ records: 4, first: 1, findings: [], notes: [] });
  });

  it('makes a change and its record in one step, or neither', async () => {
    const store = begin();
    const failed = store.audit.change([entry(1)], () => {
      throw new Error('no room');
    });
    expect(failed).toMatchObject({ ok: false, error: { code: 'store_write_failed' } });
    expect(store.audit.head().sequence).toBe(0);
    expect(store.audit.change([entry(1), entry(2)], (change) => change.put(['credential', 'x'], 1)).ok).toBe(
      true,
    );
    expect(store.audit.head().sequence).toBe(2);
    await end(store);
    expect((await verify()).findings).toEqual([]);
  });

  it('keeps length and hash of a value that is too long', async () => {
    const store = begin();
    const after = 'x'.repeat(AUDIT_VALUE_CHARACTERS_MAX);
    await store.audit.append({ ...entry(1), after });
    const records = store.audit.records(0, 1);
    expect(records.ok && records.value[0]!.after).toMatchObject({
      omittedCharacters: after.length + 2,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('keeps values that JSON can not say as JSON says them, so that their hash holds', async () => {
    const store = begin();
    await store.audit.append({
      ...entry(1),
      before: undefined,
      after: { a: undefined, n: Number.NaN, d: new Date(0), z: -0, 10: 1, 2: 1 },
    });
    await end(store);
    expect((await verify()).findings).toEqual([]);
  });

  it('gives up the oldest beyond its bound, some at a time, and says so', async () => {
    const store = begin();
    store.audit.change(
      Array.from({ length: PRUNED_AT_ONCE + 20 }, (_, index) => entry(index)),
      () => {},
    );
    store.audit.prune(10);
    expect(store.audit.base().sequence).toBe(PRUNED_AT_ONCE);
    store.audit.prune(10);
    store.audit.prune(10);
    expect(store.audit.base().sequence).toBe(PRUNED_AT_ONCE + 10);
    const kept = store.audit.records(0, 100);
    expect(kept.ok && kept.value).toHaveLength(10);
    await store.audit.append(entry(0));
    await end(store);
    expect(await verify()).toMatchObject({
      records: 11,
      first: PRUNED_AT_ONCE + 11,
      findings: [],
      notes: [`Records up to ${PRUNED_AT_ONCE + 10} were given up by retention.`],
    });
    begin();
  });

  it('is read in parts, newest or oldest', async () => {
    await logOf(5);
    const sequences = async (after: number | null, count: number) => {
      const records = await auditRecordsOf(storePath(), after, count);
      return records.ok ? records.value.map(({ sequence }) => sequence) : records.error;
    };
    expect(await sequences(null, 2)).toEqual([4, 5]);
    expect(await sequences(0, 2)).toEqual([1, 2]);
    expect(await sequences(3, 10)).toEqual([4, 5]);
    expect(await sequences(5, 10)).toEqual([]);
  });
});

describe('verification', () => {
  beforeEach(() => logOf(5));

  const kinds = async (foreign?: readonly ForeignAnchor[]) => {
    const { findings } = await verify(foreign);
    return findings.map(({ kind, sequence }) => `${kind} ${sequence}`);
  };

  it('has nothing to say of a log that is as it was written', async () => {
    expect(await verify()).toMatchObject({ records: 5, anchors: 5, findings: [], notes: [] });
  });

  it('finds a record with one changed bit', async () => {
    await tamper((raw) => {
      const bytes = encodeRecord(['audit', 3], raw.record(3));
      bytes[40]! ^= 1;
      raw.putBytes(['audit', 3], bytes);
    });
    expect(await kinds()).toEqual(['damaged 3']);
  });

  it('finds an edit', async () => {
    await tamper((raw) => raw.put(['audit', 2], edited(raw.record(2))));
    expect(await kinds()).toEqual(['edited 2']);
  });

  it('finds an edit whose hash was made anew', async () => {
    await tamper((raw) => rechain(raw, 2, 2, edited));
    expect(await kinds()).toEqual(['rewritten 2', 'unchained 3']);
  });

  it('finds an edit behind which the whole chain was made anew', async () => {
    await tamper((raw) => rechain(raw, 2, 5, edited));
    expect(await kinds()).toEqual([
      'rewritten 2',
      'rewritten 3',
      'rewritten 4',
      'rewritten 5',
      'rewritten 5',
    ]);
  });

  it('finds it also where the end was written to fit and the anchors were removed: it lacks the key', async () => {
    await tamper((raw) => {
      const hash = rechain(raw, 2, 5, edited);
      raw.put(['audit-head'], { ...raw.head(), hash });
    });
    rmSync(join(folder, ANCHORS_FILE));
    expect(await kinds()).toEqual(['unsigned 5']);
  });

  it('finds it also where the key was replaced, by an anchor that was kept elsewhere', async () => {
    const { last } = await verify();
    await tamper((raw) => rechain(raw, 2, 5, edited));
    rmSync(join(folder, ANCHORS_FILE));
    rmSync(join(folder, 'audit.key'));
    await end(begin({ kind: 'replaced', entryFor: () => entry(6) }));
    expect(await kinds()).toEqual([]);
    expect(await kinds([last!])).toEqual(['rewritten 5']);
  });

  it('finds a record that is missing between others', async () => {
    await tamper((raw) => raw.remove(['audit', 3]));
    expect(await kinds()).toEqual(['gap 3']);
  });

  it('finds records that are missing at the beginning', async () => {
    await tamper((raw) => {
      raw.remove(['audit', 1]);
      raw.remove(['audit', 2]);
    });
    expect(await kinds()).toEqual(['gap 1']);
    // … also where they are said to have been given up
    await tamper((raw) =>
      raw.put(['audit-base'], { sequence: 2, hash: raw.record(3).previous, mac: raw.head().mac }),
    );
    expect(await kinds()).toEqual(['unsigned 2']);
  });

  it('finds a record that was inserted', async () => {
    await tamper((raw) => {
      for (let at = 5; at >= 3; at--) raw.put(['audit', at + 1], { ...raw.record(at), sequence: at + 1 });
      raw.put(['audit', 3], { ...raw.record(3), target: 'inserted' });
    });
    const found = await kinds();
    expect(found).toContain('edited 3');
    expect(found).toContain('stray 6');
  });

  it('finds records in another order', async () => {
    await tamper((raw) => {
      const [second, third] = [raw.record(2), raw.record(3)];
      raw.put(['audit', 2], { ...third, sequence: 2 });
      raw.put(['audit', 3], { ...second, sequence: 3 });
    });
    expect(await kinds()).toEqual(expect.arrayContaining(['edited 2', 'edited 3']));
  });

  it('finds an end that was cut off', async () => {
    await tamper((raw) => raw.remove(['audit', 5]));
    expect(await kinds()).toEqual(['truncated 5', 'truncated 5']);
  });

  it('finds an end that was cut off with its signature put back to what it was', async () => {
    await tamper((raw) => {
      const place = { sequence: 3, hash: raw.record(3).hash };
      raw.remove(['audit', 4]);
      raw.remove(['audit', 5]);
      // as a copy of the store from that time has it
      raw.put(['audit-head'], signPlace(auditKey(), 'head', place));
    });
    expect(await kinds()).toEqual(['truncated 4']);
  });

  it('finds a log that was removed as a whole', async () => {
    await tamper((raw) => {
      for (let at = 1; at <= 5; at++) raw.remove(['audit', at]);
      raw.remove(['audit-head']);
    });
    expect(await kinds()).toEqual(['truncated 1']);
  });

  it('finds an end whose signature is missing, or of another place', async () => {
    await tamper((raw) => raw.put(['audit-head'], { ...raw.head(), mac: 'a'.repeat(64) }));
    expect(await kinds()).toEqual(['unsigned 5']);
    await tamper((raw) => raw.remove(['audit-head']));
    expect(await kinds()).toEqual(['unsigned 5']);
  });

  it('finds a forged anchor, and takes no signature of one meaning for another', async () => {
    const store = begin();
    const head = store.audit.head();
    const asAnchor = store.audit.sign('anchor', head);
    await end(store);
    appendFileSync(
      join(folder, ANCHORS_FILE),
      `${JSON.stringify({ kind: 'fork', timeMs: 0, ...asAnchor })}\nnot JSON\n`,
    );
    expect(await kinds()).toEqual(['unsigned 5', 'unsigned 0']);
  });

  it('is not disturbed by an anchor that a crash cut short', async () => {
    appendFileSync(join(folder, ANCHORS_FILE), '{"kind":"anchor","timeMs":17954560');
    expect(await kinds()).toEqual([]);
    new AnchorFile(folder).close();
    expect(readFileSync(join(folder, ANCHORS_FILE), 'utf8').endsWith('}\n')).toBe(true);
  });

  it('holds the log against anchors that were kept elsewhere', async () => {
    const { last } = await verify();
    expect(await kinds([last!])).toEqual([]);
    expect(await kinds([{ sequence: 5, hash: 'f'.repeat(64) }])).toEqual(['rewritten 5']);
    expect(await kinds([{ sequence: 9, hash: 'f'.repeat(64) }])).toEqual(['truncated 6']);
  });

  it('does not pass over an anchor from elsewhere before the beginning, which the key can sign for any place', async () => {
    const { last } = await verify();
    await tamper((raw) => {
      const place = { sequence: 6, hash: 'f'.repeat(64) };
      for (let at = 1; at <= 5; at++) raw.remove(['audit', at]);
      raw.put(['audit-base'], signPlace(auditKey(), 'base', place));
      raw.put(['audit-head'], signPlace(auditKey(), 'head', place));
    });
    rmSync(join(folder, ANCHORS_FILE));
    expect(await kinds()).toEqual([]);
    expect(await verify([last!])).toMatchObject({ anchors: 0, findings: [{ kind: 'gap', sequence: 5 }] });
  });
});

describe('a log whose end is not what was signed', () => {
  beforeEach(() => logOf(3));

  const refused = () => openStore(folder, random, unexamined, clock);

  it.each([
    ['the last record is missing', (raw: Raw) => raw.remove(['audit', 3])],
    [
      'the last record is another',
      (raw: Raw) => void rechain(raw, 3, 3, (record) => ({ ...record, target: 'x' })),
    ],
    ['the signature is missing', (raw: Raw) => raw.remove(['audit-head'])],
    [
      'the signature is of another key',
      (raw: Raw) => raw.put(['audit-head'], { ...raw.head(), mac: 'a'.repeat(64) }),
    ],
  ])('is not gone on with: %s', async (_what, change) => {
    await tamper(change);
    expect(refused()).toMatchObject({ ok: false, error: { code: 'store_damaged' } });
  });

  it('is gone on with by its owner, who says so', async () => {
    await tamper((raw) => raw.remove(['audit', 3]));
    const store = begin({
      kind: 'replaced',
      entryFor: (found) => ({ ...entry(0), action: 'store.recover', after: found }),
    });
    const records = store.audit.records(2, 10);
    expect(records.ok && records.value.map(({ sequence, action }) => [sequence, action])).toEqual([
      [3, 'store.recover'],
    ]);
    await end(store);
    begin();
  });

  it('goes on with a new key where the old one is lost, and says so', async () => {
    rmSync(join(folder, 'audit.key'));
    const store = begin();
    const records = store.audit.records(3, 10);
    expect(records.ok && records.value.map(({ action }) => action)).toEqual(['audit.rekey']);
    await end(store);
    const { findings } = await verify();
    expect(findings.map(({ kind }) => kind)).toEqual(['unsigned', 'unsigned', 'unsigned']);
    writeFileSync(join(folder, 'audit.key'), 'not a key\n');
    expect(refused()).toMatchObject({ ok: false, error: { code: 'store_unusable' } });
  });
});

describe('the file of anchors', () => {
  it('is bounded, and its newest are kept', async () => {
    const file = new AnchorFile(folder);
    for (let sequence = 1; sequence <= ANCHORS_MAX + 1; sequence++)
      file.append({ kind: 'anchor', timeMs: 0, sequence, hash: 'h', mac: 'm' });
    file.close();
    const anchors = readAnchors(folder);
    expect(anchors).toHaveLength(ANCHORS_MAX / 2 + 1);
    expect(anchors.at(-1)).toMatchObject({ sequence: ANCHORS_MAX + 1 });
  });
});
