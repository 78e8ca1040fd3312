import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelPrice, PoolStrategy } from '../model/pools.ts';
import type { MeterSpec } from '../model/provider-limits.ts';
import type { CallEstimate } from './call-cost.ts';
import { type Candidate, type Choice, choose } from './choice.ts';
import { laneBytes } from './lane-layout.ts';
import { Lanes } from './lanes.ts';

const NOW_MS = 1_000;

interface KeySpec {
  /** Null: not known. */
  readonly price: Pick<ModelPrice, 'inputNano' | 'outputNano' | 'requestNano'> | null;
  readonly limits?: readonly Pick<MeterSpec, 'unit' | 'amount' | 'kind'>[];
  /** Tokens that other calls have taken of it. */
  readonly used?: number;
  readonly priority?: number;
  readonly isBarred?: boolean;
}

interface Call {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly requests: number;
}

/** Keys with a lane each, and what one call would take of them. */
function poolOf(keys: readonly KeySpec[], { inputTokens, outputTokens, requests }: Call) {
  const lanes = new Lanes({
    memory: new SharedArrayBuffer(laneBytes(keys.length)),
    lanes: keys.length,
    proofMs: 1_000,
  });
  keys.forEach(({ limits = [], used = 0 }, lane) => {
    const specs = limits.map((limit) => ({ ...limit, windowMs: 60_000, source: 'declared' as const }));
    lanes.declare(lane, specs, NOW_MS);
    if (used > 0)
      lanes.take([lane], { inputTokens: used, countedTokens: null, outputTokens: 0, costNano: 0 }, NOW_MS);
  });
  const candidates = keys.map(
    ({ priority = 1 }, key): Candidate => ({
      ...{ key, lanes: [key], priority, weight: 1, share: 1 },
      pricePlace: key,
    }),
  );
  const prices = keys.map(({ price }) =>
    price === null ? null : { ...price, cachedNano: 0, asOf: '', source: 'project' as const },
  );
  const amounts: CallEstimate = {
    inputTokens,
    countedTokens: null,
    outputTokens,
    costNano: 0,
    requests,
    prices,
  };
  const choiceOf = (strategy: PoolStrategy, sticky: number | null = null): Choice => ({
    ...{ lanes, strategy, sticky, draw: () => 0, guard: null },
    isBarred: ({ key }) => keys[key]!.isBarred === true,
  });
  return { lanes, candidates, amounts, choiceOf };
}

/** The key; or -1, where none has room. */
function chosenOf(
  keys: readonly KeySpec[],
  call: Call,
  strategy: PoolStrategy = 'cheapest',
  sticky: number | null = null,
): number {
  const { candidates, amounts, choiceOf } = poolOf(keys, call);
  const outcome = choose(choiceOf(strategy, sticky), candidates, amounts, NOW_MS);
  return 'ticket' in outcome ? outcome.key : -1;
}

/** For a million tokens. */
function price(inputNano: number, outputNano = inputNano, requestNano = 0): KeySpec['price'] {
  return { inputNano, outputNano, requestNano };
}

function tokensAMinute(amount: number): NonNullable<KeySpec['limits']>[number] {
  return { unit: 'tokens', kind: 'bucket', amount };
}

const CALL = { inputTokens: 1_000, outputTokens: 1_000, requests: 1 };

