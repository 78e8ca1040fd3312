import type { Clock, Random } from '../base/ports.ts';
import type { Endpoint, HealthCheckSettings, UpstreamTls } from '../model/world.ts';
import { bringBack, CELL, ENDPOINT_CELLS, type EndpointMemory, STATE } from './endpoint-memory.ts';
import type { After } from './timers.ts';
import type { TlsTexts } from './tls-files.ts';

/** One address that is asked. */
export interface CheckTarget {
  readonly slot: number;
  readonly endpoint: Endpoint;
  /** Null: what the system finds for the host. */
  readonly address: string | null;
  readonly settings: HealthCheckSettings;
  readonly tls: UpstreamTls;
  readonly files: TlsTexts;
}

/** Null when the endpoint is well; else one sentence fragment that says what came. */
export type Probe = (target: CheckTarget) => Promise<string | null>;

export interface HealthChecksOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly after: After;
  readonly probe: Probe;
  readonly memory: EndpointMemory;
  /** The limit `healthChecksAtOnce`. */
  readonly atOnceMax: number;
}

/**
 * Asks endpoints whether they are well: once for the process, on the control thread. Data threads see the verdicts in shared
 * memory. An endpoint is well until its checks say otherwise, so that a start waits for none.
 */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #checks = new Map<number, Check>();
  readonly #waiting: Check[] = [];
  /** Checks at present. */
  underWay = 0;
  /** Checks made since the start. */
  made = 0;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** What is to be asked from now on. Checks of what stays go on in their rhythm. */
  use(targets: readonly CheckTarget[]): void {
    const wanted = new Map(targets.map((target) => [target.slot, target]));
    for (const [slot, check] of this.#checks) {
      const target = wanted.get(slot);
      if (target === undefined) this.#end(slot, check);
      else check.target = target;
    }
    for (const target of targets) {
      if (this.#checks.has(target.slot)) continue;
      const check: Check = { target, failures: 0, successes: 0, why: null, cancel: () => {} };
      this.#checks.set(target.slot, check);
      // All of a start within a second, not all at once.
      this.#schedule(check, this.#fraction() * Math.min(FIRST_WITHIN_MS, target.settings.everyMs));
    }
  }

  /** What the last check of an unhealthy endpoint saw; null when there is nothing to say. */
  why(slot: number): string | null {
    return this.#checks.get(slot)?.why ?? null;
  }

  isChecked(slot: number): boolean {
    return this.#checks.has(slot);
  }

  stop(): void {
    for (const check of this.#checks.values()) check.cancel();
    this.#checks.clear();
    this.#waiting.length = 0;
  }

  /** What is not asked any more is judged by requests alone. */
  #end(slot: number, check: Check): void {
    check.cancel();
    this.#checks.delete(slot);
    Atomics.and(this.#options.memory, slot * ENDPOINT_CELLS + CELL.state, ~STATE.unhealthy);
  }

  #schedule(check: Check, delayMs: number): void {
    check.cancel = this.#options.after(delayMs, () => {
      this.#waiting.push(check);
      this.#begin();
    });
  }

  #begin(): void {
    while (this.underWay < this.#options.atOnceMax) {
      const check = this.#waiting.shift();
      if (check === undefined) return;
      if (this.#checks.get(check.target.slot) !== check) continue;
      this.underWay++;
      this.made++;
      const probed = this.#options.probe(check.target).catch((error: Error) => error.message);
      void probed.then((why) => {
        this.underWay--;
        if (this.#checks.get(check.target.slot) === check) this.#judge(check, why);
        this.#begin();
      });
    }
  }

  #judge(check: Check, why: string | null): void {
    const { slot, settings } = check.target;
    const { memory, clock } = this.#options;
    const at = slot * ENDPOINT_CELLS + CELL.state;
    check.failures = why === null ? 0 : check.failures + 1;
    check.successes = why === null ? check.successes + 1 : 0;
    if (why !== null) check.why = why;
    const isOut = (Atomics.load(memory, at) & STATE.unhealthy) !== 0;
    if (!isOut && check.failures >= settings.unhealthyAfter) Atomics.or(memory, at, STATE.unhealthy);
    if (isOut && check.successes >= settings.healthyAfter) {
      check.why = null;
      bringBack(memory, slot, clock.monotonicMs());
    }
    this.#schedule(check, settings.everyMs * (1 + JITTER * (2 * this.#fraction() - 1)));
  }

  #fraction(): number {
    return this.#options.random.uint32() / 2 ** 32;
  }
}

interface Check {
  target: CheckTarget;
  failures: number;
  successes: number;
  why: string | null;
  cancel: () => void;
}

const FIRST_WITHIN_MS = 1_000;
/** Part of the time between two checks by which it may be longer or shorter. */
const JITTER = 0.1;
