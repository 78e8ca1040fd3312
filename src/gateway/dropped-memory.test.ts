import { expect, test } from 'vitest';
import { DROPPED_BYTES_MAX, DroppedMemory } from './dropped-memory.ts';

test('a collection is asked for once enough was dropped, and then again', () => {
  let asked = 0;
  const dropped = new DroppedMemory(() => asked++);
  const piece = DROPPED_BYTES_MAX / 4;
  const heard = Array.from({ length: 9 }, () => {
    dropped.add(piece);
    return asked;
  });
  expect(heard).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 2]);
});

test('V8 lets go of shared memory that was dropped, as it does not by itself', async () => {
  const dropped = new DroppedMemory();
  const bytes = DROPPED_BYTES_MAX / 2;
  const held = (): number => process.memoryUsage().arrayBuffers;
  let [before, versions] = [held(), 0];
  // it marks in steps, between turns; the memory is never touched, so never resident
  while (held() >= before && versions++ < VERSIONS_MAX) {
    before = held();
    dropped.add(new SharedArrayBuffer(bytes).byteLength);
    await new Promise(setImmediate);
  }
  expect(versions).toBeLessThan(VERSIONS_MAX);
});

const VERSIONS_MAX = 50;
