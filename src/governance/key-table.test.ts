import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CREDENTIAL_KINDS } from '../model/world.ts';
import { createKeyTable, digestWords, KeyTable, KeyTableReader, type TableKey } from './key-table.ts';

/** Digest number `n`; those of one `home` begin at the same slot. */
function digest(n: number, home: number): Int32Array {
  const bytes = createHash('sha256').update(`${n}`).digest();
  bytes.writeInt32LE(home, 0);
  return digestWords(bytes, new Int32Array(8));
}

/** The same as the second of three. */
function among(words: Int32Array): Int32Array {
  const all = new Int32Array(24).fill(-1);
  all.set(words, 8);
  return all;
}

const key = (consumer: number, expiresMs: number | null = null): TableKey => ({
  kind: CREDENTIAL_KINDS[consumer % CREDENTIAL_KINDS.length]!,
  consumer,
  name: consumer + 1,
  createdMs: 1_795_456_000_123,
  expiresMs,
});

function tableOf(keysMax: number) {
  const memory = createKeyTable(keysMax);
  return { table: new KeyTable(memory), reader: new KeyTableReader(memory) };
}

describe('the table of keys', () => {
  it('answers as a map does, however keys come, go, collide and wrap around its end', () => {
    const KEYS_MAX = 12;
    // Few homes, the last slot among them.
    const homes = [0, 1 << 28, -1, -2, -(1 << 27)];
    const step = fc.record({
      n: fc.integer({ min: 0, max: 19 }),
      does: fc.constantFrom('put', 'putFirst', 'end'),
      expiresMs: fc.option(fc.integer({ min: 1, max: 2 ** 45 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { table, reader } = tableOf(KEYS_MAX);
        const digestOf = (n: number) => digest(n, homes[n % homes.length]!);
        const model = new Map<number, TableKey>();
        for (const [index, { n, does, expiresMs }] of steps.entries()) {
          if (does === 'end') {
            expect(table.end(digestOf(n))).toBe(model.delete(n));
          } else {
            const room = model.has(n) || model.size < KEYS_MAX;
            const { consumer, name, createdMs } = key(index);
            const put =
              does === 'put'
                ? table.put(digestOf(n), key(index, expiresMs))
                : table.putFirst(among(digestOf(n)), 8, consumer, name, createdMs, expiresMs ?? Number.NaN);
            expect(put).toBe(room);
            // What the store has are keys.
            const kind = does === 'putFirst' ? { kind: 'key' as const } : {};
            if (room) model.set(n, { ...key(index, expiresMs), ...kind });
          }
          expect(table.count).toBe(model.size);
          for (let each = 0; each < 20; each++) {
            const found = reader.find(digestOf(each));
            const { kind, consumer, name, createdMs, expiresMs } = reader;
            expect(found ? { kind, consumer, name, createdMs, expiresMs } : undefined).toEqual(
              model.get(each),
            );
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('a mark that was seen once holds until its key ends or changes, and never again', () => {
    const { table, reader } = tableOf(4);
    const seen: { slot: number; state: number }[] = [];
    for (let round = 0; round < 50; round++) {
      expect(table.put(digest(round, 7), key(round))).toBe(true);
      reader.find(digest(round, 7));
      const mark = { slot: reader.slot, state: reader.state };
      expect(reader.holds(mark)).toBe(true);
      // Now another key has their slot.
      expect(seen.map((each) => reader.holds(each))).not.toContain(true);
      if (round % 2 === 0) expect(table.end(digest(round, 7))).toBe(true);
      else {
        table.put(digest(round, 7), key(round, 9));
        expect(reader.find(digest(round, 7)) && reader.expiresMs).toBe(9);
        table.end(digest(round, 7));
      }
      seen.push(mark);
      expect(seen.map((each) => reader.holds(each))).not.toContain(true);
    }
  });

  it('compares every word of a digest', () => {
    const { table, reader } = tableOf(4);
    table.put(digest(1, 7), key(1));
    for (let word = 1; word < 8; word++) {
      const other = digest(1, 7);
      other[word]! ^= 1 << (3 * word);
      expect(reader.find(other)).toBe(false);
    }
    expect(reader.find(digest(1, 7))).toBe(true);
  });

  it('finds nothing in a table that is full of others, and ends its search', () => {
    const { table, reader } = tableOf(3);
    const digestOf = (n: number) => digest(n, (n * 0x1000_0000) | 0);
    for (let n = 0; n < 3; n++) table.put(digestOf(n), key(n));
    expect(table.put(digestOf(3), key(3))).toBe(false);
    for (let n = 3; n < 40; n++) {
      table.end(digestOf(n - 3));
      expect(table.put(digestOf(n), key(n))).toBe(true);
      expect(reader.find(digest(99, 0))).toBe(false);
    }
  });
});
