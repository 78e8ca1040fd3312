/**
 * The memory of all counters, on the control thread: regions are made when a rule set first needs them, carried over while
 * the identity of a counter stays (a changed amount keeps what was used), and dropped with the last rule set.
 */
import { assert } from '../base/assert.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import {
  type CounterMemory,
  type CounterRegion,
  HEADER,
  layoutOf,
  regionSignature,
  SHARD,
} from './counter-layout.ts';
import { breakLockOf } from './shared-lock.ts';

export interface CounterRegistry {
  /**
   * Memory for the counters of a rule set, in the order of `specs`: structured-cloneable, to be sent to the data
   * threads. Two specs of one identity and shape are an assertion error. A `maxKeys` raised above what a living region
   * was made for takes effect when its last rule set is retired; `inspect` shows the figure in force.
   */
  prepare(specs: readonly CounterSpec[]): CounterMemory;
  /** The rule set is gone from every thread, or was never used. Regions that no other one uses are dropped. */
  retire(memory: CounterMemory): void;
  /** Frees the locks of a thread that has exited without releasing them; answers how many there were. */
  releaseLocksOf(owner: number): number;
  inspect(): readonly CounterUsage[];
}

export interface CounterUsage {
  readonly identity: string;
  readonly kind: CounterSpec['window']['kind'];
  readonly keysUsed: number;
  readonly keysMax: number;
  /** Takes that had to share the overflow counter because all keys were in use. */
  readonly overflowTakes: number;
  readonly bytes: number;
}

interface LiveRegion {
  readonly signature: string;
  readonly spec: CounterSpec;
  readonly region: CounterRegion;
  uses: number;
}

export function createCounterRegistry(): CounterRegistry {
  const live = new Map<string, LiveRegion>();
  let made = 0;

  const regionFor = (spec: CounterSpec): CounterRegion => {
    const signature = regionSignature(spec);
    let entry = live.get(signature);
    if (entry === undefined) {
      entry = { signature, spec, region: makeRegion(spec, made++), uses: 0 };
      live.set(signature, entry);
    }
    entry.uses++;
    return { ...entry.region, keysMax: Math.min(spec.maxKeys, entry.region.keysMax) };
  };

  return {
    prepare(specs) {
      assert(new Set(specs.map(regionSignature)).size === specs.length, 'counter identities are unique');
      return { regions: specs.map(regionFor) };
    },
    retire(memory) {
      for (const { region } of memory.regions) {
        for (const entry of live.values()) {
          if (entry.region.region !== region) continue;
          entry.uses--;
          if (entry.uses === 0) live.delete(entry.signature);
        }
      }
    },
    releaseLocksOf(owner) {
      let broken = 0;
      for (const { region } of live.values()) broken += releaseLocks(region, owner);
      return broken;
    },
    inspect: () => Array.from(live.values(), usageOf),
  };
}

function makeRegion(spec: CounterSpec, region: number): CounterRegion {
  const layout = layoutOf(spec);
  const memory = new SharedArrayBuffer(layout.bytes);
  return { region, identity: spec.identity, memory, layout, keysMax: spec.maxKeys };
}

function releaseLocks(region: CounterRegion, owner: number): number {
  const words = new Int32Array(region.memory);
  let broken = breakLockOf(words, HEADER.lock, owner) ? 1 : 0;
  for (let shard = 0; shard < region.layout.shards; shard++) {
    const lock = HEADER.cells + shard * SHARD.cells + SHARD.lock;
    if (breakLockOf(words, lock, owner)) broken++;
  }
  return broken;
}

/** Read without the lock: each figure is right on its own. */
function usageOf({ spec, region }: LiveRegion): CounterUsage {
  const words = new Int32Array(region.memory);
  return {
    identity: spec.identity,
    kind: spec.window.kind,
    keysUsed: Atomics.load(words, HEADER.keysUsed),
    keysMax: region.keysMax,
    overflowTakes: Atomics.load(words, HEADER.overflowTakes) >>> 0,
    bytes: region.memory.byteLength,
  };
}
