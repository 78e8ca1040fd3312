/**
 * The memory of all counters, on the control thread: regions are made when a rule set first needs them, carried over while
 * the identity of a counter stays (a changed amount keeps what was used), and dropped with the last rule set.
 */
import { threadId } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { breakLockOf, LockSet, lockOwner } from '../base/shared-lock.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import { CounterFamily } from './counter-family.ts';
import { Moment } from './counter-kind.ts';
import {
  type CounterLayout,
  type CounterMemory,
  type CounterRegion,
  HEADER,
  layoutOf,
  regionSignature,
  SHARD,
} from './counter-layout.ts';
import { CROWDED_SHARE, sweepShard } from './counter-sweep.ts';
import { HeadroomPass, type LimitHeadroom } from './limit-headroom.ts';
import { rateKind } from './rates/rate-kinds.ts';

export interface CounterRegistry {
  /**
   * Memory for the counters of a rule set, in the order of `specs`: structured-cloneable, to be sent to the data
   * threads. Two specs of one identity and shape are an assertion error. A `maxKeys` raised above what a living region
   * was made for takes effect when its last rule set is retired; `inspect` shows both figures.
   */
  prepare(specs: readonly CounterSpec[]): CounterMemory;
  /** The rule set is gone from every thread, or was never used. Regions that no other one uses are dropped. */
  retire(memory: CounterMemory): void;
  /**
   * Frees records of counters that are as new, where keys are running out; answers how many. To be called about once
   * a second with the time that takes use; looks at no more than {@link SWEPT_SHARDS_MAX} shards of each limit.
   */
  sweep(nowMs: number, wallMs: number): number;
  /** Looks how much of each limit is in use, a part of its keys at a time; to be called about once a second. See `inspect`. */
  lookAtUse(nowMs: number, wallMs: number): void;
  /** Frees the locks of a thread (its `threadId`) that has exited in the middle of a take; answers how many. */
  releaseLocksOf(thread: number): number;
  /** Replaced limits of this identity end at a monotonic moment, or up to a second later. */
  endReplaced(identity: string, atMs: number): void;
  inspect(): readonly CounterUsage[];
  /** Windows and token buckets that living rule sets use. */
  rates(): readonly RateRegion[];
  /** Quotas that living rule sets use. */
  quotas(): readonly QuotaRegion[];
  /** Null when no living rule set uses it, or it is no quota. */
  quota(region: number): QuotaRegion | null;
}

/** The memory of a window or token bucket, as its keeper needs it. */
export interface RateRegion {
  /** In the journals of this process. */
  readonly region: number;
  /** The same in every process, as long as the counter is the same in meaning. */
  readonly signature: string;
  /** That one, and those of names that it had before. */
  readonly signatures: readonly string[];
  readonly layout: CounterLayout;
  /** As each living rule set sees it, the newest last. Never empty. */
  readonly families: readonly CounterFamily[];
}

/** The memory of a calendar quota, as the keeper of its leases needs it. */
export interface QuotaRegion {
  /** The same in every process, as long as the counter is the same in meaning. */
  readonly signature: string;
  /** The one that a renamed counter had before, or null: its marks count, too. */
  readonly formerSignature: string | null;
  readonly identity: string;
  readonly layout: CounterLayout;
  /** As each living rule set sees it: they may differ in amount and in keys. Never empty. */
  readonly families: readonly CounterFamily[];
}

export interface CounterUsage {
  /** Of its memory: unique in the process. */
  readonly region: number;
  readonly identity: string;
  readonly kind: CounterSpec['window']['kind'];
  readonly keysUsed: number;
  /** Kept apart by the newest rule set. */
  readonly keysMax: number;
  /** What that rule set asks for: more than `keysMax` where the memory was made for less. */
  readonly keysWanted: number;
  /** Takes that had to share the overflow counter because all keys were in use. */
  readonly overflowTakes: number;
  /** Takes that could not be counted, because the memory stayed locked; begins anew behind 2^32, as `overflowTakes` does. */
  readonly lockTimeouts: number;
  /** What becomes of requests that can't be counted. */
  readonly whenNotKept: 'refused' | 'uncounted';
  readonly bytes: number;
  /** Of a limit that an edit has replaced: when it ends, or ended, on the monotonic clock; null where that is not known yet. */
  readonly replaced: { readonly endsAtMs: number | null } | null;
  /** As `lookAtUse` found it. */
  readonly headroom: LimitHeadroom;
}

