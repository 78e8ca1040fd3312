/** Prompts that a key or a rule about keys has no room for by their bytes, at the built gateway: they are counted, and served. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

const KEYS = ['counted-own', 'counted-rule'];
/** Forty thousand bytes, and some nine thousand tokens. */
const PROMPT = 'Every gateway counts what passes it, again. '.repeat(910);
let running: ModelsProject;

beforeAll(async () => {
  const key = (nth: number) => `secret: "env:${variableOf(KEYS[nth]!)}"`;
  running = await startModelsProject({
    accounts: KEYS.map((name) => ({ name, keys: [name], limits: { rpm: 1_000, tpm: 1_000_000 } })),
    pools: `pools:
  own: { provider: openai, queue: { upTo: 1ms, waiting: 1 }, keys: { own: { ${key(0)}, limits: { tpd: 10_000 } } } }
  rule: { provider: openai, queue: { upTo: 1ms, waiting: 1 }, keys: { rule: { ${key(1)} } } }
models:
  own: { pools: [own], as: gpt-4o }
  opaque: { pools: [own], as: gpt-4o, tokenizer: none }
  rule: { pools: [rule], as: gpt-4o }
`,
    policies: `language 1
policy "base" { permit when consumer is subscribed to route }
policy "turns" applies to route "chat" { limit "hourly" at most 10_000 tokens in any 1h  for each key  when model is "rule" }
`,
  });
});
afterAll(async () => {
  await running.close();
});

async function ask(model: string): Promise<string> {
  const response = await fetch(`${running.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await running.gateway.key('acme', 'web')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ model, max_tokens: 20, messages: [{ role: 'user', content: PROMPT }] }),
  });
  const { error } = (await response.json()) as { readonly error?: { readonly code: string } };
  return `${response.status} ${error?.code ?? ''}`;
}

it('a prompt of 40,000 bytes is served by a key that has 10,000 tokens a day, and a second one is told to come again', async () => {
  expect(await ask('opaque')).toBe('400 request_exceeds_keys');
  expect(await ask('own')).toBe('200 ');
  expect(await ask('own')).toBe('429 keys_exhausted');
  expect(countsOf(running, 'counted-own').requests).toBe(1);
});

it('and by one of which a rule allows as many', async () => {
  expect(await ask('rule')).toBe('200 ');
  expect(await ask('rule')).toBe('429 limit_exceeded');
  expect(countsOf(running, 'counted-rule').requests).toBe(1);
});
