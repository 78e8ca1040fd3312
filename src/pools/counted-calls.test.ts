/** Calls whose prompts are counted because keys have no room for as many tokens as they have bytes. */
import { describe, expect, it } from 'vitest';
import type { KeyLimit } from '../model/pools.ts';
import { ANSWER, Models, type ModelsOptions, perMinute } from './model-call.cases.ts';

const TPM = 10_000;
const OUTPUT = 10;

function modelsOf(limits: readonly KeyLimit[], options: Partial<ModelsOptions> = {}, upToMs = 0): Models {
  const queue = { upToMs, waiting: 9 };
  return new Models({
    pools: [{ name: 'pool', queue, keys: [{ name: 'a', limits }] }],
    ...options,
    model: { tokenizer: 'o200k_base', ...options.model },
  });
}

/** A call of as many bytes. */
function bytes(count: number) {
  const body = (content: string) => ({
    ...{ model: 'gpt', max_tokens: OUTPUT },
    messages: [{ role: 'user', content }],
  });
  return body('x'.repeat(count - JSON.stringify(body('')).length));
}

function leftOf(models: Models): number {
  return models.registry.lanes.read(models.laneOf('secret-of-a'), models.nowMs).meters[0]!.left;
}

describe('a prompt is counted', () => {
  it('where its bytes are more than all that a key has: what it takes is its tokens', async () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    const call = models.call(bytes(40_000));
    expect([call.error, models.newCalls()]).toEqual([null, []]);
    expect(models.counting[0]!.prompt).toMatchObject({
      encoding: 'o200k_base',
      texts: ['user', expect.stringContaining('xxx')],
    });
    await models.tellCount(9_000);
    expect([models.newCalls().length, leftOf(models)]).toEqual([1, TPM - 9_000 - OUTPUT]);
  });

  it('of which the limits of prompts count nothing else', async () => {
    const models = modelsOf([perMinute('input-tokens', TPM)]);
    models.call(bytes(40_000));
    await models.tellCount(TPM);
    expect([models.newCalls().length, leftOf(models)]).toEqual([1, 0]);
  });

  it('and money of the key is reckoned by it', async () => {
    const price = { inputNano: 100_000_000, outputNano: 0, cachedNano: 0, requestNano: 0 };
    const spending: KeyLimit = { ...perMinute('cost', 1_000_000), kind: 'fixed' };
    const models = modelsOf([spending], {
      model: { price: { ...price, asOf: '2026-11-30', source: 'project' } },
    });
    models.call(bytes(40_000));
    await models.tellCount(9_000);
    expect([models.newCalls().length, leftOf(models)]).toEqual([1, 1_000_000 - 900_000]);
  });

  it('where it would have to wait for its bytes, and goes at once', async () => {
    const models = modelsOf([perMinute('tokens', TPM)], {}, 60_000);
    models.call(bytes(6_000));
    const waiting = models.call(bytes(6_000));
    expect(models.newCalls()).toHaveLength(1);
    await models.tellCount(1_500);
    expect([models.newCalls().length, waiting.error]).toEqual([1, null]);
  });

  it('where it would be refused for its bytes, and then waits as long as it takes', async () => {
    const models = modelsOf([perMinute('tokens', TPM)], {}, 10_000);
    models.call(bytes(9_900));
    // by its bytes after half a minute
    models.call(bytes(5_000));
    await models.tellCount(1_000);
    expect(models.newCalls()).toHaveLength(1);
    models.pass(5_500);
    expect(models.newCalls()).toEqual([]);
    models.pass(500);
    expect(models.newCalls()).toHaveLength(1);
  });

  it('and where its tokens don’t fit either it is told when they will', async () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    models.call(bytes(40_000));
    await models.tellCount(9_000);
    const refused = models.call(bytes(40_000));
    await models.tellCount(9_000);
    expect(models.newCalls()).toHaveLength(1);
    expect(refused.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 49 });
    const larger = models.call(bytes(40_000));
    await models.tellCount(10_000);
    expect(larger.error).toMatchObject({ code: 'request_exceeds_keys' });
  });

  it('and it is told when they will fit another key, not when one that is tried by another call is well', async () => {
    const limits = [perMinute('tokens', TPM)];
    const models = modelsOf([], {
      pools: [{ name: 'pool', keys: ['a', 'b'].map((name) => ({ name, limits })) }],
    });
    const { lanes } = models.registry;
    lanes.close(models.laneOf('secret-of-a'), models.nowMs + 3_000, models.nowMs);
    models.pass(3_000);
    models.call(bytes(200));
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-a']);
    // two tokens are lacking
    const taken = { inputTokens: 967, outputTokens: 0, costNano: 0, countedTokens: 967 };
    lanes.take([models.laneOf('secret-of-b')], taken, models.nowMs);
    const refused = models.call(bytes(40_000));
    await models.tellCount(9_000);
    expect(refused.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 1 });
  });

  it('once, however many keys refuse it', async () => {
    const limits = [perMinute('tokens', TPM)];
    const models = modelsOf([], {
      pools: [{ name: 'pool', keys: ['a', 'b'].map((name) => ({ name, limits })) }],
    });
    const call = models.call(bytes(40_000));
    await models.tellCount(9_000);
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '30']);
    models.pass(0);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-b']);
    expect([models.counting, call.error]).toEqual([[], null]);
  });

  it('and what prompts have of their bytes is learned of it as of others', async () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    models.call(bytes(40_000));
    await models.tellCount(9_000);
    models.newCalls()[0]!.answer(200, { ...ANSWER, usage: { prompt_tokens: 8_000, completion_tokens: 3 } });
    expect(leftOf(models)).toBe(TPM - 8_003);
    models.pass(60_000);
    models.call(bytes(30_000));
    expect([models.newCalls().length, models.counting]).toEqual([1, []]);
  });
});

