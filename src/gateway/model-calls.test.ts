/** Calls to models over the simulated exchange: read once, before rules about the body, and held until an answer begins. */

import { describe, expect, test } from 'vitest';
import { jsonText } from '../base/json/json-text.cases.ts';
import { MaskSet } from '../model/masks/mask-set.ts';
import { PLAIN_CALL } from '../model/model-call.cases.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { ModelRequest, ModelService } from '../pipeline/model-request.ts';
import { CONTINUE, type NextVariant, type Outcome, type Refusal, type Wait } from '../pipeline/outcome.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import {
  NOT_OFFERED,
  RESERVE,
  type SimulatedClient,
  type Simulation,
  type SimulationOptions,
  simulate,
  simulatedRoute,
} from './exchange.cases.ts';

const ROUTES = [simulatedRoute('/v1/chat/completions', { ai: 'openai/chat', maxBodyBytes: 10_000 })];
const WAIT: Wait = {
  kind: 'wait',
  atMonotonicMs: 0,
  untilMonotonicMs: Number.MAX_SAFE_INTEGER,
  counters: [{ name: 'limit 1 1', atMs: 0, room: 'slot' }],
  room: 'slot',
  refusal: {
    status: 429,
    code: 'limit_exceeded',
    detail: '',
    ruleIndex: -1,
    retryAfterS: 1,
    rateLimit: '',
    rateLimitPolicy: '',
  },
};
const MODEL = {
  name: 'gpt',
  upstreamName: 'gpt',
  pools: ['pool'],
  tags: [],
  price: null,
  datedPrices: [],
  poolPrices: [],
  contextTokens: null,
  outputTokensMax: null,
  answerTokensMost: null,
  searches: false,
  tokenizer: null,
  place: 'models.yaml:1',
};

/** What a body says, as long as it is JSON. */
const read: ModelService['read'] = (text) => {
  const document = jsonText(text);
  if (document === null) return { code: 'model_request_malformed', sentence: 'The body is not sound JSON.' };
  return {
    document,
    facts: { ...PLAIN_CALL, promptBytes: text.length },
    model: MODEL,
    amounts: { inputTokens: text.length, outputTokens: 10, costNano: 0, countedTokens: null },
    bounds: {
      tokens: text.length + 10,
      'input-tokens': text.length,
      'output-tokens': 10,
      'cached-tokens': text.length,
      'reasoning-tokens': 10,
      money: 500,
    },
    unbounded: { input: '', output: '', money: '' },
    prompt: 'bytes',
    relyOnCap: false,
    use: {
      pool: '',
      key: '',
      charged: 'nothing',
      isWhole: false,
      brokenOff: '',
      doubt: '',
      usage: null,
      costNano: null,
    },
  };
};

function post(simulation: Simulation, body: string): SimulatedClient {
  const fields = ['host', 'a.test', 'content-type', 'application/json', 'content-length', `${body.length}`];
  const client = simulation.request('POST', '/v1/chat/completions', fields);
  client.handler!.onBody(Buffer.from(body), true);
  return client;
}

test('the provider is told nothing of who the caller is', () => {
  const simulation = simulate({ routes: ROUTES, readCall: read });
  const said = ['x-real-ip', 'x-forwarded-for', 'x-forwarded-port', 'forwarded'].flatMap((name) => [
    name,
    '7.7.7.7',
  ]);
  const fields = ['host', 'a.test', 'content-type', 'application/json', 'content-length', '2', ...said];
  simulation.request('POST', '/v1/chat/completions', fields).handler!.onBody(Buffer.from('{}'), true);
  expect(simulation.calls[0]!.request.fieldLines).not.toMatch(/7\.7\.7\.7|forwarded|a\.test/);
});

