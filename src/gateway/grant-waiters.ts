/** Requests of a thread that wait for a grant of a lease. They hold nothing, and take anew once one has arrived. */
export interface GrantWaiter {
  wake(): void;
}

export class GrantWaiters {
  #waiting = new Set<GrantWaiter>();

  get count(): number {
    return this.#waiting.size;
  }

  await(waiter: GrantWaiter): void {
    this.#waiting.add(waiter);
  }

  forget(waiter: GrantWaiter): void {
    this.#waiting.delete(waiter);
  }

  /** Wakes all, first come first; who needs a further grant waits for the next. */
  arrived(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const waiter of waiting) waiter.wake();
  }
}
