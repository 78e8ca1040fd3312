import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CounterSpec } from '../../src/pipeline/counters.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { fill, spec } from './counters-rig.ts';
import { type Transpiled, transpile } from './transpiled.ts';

let built: Transpiled;
beforeAll(() => {
  built = transpile(['base', 'pipeline', 'model', 'state']);
});
afterAll(() => built.remove());

const THREADS = 2;

/**
 * Runs `body` on two threads that start together. It sees `binding`, `batch`, `fill(asked)`, `thread` (0 or 1) and
 * `cells` (shared Int32), and answers plain data.
 */
async function onThreads<Answer>(
  specs: readonly CounterSpec[],
  body: string,
): Promise<{
  answers: Answer[];
  usage: ReturnType<ReturnType<typeof createCounterRegistry>['inspect']>;
  left: Left;
}> {
  const registry = createCounterRegistry();
  const memory = registry.prepare(specs);
  const cells = new Int32Array(new SharedArrayBuffer(64));
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { createSharedCounters } = await import(${JSON.stringify(built.urlOf('state/shared-counters.ts'))});
      const { specs, memory, cells, thread } = workerData;
      const binding = createSharedCounters(memory, null).bind(specs);
      const batch = binding.createBatch();
      const fill = (asked) => {
        batch.count = asked.length;
        asked.forEach(([counter, key, weight], i) => {
          batch.counter[i] = counter; batch.keyHigh[i] = key;
          batch.keyLow[i] = Math.imul(key, 0x9e3779b1); batch.weight[i] = weight;
        });
        return batch;
      };
      // The last to come wakes the others.
      if (Atomics.add(cells, 0, 1) === ${THREADS - 1}) Atomics.notify(cells, 0);
      else Atomics.wait(cells, 0, Atomics.load(cells, 0) === 1 ? 1 : -1, 10000);
      parentPort.postMessage((() => { ${body} })());
    })();`;
  const workers = Array.from(
    { length: THREADS },
    (_, thread) => new Worker(code, { eval: true, workerData: { specs, memory, cells, thread } }),
  );
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  await Promise.all(workers.map((worker) => worker.terminate()));
  const binding = createSharedCounters(memory, null).bind(specs);
  const batch = binding.createBatch();
  const left: Left = (counter, key, nowMs) => {
    binding.take(fill(batch, [{ counter, key, weight: 1e9 }]), nowMs, nowMs);
    return batch.remaining[0]!;
  };
  return { answers, usage: registry.inspect(), left };
}

type Left = (counter: number, key: number, nowMs: number) => number;

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe('two threads on the same counters', () => {
  it('admit exactly N from an empty ring', async () => {
    const { answers } = await onThreads<number>(
      [spec('w', { kind: 'window', amount: 30_000, windowMs: 60_000 })],
      `let taken = 0;
       for (let i = 0; i < 25000; i++) if (binding.take(fill([[0, 1, 1]]), 1000, 0) === 0) taken++;
       return taken;`,
    );
    expect(sum(answers as number[])).toBe(30_000);
  });

  it('never admit more than N in any T while the ring rotates under them', async () => {
    const [amount, windowMs] = [40, 32];
    // One shared clock: every take moves it on by 1/16 ms, so 60,000 takes see the ring rotate 30,000 slots.
    const { answers } = await onThreads<[number, number][]>(
      [spec('w', { kind: 'window', amount, windowMs })],
      `const admitted = [];
       for (let i = 0; i < 30000; i++) {
         const before = Atomics.add(cells, 4, 1) / 16;
         if (binding.take(fill([[0, 1, 1]]), before, 0) === 0) admitted.push([before, Atomics.load(cells, 4) / 16]);
       }
       return admitted;`,
    );
    const log = (answers as [number, number][][]).flat().sort(([a], [b]) => a - b);
    // Enough was admitted to be near the limit in most windows: about 3,750 ms of 40 in 34.
    expect(log.length).toBeGreaterThan(3_000);
    log.forEach(([from], i) => {
      const inside = log.slice(i, i + 4 * amount).filter(([, after]) => after <= from + windowMs);
      expect(inside.length).toBeLessThanOrEqual(amount);
    });
  });

  it('take from crossing counters all or nothing, without blocking each other', async () => {
    const window = { kind: 'window', amount: 20_000, windowMs: 60_000 } as const;
    const { answers, left } = await onThreads<[number, number]>(
      [
        spec('x', window),
        spec('y', window),
        spec('p', { kind: 'pace', amount: 1, periodMs: 1e6, burst: 17_000 }),
      ],
      `let taken = 0, faults = 0;
       const ask = thread === 0 ? [[0, 1, 1], [1, 1, 1], [2, 1, 1]] : [[2, 1, 1], [1, 1, 1], [0, 1, 1]];
       for (let i = 0; i < 15000; i++) {
         if (binding.take(fill(ask), 1000, 0) === 0) taken++;
         faults += batch.fault[0] + batch.fault[1] + batch.fault[2];
       }
       return [taken, faults];`,
    );
    expect(sum((answers as [number, number][]).map(([taken]) => taken))).toBe(17_000);
    expect(sum((answers as [number, number][]).map(([, faults]) => faults))).toBe(0);
    expect([left(0, 1, 1_000), left(1, 1, 1_000), left(2, 1, 1_000)]).toEqual([3_000, 3_000, 0]);
  });

  it('never hold more slots at once than there are, and give all back', async () => {
    const { answers, left } = await onThreads<number>(
      [
        spec('c', { kind: 'concurrency', amount: 3 }),
        spec('w', { kind: 'window', amount: 1e9, windowMs: 1_000 }, { estimates: 'money' }),
      ],
      `let most = 0; const held = [];
       for (let i = 0; i < 20000; i++) {
         if (binding.take(fill([[0, 1, 1], [1, 1, 5]]), 1000, 0) === 0) {
           most = Math.max(most, Atomics.add(cells, 4, 1) + 1);
           held.push(binding.reserve(batch));
         }
         if (held.length > 1 || (i % 3 === 0 && held.length > 0)) {
           const reservation = held.shift();
           binding.settle(reservation, 1, 1);
           Atomics.sub(cells, 4, 1);
           binding.release(reservation);
           Atomics.add(cells, 5, 1);
         }
       }
       for (const reservation of held) binding.release(reservation);
       return most;`,
    );
    expect(Math.max(...(answers as number[]))).toBeLessThanOrEqual(3);
    expect(left(0, 1, 1_000)).toBe(3);
  });

  it('make each key once, and give it exactly its amount', async () => {
    const { answers, usage } = await onThreads<number[]>(
      [spec('w', { kind: 'window', amount: 3, windowMs: 60_000 }, { maxKeys: 5_000 })],
      `const taken = new Array(501).fill(0);
       for (let round = 0; round < 3; round++) {
         for (let k = 1; k <= 500; k++) {
           const key = thread === 0 ? k : 501 - k;
           if (binding.take(fill([[0, key, 1]]), 1000, 0) === 0) taken[key]++;
         }
       }
       return taken;`,
    );
    const [first, second] = answers as [number[], number[]];
    for (let key = 1; key <= 500; key++) expect(first[key]! + second[key]!).toBe(3);
    expect(usage[0]!.keysUsed).toBe(500);
  });
});
