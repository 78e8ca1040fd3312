/** What was counted of the prompts of one call: limits had no room for a token of each of their bytes. */
import type { Model } from '../model/pools.ts';
import type { ModelRequest, ModelService } from '../pipeline/model-request.ts';
import type { PromptCounts } from './prompt-counts.ts';

/** A prompt that was counted. */
interface CountedText {
  readonly tokenizer: Model['tokenizer'];
  /** The whole request. */
  readonly bytes: Uint8Array;
  /** Null: it could not be. */
  readonly tokens: number | null;
}

/** Made only where one is to be counted. */
export class CountedPrompts {
  readonly #counted: CountedText[] = [];

  /** Null: nobody can count it now. */
  ask(
    call: ModelRequest,
    models: Pick<ModelService, 'prompt'>,
    counts: Pick<PromptCounts, 'count'>,
  ): Promise<number | null> | null {
    const prompt = models.prompt(call);
    const counting = prompt === null ? null : counts.count(prompt);
    if (counting === null) return null;
    const { tokenizer } = call.model;
    const { bytes } = call.document!;
    return counting.then((tokens) => {
      this.#counted.push({ tokenizer, bytes, tokens });
      return tokens;
    });
  }

  /** The call as what was counted of its text bounds it: it may have been shaped anew, to the same. */
  bound(call: ModelRequest, models: Pick<ModelService, 'counted'>): ModelRequest {
    const { prompt, document, model } = call;
    if (prompt !== 'countable') return call;
    const found = this.#counted.find(
      ({ tokenizer, bytes }) => tokenizer === model.tokenizer && Buffer.compare(bytes, document!.bytes) === 0,
    );
    if (found === undefined) return call;
    if (found.tokens !== null) return models.counted(call, found.tokens);
    call.prompt = 'bytes';
    return call;
  }
}
