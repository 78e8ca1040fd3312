/** How a call goes from key to key when providers refuse it, at the built gateway with two data threads. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PoolView } from '../../src/admin/routes/pools.ts';
import { runPortunus } from '../gateway/running-gateway.ts';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

const TEN = Array.from({ length: 10 }, (_, nth) => `ref-${nth}`);
const SECRETS = ['ref-slow', 'ref-idle', 'ref-lone', 'ref-hasty', 'ref-calm', 'ref-near', 'ref-far', ...TEN];
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
  slow: { provider: openai, keys: { s: { ${secret('ref-slow')} } } }
  idle: { provider: openai, queue: { upTo: 0s }, keys: { i: { ${secret('ref-idle')} } } }
  lone: { provider: openai, queue: { upTo: 1h }, keys: { l: { ${secret('ref-lone')}, limits: { rpm: 1 } } } }
  ten: { provider: openai, choose: priority, keys: { ${inOrder(TEN)} } }
models:
  two: { pools: [two], as: gpt-4o }
  across: { pools: [near, far], as: gpt-4o }
  ten: { pools: [ten], as: gpt-4o }
  lone: { pools: [lone], as: gpt-4o }
  slow: { pools: [slow], as: gpt-4o }
  idle: { pools: [idle], as: gpt-4o }
`,
  });
  key = await running.gateway.key('acme', 'web');
});
afterAll(() => running.close());

/** Each on a connection of its own, so that both threads have some. */
function call(model: string, signal: AbortSignal | null = null): Promise<Response> {
  return fetch(`${running.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    signal,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] }),
  });
}

async function admin(path: string): Promise<string> {
  const { folder, adminPort } = running.project;
  const access = readFileSync(join(folder, 'data', 'admin-access.json'), 'utf8');
  const { token } = JSON.parse(access) as { readonly token: string };
  const headers = { authorization: `Bearer ${token}` };
  return await (await fetch(`http://127.0.0.1:${adminPort}${path}`, { headers })).text();
}

/** Of the only key of a pool. */
async function proving(pool: string): Promise<PoolView['keys'][number]['proving']> {
  const { pools } = JSON.parse(await admin('/v1/pools')) as { readonly pools: readonly PoolView[] };
  return pools.find(({ name }) => name === pool)!.keys[0]!.proving;
}

/** Over all threads. */
function sumOf(text: string, metric: string): number {
  const values = text.matchAll(new RegExp(`^${metric}\\{[^}]*\\} (\\S+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
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

it('calls that wait for a key end once it serves no more, and are not told when to come back', async () => {
  expect((await call('lone')).status).toBe(200);
  const waiting = Promise.all(Array.from({ length: 8 }, () => call('lone')));
  await expect
    .poll(async () => sumOf(await admin('/metrics'), 'http_server_active_requests'), { timeout: 20_000 })
    .toBe(8);
  const { folder } = running.project;
  expect(await runPortunus(['keys', 'disable', 'lone/l', folder])).toMatchObject({ code: 0 });
  for (const answer of await waiting) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, null]);
    expect(await answer.json()).toMatchObject({ error: { code: 'no_key_available' } });
  }
});

describe('after a wait that a provider asked for', () => {
  it('a first call whose answer takes long holds up nobody', async () => {
    await refuse('ref-slow', { 'retry-after': '1' }, 1);
    await mock('answers', { latencyMs: [60_000, 60_000] });
    const leaves = new AbortController();
    let isOver = false;
    const first = call('slow', leaves.signal)
      .catch(() => null)
      .finally(() => {
        isOver = true;
      });
    await expect.poll(() => requestsOf('ref-slow')).toBe(2);
    await mock('answers', { latencyMs: [0, 0] });
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('slow')));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(isOver).toBe(false);
    expect(await proving('slow')).toEqual([]);
    leaves.abort();
    await first;
  });

  it('a key of which nothing is known yet is shown as that everywhere', async () => {
    await refuse('ref-idle', { 'retry-after': '1' }, 1);
    expect((await call('idle')).status).toBe(429);
    await expect
      .poll(() => proving('idle'), { timeout: 20_000 })
      .toEqual([{ model: 'gpt-4o', untilMs: null }]);
    const { stdout } = await runPortunus(['keys', 'pools', running.project.folder]);
    expect(stdout).toMatch(/idle +i +i +active, proving /);
    expect(await admin('/metrics')).toContain(
      'portunus_provider_key_held_back{pool="idle",key="i",as="proving"} 1',
    );
    expect((await call('idle')).status).toBe(200);
    expect(await proving('idle')).toEqual([]);
  });
});
