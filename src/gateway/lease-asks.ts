import type { LeaseAsk, LeaseSource } from '../pipeline/counters.ts';

/** Counters asked for at a time; whoever is not heard asks again once grants have arrived. */
export const LEASE_ASKS_MAX = 10_000;

/** Asks of one turn leave in one message, and what was asked for is not asked for again until grants have arrived. */
export class LeaseAsks implements LeaseSource {
  readonly #send: (asks: readonly LeaseAsk[]) => void;
  #asked = new Map<string, number>();
  /** Debt told while an answer was on its way, which may not have known of it. */
  #again = new Map<string, LeaseAsk>();
  #leaving: LeaseAsk[] = [];

  constructor(send: (asks: readonly LeaseAsk[]) => void) {
    this.#send = send;
  }

  ask(ask: LeaseAsk): void {
    const name = `${ask.region}/${ask.keyHigh}/${ask.keyLow}`;
    const asked = this.#asked.get(name);
    // A heavier request needs more than was asked for.
    if (asked === undefined ? this.#asked.size >= LEASE_ASKS_MAX : asked >= ask.weight) {
      if (asked !== undefined && ask.weight === 0) this.#again.set(name, ask);
      return;
    }
    this.#asked.set(name, ask.weight);
    if (this.#leaving.length === 0) setImmediate(() => this.leave());
    this.#leaving.push(ask);
  }

  arrived(): void {
    this.#asked = new Map();
    const again = this.#again;
    this.#again = new Map();
    for (const ask of again.values()) this.ask(ask);
  }

  /** Sends what was asked for, without waiting for the end of the turn. */
  leave(): void {
    if (this.#leaving.length === 0) return;
    const asks = this.#leaving;
    this.#leaving = [];
    this.#send(asks);
  }
}
