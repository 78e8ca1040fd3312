/**
 * What the demo shows beside the gateway: the next key with each call, and once the one after it where that is refused. It knows
 * nothing of limits but what refusals say, as most rotations that people write.
 */
import type { Answer, Caller } from './calls.ts';

export class NaiveRotation {
  readonly #caller: Caller;
  readonly #url: string;
  readonly #keys: readonly string[];
  #next = 0;

  constructor(caller: Caller, url: string, keys: readonly string[]) {
    this.#caller = caller;
    this.#url = url;
    this.#keys = keys;
  }

  async chat(prompt: string): Promise<Answer> {
    const first = await this.#send(prompt);
    return first.status === 429 ? await this.#send(prompt) : first;
  }

  #send(prompt: string): Promise<Answer> {
    const key = this.#keys[this.#next % this.#keys.length]!;
    this.#next++;
    return this.#caller.chat({ url: this.#url, key }, prompt);
  }
}
