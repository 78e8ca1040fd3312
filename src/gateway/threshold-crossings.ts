/** Thresholds that requests of a thread cross: named by the request in whose turn they are crossed, told in one message a turn. */
import type { RequestContext } from '../pipeline/context.ts';
import type { ThresholdCrossing, ThresholdSink } from '../pipeline/counters.ts';

/** A crossing and who crossed it: what the key of its counter was made of, as far as it has a name. */
export interface NamedCrossing extends ThresholdCrossing {
  readonly caller: CrossingCaller;
}

export interface CrossingCaller {
  readonly tenant: string | null;
  readonly team: string | null;
  readonly consumer: string | null;
  readonly credential: string | null;
  readonly ip: string;
  readonly route: string;
}

/** Told in one turn; more are counted and lost. Each key of a counter crosses each threshold once. */
export const CROSSINGS_PER_TURN_MAX = 1_000;

export class ThresholdCrossings implements ThresholdSink {
  readonly #send: (crossings: readonly NamedCrossing[], lost: number) => void;
  #unnamed: ThresholdCrossing[] = [];
  #leaving: NamedCrossing[] = [];
  #lost = 0;

  constructor(send: (crossings: readonly NamedCrossing[], lost: number) => void) {
    this.#send = send;
  }

  crossed(crossing: ThresholdCrossing): void {
    this.#unnamed.push(crossing);
  }

  /** To be asked after a request has taken, and after it has settled. */
  get any(): boolean {
    return this.#unnamed.length > 0;
  }

  name(context: RequestContext, route: string): void {
    const unnamed = this.#unnamed;
    this.#unnamed = [];
    if (this.#leaving.length === 0) setImmediate(() => this.#leave());
    const { identity, ip } = context;
    const caller: CrossingCaller = {
      tenant: identity?.tenant.name ?? null,
      team: identity?.team?.name ?? null,
      consumer: identity?.consumer.name ?? null,
      credential: identity?.credential.name ?? null,
      ip,
      route,
    };
    for (const crossing of unnamed) {
      if (this.#leaving.length >= CROSSINGS_PER_TURN_MAX) this.#lost++;
      else this.#leaving.push({ ...crossing, caller });
    }
  }

  #leave(): void {
    const [leaving, lost] = [this.#leaving, this.#lost];
    this.#leaving = [];
    this.#lost = 0;
    this.#send(leaving, lost);
  }
}
