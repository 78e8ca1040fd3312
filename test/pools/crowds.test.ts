/**
 * Many calls at once at the built gateway (design/keys-acceptance.md; numbers are those of the list), with a provider that holds its answers
 * until a test lets them go: so what goes where, and in which order, is counted.
 */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';
import { type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

/** A call that the provider has in hand. */
interface Held {
  readonly key: string;
  readonly said: string;
  answer(status: number, fields?: Readonly<Record<string, string>>): void;
}

const KEYS = ['probed', 'spare', 'revoked', 'other', 'fair', 'heavy', 'light', 'one', 'two'];
const secret = (name: string): string => `secret: "env:${variableOf(`crowd-${name}`)}"`;
const OK = {
  id: 'c',
  object: 'chat.completion',
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 2 },
};

let provider: UpstreamServer;
let running: ModelsProject;
/** All calls that came, by the name of their key; and those that are not answered yet. */
const seen: { readonly key: string; readonly said: string }[] = [];
let held: Held[] = [];
/** Keys whose calls are held; those of others are answered at once. */
const holds = new Set<string>();

beforeAll(async () => {
  provider = await startUpstream((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const key = /crowd-(\w+)/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const said = (JSON.parse(body) as { messages: { content: string }[] }).messages[0]!.content;
      seen.push({ key, said });
      const call = heldCall(key, said, response);
      if (holds.has(key)) held.push(call);
      else call.answer(200);
    });
  });
  running = await startModelsProject({
    accounts: KEYS.map((name) => ({ name, keys: [`crowd-${name}`], limits: { rpm: 1, tpm: 1 } })),
    providers: () => [
      `crowded: { extends: builtin/openai, baseUrl: "http://127.0.0.1:${provider.port}/v1" }`,
    ],
    pools: `pools:
  probed: { provider: crowded, choose: priority, keys: { probed: { ${secret('probed')}, priority: 1 }, spare: { ${secret('spare')}, priority: 2 } } }
  revoked: { provider: crowded, queue: { upTo: 1m, waiting: 100 }, keys: { revoked: { ${secret('revoked')}, limits: { concurrency: 2 } }, other: { ${secret('other')}, limits: { concurrency: 2 } } } }
  fair: { provider: crowded, queue: { upTo: 1m, waiting: 100 }, keys: { fair: { ${secret('fair')}, limits: { concurrency: 2 } } } }
  weighted: { provider: crowded, choose: weighted, keys: { heavy: { ${secret('heavy')}, weight: 3 }, light: { ${secret('light')}, weight: 1 } } }
  sticky: { provider: crowded, sticky: conversation, keys: { one: { ${secret('one')} }, two: { ${secret('two')} } } }
models:
${['probed', 'revoked', 'fair', 'weighted', 'sticky'].map((name) => `  ${name}: { pools: [${name}], as: gpt-4o }`).join('\n')}
`,
  });
});
afterAll(async () => {
  for (const call of held) call.answer(200);
  await running?.close();
  await provider?.close();
});
beforeEach(() => {
  seen.length = 0;
  held = [];
  holds.clear();
});

function heldCall(key: string, said: string, response: ServerResponse): Held {
  return {
    key,
    said,
    answer(status, fields = {}) {
      held = held.filter((other) => other !== this);
      const body = status === 200 ? OK : { error: { message: 'no', type: 'none', code: null } };
      response.writeHead(status, { 'content-type': 'application/json', ...fields });
      response.end(JSON.stringify(body));
    },
  };
}