describe('the body of a call', () => {
  test('is read before rules about bodies are asked, and before anything is taken from limits', () => {
    const seen: (ModelRequest | null)[] = [];
    const see = (context: RequestContext) => {
      seen.push(context.call, context.shapedCall);
      return CONTINUE;
    };
    const simulation = simulate({
      routes: ROUTES,
      readCall: read,
      pipeline: { authorise: see, judgeBody: see, admit: see },
    });
    post(simulation, '{"model":"gpt"}');
    const call = seen.at(-1)!;
    expect(call.facts.promptBytes).toBe(15);
    // `authorise` is asked before there is a body
    expect(seen).toEqual([null, null, call, null, call, call]);
    expect(simulation.calls).toHaveLength(1);
  });

  test('is masked and read once, however often it waits, unless other masks or another cap apply by then', () => {
    const sets = [new MaskSet(), new MaskSet()];
    const state = { masks: sets[0]!, cap: 5, tries: 0, masked: 0, read: 0 };
    const seen: (ModelRequest | null)[] = [];
    const simulation = simulate({
      routes: ROUTES,
      readCall: (text) => {
        state.read++;
        return read(text);
      },
      pipeline: {
        requestMasks: () => state.masks,
        maskRequest: (_context, text) => {
          state.masked++;
          return Uint8Array.from(text);
        },
        outputCap: () => state.cap,
        admit: (context) => {
          seen.push(context.shapedCall);
          return state.tries++ < 4
            ? { ...WAIT, atMonotonicMs: context.nowMonotonicMs + 20 }
            : RESERVE(context);
        },
      },
    });
    const client = post(simulation, '{"model":"gpt"}');
    const wakeUp = () => {
      simulation.nowMs += 20;
      simulation.wakes.pop()!.exchange.wake();
    };
    wakeUp();
    seen.at(-1)!.relyOnCap = true;
    wakeUp();
    expect([state.read, state.masked, seen.at(-1)!.relyOnCap]).toEqual([2, 1, false]);
    expect([seen[1], seen[2]]).toEqual([seen[0], seen[0]]);
    state.masks = sets[1]!;
    wakeUp();
    expect([state.read, state.masked]).toEqual([3, 2]);
    state.cap = 6;
    wakeUp();
    expect([state.read, state.masked, seen.at(-1)!.facts.outputCap]).toEqual([4, 3, 6]);
    expect([client.status, simulation.calls.length]).toEqual([0, 1]);
  });

  test('that is none is refused in the words of its dialect, with nothing taken or sent', () => {
    const simulation = simulate({ routes: ROUTES, readCall: read, pipeline: { admit: RESERVE } });
    const client = post(simulation, '{"model":');
    expect(JSON.parse(client.body)).toEqual({
      error: {
        message: 'The body is not sound JSON.',
        type: 'invalid_request_error',
        param: null,
        code: 'model_request_malformed',
      },
    });
    expect(client.status).toBe(400);
    expect([simulation.calls, simulation.releases]).toEqual([[], []]);
  });

  test('counts as held until its answer begins, however long that lasts', () => {
    const simulation = simulate({ routes: ROUTES, readCall: read, pipeline: { admit: RESERVE } });
    post(simulation, '{"model":"gpt"}');
    const [call] = simulation.calls;
    expect(simulation.thread.buffered.used).toBeGreaterThan(0);
    call!.head(false, 'data: 1\n\n');
    expect(simulation.thread.buffered.used).toBe(0);
    call!.data('data: 2\n\n', true);
    expect(simulation.releases).toHaveLength(1);
  });

  test('is let go where it ends without an answer', () => {
    const simulation = simulate({ routes: ROUTES, readCall: read, pipeline: { admit: RESERVE } });
    post(simulation, '{"model":"gpt"}').disconnect();
    expect(simulation.thread.buffered.used).toBe(0);
    expect(simulation.releases).toHaveLength(1);
  });

  test('that there is no room for on the thread is refused', () => {
    const limits = { bodiesBufferedPerThreadBytes: 10 };
    const simulation = simulate({ routes: ROUTES, readCall: read, limits });
    expect(post(simulation, '{"model":"gpt"}').status).toBe(503);
  });

  test('is counted as rules have changed it, and read anew for that', () => {
    const taken: number[] = [];
    const simulation = simulate({
      routes: ROUTES,
      readCall: read,
      pipeline: {
        requestTransform: () => ({
          heldBytes: 0,
          push: (chunk) => Buffer.concat([chunk, Buffer.from('  ')]),
        }),
        admit: ({ call, shapedCall }) => {
          taken.push(call!.facts.promptBytes, shapedCall!.facts.promptBytes);
          return CONTINUE;
        },
      },
    });
    post(simulation, '{"model":"gpt"}');
    expect(taken).toEqual([15, 17]);
    expect(simulation.calls[0]!.request.fieldLines).toContain('accept-encoding: identity');
  });
});

