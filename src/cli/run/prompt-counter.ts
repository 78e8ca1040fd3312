import { Worker } from 'node:worker_threads';
import type { Encoding } from '../../model/tokenizers.ts';

export interface ToCountThread {
  readonly id: number;
  readonly encoding: Encoding;
  readonly texts: readonly string[];
}
export interface FromCountThread {
  readonly id: number;
  readonly tokens: number;
}

/** The tables are some ten megabytes; limits that are nearly used up are met again within minutes, or not for hours. */
const COUNTER_IDLE_MS = 5 * 60_000;

/**
 * Counts tokens of prompts for all data threads, in a thread of its own, which begins with the first prompt and ends
 * {@link COUNTER_IDLE_MS} after the last one.
 */
export class PromptCounter {
  readonly #entry: URL;
  readonly #onLost: (why: string) => void;
  #worker: Worker | null = null;
  #asked = new Map<number, (tokens: number | null) => void>();
  #next = 0;
  #idle: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(entry: URL, onLost: (why: string) => void) {
    this.#entry = entry;
    this.#onLost = onLost;
  }

  /** Null: its thread was lost. */
  count(encoding: Encoding, texts: readonly string[]): Promise<number | null> {
    if (this.#stopped) return Promise.resolve(null);
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const id = this.#next++;
    const counted = new Promise<number | null>((resolve) => this.#asked.set(id, resolve));
    this.#worker.postMessage({ id, encoding, texts } satisfies ToCountThread);
    return counted;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#giveUp();
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { name: 'portunus-count' });
    worker.on('message', ({ id, tokens }: FromCountThread) => {
      this.#asked.get(id)?.(tokens);
      this.#asked.delete(id);
      if (this.#asked.size === 0) this.#rest(worker);
    });
    worker.on('error', (error) => this.#lost(worker, error.message));
    worker.on('exit', (code) => this.#lost(worker, `it ended with code ${code}`));
    // It keeps nothing running: whoever waits for it does.
    worker.unref();
    return worker;
  }

  #rest(worker: Worker): void {
    this.#idle = setTimeout(() => {
      // First: its end is nothing that was lost.
      if (this.#worker === worker) this.#worker = null;
      void worker.terminate();
    }, COUNTER_IDLE_MS).unref();
  }

  /** The next prompt begins another one. */
  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#giveUp();
    this.#onLost(why);
  }

  #giveUp(): void {
    this.#worker = null;
    const asked = this.#asked;
    this.#asked = new Map();
    for (const resolve of asked.values()) resolve(null);
  }
}