async function call(
  model: string,
  tenant = 'acme',
  contents: readonly string[] = ['Hello'],
): Promise<number> {
  const messages = contents.map((content, nth) => ({ role: nth % 2 === 0 ? 'user' : 'assistant', content }));
  const answer = await fetch(`${running.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await running.gateway.key(tenant, 'web')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ model, max_tokens: 5, messages }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const crowd = (count: number, model: string, tenant?: string): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => call(model, tenant, [tenant ?? 'acme'])));

const callsOf = (key: string): number => seen.filter((each) => each.key === key).length;

/** All that was sent to the gateway before has been read by then: it has one data thread, which answers these. */
async function hasRead(): Promise<void> {
  for (let nth = 0; nth < 3; nth++) expect(await call('weighted')).toBe(200);
}

/** A proof that was not refused for 2 s counts as passed: a crowd that took nearly as long shows nothing. */
const PROOF_MS = 1_500;

it('a key that was throttled is proven by one call, however many come meanwhile (1)', async () => {
  const tookMs: number[] = [];
  do {
    expect(tookMs.length, `crowds took ${tookMs} ms: the machine is too slow to tell`).toBeLessThan(10);
    holds.add('probed');
    const first = call('probed');
    await expect.poll(() => held.length).toBe(1);
    held[0]!.answer(429, { 'retry-after-ms': '300' });
    expect(await first).toBe(200);
    const proofs: Promise<number>[] = [];
    await expect
      .poll(() => {
        proofs.push(call('probed'));
        return held.length;
      })
      .toBe(1);
    const sinceMs = performance.now();
    const before = callsOf('probed');
    holds.clear();
    expect(await crowd(40, 'probed')).toEqual(Array(40).fill(200));
    tookMs.push(performance.now() - sinceMs);
    if (tookMs.at(-1)! < PROOF_MS) expect(callsOf('probed')).toBe(before);
    held[0]!.answer(200);
    expect(new Set(await Promise.all(proofs))).toEqual(new Set([200]));
  } while (tookMs.at(-1)! >= PROOF_MS);
  const proven = callsOf('probed');
  await crowd(40, 'probed');
  expect(callsOf('probed')).toBe(proven + 40);
});

it('calls that wait for a key that its provider revokes are served by the others (17)', async () => {
  holds.add('revoked').add('other');
  const all = crowd(40, 'revoked');
  await expect.poll(() => held.length).toBe(4);
  await hasRead();
  // Both calls that are there are one proof; the next one is another.
  for (const one of held.filter(({ key }) => key === 'revoked')) one.answer(401);
  await expect.poll(() => held.some(({ key }) => key === 'revoked')).toBe(true);
  holds.clear();
  for (const one of held) one.answer(one.key === 'revoked' ? 401 : 200);
  expect(await all).toEqual(Array(40).fill(200));
  expect([callsOf('revoked'), callsOf('other')]).toEqual([3, 40]);
});

it('who asks for little waits for no more calls of a tenant that floods than those that are under way (14)', async () => {
  holds.add('fair');
  const flood = crowd(40, 'fair', 'flood');
  await expect.poll(() => held.length).toBe(2);
  await hasRead();
  const small = call('fair', 'small', ['small']);
  await hasRead();
  const came = callsOf('fair');
  const served = (): readonly string[] =>
    seen
      .filter(({ key }) => key === 'fair')
      .slice(came)
      .map(({ said }) => said);
  for (let nth = 0; nth < 6; nth++) {
    held[0]!.answer(200);
    await expect.poll(() => served().length).toBe(nth + 1);
  }
  // As if alone: it has the first place that becomes free.
  expect(served().indexOf('small')).toBe(0);
  holds.clear();
  for (const one of held) one.answer(200);
  expect(await small).toBe(200);
  expect(await flood).toEqual(Array(40).fill(200));
});

describe('a strategy', () => {
  it('by weight gives keys their shares of calls', async () => {
    await crowd(400, 'weighted');
    // 300 of 400, within five standard deviations.
    expect(Math.abs(callsOf('heavy') - 300)).toBeLessThan(44);
    expect(callsOf('heavy') + callsOf('light')).toBe(400);
  });

  it('that sticks has all turns of a conversation at one key, and conversations at both', async () => {
    for (let nth = 0; nth < 16; nth++)
      for (const turns of [1, 3, 5])
        await call(
          'sticky',
          'acme',
          Array.from({ length: turns }, (_, turn) => `${nth} says ${turn}`),
        );
    const keysOf = new Map<string, Set<string>>();
    for (const { key, said } of seen) keysOf.set(said, (keysOf.get(said) ?? new Set()).add(key));
    expect([...keysOf.values()].map(({ size }) => size)).toEqual(Array(16).fill(1));
    expect(new Set(seen.map(({ key }) => key))).toEqual(new Set(['one', 'two']));
  });
});