describe('what a call has reserved', () => {
  const BOUNDS = { tokens: 25, 'input-tokens': 15, 'output-tokens': 10, money: 500 };
  const usage = {
    inputTokens: 9,
    outputTokens: 4,
    cachedTokens: 3,
    reasoningTokens: 1,
    surcharge: 0,
    costNano: null,
  };
  const begun = (server = {}) => {
    const calls: ModelRequest[] = [];
    const simulation = simulate({
      routes: ROUTES,
      server,
      pipeline: { admit: RESERVE },
      readCall: (text) => {
        const call = read(text);
        if (!('code' in call)) calls.push(call);
        return call;
      },
    });
    const client = post(simulation, '{"model":"gpt"}');
    return { simulation, client, use: calls[0]!.use, sent: simulation.calls[0]! };
  };

  test('is settled with what its provider told, once, and its record says who told it', () => {
    const { simulation, use, sent } = begun();
    Object.assign(use, { pool: 'main', key: 'k', charged: 'told', usage, costNano: 77 });
    sent.head(true, '{}');
    expect(simulation.settled).toMatchObject([
      {
        actuals: {
          tokens: 13,
          'input-tokens': 9,
          'output-tokens': 4,
          'cached-tokens': 3,
          'reasoning-tokens': 1,
          money: 77,
        },
      },
    ]);
    expect(simulation.releases).toHaveLength(1);
    expect(simulation.records).toMatchObject([
      {
        model: 'gpt',
        target: 'main',
        providerKey: 'k',
        inputTokens: 9,
        outputTokens: 4,
        cachedTokens: 3,
        reasoningTokens: 1,
        tokensFrom: 'provider',
        costNano: 77,
        fault: '',
      },
    ]);
  });

  test('is spent where nobody told: by a caller that leaves within the answer', () => {
    const { simulation, client, use, sent } = begun();
    Object.assign(use, { pool: 'main', key: 'k', charged: 'reserve' });
    sent.head(false, 'data: 1\n\n');
    client.disconnect();
    const [{ actuals }] = simulation.settled as [(typeof simulation.settled)[number]];
    expect(new Set(Object.values(actuals))).toEqual(new Set([null]));
    expect(simulation.records).toMatchObject([
      {
        inputTokens: BOUNDS['input-tokens'],
        outputTokens: BOUNDS['output-tokens'],
        tokensFrom: 'bound',
        costNano: 500,
      },
    ]);
  });

  test('is given back where no provider can have worked on it', () => {
    const { simulation, client } = begun();
    client.disconnect();
    const [{ actuals }] = simulation.settled as [(typeof simulation.settled)[number]];
    expect(new Set(Object.values(actuals))).toEqual(new Set([0]));
    expect(simulation.records).toMatchObject([{ inputTokens: -1, tokensFrom: '', costNano: 0 }]);
  });

  test('and was too little is charged in full, and said in the record', () => {
    const { simulation, use, sent } = begun();
    Object.assign(use, { charged: 'told', usage: { ...usage, outputTokens: 99 }, costNano: 77 });
    sent.head(true, '{}');
    expect(simulation.settled).toMatchObject([{ actuals: { 'output-tokens': 99 } }]);
    expect(simulation.records[0]!.fault).toBe(
      'estimate_low: the call used more than was reserved (tokens: 108 of 25)',
    );
  });

  test('and was told or believed in part is marked in the record', () => {
    const { simulation, use, sent } = begun();
    const doubt = 'usage_incomplete: the answer tells no input tokens, which count as their bound';
    const tokens = { inputTokens: 20, outputTokens: 4, cachedTokens: null, reasoningTokens: 0 };
    Object.assign(use, { charged: 'told', usage: tokens, doubt, costNano: 77 });
    sent.head(true, '{}');
    expect(simulation.settled).toMatchObject([{ actuals: { tokens: 24, 'cached-tokens': null } }]);
    expect(simulation.records).toMatchObject([
      { inputTokens: 20, outputTokens: 4, cachedTokens: -1, tokensFrom: 'bound', costNano: 77, fault: doubt },
    ]);
  });

  test('and what it cost is told to the caller, where that is asked for and known', () => {
    for (const [server, cost] of [
      [{}, false],
      [{ tellCosts: true }, true],
    ] as const) {
      const { client, use, sent } = begun(server);
      Object.assign(use, { charged: 'told', usage, costNano: 77_000 });
      sent.head(true, '{}');
      expect(client.fields.includes('portunus-cost: 0.000077\r\n')).toBe(cost);
    }
  });
});

