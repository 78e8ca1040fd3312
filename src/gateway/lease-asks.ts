import type { LeaseAsk, LeaseSource } from '../pipeline/counters.ts';

/** Counters asked for at a time; whoever is not heard asks again once grants have arrived. */
export const LEASE_ASKS_MAX = 10_000;

/** Asks of one turn leave in one message, and what was asked for is not asked for again until grants have arrived. */
export class LeaseAsks implements LeaseSource {
  readonly #send: (asks: readonly LeaseAsk[]) => void;
  #asked = new Map<string, number>();
  #leaving: LeaseAsk[] = [];

  constructor(send: (asks: readonly LeaseAsk[]) => void) {
    this.#send = send;
  }

  ask(ask: LeaseAsk): void {
    const name = `${ask.region}/${ask.keyHigh}/${ask.keyLow}`;
    const asked = this.#asked.get(name);
    // A heavier request needs more than was asked for.
    if (asked === undefined ? this.#asked.size >= LEASE_ASKS_MAX : asked >= ask.weight) return;
    this.#asked.set(name, ask.weight);
    if (this.#leaving.length === 0) setImmediate(() => this.#leave());
    this.#leaving.push(ask);
  }

  arrived(): void {
    this.#asked = new Map();
  }

  #leave(): void {
    const asks = this.#leaving;
    this.#leaving = [];
    this.#send(asks);
  }
}