describe('the cheapest key', () => {
  it.each<[string, readonly KeySpec[], Call, number]>([
    ['costs least for this call', [{ price: price(3e9) }, { price: price(2e9) }], CALL, 1],
    [
      'is another one where the prompt is most of the call',
      [{ price: price(1e9, 9e9) }, { price: price(4e9) }],
      { ...CALL, outputTokens: 10 },
      0,
    ],
    [
      'is another one where the answer is most of the call',
      [{ price: price(1e9, 9e9) }, { price: price(4e9) }],
      CALL,
      1,
    ],
    [
      'is reckoned with what a request costs, as often as that is paid',
      [{ price: price(1e9, 1e9, 2e6) }, { price: price(4e9) }],
      { ...CALL, requests: 4 },
      1,
    ],
    [
      'has room: the next one serves where it has none',
      [{ price: price(1e9), limits: [tokensAMinute(1_999)] }, { price: price(3e9) }, { price: price(2e9) }],
      CALL,
      2,
    ],
    ['may be used', [{ price: price(1e9), isBarred: true }, { price: price(2e9) }], CALL, 1],
    [
      'has the most headroom, of several',
      [
        { price: price(2e9), limits: [tokensAMinute(10_000)] },
        { price: price(2e9), limits: [tokensAMinute(20_000)] },
        { price: price(3e9) },
      ],
      CALL,
      1,
    ],
    ['is one whose price is known', [{ price: null }, { price: price(9e9) }], CALL, 1],
    [
      'is the one with the most headroom, where no price is known',
      [{ price: null, limits: [tokensAMinute(10_000)] }, { price: null }],
      CALL,
      1,
    ],
    ['is one for nothing', [{ price: price(1) }, { price: price(0) }], CALL, 1],
  ])('%s', (_what, keys, call, expected) => {
    expect(chosenOf(keys, call)).toBe(expected);
  });

  it('spends of its money what it costs, not what others do', () => {
    const spends = { unit: 'cost', kind: 'fixed', amount: 4e6 } as const;
    const keys = [
      { price: price(9e9), limits: [spends] },
      { price: price(2e9), limits: [spends] },
    ];
    const { lanes, candidates, amounts, choiceOf } = poolOf(keys, CALL);
    const outcome = choose(choiceOf('cheapest'), candidates, amounts, NOW_MS);
    expect(outcome).toMatchObject({ key: 1, price: { inputNano: 2e9 } });
    expect([0, 1].map((lane) => lanes.read(lane, NOW_MS).meters[0]!.left)).toEqual([4e6, 0]);
    expect(choose(choiceOf('cheapest'), candidates, amounts, NOW_MS)).not.toHaveProperty('ticket');
  });

  it('is the same one for a conversation, of those that cost the same', () => {
    const keys = [price(3e9), ...Array.from({ length: 6 }, () => price(2e9))].map((own) => ({ price: own }));
    const of = (sticky: number) => chosenOf(keys, CALL, 'cheapest', sticky);
    const chosen = Array.from({ length: 50 }, (_, conversation) => of(conversation * 7_919));
    expect(chosen).toEqual(Array.from({ length: 50 }, (_, conversation) => of(conversation * 7_919)));
    expect(new Set(chosen)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  });

  it('is the one that a plain search finds', () => {
    const nano = fc.oneof(fc.constantFrom(0, 1e9, 2e9), fc.integer({ min: 0, max: 1e11 }));
    const limit = fc.record({
      unit: fc.constantFrom('tokens' as const, 'input-tokens' as const, 'requests' as const),
      kind: fc.constantFrom('bucket' as const, 'fixed' as const),
      amount: fc.integer({ min: 1, max: 6_000 }),
    });
    const key = fc.record({
      price: fc.option(fc.record({ inputNano: nano, outputNano: nano, requestNano: nano })),
      limits: fc.uniqueArray(limit, { maxLength: 3, selector: ({ unit }) => unit }),
      used: fc.constantFrom(0, 0, 500, 1_500),
      isBarred: fc.constantFrom(false, false, false, true),
    });
    const call = fc.record({
      inputTokens: fc.integer({ min: 0, max: 3_000 }),
      outputTokens: fc.integer({ min: 0, max: 3_000 }),
      requests: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 7 }), call, (keys, one) => {
        const { lanes, candidates, amounts, choiceOf } = poolOf(keys, one);
        const costOf = ({ price: own }: KeySpec): number =>
          own === null
            ? Number.POSITIVE_INFINITY
            : Math.ceil((own.inputNano * one.inputTokens + own.outputNano * one.outputTokens) / 1e6) +
              own.requestNano * one.requests;
        const costs = keys.map(costOf);
        const headrooms = candidates.map((candidate) => lanes.headroom(candidate.lanes, amounts, NOW_MS));
        const [first] = candidates
          .map((_, index) => index)
          .filter((index) => !keys[index]!.isBarred && lanes.fitsAtMs([index], amounts, NOW_MS) <= NOW_MS)
          .sort((a, b) =>
            costs[a] === costs[b] ? headrooms[b]! - headrooms[a]! : costs[a]! < costs[b]! ? -1 : 1,
          );
        const outcome = choose(choiceOf('cheapest'), candidates, amounts, NOW_MS);
        expect('ticket' in outcome ? outcome.key : undefined).toBe(first);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('keys in an order', () => {
  it.each(['priority', 'cheapest'] as const)(
    'are asked in it where the first has less room than it seems to: %s',
    (strategy) => {
      // the last of a bucket is left alone, since calls overtake each other on their way
      const full = [tokensAMinute(100_000)];
      const keys = [
        { price: price(1e9), limits: full, used: 97_900, priority: 1 },
        { price: price(3e9), priority: 3 },
        { price: price(2e9), priority: 2 },
      ];
      expect(chosenOf(keys, CALL, strategy)).toBe(2);
    },
  );
});

/** How likely each of equals of which nothing is known is drawn, by all that the draw can say; of a share the one half or the other. */
function chancesOf(keys: readonly { readonly account: number; readonly share: number }[]): readonly number[] {
  const lanes = new Lanes({ memory: new SharedArrayBuffer(laneBytes(10)), lanes: 10, proofMs: 1_000 });
  const candidates = keys.map(
    ({ account, share }, key): Candidate => ({
      ...{ key, lanes: [account, 5 + account], priority: 1, weight: 1 },
      ...{ share, pricePlace: 0 },
    }),
  );
  const amounts = { ...CALL, countedTokens: null, costNano: 0, prices: [null] };
  const chances = keys.map(() => 0);
  const said: number[] = [];
  do {
    const ways: number[] = [];
    const draw = (below: number): number => {
      ways.push(Math.min(below, below > 100 ? 2 : below));
      const nth = said[ways.length - 1] ?? 0;
      said[ways.length - 1] = nth;
      return below > 100 ? nth * (below - 1) : nth;
    };
    const choice: Choice = {
      lanes,
      strategy: 'headroom',
      sticky: null,
      draw,
      guard: null,
      isBarred: () => false,
    };
    const outcome = choose(choice, candidates, amounts, NOW_MS);
    if ('ticket' in outcome) chances[outcome.key]! += ways.reduce((chance, way) => chance / way, 1);
    while (said.length > 0 && said.at(-1)! === ways[said.length - 1]! - 1) said.pop();
    if (said.length > 0) said[said.length - 1]!++;
  } while (said.length > 0);
  return chances;
}

describe('of accounts of which nothing is known each is as likely', () => {
  const whole = (account: number) => ({ account, share: 1 });
  it.each<[string, Parameters<typeof chancesOf>[0], readonly number[]]>([
    ['one key each', [whole(0), whole(1), whole(2)], [1 / 3, 1 / 3, 1 / 3]],
    ['the first has two keys', [whole(0), whole(0), whole(1)], [1 / 2, 0, 1 / 2]],
    ['the last has three keys', [whole(1), whole(0), whole(0), whole(0)], [1 / 2, 1 / 2, 0, 0]],
    [
      'a new secret before the former one',
      [{ account: 0, share: 0.5 }, whole(0), whole(1)],
      [1 / 4, 1 / 4, 1 / 2],
    ],
    ['behind another account', [whole(1), { account: 0, share: 0.5 }, whole(0)], [1 / 2, 1 / 4, 1 / 4]],
  ])('%s', (_what, keys, expected) => {
    const chances = chancesOf(keys);
    for (const [key, chance] of expected.entries()) expect(chances[key]).toBeCloseTo(chance, 9);
  });
});