describe('rules that leave pools out', () => {
  /** Those of two pools that rules leave out, and how they refuse a call to a model that has them. */
  function barring(pools: readonly string[], rest: Partial<RoutePipeline> = {}) {
    const barred = { pools: new Set(pools), cases: [0] };
    return simulate({
      routes: ROUTES,
      readCall: (text) => ({ ...(read(text) as ModelRequest), model: { ...MODEL, pools: ['near', 'far'] } }),
      pipeline: {
        barredPools: () => barred,
        refuseTargets: (_context, _barred, had, status) =>
          had.some((pool) => barred.pools.has(pool))
            ? { ...REFUSAL, status, detail: `Not ${pools.join(', ')}, of ${had.join(', ')}.` }
            : null,
        ...rest,
      },
    });
  }
  const answerOf = ({ status, body }: SimulatedClient) => {
    const { code, message } = (JSON.parse(body) as { error: { code: string; message: string } }).error;
    return `${status} ${code} ${message}`;
  };

  test('leave the others to the call', () => {
    const simulation = barring(['far']);
    post(simulation, '{}');
    expect(simulation.calls[0]!.pools).toEqual({ order: null, barred: new Set(['far']) });
  });

  test('refuse where none is left, before anything is taken from limits or waited for', () => {
    let asked = 0;
    const admit: RoutePipeline['admit'] = () => {
      asked++;
      return CONTINUE;
    };
    const simulation = barring(['far', 'near'], { admit });
    expect(answerOf(post(simulation, '{}'))).toBe('403 not_there Not far, near, of near, far.');
    expect([simulation.calls, asked]).toEqual([[], 0]);
  });

  test('and where none of those that rules route to is', () => {
    const simulation = barring(['near'], { poolsFor: () => ['elsewhere', 'near'] });
    expect(answerOf(post(simulation, '{}'))).toBe('403 not_there Not near, of near.');
  });

  test('but say nothing where they leave out none of the pools that the call has', () => {
    const elsewhere = barring(['near'], { poolsFor: () => ['elsewhere'] });
    expect(answerOf(post(elsewhere, '{}'))).toMatch(/^403 no_pool_for_model /);
    const away = barring(['elsewhere']);
    const client = post(away, '{}');
    away.calls[0]!.fail('unprocessed', 'no_key_available');
    expect(answerOf(client)).toMatch(/^503 no_key_available /);
  });

  test.each([
    ['no_key_available', 'unknown', 'refuses'],
    ['upstream_none_available', 'unprocessed', 'refuses'],
    ['upstream_connect_failed', 'unprocessed', 'refuses'],
    ['upstream_connect_timeout', 'unprocessed', 'refuses'],
    ['upstream_tls_failed', 'unprocessed', 'refuses'],
    ['upstream_queue_timeout', 'unprocessed', 'refuses'],
    ['upstream_connect_failed', 'unknown', 'says nothing'],
    ['keys_exhausted', 'unprocessed', 'says nothing'],
    ['upstream_closed_in_answer', 'unknown', 'says nothing'],
  ] as const)('of a call that ends with %s (%s) the rule %s', (code, service, rule) => {
    const simulation = barring(['far']);
    const client = post(simulation, '{}');
    simulation.calls[0]!.fail(service, code);
    const said =
      rule === 'refuses' ? /^503 not_there Not far, of near, far\.$/ : new RegExp(`^\\d+ ${code} `);
    expect(answerOf(client)).toMatch(said);
  });
});

