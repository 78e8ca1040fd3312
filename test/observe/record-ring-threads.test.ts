import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { record } from '../../src/observe/record.cases.ts';
import { createRecordReader, createRecordRing } from '../../src/observe/record-ring.ts';
import { type Transpiled, transpile } from '../state/transpiled.ts';

let built: Transpiled;
beforeAll(() => {
  built = transpile(['base', 'pipeline', 'observe']);
});
afterAll(() => built.remove());

const RECORDS = 100_000;

/** Writes records numbered from 0 whose texts repeat their number, as fast as it can, and posts a message at the end. */
function startWriter(ring: SharedArrayBuffer): Worker {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { createRecordWriter } = await import(${JSON.stringify(built.urlOf('observe/record-ring.ts'))});
      const writer = createRecordWriter(workerData.ring);
      const record = workerData.record;
      for (let number = 0; number < ${RECORDS}; number++) {
        record.timeMs = number;
        record.requestId = String(number);
        record.path = '/' + String(number % 7).repeat(number % 600);
        record.consumer = number % 10 === 0 ? 'größe-' + number : 'web-' + number;
        writer.write(record);
      }
      parentPort.postMessage('done');
    })();`;
  return new Worker(code, { eval: true, workerData: { ring, record: record() } });
}

describe('a record ring between two threads', () => {
  it.each([
    ['that is always nearly full', 72 * 1_024],
    ['of the usual size', 4 * 1_024 * 1_024],
  ])('%s tears, reorders and invents nothing, and counts what it dropped', async (_what, ringBytes) => {
    const ring = createRecordRing(ringBytes);
    const reader = createRecordReader(ring);
    const writer = startWriter(ring);
    let done = false;
    const ended = once(writer, 'message').then(() => {
      done = true;
    });
    let previous = -1;
    let taken = 0;
    let wrong = 0;
    const turn = () =>
      reader.drain(500, (seen) => {
        const number = seen.timeMs;
        const sound =
          number > previous &&
          seen.requestId === String(number) &&
          seen.path === `/${String(number % 7).repeat(number % 600)}` &&
          seen.consumer === (number % 10 === 0 ? `größe-${number}` : `web-${number}`);
        if (!sound) wrong++;
        previous = number;
        taken++;
      });
    while (!done) {
      turn();
      await new Promise(setImmediate);
    }
    while (turn() > 0);
    await ended;
    await writer.terminate();
    expect(wrong).toBe(0);
    expect(taken).toBeGreaterThan(0);
    expect(reader.counts).toMatchObject({ dropped: RECORDS - taken, damaged: 0 });
  });
});
