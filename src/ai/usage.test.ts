import { describe, expect, it } from 'vitest';
import type { UsageFields } from '../model/pools.ts';
import { OPERATIONS } from './operations.ts';
import { StreamUsage, usageIn } from './usage.ts';
import { AS_THE_DIALECT } from './usage-fields.cases.ts';

describe('usage', () => {
  it.each([
    [
      'openai/chat',
      {
        usage: {
          prompt_tokens: 10,
          completion_tokens: 7,
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 3 },
        },
      },
      { inputTokens: 10, outputTokens: 7, cachedTokens: 4, reasoningTokens: 3, surcharge: 0, costNano: null },
    ],
    [
      'openai/responses',
      { usage: { input_tokens: 5, output_tokens: 6, output_tokens_details: { reasoning_tokens: 2 } } },
      { inputTokens: 5, outputTokens: 6, cachedTokens: 0, reasoningTokens: 2, surcharge: 0, costNano: null },
    ],
    [
      'openai/embeddings',
      { usage: { prompt_tokens: 8, total_tokens: 8 } },
      { inputTokens: 8, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, surcharge: 0, costNano: null },
    ],
    [
      'anthropic/messages',
      {
        usage: {
          input_tokens: 3,
          cache_read_input_tokens: 20,
          cache_creation_input_tokens: 7,
          output_tokens: 9,
        },
      },
      {
        inputTokens: 30,
        outputTokens: 9,
        cachedTokens: 20,
        reasoningTokens: 0,
        surcharge: 1.75,
        costNano: null,
      },
    ],
  ] as const)('of %s', (operation, answer, usage) => {
    expect(usageIn(answer, OPERATIONS[operation].usage, AS_THE_DIALECT)).toEqual(usage);
  });

  it.each([
    null,
    5,
    [],
    {},
    { usage: null },
    { usage: {} },
    { usage: { prompt_tokens: '10' } },
    { usage: { prompt_tokens: -1 } },
  ])('is not in %j', (answer) => {
    expect(usageIn(answer, OPERATIONS['openai/chat'].usage, AS_THE_DIALECT)).toBeNull();
  });
});

describe('usage where a provider has it', () => {
  const own: UsageFields = {
    inStreams: [
      ['x', 'usage'],
      ['choices', '0', 'usage'],
    ],
    input: ['in'],
    output: ['out'],
    total: ['all'],
    cached: ['hits'],
    reasoning: ['parts', 'thought'],
    cost: { path: ['bill', 'cents'], currency: 'USD', decimals: 2, rateNano: 1_000_000_000 },
  };
  const paths = OPERATIONS['openai/chat'].usage;

  it('is looked for there, and else where the dialect has it', () => {
    const usage = { in: 10, out: 7, hits: 4, parts: { thought: 3 }, all: 17, bill: { cents: '150' } };
    const told = { inputTokens: 10, outputTokens: 7, cachedTokens: 4, reasoningTokens: 3, surcharge: 0 };
    expect(usageIn({ usage }, paths, own)).toEqual({ ...told, costNano: 1_500_000_000 });
    const usual = { prompt_tokens: 10, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 4 } };
    expect(usageIn({ usage: usual }, paths, own)).toMatchObject({ cachedTokens: 4, costNano: null });
  });

  it.each([
    [17, 7],
    [30, 20],
    [9, 7],
    [null, 7],
  ])('has as output what %j tokens in all are above the input: %i', (all, outputTokens) => {
    expect(usageIn({ usage: { in: 10, out: 7, all } }, paths, own)).toMatchObject({ outputTokens });
  });

  it.each([[-1], [{}], ['much'], [null]])('has no cost of %j', (cents) => {
    expect(usageIn({ usage: { in: 1, bill: { cents } } }, paths, own)?.costNano).toBeNull();
  });

  it.each([
    { x: { usage: { in: 3, out: 2 } } },
    { choices: [{ usage: { in: 3, out: 2 } }] },
    { usage: { in: 3, out: 2 } },
  ])('is in the event %j of a stream', (event) => {
    const stream = new StreamUsage(paths, own, 1);
    stream.event(JSON.stringify(event));
    expect(stream.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });
});

it('has no larger part than the whole', () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 2,
    prompt_tokens_details: { cached_tokens: 11 },
    completion_tokens_details: { reasoning_tokens: 3 },
  };
  const told = {
    inputTokens: 10,
    outputTokens: 2,
    cachedTokens: 10,
    reasoningTokens: 2,
    surcharge: 0,
    costNano: null,
  };
  expect(usageIn({ usage }, OPERATIONS['openai/chat'].usage, AS_THE_DIALECT)).toEqual(told);
  const stream = new StreamUsage(OPERATIONS['openai/chat'].usage, AS_THE_DIALECT, 1);
  stream.event(
    JSON.stringify({ usage: { prompt_tokens: 30, prompt_tokens_details: { cached_tokens: 20 } } }),
  );
  stream.event(JSON.stringify({ usage: { prompt_tokens: 10, completion_tokens: 2 } }));
  expect(stream.usage).toMatchObject({ inputTokens: 10, cachedTokens: 10 });
});

describe('usage in a stream', () => {
  it.each([
    [
      'openai/chat',
      [
        '{"choices":[{"delta":{"content":"the \\"usage\\" of words"}}],"usage":null}',
        '{"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2}}',
        '[DONE]',
      ],
      { inputTokens: 4, outputTokens: 2 },
    ],
    [
      'openai/responses',
      [
        '{"type":"response.created"}',
        '{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":1}}}',
      ],
      { inputTokens: 3, outputTokens: 1 },
    ],
    [
      'anthropic/messages',
      [
        '{"type":"message_start","message":{"usage":{"input_tokens":11,"cache_read_input_tokens":5,"output_tokens":1}}}',
        '{"type":"content_block_delta","delta":{"text":"hi"}}',
        '{"type":"message_delta","usage":{"output_tokens":15}}',
      ],
      { inputTokens: 16, outputTokens: 15, cachedTokens: 5 },
    ],
  ] as const)('of %s', (operation, events, usage) => {
    const stream = new StreamUsage(OPERATIONS[operation].usage, AS_THE_DIALECT, 1);
    for (const event of events) stream.event(event);
    expect(stream.usage).toMatchObject(usage);
  });

  it.each([
    ['openai/chat', '[DONE]'],
    ['openai/responses', '{"response":{"id":"r"},"type":"response.completed","usage":{"input_tokens":1}}'],
    ['openai/responses', '{"type":"response.incomplete","response":{}}'],
    ['anthropic/messages', '{"type":"message_stop"}'],
  ] as const)('of %s is final with %s', (operation, last) => {
    const stream = new StreamUsage(OPERATIONS[operation].usage, AS_THE_DIALECT, 1);
    stream.event('{"type":"message_delta","usage":{"input_tokens":1,"output_tokens":15}}');
    expect(stream.isFinal).toBe(false);
    stream.event(last);
    expect(stream.isFinal).toBe(true);
  });

  it('is not known of a stream that was cut before it', () => {
    const stream = new StreamUsage(OPERATIONS['openai/chat'].usage, AS_THE_DIALECT, 1);
    expect(stream.event('{"choices":[{"delta":{"content":"hi"}}]}')).toBeNull();
    expect(stream.event('{"choices":[],"usage":null}')).toBeNull();
    expect(stream.event('{"choices":[],"usage":{}}')).toBeNull();
    expect(stream.usage).toBeNull();
  });
});