test.each([
  ['keys_exhausted', 'unprocessed', 'given back'],
  ['request_exceeds_keys', 'unprocessed', 'given back'],
  ['keys_exhausted', 'unknown', 'kept'],
  ['upstream_none_available', 'unprocessed', 'kept'],
] as const)('of a call that ends with %s (%s) what limits took is %s', (code, service, becomes) => {
  const watched = { entries: 1 };
  const simulation = simulate({
    routes: ROUTES,
    readCall: read,
    pipeline: {
      admit: (context) => {
        context.observedReservations = [watched];
        context.rateLimit = '"x";r=1';
        return RESERVE(context);
      },
    },
  });
  const client = post(simulation, '{}');
  simulation.calls[0]!.fail(service, code);
  // it would tell of what is left as if that had been taken
  expect(client.fields).not.toContain('ratelimit');
  // of policies that only watch, too
  expect(simulation.cancelled.length).toBe(becomes === 'given back' ? 2 : 0);
  expect(simulation.releases.length).toBe(becomes === 'given back' ? 0 : 2);
});

const REFUSAL = {
  code: 'not_there',
  ruleIndex: 0,
  retryAfterS: -1,
  rateLimit: '',
  rateLimitPolicy: '',
};

describe('a call that limits have no room for', () => {
  interface Rules {
    readonly models: readonly string[];
    readonly otherwise?: NextVariant['otherwise'];
    /** By the model that is asked about. */
    readonly admits: (model: string, context: RequestContext) => Outcome;
    readonly rest?: Partial<RoutePipeline>;
  }
  function fallingBack({ models, admits, rest, otherwise = { kind: 'respond', refusal: FULL } }: Rules) {
    const asked: string[] = [];
    const simulation = simulate({
      routes: ROUTES,
      readCall: read,
      pipeline: {
        admit: (context) => {
          const { name } = context.call!.model;
          asked.push(`${name} ${context.shapedCall!.model.name} ${context.fallen?.has('budget') ?? false}`);
          return context.fallen === null && name === 'gpt'
            ? { kind: 'next-variant', models, fallen: new Set(['budget']), otherwise }
            : admits(name, context);
        },
        ...rest,
      },
    });
    return { simulation, asked };
  }
  const REFUSED: Outcome = { kind: 'respond', refusal: { ...FULL, status: 403, code: 'of_the_other' } };
  const codeOf = ({ status, body }: SimulatedClient) =>
    `${status} ${(JSON.parse(body) as { error: { code: string } }).error.code}`;

  test('goes to the first model that can have it, judged and shaped as one to that', () => {
    const judged: string[] = [];
    const { simulation, asked } = fallingBack({
      models: [NOT_OFFERED, 'full', 'mini', 'never'],
      admits: (name, context) => (name === 'mini' ? RESERVE(context) : REFUSED),
      rest: {
        judgeBody: ({ call }) => {
          judged.push(`${call!.model.name} ${call!.facts.model}`);
          return CONTINUE;
        },
        requestTransform: () => ({ heldBytes: 0, push: (chunk) => Buffer.concat([chunk, Buffer.from(' ')]) }),
      },
    });
    post(simulation, '{"model":"gpt"}');
    expect(asked).toEqual(['gpt gpt false', 'full full true', 'mini mini true']);
    expect(judged).toEqual(['gpt gpt', 'full gpt', 'mini gpt']);
    const [call] = simulation.calls;
    expect(call!.model).toBe('mini');
    call!.head(true, '{}');
    expect(simulation.releases).toHaveLength(1);
    expect(simulation.thread.buffered.used).toBe(0);
    expect(simulation.records).toMatchObject([{ model: 'mini', status: 200, code: '' }]);
  });

  test('ends as it would have as it was asked for, where none can', () => {
    const { simulation, asked } = fallingBack({
      models: ['a', 'b', 'c', 'd'],
      admits: (name) =>
        name === 'a' ? FOR_ROOM : { kind: 'fail', refusal: { ...FULL, status: 503, code: 'counter_away' } },
      rest: {
        judgeBody: ({ call }) => (call!.model.name === 'b' ? REFUSED : CONTINUE),
        poolsFor: ({ call }) => (call!.model.name === 'c' ? ['elsewhere'] : null),
      },
    });
    const client = post(simulation, '{"model":"gpt"}');
    expect(asked).toEqual(['gpt gpt false', 'a a true', 'd d true']);
    expect(codeOf(client)).toBe('429 no_room');
    expect([simulation.calls, simulation.releases]).toEqual([[], []]);
    expect(simulation.records).toMatchObject([{ model: 'gpt', code: 'no_room' }]);
  });

  test('has what is noted of the call that is made, not of those that were refused', () => {
    const noted = (refuses: boolean) =>
      fallingBack({
        models: ['mini'],
        admits: () => (refuses ? REFUSED : CONTINUE),
        rest: {
          authorise: (context) => {
            context.warnings = [{ rule: 0, code: 'early', detail: '' }];
            return CONTINUE;
          },
          judgeBody: (context) => {
            context.warnings!.push({ rule: 0, code: context.call!.model.name, detail: '' });
            return CONTINUE;
          },
        },
      }).simulation;
    for (const [refuses, model] of [
      [false, 'mini'],
      [true, 'gpt'],
    ] as const) {
      const simulation = noted(refuses);
      const client = post(simulation, '{"model":"gpt"}');
      if (!refuses) simulation.calls[0]!.head(true, '{}');
      expect(client.fields.match(/code="\w+"/g), model).toEqual(['code="early"', `code="${model}"`]);
    }
  });

  test('waits for room where limits say so and no other model can have it, and is asked for anew', () => {
    const { simulation, asked } = fallingBack({
      models: ['mini'],
      otherwise: FOR_ROOM,
      admits: () => (asked.length > 3 ? CONTINUE : REFUSED),
    });
    post(simulation, '{"model":"gpt"}');
    expect(asked).toEqual(['gpt gpt false', 'mini mini true']);
    expect(simulation.wakes).toHaveLength(1);
    simulation.nowMs = 1_250;
    simulation.wakes[0]!.exchange.wake();
    expect(asked.slice(2)).toEqual(['gpt gpt false', 'mini mini true']);
    expect(simulation.calls[0]!.model).toBe('mini');
  });

  test('and waits for a grant for another model is asked for anew, too', () => {
    const { simulation, asked } = fallingBack({
      models: ['mini'],
      admits: () => (asked.length > 3 ? CONTINUE : { kind: 'wait-for-grant' }),
    });
    post(simulation, '{"model":"gpt"}');
    simulation.thread.grants.arrived();
    expect(asked).toEqual(['gpt gpt false', 'mini mini true', 'gpt gpt false', 'mini mini true']);
    expect(simulation.calls).toHaveLength(1);
  });
});

