/** What becomes of requests in flight when their thread is to end: first of those that would never end, then of all. */

import { describe, expect, test } from 'vitest';
import { jsonText } from '../base/json/json-text.cases.ts';
import { PLAIN_CALL } from '../model/model-call.cases.ts';
import type { ModelRequest } from '../pipeline/model-request.ts';
import type { Wait } from '../pipeline/outcome.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import {
  RESERVE,
  SimulatedClient,
  type Simulation,
  type SimulationOptions,
  simulate,
  simulatedRoute,
} from './exchange.cases.ts';

const HOST = ['host', 'a.test'];
const ROUTES = [
  simulatedRoute('/{rest...}'),
  simulatedRoute('/v1/chat/completions', { name: 'chat', ai: 'openai/chat', maxBodyBytes: 10_000 }),
  simulatedRoute('/v1/messages', { name: 'messages', ai: 'anthropic/messages', maxBodyBytes: 10_000 }),
];
const DIALECTS = { '/v1/chat/completions': 'openai', '/v1/messages': 'anthropic', '/a': null } as const;
const MODEL = {
  ...{
    name: 'gpt',
    upstreamName: 'gpt',
    pools: ['pool'],
    tags: [],
    price: null,
    datedPrices: [],
    poolPrices: [],
  },
  ...{
    contextTokens: null,
    outputTokensMax: null,
    answerTokensMost: null,
    searches: false,
    tokenizer: null,
    place: 'models.yaml:1',
  },
};
const TEXTS = { encoding: 'o200k_base', texts: ['a'], beside: 0 } as const;

/** The limit may have room in a minute. */
const IN_A_MINUTE: Wait = {
  kind: 'wait',
  atMonotonicMs: 61_000,
  untilMonotonicMs: 3_600_000,
  counters: [{ name: 'limit 1 1', atMs: 61_000, room: 'slot' }],
  room: 'slot',
  refusal: {
    ...{ status: 429, code: 'limit_exceeded', detail: 'Full.', ruleIndex: 3, retryAfterS: 60 },
    ...{ rateLimit: 'r', rateLimitPolicy: 'p' },
  },
};

function read(text: Uint8Array): ModelRequest {
  return {
    document: jsonText(text)!,
    facts: { ...PLAIN_CALL, streams: true },
    model: MODEL,
    amounts: { inputTokens: 1, outputTokens: 1, costNano: 0, countedTokens: null },
    bounds: {
      ...{ tokens: 2, 'input-tokens': 1, 'output-tokens': 1, 'cached-tokens': 1, 'reasoning-tokens': 1 },
      money: 1,
    },
    unbounded: { input: '', output: '', money: '' },
    prompt: 'countable',
    relyOnCap: false,
    use: {
      ...{ pool: '', key: '', charged: 'nothing', isWhole: false, brokenOff: '', usage: null, doubt: '' },
      costNano: null,
    },
  };
}

function thread(options: Partial<SimulationOptions> = {}): Simulation {
  const promptOf = () => TEXTS;
  return simulate({ routes: ROUTES, readCall: read, promptOf, ...options });
}

function post(simulation: Simulation, path: string): SimulatedClient {
  const fields = [...HOST, 'content-type', 'application/json', 'content-length', '2'];
  const client = simulation.request('POST', path, fields);
  client.handler!.onBody(Buffer.from('{}'), true);
  return client;
}

/** As the caller's SDK reads it. */
function codeOf({ body }: SimulatedClient, dialect: 'openai' | 'anthropic' | null): unknown {
  const said = JSON.parse(body) as {
    readonly code?: string;
    readonly error?: { readonly code?: string; readonly type: string; readonly message: string };
  };
  if (dialect === null) return said.code;
  if (dialect === 'openai') return said.error!.code;
  expect(said.error!.type).toBe('overloaded_error');
  return /\((\w+)\)$/.exec(said.error!.message)![1];
}

function retryAfterOf({ fields }: SimulatedClient): string | undefined {
  return /retry-after: (\d+)\r\n/.exec(fields)?.[1];
}

function expectTold(
  simulation: Simulation,
  client: SimulatedClient,
  dialect: 'openai' | 'anthropic' | null,
  retryAfterS: string | undefined,
): void {
  expect([client.status, client.state]).toEqual([503, 'done']);
  expect([codeOf(client, dialect), retryAfterOf(client)]).toEqual(['going_away', retryAfterS]);
  expect(simulation.thread.inFlight).toBe(0);
  // nobody takes it for a refusal of the limit
  expect(simulation.records).toMatchObject([{ status: 503, code: 'going_away', decidingRule: '' }]);
}

