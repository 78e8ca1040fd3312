import { describe, expect, it } from 'vitest';
import { record } from './record.cases.ts';
import { createRecordDrain, RECORDS_PER_TURN_MAX, type RecordConsumer } from './record-drain.ts';
import { createRecordReader, createRecordRing, createRecordWriter } from './record-ring.ts';

function drainOf(rings: readonly SharedArrayBuffer[]) {
  const seen: string[] = [];
  const consumer: RecordConsumer = {
    accept: ({ requestId }) => seen.push(requestId),
    endBatch: () => seen.push('end'),
  };
  let turn: (() => void) | null = null;
  const drain = createRecordDrain({
    readers: rings.map((ring) => createRecordReader(ring)),
    consumers: [consumer],
    every: (_intervalMs, callback) => {
      turn = callback;
      return () => {
        turn = null;
      };
    },
  });
  return { drain, seen, turn: () => turn?.() };
}

describe('the record drain', () => {
  it('hands over the records of all threads at every turn, and says when a batch ends', () => {
    const rings = [createRecordRing(131_072), createRecordRing(131_072)];
    const [first, second] = rings.map((ring) => createRecordWriter(ring));
    const { drain, seen, turn } = drainOf(rings);
    turn();
    expect(seen).toEqual([]);
    first?.write(record({ requestId: 'a' }));
    second?.write(record({ requestId: 'b' }));
    first?.write(record({ requestId: 'c' }));
    turn();
    expect(seen).toEqual(['a', 'c', 'b', 'end']);
    expect(drain.counts).toEqual({ drained: 3, dropped: 0, damaged: 0 });
  });

  it('takes a bounded number of each ring in one turn, and the rest in the next', () => {
    const ring = createRecordRing(4 * 1_024 * 1_024);
    const writer = createRecordWriter(ring);
    const { drain, turn } = drainOf([ring]);
    for (let index = 0; index < RECORDS_PER_TURN_MAX + 10; index++) writer.write(record());
    turn();
    expect(drain.counts.drained).toBe(RECORDS_PER_TURN_MAX);
    turn();
    expect(drain.counts.drained).toBe(RECORDS_PER_TURN_MAX + 10);
  });

  it('hands over everything that is left when it stops, and ends its turns', () => {
    const ring = createRecordRing(4 * 1_024 * 1_024);
    const writer = createRecordWriter(ring);
    const { drain, turn } = drainOf([ring]);
    for (let index = 0; index < 2 * RECORDS_PER_TURN_MAX + 10; index++) writer.write(record());
    drain.stop();
    expect(drain.counts.drained).toBe(2 * RECORDS_PER_TURN_MAX + 10);
    writer.write(record());
    turn();
    expect(drain.counts.drained).toBe(2 * RECORDS_PER_TURN_MAX + 10);
  });

  it('sums up what was dropped', () => {
    const rings = [createRecordRing(131_072), createRecordRing(131_072)];
    const { drain } = drainOf(rings);
    for (const ring of rings) {
      const writer = createRecordWriter(ring);
      for (let index = 0; index < 1_000; index++) writer.write(record());
    }
    drain.stop();
    const { drained, dropped } = drain.counts;
    expect(dropped).toBeGreaterThan(0);
    expect(drained + dropped).toBe(2_000);
  });
});
