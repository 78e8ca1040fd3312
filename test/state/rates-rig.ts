/** Lives of a gateway on one folder, with what its data threads take and what has left for services: for tests of rate windows. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CounterBinding, type CounterSpec, TAKEN, type TakeBatch } from '../../src/pipeline/counters.ts';
import type { CounterMemory } from '../../src/state/counter-layout.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { RateCheckpoints } from '../../src/state/rates/rate-checkpoints.ts';
import { createTakeJournal, NO_JOURNAL, type TakeSink } from '../../src/state/rates/take-journal.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { fill } from './counters-rig.ts';

/** Where nothing has to be synced: a property makes thousands of lives. */
const MEMORY = '/dev/shm';

export const THREADS = 2;
export const JOURNAL_BYTES = 256 * 1_024;

export interface Taken {
  readonly counter: number;
  readonly key: number;
  readonly weight: number;
  readonly atMs: number;
}

interface Life {
  readonly registry: ReturnType<typeof createCounterRegistry>;
  readonly checkpoints: RateCheckpoints;
  readonly journals: readonly TakeSink[];
  bindings: readonly { readonly binding: CounterBinding; readonly batch: TakeBatch }[];
  /** Of its rule sets, the newest last. */
  readonly memories: CounterMemory[];
}

export class RatesRig {
  readonly folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'portunus-rates-'));
  nowMs = 10_000_000;
  wallMs = 1_795_456_000_000;
  boot = 'a boot';
  keys = 'a secret';
  /** What services have seen. */
  readonly left: Taken[] = [];
  /** Taken in a turn that has not ended, by thread. */
  readonly pending: Taken[][] = [];
  specs: readonly CounterSpec[];
  life: Life;
  #run = 1;

  constructor(specs: readonly CounterSpec[]) {
    this.specs = specs;
    this.life = this.#begin();
  }

  #begin(): Life {
    const registry = createCounterRegistry();
    const checkpoints = new RateCheckpoints({
      folder: join(this.folder, 'windows'),
      registry,
      clock: { monotonicMs: () => this.nowMs, wallMs: () => this.wallMs },
      boot: this.boot,
      run: this.#run++,
      keys: this.keys,
      threads: THREADS,
      journalBytes: JOURNAL_BYTES,
    });
    const journals = checkpoints.journals().map(createTakeJournal);
    this.pending.splice(0, THREADS, ...journals.map(() => []));
    this.life = { registry, checkpoints, journals, bindings: [], memories: [] };
    this.bind();
    return this.life;
  }

  /** The rules are those of `specs` from now on. */
  bind(): void {
    const { registry, checkpoints, journals } = this.life;
    const memory = registry.prepare(this.specs);
    checkpoints.regionsChanged();
    this.life.memories.push(memory);
    this.life.bindings = journals.map((journal) => {
      const binding = createSharedCounters(memory, null, undefined, undefined, journal).bind(this.specs);
      return { binding, batch: binding.createBatch() };
    });
  }

  /** An edit whose predecessor no request uses any more. */
  edit(specs: readonly CounterSpec[]): void {
    this.specs = specs;
    this.bind();
    const { registry, memories } = this.life;
    for (const memory of memories.splice(0, memories.length - 1)) registry.retire(memory);
  }

  wait(ms: number): void {
    this.nowMs += ms;
    this.wallMs += ms;
  }

  take(thread: number, counter: number, key: number, weight: number): boolean {
    const { binding, batch } = this.life.bindings[thread]!;
    const result = binding.take(fill(batch, [{ counter, key, weight }]), this.nowMs, this.wallMs);
    if (result === TAKEN) this.pending[thread]!.push({ counter, key, weight, atMs: this.nowMs });
    return result === TAKEN;
  }

  /** The end of a thread's turn: requests leave. */
  endTurn(thread: number): void {
    this.life.journals[thread]!.flush();
    this.left.push(...this.pending[thread]!.splice(0));
  }

  endTurns(): void {
    for (let thread = 0; thread < THREADS; thread++) this.endTurn(thread);
  }

  /** A second of the control thread, with a whole snapshot if one is wanted. */
  tend(): void {
    const { checkpoints } = this.life;
    if (checkpoints.tend()) while (checkpoints.step() !== 'done');
  }

  /** As after kill -9: turns that have not ended are forgotten, or torn while they are written. */
  crash(tornBytes = 0): void {
    for (const [thread, turn] of this.pending.entries()) if (turn.length > 0) this.#tear(thread, tornBytes);
    this.#begin();
  }

  stop(memory: 'whole' | 'in-doubt' = 'whole'): void {
    this.endTurns();
    this.life.checkpoints.close(memory);
    this.#begin();
  }

  /** The machine ends and comes back. */
  reboot(uptimeMs: number): void {
    this.boot = `${this.boot} more`;
    this.nowMs = uptimeMs;
    this.#begin();
  }

  remaining(counter: number, key: number): number {
    const { binding, batch } = this.life.bindings[0]!;
    binding.take(fill(batch, [{ counter, key, weight: 0 }]), this.nowMs, this.wallMs);
    return batch.remaining[0]!;
  }

  /** What would remain if no process had ever ended: of all that has left, in counters of their own. */
  remainingByLog(counter: number, key: number): number {
    const memory = createCounterRegistry().prepare(this.specs);
    const endless = this.specs.map((spec) => ({ ...spec, window: withoutAmount(spec.window) }));
    const counting = createSharedCounters(memory, null, undefined, undefined, NO_JOURNAL).bind(endless);
    const batch = counting.createBatch();
    for (const taken of this.left.filter((entry) => entry.counter === counter && entry.key === key)) {
      counting.take(fill(batch, [taken]), taken.atMs, 0);
    }
    const judging = createSharedCounters(memory, null).bind(this.specs);
    judging.take(fill(batch, [{ counter, key, weight: 0 }]), this.nowMs, 0);
    return batch.remaining[0]!;
  }

  file(name: string): string {
    return join(this.folder, 'windows', name);
  }

  remove(): void {
    this.life.checkpoints.close('in-doubt');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #tear(thread: number, tornBytes: number): void {
    const path = this.life.checkpoints.journals()[thread]!.path;
    const before = readFileSync(path);
    this.life.journals[thread]!.flush();
    const after = readFileSync(path);
    const from = before.findIndex((byte, at) => byte !== after[at]);
    if (from >= 0) after.copy(before, from, from, from + tornBytes);
    writeFileSync(path, before);
  }
}

/** An edited amount refuses what an earlier one admitted: the log knows better. */
function withoutAmount(window: CounterSpec['window']): CounterSpec['window'] {
  if (window.kind === 'window') return { ...window, amount: Number.MAX_SAFE_INTEGER };
  return window.kind === 'pace' ? { ...window, burst: Number.MAX_SAFE_INTEGER } : window;
}
