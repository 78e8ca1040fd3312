/** Runs work of one name in the order in which it came, each when the one before has ended. */
export class OneByOne {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}
