import type { CountedPrompt } from '../pipeline/model-request.ts';

/** A request waits for a count: null where none came, so that the bytes of its prompt stay what bounds it. */
export interface WaitForCount {
  readonly kind: 'wait-for-count';
  readonly tokens: Promise<number | null>;
}

/** `id`: of the data thread that asks. */
export interface PromptToCount extends Pick<CountedPrompt, 'encoding' | 'texts'> {
  readonly id: number;
}

export interface PromptCountsParts {
  readonly waitingMax: number;
  readonly withinMs: number;
  /** To the thread that counts. */
  readonly send: (prompt: PromptToCount) => void;
  readonly later: (delayMs: number, run: () => void) => void;
}

/**
 * Prompts of one data thread that are being counted on another one: a large one would hold up all requests of its thread for some ten
 * milliseconds, and each thread would need the tables of the tokenizers.
 */
export class PromptCounts {
  /** Counts that came. */
  made = 0;
  /** Times that as many were asked for as may be, and that one did not come in time. */
  readonly refused = { waiting: 0, late: 0 };
  readonly #parts: PromptCountsParts;
  readonly #waiting = new Map<number, (tokens: number | null) => void>();
  #asked = 0;

  constructor(parts: PromptCountsParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The most tokens that the prompt has. Null: as many are being counted as may be. */
  count({ encoding, texts, beside }: CountedPrompt): Promise<number | null> | null {
    const { waitingMax, withinMs, send, later } = this.#parts;
    if (this.#waiting.size >= waitingMax) {
      this.refused.waiting++;
      return null;
    }
    const id = this.#asked++;
    const counted = new Promise<number | null>((resolve) => {
      this.#waiting.set(id, (tokens) => resolve(tokens === null ? null : tokens + beside));
    });
    send({ id, encoding, texts });
    later(withinMs, () => {
      if (!this.#waiting.has(id)) return;
      this.refused.late++;
      this.#end(id, null);
    });
    return counted;
  }

  /** Null: it can't be counted. */
  told(id: number, tokens: number | null): void {
    if (tokens !== null && this.#waiting.has(id)) this.made++;
    this.#end(id, tokens);
  }

  #end(id: number, tokens: number | null): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(tokens);
  }
}
