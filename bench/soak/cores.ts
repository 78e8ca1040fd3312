import { readdirSync, readFileSync } from 'node:fs';
import { parseWaitedMs } from '../cpu.ts';

/**
 * How long the gateway's threads, and this process with the service in it, stood ready and were given no core
 * (`/proc/PID/task/TID/schedstat`). On a machine that others use, too, that alone makes right answers of time-outs and refusals; what a
 * thread does with a core that it has is never in it.
 */
export class Cores {
  readonly #gatewayPid: number;
  #before = new Map<string, number>();
  readonly #looks: Look[] = [];

  constructor(gatewayPid: number) {
    this.#gatewayPid = gatewayPid;
  }

  /** To be called every {@link LOOK_EVERY_MS}. */
  look(): void {
    const now = new Map<string, number>([['own', waitedMs('self', `${process.pid}`)]]);
    for (const thread of readdirSync(`/proc/${this.#gatewayPid}/task`))
      now.set(thread, waitedMs(`${this.#gatewayPid}`, thread));
    const gained = new Map<string, number>();
    for (const [thread, ms] of now) gained.set(thread, ms - (this.#before.get(thread) ?? ms));
    this.#before = now;
    this.#looks.push({ atMs: performance.now(), gained });
    if (this.#looks.length > LOOKS_KEPT) this.#looks.splice(0, LOOKS_KEPT / 2);
  }

  /** Whether that is why a request, which came and was answered at these moments, was answered so. */
  explain(code: string, beganMs: number, endedMs: number): boolean {
    const need = NEEDED.get(code);
    return need !== undefined && this.#waitedMs(beganMs - need.beforeMs, endedMs) >= need.waitedMs;
  }

  /** Of the thread of the gateway that waited longest, and of this process. */
  #waitedMs(fromMs: number, toMs: number): number {
    const waited = new Map<string, number>();
    for (const { atMs, gained } of this.#looks) {
      if (atMs < fromMs || atMs - LOOK_EVERY_MS > toMs) continue;
      for (const [thread, ms] of gained) waited.set(thread, (waited.get(thread) ?? 0) + ms);
    }
    const own = waited.get('own') ?? 0;
    waited.delete('own');
    return own + Math.max(0, ...waited.values());
  }
}

export const LOOK_EVERY_MS = 250;
/** Longer than any exchange lasts. */
const LOOKS_KEPT = 400;

interface Look {
  readonly atMs: number;
  /** Milliseconds since the look before, by thread. */
  readonly gained: ReadonlyMap<string, number>;
}

/**
 * Codes that say that something took too long, and how long who serves must have been without a core for that to be the reason: from so
 * long before the request came until it was answered.
 */
const NEEDED: ReadonlyMap<string, { readonly beforeMs: number; readonly waitedMs: number }> = new Map([
  // Half of what it waits: the rest is queueing behind what came meanwhile.
  ['upstream_connect_timeout', { beforeMs: 0, waitedMs: 500 }],
  ['upstream_first_byte_timeout', { beforeMs: 0, waitedMs: 1_000 }],
  // Twice `eventLoopDelayMs` in each of two sweeps sheds what has normal priority, for as long as it takes three levels to calm.
  ['overloaded', { beforeMs: 2_500, waitedMs: 800 }],
  // The holder of a lock for 100 ms.
  ['limit_unavailable', { beforeMs: 100, waitedMs: 100 }],
]);

function waitedMs(process: string, thread: string): number {
  try {
    return parseWaitedMs(readFileSync(`/proc/${process}/task/${thread}/schedstat`, 'utf8'));
  } catch {
    // It has ended since its folder was listed.
    return 0;
  }
}
