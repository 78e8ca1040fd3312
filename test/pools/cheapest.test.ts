/** Keys of different prices at the built gateway: which of them serve, what their calls cost, and that no budget is overspent by the dearest. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelView } from '../../src/admin/routes/models.ts';
import { runPortunus } from '../gateway/running-gateway.ts';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

const ACCOUNTS = ['low', 'high', 'spent-low', 'spent-high'] as const;
const limits = { rpm: 1_000_000, tpm: 1_000_000_000 };
const secret = (name: string): string => `secret: "env:${variableOf(`acc-${name}`)}"`;

/** In micro-dollars a token: the model lists 10 and 40, `low` has half off, and `high` its own price. */
const PRICES = { low: { input: 5, output: 20 }, high: { input: 12, output: 200 } };
const BUDGET_USD = 0.4;

let running: ModelsProject;
beforeAll(async () => {
  running = await startModelsProject({
    dataThreads: 2,
    accounts: ACCOUNTS.map((name) => ({ name, keys: [`acc-${name}`], limits })),
    pools: `pools:
  mixed:
    provider: openai
    choose: cheapest
    keys:
      high: { ${secret('high')}, prices: { mixed: &dear { input: $12, output: $200, asOf: 2026-11-01 } } }
      low: { ${secret('low')}, discount: 50%, limits: { rpd: 3 } }
  spent:
    provider: openai
    choose: weighted
    keys:
      high: { account: spent-high, ${secret('spent-high')}, prices: { spent: *dear } }
      low: { account: spent-low, ${secret('spent-low')}, discount: 50% }
models:
  mixed: { pools: [mixed], as: gpt-4o, price: &list { input: $10, output: $40, asOf: 2026-11-01 } }
  spent: { pools: [spent], as: gpt-4o, price: *list }
`,
    policies: `language 1
policy "base" { permit when consumer is subscribed to route }
policy "purses" applies to route "chat" {
  budget "purse" $${BUDGET_USD} per year  for each consumer  when model is "spent"
}
`,
  });
});
afterAll(async () => {
  await running?.close();
});

interface Said {
  readonly status: number;
  readonly code: string | undefined;
}

async function say(model: string, maxTokens: number): Promise<Said> {
  const answer = await fetch(`${running.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await running.gateway.key('acme', 'web')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ model, max_tokens: maxTokens, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const { error } = (await answer.json()) as { readonly error?: { readonly code: string } };
  return { status: answer.status, code: error?.code };
}

/** Access records of calls to a model, oldest first, once there are so many. */
async function recordsOf(model: string, count: number): Promise<readonly Record<string, unknown>[]> {
  const found = (): Record<string, unknown>[] =>
    running.gateway.output
      .split('\n')
      .filter((line) => line.includes('"portunus.provider_key"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((record) => record['gen_ai.request.model'] === model);
  await expect.poll(() => found().length).toBe(count);
  return found();
}

describe('a pool that chooses the cheapest key', () => {
  it('uses it until it has no room, and then the dearer one; each call costs what its key does', async () => {
    for (let call = 0; call < 6; call++)
      expect(await say('mixed', 5)).toEqual({ status: 200, code: undefined });
    const records = await recordsOf('mixed', 6);
    // the third of three calls a day is left alone until a moment has passed
    const keys = records.map((record) => record['portunus.provider_key']);
    expect(keys.slice(0, 2)).toEqual(['low', 'low']);
    expect([2, 3]).toContain(keys.filter((key) => key === 'low').length);
    for (const record of records) {
      const { input, output } = PRICES[record['portunus.provider_key'] as 'low' | 'high'];
      const tokens = [record['gen_ai.usage.input_tokens'], record['gen_ai.usage.output_tokens']] as number[];
      expect(record['portunus.cost_nano']).toBe((tokens[0]! * input + tokens[1]! * output) * 1_000);
    }
    const usage = await runPortunus(['usage', '--by', 'model', '--json', running.project.folder]);
    expect(usage.stdout).toContain('"mixed"');
  });

  it('is shown with the prices of its keys', async () => {
    const pools = await runPortunus(['keys', 'pools', running.project.folder]);
    expect(pools.stdout).toMatch(/^mixed .*cheapest/m);
    const models = await runPortunus(['models', '--json', '--name', 'mixed', '--', running.project.folder]);
    const [mixed] = JSON.parse(models.stdout) as ModelView[];
    expect(mixed!.otherPrices.map(({ pool, key, price }) => [pool, key, price!.output])).toEqual([
      ['mixed', 'high', 200],
      ['mixed', 'low', 20],
    ]);
  });
});

describe('a budget of a model whose keys cost different amounts', () => {
  it('is not overspent, whichever of them serve, and what the cheaper one left serves further calls', async () => {
    const spentUsd = (): number =>
      (['low', 'high'] as const).reduce((sum, key) => {
        const { inputTokens, outputTokens } = countsOf(running, `spent-${key}`);
        return sum + (inputTokens * PRICES[key].input + outputTokens * PRICES[key].output) / 1e6;
      }, 0);
    const ends: Said[] = [];
    for (let round = 0; round < 4; round++)
      ends.push(...(await Promise.all(Array.from({ length: 60 }, () => say('spent', 20)))));
    const served = ends.filter(({ status }) => status === 200).length;
    expect(ends.filter(({ status }) => status !== 200).every(({ code }) => code === 'budget_exhausted')).toBe(
      true,
    );
    expect(served).toBeLessThan(ends.length);
    const [low, high] = [countsOf(running, 'spent-low'), countsOf(running, 'spent-high')];
    expect([low.requests + high.requests, low.requests > 0, high.requests > 0]).toEqual([served, true, true]);
    expect(spentUsd()).toBeLessThanOrEqual(BUDGET_USD);
    // each has reserved at least what twenty tokens of the dearer key cost: so many are served only as what is not used is given back
    expect((served * 20 * PRICES.high.output) / 1e6).toBeGreaterThan(1.1 * BUDGET_USD);
    const records = (await recordsOf('spent', served)).map((record) => record['portunus.cost_nano'] ?? 0);
    const costNano = (records as number[]).reduce((sum, cost) => sum + cost, 0);
    expect(costNano).toBe(Math.round(spentUsd() * 1e9));
  });
});