export const SWEPT_SHARDS_MAX = 16;

interface LiveRegion {
  signature: string;
  formerSignature: string | null;
  readonly region: CounterRegion;
  readonly words: Int32Array;
  /** The specs under which living rule sets use the region. */
  readonly uses: Map<CounterMemory, CounterSpec>;
  nextSwept: number;
  readonly pass: HeadroomPass;
}

export function createCounterRegistry(): CounterRegistry {
  const live = new Map<string, LiveRegion>();
  const locks = new LockSet(lockOwner(threadId));
  const moment = new Moment();
  let made = 0;

  /** The region of the former name, from now on known by the new one. Rule sets that still use it have it in hand. */
  const renamed = ({ formerIdentity, ...spec }: CounterSpec, signature: string): LiveRegion | undefined => {
    if (formerIdentity === undefined) return undefined;
    const former = live.get(regionSignature({ ...spec, identity: formerIdentity }));
    if (former === undefined) return undefined;
    rename(former, signature);
    return former;
  };

  const rename = (entry: LiveRegion, signature: string): void => {
    live.delete(entry.signature);
    entry.formerSignature = entry.signature;
    entry.signature = signature;
    live.set(signature, entry);
  };

  const liveRegion = (spec: CounterSpec): LiveRegion => {
    const signature = regionSignature(spec);
    const known = live.get(signature) ?? renamed(spec, signature);
    if (known !== undefined) return known;
    const region = makeRegion(spec, made++);
    const words = new Int32Array(region.memory);
    const entry = {
      signature,
      formerSignature: null,
      region,
      words,
      uses: new Map(),
      nextSwept: 0,
      pass: new HeadroomPass(),
    };
    live.set(signature, entry);
    return entry;
  };

  return {
    prepare(specs) {
      assert(new Set(specs.map(regionSignature)).size === specs.length, 'counter identities are unique');
      const entries = specs.map(liveRegion);
      for (const [i, entry] of entries.entries()) if (specs[i]!.replaced) beginReplaced(entry);
      const memory = { regions: entries.map(({ region }, i) => limitedTo(region, specs[i]!)) };
      for (const [i, entry] of entries.entries()) entry.uses.set(memory, specs[i]!);
      return memory;
    },
    retire(memory) {
      for (const entry of [...live.values()]) {
        if (!entry.uses.delete(memory)) continue;
        const signatures = [...entry.uses.values()].map(regionSignature);
        if (signatures.length === 0) live.delete(entry.signature);
        // A rule set that renamed it was never used: it is known by its former name again.
        else if (!signatures.includes(entry.signature)) rename(entry, signatures.at(-1)!);
      }
    },
    sweep(nowMs, wallMs) {
      moment.set(nowMs, wallMs);
      let freed = 0;
      for (const entry of live.values()) freed += sweepRegion(entry, moment, locks);
      return freed;
    },
    lookAtUse(nowMs, wallMs) {
      moment.set(nowMs, wallMs);
      for (const entry of live.values()) lookAtRegion(entry, moment, locks);
    },
    releaseLocksOf(thread) {
      let broken = 0;
      for (const entry of live.values()) broken += releaseLocks(entry, lockOwner(thread));
      return broken;
    },
    endReplaced(identity, atMs) {
      for (const { uses, words } of live.values()) {
        const isMeant = [...uses.values()].some((spec) => spec.replaced && spec.identity === identity);
        if (isMeant) Atomics.store(words, HEADER.endsAtS, Math.max(1, Math.ceil(atMs / 1_000)));
      }
    },
    inspect: () => Array.from(live.values(), usageOf),
    rates: () => [...live.values()].map(rateOf).filter((rate) => rate !== null),
    quotas: () => [...live.values()].map(quotaOf).filter((quota) => quota !== null),
    quota(region) {
      for (const entry of live.values()) if (entry.region.region === region) return quotaOf(entry);
      return null;
    },
  };
}

/** In the newest rule set it is either replaced already, or in force as it is: an end is then one of before. */
function beginReplaced({ uses, words }: LiveRegion): void {
  if ([...uses.values()].at(-1)?.replaced !== true) Atomics.store(words, HEADER.endsAtS, 0);
}