/** How a call ends where no other model can have it. */
const FULL: Refusal = { ...REFUSAL, status: 429, code: 'no_room', detail: 'There is no room.' };
const FOR_ROOM: Wait = {
  kind: 'wait',
  atMonotonicMs: 1_250,
  untilMonotonicMs: 5_000,
  counters: [{ name: 'c', atMs: 1_250, room: 'clock' }],
  room: 'clock',
  refusal: FULL,
};

describe('a prompt that limits have no room for by its bytes', () => {
  const TEXTS = { encoding: 'o200k_base', texts: ['a', 'b'], beside: 3 } as const;
  const REFUSED: Outcome = { kind: 'respond', refusal: FULL };
  /** Limits with room for so many tokens of a prompt. */
  function limited(room: number, options: Partial<SimulationOptions> & { readonly isShort?: boolean } = {}) {
    const asked: string[] = [];
    const simulation = simulate({
      routes: ROUTES,
      readCall: (text) => ({ ...(read(text) as ModelRequest), prompt: 'countable' }),
      promptOf: () => TEXTS,
      ...options,
      pipeline: {
        admit: (context) => {
          const { bounds, prompt, model } = context.shapedCall!;
          asked.push(`${model.name} ${prompt} ${bounds['input-tokens']}`);
          context.isShortOfPrompt = options.isShort ?? true;
          return bounds['input-tokens'] <= room ? RESERVE(context) : REFUSED;
        },
        ...options.pipeline,
      },
    });
    return { simulation, asked };
  }
  /** The thread that counts answers; what waits goes on in a later turn. */
  async function counted(simulation: Simulation, tokens: number | null): Promise<void> {
    simulation.thread.counts.told(simulation.counts.at(-1)!.id, tokens);
    await new Promise(setImmediate);
  }

  test('is not counted where they have it', () => {
    const { simulation, asked } = limited(15);
    post(simulation, '{"model":"gpt"}');
    expect(asked).toEqual(['gpt countable 15']);
    expect([simulation.counts, simulation.calls.length]).toEqual([[], 1]);
  });

  test('is counted elsewhere while it holds nothing, and is let through by its tokens, as its record says', async () => {
    const { simulation, asked } = limited(8);
    const client = post(simulation, '{"model":"gpt"}');
    expect(simulation.counts).toEqual([{ id: 0, encoding: 'o200k_base', texts: ['a', 'b'] }]);
    expect([simulation.calls, client.state]).toEqual([[], 'open']);
    expect(simulation.thread.load()).toMatchObject({ promptsCounting: 1, promptsCounted: 0 });
    await counted(simulation, 5);
    expect(asked).toEqual(['gpt countable 15', 'gpt counted 8']);
    expect(simulation.thread.load()).toMatchObject({ promptsCounting: 0, promptsCounted: 1 });
    simulation.calls[0]!.head(false, 'data: 1\n\n');
    client.disconnect();
    expect(simulation.releases).toHaveLength(1);
  });

  test('is refused where they have none for its tokens either, and counted once', async () => {
    const { simulation, asked } = limited(8);
    const client = post(simulation, '{"model":"gpt"}');
    await counted(simulation, 6);
    expect(asked).toEqual(['gpt countable 15', 'gpt counted 9']);
    expect([client.status, simulation.counts.length]).toEqual([429, 1]);
  });

  test('is refused by its bytes where it can not be counted, not in time, or where that would not help', async () => {
    const refusals: readonly (readonly [
      Parameters<typeof limited>[1],
      (simulation: Simulation) => unknown,
    ])[] = [
      [{}, (simulation) => counted(simulation, null)],
      [{}, (simulation) => simulation.wakes.at(-1)!.exchange.wake()],
      [{ isShort: false }, () => {}],
      [{ promptOf: () => null }, () => {}],
      [{ limits: { promptCountsPerThread: 0 } }, () => {}],
    ];
    for (const [options, end] of refusals) {
      const { simulation, asked } = limited(8, options);
      const client = post(simulation, '{"model":"gpt"}');
      await end(simulation);
      await new Promise(setImmediate);
      expect(asked).toEqual(['gpt countable 15', 'gpt bytes 15']);
      expect(client.status).toBe(429);
    }
  });

  test('that has a bound of its count is said to be counted, where nobody tells what it used', async () => {
    const calls: ModelRequest[] = [];
    const { simulation } = limited(8, {
      pipeline: {
        admit: (context) => {
          calls.push(context.shapedCall!);
          context.isShortOfPrompt = true;
          return context.shapedCall!.prompt === 'counted' ? RESERVE(context) : REFUSED;
        },
      },
    });
    const client = post(simulation, '{"model":"gpt"}');
    await counted(simulation, 5);
    Object.assign(calls.at(-1)!.use, { pool: 'main', key: 'k', charged: 'reserve' });
    simulation.calls[0]!.head(false, 'data: 1\n\n');
    client.disconnect();
    expect(simulation.records).toMatchObject([{ inputTokens: 8, tokensFrom: 'counted' }]);
  });

  test('is counted for each text of it, however often it is shaped anew', async () => {
    let tries = 0;
    const { simulation, asked } = limited(8, {
      pipeline: {
        requestTransform: () => ({ heldBytes: 0, push: (chunk) => Buffer.concat([chunk, Buffer.from(' ')]) }),
        judgeBody: () => (tries++ === 1 ? { kind: 'wait-for-grant' } : CONTINUE),
      },
    });
    post(simulation, '{"model":"gpt"}');
    await counted(simulation, 5);
    simulation.thread.grants.arrived();
    expect(asked).toEqual(['gpt countable 16', 'gpt counted 8']);
    expect(simulation.counts).toHaveLength(1);
  });

  test('may wait in vain: whoever has left is not counted for', async () => {
    const { simulation, asked } = limited(8);
    post(simulation, '{"model":"gpt"}').disconnect();
    await counted(simulation, 5);
    expect(asked).toHaveLength(1);
    expect(simulation.calls).toEqual([]);
    expect(simulation.thread.buffered.used).toBe(0);
  });
});
