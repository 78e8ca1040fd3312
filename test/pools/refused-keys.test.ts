/** How a call goes from key to key when providers refuse it, at the built gateway with two data threads. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

const TEN = Array.from({ length: 10 }, (_, nth) => `ref-${nth}`);
const SECRETS = ['ref-hasty', 'ref-calm', 'ref-near', 'ref-far', ...TEN];
let running: ModelsProject;
let key: string;
const secret = (name: string): string => `secret: "env:${variableOf(name)}"`;

beforeAll(async () => {
  const inOrder = (names: readonly string[]): string =>
    names.map((name, nth) => `k${nth}: { ${secret(name)}, priority: ${nth + 1} }`).join(', ');
  running = await startModelsProject({
    dataThreads: 2,
    accounts: SECRETS.map((name) => ({ name, keys: [name], limits: { rpm: 60_000, tpm: 100_000_000 } })),
    pools: `pools:
  two: { provider: openai, choose: priority, keys: { ${inOrder(['ref-hasty', 'ref-calm'])} } }
  near: { provider: openai, keys: { n: { ${secret('ref-near')} } } }
  far: { provider: openai, keys: { f: { ${secret('ref-far')} } } }
  ten: { provider: openai, choose: priority, keys: { ${inOrder(TEN)} } }
models:
  two: { pools: [two], as: gpt-4o }
  across: { pools: [near, far], as: gpt-4o }
  ten: { pools: [ten], as: gpt-4o }
`,
  });
  key = await running.gateway.key('acme', 'web');
});
afterAll(() => running.close());

/** Each on a connection of its own, so that both threads have some. */
function call(model: string): Promise<Response> {
  return fetch(`${running.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] }),
  });
}

const mock = (path: string, body: unknown): Promise<Response> =>
  fetch(`${running.provider.url}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) });

const refuse = (account: string, fields: Readonly<Record<string, string>>, times: number) =>
  mock('faults', { status: 429, times, account, fields });

const requestsOf = (account: string): number => countsOf(running, account).requests;

it('a provider that asks to wait for no time is left for another key, and for another pool', async () => {
  for (const account of ['ref-hasty', 'ref-near']) await refuse(account, { 'retry-after': '0' }, 1_000);
  const answers = await Promise.all(Array.from({ length: 20 }, () => [call('two'), call('across')]).flat());
  expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
  expect(['ref-calm', 'ref-far'].map(requestsOf)).toEqual([20, 20]);
});

it('however many keys have no room, the one that has some serves', async () => {
  for (const account of TEN.slice(0, -1)) await refuse(account, { 'retry-after': '20' }, 1_000);
  const answers = await Promise.all(Array.from({ length: 6 }, () => call('ten')));
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect(requestsOf('ref-9')).toBe(6);
});
