/** Limits for each key or target (language-rules #19) at the built gateway: two data threads, counted by the provider's accounts. */
import { Agent, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

let running: ModelsProject;
afterEach(async () => {
  await running?.close();
});

const ACCOUNTS = ['one', 'two', 'far'];
/** `KEY`: of each account in turn. */
const KEYS = ACCOUNTS.map((name) => `by-key-${name}`);
const key = (nth: number, more = ''): string => `{ secret: "env:${variableOf(KEYS[nth]!)}"${more} }`;

/** Models `near`, of keys `one` and `two`; `both`, of those and then of pool `far`; `far`, of that alone; and `daily` and `daily-mini`, whose key has five calls a day of each. */
async function startWith(limits: string): Promise<void> {
  running = await startModelsProject({
    dataThreads: 2,
    accounts: ACCOUNTS.map((name, nth) => ({
      name,
      keys: [KEYS[nth]!],
      limits: { rpm: 1_000_000, tpm: 1_000_000_000 },
    })),
    pools: `pools:
  near: { provider: openai, keys: { one: ${key(0)}, two: ${key(1)} } }
  far: { provider: openai, keys: { far: ${key(2)} } }
  daily: { provider: openai, keys: { daily: ${key(2, ', limits: { rpd: 5 }')} } }
models:
  near: { pools: [near], as: gpt-4o }
  both: { pools: [near, far], as: gpt-4o }
  far: { pools: [far], as: gpt-4o }
  daily: { pools: [daily], as: gpt-4o }
  daily-mini: { pools: [daily], as: gpt-4o-mini }
`,
    policies: `language 1\npolicy "base" { permit when consumer is subscribed to route  ${limits} }\n`,
  });
}

/** Answers of as many calls at once, by "status code"; '0 ' where the connection was lost. */
async function call(model: string, calls: number): Promise<ReadonlyMap<string, number>> {
  const authorization = `Bearer ${await running.gateway.key('acme', 'web')}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] });
  const ends = new Map<string, number>();
  const note = (end: string): void => void ends.set(end, (ends.get(end) ?? 0) + 1);
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const lost = (): void => {
        note('0 ');
        resolve();
      };
      const asked = request(`${running.gateway.url}/v1/chat/completions`, { method: 'POST', agent, headers });
      asked.on('error', lost).on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('error', lost).on('end', () => {
          const { error } = JSON.parse(text) as { readonly error?: { readonly code: string } };
          note(`${response.statusCode} ${error?.code ?? ''}`);
          resolve();
        });
      });
      asked.end(body);
    });
  await Promise.all(Array.from({ length: calls }, one));
  agent.destroy();
  return ends;
}

const served = (): number[] => ACCOUNTS.map((name) => countsOf(running, name).requests);
const OK = '200 ';
const LIMITED = '429 limit_exceeded';

describe('a limit for each key', () => {
  it('is exact over both data threads and over kill -9: no key is used once more than it says', async () => {
    await startWith('limit "turns" at most 150 requests in any 1h  for each key');
    expect(await call('near', 40)).toEqual(new Map([[OK, 40]]));
    await running.gateway.stop('SIGKILL');
    await running.start();
    const before = served();
    expect(before[0]! + before[1]!).toBe(40);
    // and in the middle of traffic
    const cut = call('near', 250);
    await expect.poll(() => served()[0]! + served()[1]!, { timeout: 20_000 }).toBeGreaterThan(60);
    await running.gateway.stop('SIGKILL');
    await cut;
    const atKill = served();
    await running.start();
    const last = await call('near', 400);
    const [one, two] = served() as [number, number, number];
    expect(Math.max(one, two)).toBeLessThanOrEqual(150);
    // what was written down and had not left when the process ended is all that may be missing: a turn of each connection
    expect(one + two).toBeGreaterThanOrEqual(300 - 32);
    expect(last).toEqual(
      new Map([
        [OK, one + two - atKill[0]! - atKill[1]!],
        [LIMITED, 400 - (one + two - atKill[0]! - atKill[1]!)],
      ]),
    );
  }, 120_000);

  it('leaves every counter as it was of what it refuses, those of the caller and of the key itself too', async () => {
    await startWith(`limit "caller" at most 24 requests in any 1h  for each consumer
      limit "turns" at most 5 requests in any 1h  for each key`);
    expect(await call('near', 60)).toEqual(
      new Map([
        [OK, 10],
        [LIMITED, 50],
      ]),
    );
    // had any of the fifty been counted for the caller, it would have no call left for others
    expect(await call('far', 40)).toEqual(
      new Map([
        [OK, 5],
        [LIMITED, 35],
      ]),
    );
    // what looks for a key holds room of its caller meanwhile, so others of the same moment may be refused by that
    expect((await call('daily', 40)).get(OK)).toBe(5);
    expect(served()).toEqual([5, 5, 10]);
  });

  it('counts nothing of calls for which the key itself has no room, however many come at once', async () => {
    await startWith('limit "turns" at most 8 requests in any 1h  for each key');
    expect(await call('daily', 40)).toEqual(
      new Map([
        [OK, 5],
        ['429 keys_exhausted', 35],
      ]),
    );
    // the key has five more of the other model, and the rule has three
    expect(await call('daily-mini', 40)).toEqual(
      new Map([
        [OK, 3],
        [LIMITED, 37],
      ]),
    );
    expect(served()).toEqual([0, 0, 8]);
  });
});

describe('a limit for each target', () => {
  it('sends calls on to the next pool, and is exact over both threads and over kill -9', async () => {
    await startWith('limit "turns" at most 30 requests in any 1h  for each target');
    expect(await call('both', 40)).toEqual(new Map([[OK, 40]]));
    const before = served();
    expect([before[0]! + before[1]!, before[2]]).toEqual([30, 10]);
    await running.gateway.stop('SIGKILL');
    await running.start();
    expect(await call('both', 60)).toEqual(
      new Map([
        [OK, 20],
        [LIMITED, 40],
      ]),
    );
    const after = served();
    expect([after[0]! + after[1]!, after[2]]).toEqual([30, 30]);
    expect(await call('far', 3)).toEqual(new Map([[LIMITED, 3]]));
  });
});
