import { type CountTexts, loadEncoding } from '../../ai/token-count.ts';
import type { Encoding } from '../../model/tokenizers.ts';
import type { CountedPrompt } from '../../pipeline/model-request.ts';

/**
 * Counts prompts for commands that judge one request after the other, in no thread of its own. The tables of a tokenizer take some
 * hundred milliseconds: they are loaded once a prompt has asked for them, and whoever asked judges anew.
 */
export class PromptTables {
  readonly #loaded = new Map<Encoding, CountTexts>();
  readonly #asked = new Set<Encoding>();

  /** The most tokens that the prompt has; null: its tables are not loaded yet. */
  count({ encoding, texts, beside }: CountedPrompt): number | null {
    const count = this.#loaded.get(encoding);
    if (count !== undefined) return count(texts) + beside;
    this.#asked.add(encoding);
    return null;
  }

  /** What is judged with all tables that it asks for: another one may be asked for only once one is there. Each is loaded once, so it ends. */
  async judged<T>(judge: () => T): Promise<T> {
    let result = judge();
    while (await this.#load()) result = judge();
    return result;
  }

  /** Loads all that were asked for; false: there was none. */
  async #load(): Promise<boolean> {
    const asked = [...this.#asked];
    this.#asked.clear();
    for (const encoding of asked) this.#loaded.set(encoding, await loadEncoding(encoding));
    return asked.length > 0;
  }
}