function makeRegion(spec: CounterSpec, region: number): CounterRegion {
  const layout = layoutOf(spec);
  const memory = new SharedArrayBuffer(layout.bytes);
  return { region, identity: spec.identity, memory, layout, keysMax: spec.maxKeys };
}

/** As one rule set sees it: under its name, and with no more keys than it wants. */
function limitedTo(region: CounterRegion, { identity, maxKeys }: CounterSpec): CounterRegion {
  return { ...region, identity, keysMax: Math.min(region.keysMax, maxKeys) };
}

function sweepRegion(entry: LiveRegion, now: Moment, locks: LockSet): number {
  const { region } = entry;
  const specs = [...entry.uses.values()];
  const keysMax = Math.min(region.keysMax, ...specs.map((spec) => spec.maxKeys));
  if (Atomics.load(entry.words, HEADER.keysUsed) <= keysMax * CROWDED_SHARE) return 0;
  const families = specs.map((spec) => new CounterFamily(spec, limitedTo(region, spec), 'leased'));
  let freed = 0;
  for (let swept = 0; swept < Math.min(region.layout.shards, SWEPT_SHARDS_MAX); swept++) {
    freed += sweepShard(families, entry.nextSwept, now, locks);
    entry.nextSwept = (entry.nextSwept + 1) % region.layout.shards;
  }
  return freed;
}

function lookAtRegion({ region, uses, pass }: LiveRegion, now: Moment, locks: LockSet): void {
  const spec = [...uses.values()].at(-1);
  if (spec === undefined) return;
  pass.step(new CounterFamily(spec, limitedTo(region, spec), 'leased'), region.layout, now, locks);
}

function releaseLocks({ region, words }: LiveRegion, owner: number): number {
  let broken = breakLockOf(words, HEADER.lock, owner) ? 1 : 0;
  for (let shard = 0; shard < region.layout.shards; shard++) {
    const lock = HEADER.cells + shard * SHARD.cells + SHARD.lock;
    if (breakLockOf(words, lock, owner)) broken++;
  }
  return broken;
}

/** Read without the lock: each figure is right on its own. */
function usageOf({ region, words, uses, pass }: LiveRegion): CounterUsage {
  const spec = [...uses.values()].at(-1);
  assert(spec !== undefined, 'a living region is used');
  return {
    region: region.region,
    identity: spec.identity,
    kind: spec.window.kind,
    keysUsed: Atomics.load(words, HEADER.keysUsed),
    keysMax: limitedTo(region, spec).keysMax,
    keysWanted: spec.maxKeys,
    overflowTakes: Atomics.load(words, HEADER.overflowTakes) >>> 0,
    lockTimeouts: Atomics.load(words, HEADER.lockTimeouts) >>> 0,
    whenNotKept: spec.onFailure === 'allow' || spec.watching === true ? 'uncounted' : 'refused',
    bytes: region.memory.byteLength,
    replaced: spec.replaced ? { endsAtMs: endOf(words) } : null,
    headroom: pass.headroom,
  };
}

function endOf(words: Int32Array): number | null {
  const endsAtS = Atomics.load(words, HEADER.endsAtS);
  return endsAtS === 0 ? null : endsAtS * 1_000;
}

function rateOf({ signature, formerSignature, region, uses }: LiveRegion): RateRegion | null {
  const specs = [...uses.values()];
  if (rateKind(specs[0]!.window.kind) === null) return null;
  const families = specs.map((spec) => new CounterFamily(spec, limitedTo(region, spec), 'leased'));
  const signatures = new Set([signature, ...specs.flatMap(signaturesOf)]);
  if (formerSignature !== null) signatures.add(formerSignature);
  return { region: region.region, signature, signatures: [...signatures], layout: region.layout, families };
}

function signaturesOf({ formerIdentity, ...spec }: CounterSpec): readonly string[] {
  const own = regionSignature(spec);
  return formerIdentity === undefined ? [own] : [own, regionSignature({ ...spec, identity: formerIdentity })];
}

function quotaOf({ signature, formerSignature, region, uses }: LiveRegion): QuotaRegion | null {
  const specs = [...uses.values()];
  if (specs[0]?.window.kind !== 'calendar') return null;
  const families = specs.map((spec) => new CounterFamily(spec, limitedTo(region, spec), 'leased'));
  return { signature, formerSignature, identity: specs.at(-1)!.identity, layout: region.layout, families };
}