it('a call that is capped once it was counted is still reckoned by its count', () => {
  const models = modelsOf([]);
  const plan = models.read(bytes(4_000));
  if ('code' in plan) throw new Error(plan.sentence);
  const capped = models.capped(models.counted(plan, 900), 3, 'openai/chat');
  expect(capped.amounts).toMatchObject({ countedTokens: 900, inputTokens: 4_000, outputTokens: 3 });
});

describe('a prompt is not counted', () => {
  it('where there is room for its bytes', () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    models.call(bytes(9_000));
    expect([models.newCalls().length, models.counting]).toEqual([1, []]);
  });

  it('that the answer alone leaves no room for, or whose tokens are too many whatever they are', () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    const long = models.call({ ...bytes(1_000), max_tokens: TPM });
    models.call(bytes(9_900));
    const large = models.call(bytes(4_000));
    models.pass(0);
    expect([long.error?.code, large.error?.code]).toEqual(['request_exceeds_keys', 'keys_exhausted']);
    expect(models.counting).toEqual([]);
  });

  it('that others wait before', () => {
    const models = modelsOf([perMinute('tokens', TPM)], {}, 60_000);
    models.call(bytes(9_000));
    models.call({ ...bytes(900), max_tokens: 9_000 });
    expect([models.waiting, models.counting]).toEqual([1, []]);
    models.call(bytes(1_100));
    expect([models.waiting, models.counting]).toEqual([2, []]);
  });

  it('whose tokenizer is not known', () => {
    const models = modelsOf([perMinute('tokens', TPM)], { model: { tokenizer: null } });
    const call = models.call(bytes(40_000));
    models.pass(0);
    expect([call.error?.code, models.counting]).toEqual(['request_exceeds_keys', []]);
  });

  it('while as many are as may be, or in time: its bytes bound it', async () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    models.countedMax = 1;
    const [late, refused] = [models.call(bytes(40_000)), models.call(bytes(40_000))];
    models.pass(0);
    expect([late.error, refused.error?.code]).toEqual([null, 'request_exceeds_keys']);
    await models.tellCount(null);
    expect([late.error?.code, models.newCalls()]).toEqual(['request_exceeds_keys', []]);
  });

  it('a second time: one that nobody could count waits for its bytes, and may be refused by a key', () => {
    const models = modelsOf([perMinute('tokens', TPM)], {}, 60_000);
    models.countedMax = 0;
    models.call(bytes(6_000));
    const waiting = models.call(bytes(6_000));
    models.newCalls();
    models.pass(30_000);
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '1']);
    models.pass(30_000);
    expect([models.newCalls().length, waiting.error]).toEqual([1, null]);
  });

  it('to any end where its caller has left meanwhile', async () => {
    const models = modelsOf([perMinute('tokens', TPM)]);
    const gone = models.call(bytes(40_000));
    expect(gone.call.unsent).toBe(true);
    gone.call.abort();
    await models.tellCount(9_000);
    expect([models.newCalls(), gone.ended, leftOf(models)]).toEqual([[], false, TPM]);
  });
});
