import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../pipeline/record.ts';
import { KnownNames } from './known-names.ts';
import { anyRecord, record } from './record.cases.ts';
import { RecordEncoder } from './record-encoder.ts';
import { FRAME_BYTES_MAX } from './record-format.ts';
import { ROUTE_NAMES } from './record-names.ts';
import { createRecordReader, createRecordRing, createRecordWriter } from './record-ring.ts';

const SMALL_RING_BYTES = 72 * 1_024;
const HEADER_BYTES = 64;
const HEAD_CELL = 2;

/** Routes that fill the slots of a hash, and a last one that takes the place of the first. */
function routesOfOneSlot(): { readonly filling: readonly string[]; readonly last: string } {
  const names = new KnownNames(ROUTE_NAMES);
  const routeOf = new Map<number, string>();
  for (let at = 0; ; at++) {
    const route = `route-${at}`;
    const number = names.add(record({ route }));
    if (!routeOf.has(number)) routeOf.set(number, route);
    else {
      const set = number - (number % 4);
      return { filling: [0, 1, 2, 3].map((slot) => routeOf.get(set + slot)!), last: route };
    }
  }
}

describe('a record ring', () => {
  it('hands over what was written, equal and in order, and counts exactly what it dropped', () => {
    const writes = fc
      .array(anyRecord, { minLength: 1, maxLength: 60 })
      .map((records) => ({ records, drain: 0 }));
    const drains = fc.integer({ min: 1, max: 80 }).map((drain) => ({ records: [], drain }));
    fc.assert(
      fc.property(
        fc.integer({ min: SMALL_RING_BYTES, max: 3 * SMALL_RING_BYTES }),
        fc.array(fc.oneof(writes, drains), { maxLength: 30 }),
        (ringBytes, steps) => {
          const ring = createRecordRing(ringBytes);
          const writer = createRecordWriter(ring);
          const reader = createRecordReader(ring);
          const queued: AccessRecord[] = [];
          let dropped = 0;
          const take = (taken: AccessRecord) => expect(taken).toEqual(queued.shift());
          for (const step of steps) {
            for (const written of step.records) {
              writer.write(written);
              if (reader.counts.dropped === dropped) queued.push(structuredClone(written));
              else {
                expect(queued.length, 'an empty ring takes every record').toBeGreaterThan(0);
                dropped++;
              }
              expect(reader.counts.dropped).toBe(dropped);
            }
            const expected = Math.min(step.drain, queued.length);
            expect(reader.drain(step.drain, take)).toBe(expected);
          }
          const left = queued.length;
          expect(reader.drain(Number.POSITIVE_INFINITY, take)).toBe(left);
          expect(queued).toEqual([]);
          expect(reader.counts).toMatchObject({ dropped, damaged: 0 });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('uses its room: a ring of 1 MiB holds at least 2,000 usual records before it drops one', () => {
    const ring = createRecordRing(1_024 * 1_024);
    const writer = createRecordWriter(ring);
    const reader = createRecordReader(ring);
    let written = 0;
    while (reader.counts.dropped === 0) {
      writer.write(record({ requestId: String(written) }));
      written++;
    }
    expect(written).toBeGreaterThan(2_000);
    expect(reader.drain(Number.POSITIVE_INFINITY, () => {})).toBe(written - 1);
    writer.write(record());
    expect(reader.drain(1, () => {})).toBe(1);
  });

  it('goes on after the end of its memory many times over', () => {
    const ring = createRecordRing(SMALL_RING_BYTES);
    const writer = createRecordWriter(ring);
    const reader = createRecordReader(ring);
    for (let round = 0; round < 5_000; round++) {
      const path = `/${'x'.repeat(round % 700)}`;
      writer.write(record({ requestId: String(round), path }));
      reader.drain(1, (taken) => {
        expect(taken.requestId).toBe(String(round));
        expect(taken.path).toBe(path);
      });
    }
    expect(reader.counts).toMatchObject({ dropped: 0, damaged: 0 });
  });

  it('takes a frame that ends exactly where the ring turns', () => {
    const memory = new SharedArrayBuffer(FRAME_BYTES_MAX);
    const encoder = new RecordEncoder(memory, 0, FRAME_BYTES_MAX);
    encoder.encode(record(), 0, FRAME_BYTES_MAX);
    const frameBytes = encoder.encode(record(), 0, FRAME_BYTES_MAX);
    const ring = createRecordRing(64 + FRAME_BYTES_MAX + 260 * frameBytes);
    const writer = createRecordWriter(ring);
    const reader = createRecordReader(ring);
    for (let round = 0; round < 700; round++) {
      writer.write(record());
      expect(reader.drain(2, () => {})).toBe(1);
    }
    for (let round = 0; round < 259; round++) writer.write(record());
    expect(reader.counts).toMatchObject({ dropped: 0, damaged: 0 });
    writer.write(record());
    expect(reader.counts.dropped).toBe(1);
    expect(reader.drain(400, () => {})).toBe(259);
  });

  it('frees the room of what was accepted when a consumer throws', () => {
    const ring = createRecordRing(SMALL_RING_BYTES);
    const writer = createRecordWriter(ring);
    const reader = createRecordReader(ring);
    writer.write(record({ requestId: 'first' }));
    writer.write(record({ requestId: 'second' }));
    const failing = () => {
      throw new RangeError('consumer');
    };
    expect(() => reader.drain(10, failing)).toThrow(RangeError);
    const taken: string[] = [];
    reader.drain(10, ({ requestId }) => taken.push(requestId));
    expect(taken).toEqual(['second']);
  });

  it('refuses memory that is no ring, or is too small to be one', () => {
    expect(() => createRecordWriter(new SharedArrayBuffer(SMALL_RING_BYTES))).toThrow('not a record ring');
    expect(() => createRecordReader(new SharedArrayBuffer(128))).toThrow('too small');
    expect(() => createRecordRing(16 * 1_024)).toThrow('a record ring needs more than');
  });
});

describe('a damaged record ring', () => {
  it('never names a record by what its number stood for before the frame that was lost', () => {
    const { filling, last } = routesOfOneSlot();
    const ring = createRecordRing(SMALL_RING_BYTES);
    const writer = createRecordWriter(ring);
    const reader = createRecordReader(ring);
    const head = () => new Int32Array(ring)[HEAD_CELL]!;
    const named: string[] = [];
    for (const route of filling) writer.write(record({ route }));
    reader.drain(10, () => {});
    writer.write(record({ requestId: 'carrier' }));
    const lost = head();
    writer.write(record({ route: last }));
    new Int32Array(ring)[(HEADER_BYTES + lost) / 4 + 1] = 0;
    // Written while the reader is at work: it refers to names whose telling is about to be found damaged.
    reader.drain(10, () => writer.write(record({ route: last })));
    reader.drain(10, ({ route }) => named.push(route));
    expect(named.filter((route) => route !== last)).toEqual([]);
    expect(reader.counts.damaged).toBeGreaterThan(0);
  });

  const damage = fc.array(
    fc.record({ place: fc.nat(), value: fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 8, 0x7fffffff)) }),
    { minLength: 1, maxLength: 30 },
  );

  it('never keeps the reader from ending, and is noticed or harmless', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 12 }), damage, (records, blows) => {
        const ring = createRecordRing(SMALL_RING_BYTES);
        const writer = createRecordWriter(ring);
        const reader = createRecordReader(ring);
        for (const each of records) writer.write(each);
        const words = new Int32Array(ring);
        // Word 1 is the capacity, which both sides read once; the rest of header and content is fair game.
        for (const { place, value } of blows) words[2 + (place % 4_096)] = value;
        const taken = reader.drain(10_000, (seen) => JSON.stringify(seen));
        expect(taken).toBeLessThanOrEqual(SMALL_RING_BYTES / 8);
        expect(reader.drain(10_000, () => {})).toBeLessThanOrEqual(SMALL_RING_BYTES / 8);
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts the damage, gives up what lay in it, and carries the next records', () => {
    const ring = createRecordRing(SMALL_RING_BYTES);
    const writer = createRecordWriter(ring);
    const reader = createRecordReader(ring);
    writer.write(record());
    new Int32Array(ring)[16] = 12;
    expect(reader.drain(10, () => {})).toBe(0);
    expect(reader.counts.damaged).toBe(1);
    writer.write(record({ requestId: 'after' }));
    const taken: string[] = [];
    reader.drain(10, ({ requestId }) => taken.push(requestId));
    expect(taken).toEqual(['after']);
  });

  it('counts a head that points nowhere once', () => {
    const ring = createRecordRing(SMALL_RING_BYTES);
    const reader = createRecordReader(ring);
    new Int32Array(ring)[2] = 13;
    expect(reader.drain(10, () => {})).toBe(0);
    expect(reader.drain(10, () => {})).toBe(0);
    expect(reader.counts.damaged).toBe(1);
  });
});