describe('whoever waits', () => {
  const WAITS: Readonly<Record<string, readonly [RoutePipeline['admit'], SimulationOptions['pipeline']]>> = {
    'a grant of a lease': [() => ({ kind: 'wait-for-grant' }), {}],
    'a count of its prompt': [
      (context) => {
        context.isShortOfPrompt = true;
        return IN_A_MINUTE;
      },
      {},
    ],
  };

  test.each(Object.entries(DIALECTS))('at %s for its turn in a limit is told at once', (path, dialect) => {
    const simulation = thread({ pipeline: { admit: () => IN_A_MINUTE }, promptOf: () => null });
    const client = post(simulation, path);
    expect(client.state).toBe('open');
    simulation.thread.goAway();
    expectTold(simulation, client, dialect, '60');
    expect(simulation.thread.load()).toMatchObject({ limitWaiters: 0 });
    // and so is who would from now on
    const late = post(simulation, path);
    expect([late.status, codeOf(late, dialect), retryAfterOf(late)]).toEqual([503, 'going_away', '60']);
  });

  test.each(
    Object.entries(WAITS).flatMap(([what, options]) =>
      Object.entries(DIALECTS)
        .filter(([path]) => what !== 'a count of its prompt' || path !== '/a')
        .map(([path, dialect]) => [what, path, dialect, options] as const),
    ),
  )('for %s at %s has the time of the thread, and is told then', (_, path, dialect, [admit, more]) => {
    const simulation = thread({ pipeline: { admit, ...more } });
    const client = post(simulation, path);
    simulation.thread.goAway();
    expect(client.state).toBe('open');
    simulation.thread.breakOff();
    expectTold(simulation, client, dialect, '1');
    expect(simulation.calls).toEqual([]);
    // what comes too late wakes nobody
    simulation.thread.grants.arrived();
    expect(simulation.calls).toEqual([]);
  });

  test('for the rest of a body is told then', () => {
    const simulation = thread();
    const client = simulation.request('POST', '/v1/messages', [
      ...[...HOST, 'content-type', 'application/json', 'content-length', '9'],
    ]);
    client.handler!.onBody(Buffer.from('{'), false);
    simulation.thread.goAway();
    simulation.thread.breakOff();
    expectTold(simulation, client, 'anthropic', '1');
  });
});

describe('when the time of the thread is over', () => {
  test('a call that no service can have got gives back what admission took of it', () => {
    const simulation = thread({ pipeline: { admit: RESERVE } });
    const client = post(simulation, '/v1/chat/completions');
    simulation.calls[0]!.unsent = true;
    simulation.thread.breakOff();
    expectTold(simulation, client, 'openai', '1');
    expect(simulation.calls[0]!.state).toBe('aborted');
    expect([simulation.cancelled.length, simulation.settled.length]).toEqual([1, 0]);
  });

  test('a request that a service may have worked on is answered, and not told to ask again', () => {
    const simulation = thread({ pipeline: { admit: RESERVE } });
    const client = post(simulation, '/a');
    simulation.thread.goAway();
    expect(client.state).toBe('open');
    simulation.thread.breakOff();
    expectTold(simulation, client, null, undefined);
    expect(simulation.calls[0]!.state).toBe('aborted');
    expect(simulation.releases).toHaveLength(1);
  });

  test('an answer that has begun and has no words for it breaks off', () => {
    const simulation = thread({ pipeline: { admit: RESERVE } });
    const client = post(simulation, '/a');
    simulation.calls[0]!.head(false, 'one,');
    simulation.thread.breakOff();
    expect([client.status, client.body, client.state]).toEqual([200, 'one,', 'broken']);
    expect(simulation.records).toMatchObject([{ status: 200, code: 'going_away', clientAborted: false }]);
  });

  test('an answer of which nothing is missing is left to its client', () => {
    const simulation = thread({ pipeline: { admit: RESERVE } });
    const slow = new SimulatedClient();
    slow.hasRoom = false;
    simulation.request('GET', '/a', HOST, slow);
    simulation.calls[0]!.head(true, 'all');
    simulation.thread.breakOff();
    expect([slow.state, simulation.records]).toEqual(['flushing', []]);
    slow.drain();
    expect(simulation.records).toMatchObject([{ status: 200, code: '' }]);
  });

  test('who comes is told so, and nobody takes it for too much to do', () => {
    const simulation = thread();
    simulation.thread.breakOff();
    const client = simulation.request('GET', '/a');
    expectTold(simulation, client, null, '1');
    expect(simulation.thread.load()).toMatchObject({ exchangesPerThreadRefused: 0 });
  });

  test('first those are told that nobody works on: what the others give back begins none of them', () => {
    const order: string[] = [];
    const simulation = thread({ pipeline: { admit: RESERVE } });
    for (const path of ['/waits', '/works', '/waits-too']) {
      const client = simulation.request('GET', path);
      const call = simulation.calls.at(-1)!;
      call.unsent = path.startsWith('/waits');
      const { answer } = client;
      client.answer = (...said) => {
        order.push(path);
        return answer.apply(client, said);
      };
    }
    simulation.thread.breakOff();
    expect(order).toEqual(['/waits-too', '/waits', '/works']);
  });
});
