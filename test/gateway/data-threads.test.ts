/** Changes in two phases, with real threads that can be told to fail. */
import { afterEach, expect, it } from 'vitest';
import { DataThreads } from '../../src/gateway/data-threads.ts';
import { type DataThreadStart, EPOCH_CELLS, type PreparedRules } from '../../src/gateway/messages.ts';
import type { DirectorySnapshot } from '../../src/pipeline/identity.ts';

/** Thread 1 can't prepare rules whose bundle is `broken`; every message is put down in shared memory by its number. */
const ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
import { parentPort, workerData } from 'node:worker_threads';
const heard = new Int32Array(workerData.recordRing);
parentPort.on('message', ({ kind, epoch, rules, directory }) => {
  if (kind === 'prepare-directory') parentPort.postMessage({ kind: 'directory-prepared', epoch: directory.epoch });
  if (kind === 'prepare-rules') {
    const fails = workerData.thread === 1 && rules.bundle === 'broken';
    parentPort.postMessage(fails ? { kind: 'prepare-failed', epoch, why: 'out of order' } : { kind: 'prepared', epoch });
  }
  if (kind === 'discard') Atomics.store(heard, 0, 100 * rules + directory);
});
parentPort.postMessage({ kind: 'started' });
`)}`,
);

let threads: DataThreads | undefined;
afterEach(() => threads?.stop());

it('what one thread cannot prepare changes nothing anywhere, not even the part that all could', async () => {
  const epochs = new SharedArrayBuffer(EPOCH_CELLS.count * Int32Array.BYTES_PER_ELEMENT);
  const heard = [0, 1].map(() => new SharedArrayBuffer(4));
  const starts = heard.map(
    (recordRing, thread) => ({ thread, epochs, recordRing }) as unknown as DataThreadStart,
  );
  threads = new DataThreads({
    entry: ENTRY,
    starts,
    environment: {},
    onLost: (thread, _id, why) => {
      throw new Error(`thread ${thread}: ${why}`);
    },
    onRulesRetired: () => {},
    onLeasesAsked: () => {},
    onThresholdsCrossed: () => {},
    onAlertsMatched: () => {},
    onCountAsked: () => Promise.resolve(null),
    onRecountAsked: () => {},
    onIssuerTold: () => {},
  });
  await threads.start();
  const directory = (epoch: number) => ({ epoch }) as DirectorySnapshot;
  const rules = (bundle: string) => ({ bundle, counterMemory: null }) as unknown as PreparedRules;
  const live = () => Array.from(new Int32Array(epochs));

  expect(await threads.change(1, { rules: rules('right'), directory: directory(7) })).toMatchObject({
    ok: true,
  });
  expect(live()).toEqual([1, 7]);
  expect(await threads.change(2, { rules: rules('broken'), directory: directory(8) })).toEqual({
    ok: false,
    error: 'data thread 1: out of order',
  });
  expect(live()).toEqual([1, 7]);
  await expect.poll(() => heard.map((cells) => Atomics.load(new Int32Array(cells), 0))).toEqual([208, 208]);
  expect(await threads.change(2, { rules: null, directory: directory(9) })).toMatchObject({ ok: true });
  expect(live()).toEqual([1, 9]);
  expect(await threads.change(3, { rules: rules('right'), directory: null })).toMatchObject({ ok: true });
  expect(live()).toEqual([3, 9]);
});
