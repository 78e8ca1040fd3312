import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccessRecord, emptyRecord } from '../../pipeline/record.ts';
import { createRecordReader, createRecordRing, createRecordWriter } from '../record-ring.ts';
import { MinuteCounts } from './minute-counts.ts';
import { copyRecord, openBlock, RecordBlockWriter } from './record-block.ts';
import type { RollupCell } from './rollup-cell.ts';

const amount = fc.constantFrom(-1, -1, -1, -1, 0, 27, 5_000);
/** Few names, so that many records have those of the one before, and many differ in one. */
const record = fc
  .record({
    route: fc.constantFrom('', 'items'),
    tenant: fc.constantFrom('acme', 'beta'),
    consumer: fc.constantFrom('web', 'app', ''),
    credential: fc.constantFrom('one', 'two'),
    code: fc.constantFrom('', 'refused'),
    decidingRule: fc.constantFrom('', 'p/r'),
    model: fc.constantFrom('', 'gpt'),
    target: fc.constantFrom('', 'main'),
    path: fc.constantFrom('/v1/items/42', '/', '/v1/a-longer-path/of-some-length'),
    status: fc.constantFrom(200, 399, 400, 499, 500, 503),
    clientAborted: fc.constantFrom(false, false, true),
    requestBytes: fc.constantFrom(0, 1, 3_000),
    responseBytes: fc.constantFrom(0, 27),
    inputTokens: amount,
    outputTokens: amount,
    costNano: amount,
    cachedTokens: amount,
    reasoningTokens: amount,
    cache: fc.constantFrom('', 'hit', 'miss'),
    finishedUs: fc.constantFrom(-1, 0, 400, 70_000),
  })
  .map((fields): AccessRecord => ({ ...emptyRecord(), timeMs: 1, ...fields }));
const records = fc.array(record, { minLength: 1, maxLength: 40 });

/** Hands the records over as they come out of a ring: repeated names are told once. */
function throughRing(
  all: readonly AccessRecord[],
  accept: Parameters<ReturnType<typeof createRecordReader>['drain']>[1],
) {
  const ring = createRecordRing(1 << 20);
  const writer = createRecordWriter(ring);
  for (const each of all) writer.write(each);
  expect(createRecordReader(ring).drain(all.length, accept)).toBe(all.length);
}

describe('the sums of a minute', () => {
  it('are what adding up the records of each name gives, by every dimension', () => {
    fc.assert(
      fc.property(records, (all) => {
        const counts = new MinuteCounts(100);
        throughRing(all, (each, frame) => void counts.count(each, frame));
        for (const [dimension, nameOf] of NAMES) {
          const names = new Set(all.map(nameOf).filter((name) => name !== null));
          const sums = Object.fromEntries(
            [...counts.dimensions[dimension]].map(([name, cell]) => [
              name,
              { ...cell.sums, ...percentilesOf(cell) },
            ]),
          );
          const namedSo = (name: string | null) => all.filter((each) => nameOf(each) === name);
          const expected = [...names].map((name) => [
            name,
            { ...sumsOf(namedSo(name)), ...ranksOf(namedSo(name)) },
          ]);
          expect(sums).toEqual(Object.fromEntries(expected));
        }
      }),
      { numRuns: 100 },
    );
  });
});

it('keeps no more groups at hand than it may, and counts each record all the same', () => {
  const counts = new MinuteCounts(100, 4);
  for (let nth = 0; nth < 50; nth++)
    counts.count({ ...emptyRecord(), timeMs: 1, route: `route-${nth % 10}`, tenant: 'acme' }, null);
  expect(counts.groupsKept).toBeLessThanOrEqual(3 * 4);
  expect([...counts.dimensions.route.values()].map(({ sums }) => sums.requests)).toEqual(Array(10).fill(5));
});

describe('a block of records', () => {
  it('gives back records that share their names, each as it was', () => {
    fc.assert(
      fc.property(records, (all) => {
        const block = new RecordBlockWriter();
        throughRing(all, (each, frame) => void block.add(each, frame));
        const back: AccessRecord[] = [];
        openBlock(block.block())!.read((each) => back.push(copyRecord(each)));
        expect(back).toEqual(all);
      }),
      { numRuns: 100 },
    );
  });
});

const NAMES = [
  ['route', ({ route }: AccessRecord) => (route === '' ? '(none)' : route)],
  ['tenant', ({ tenant }: AccessRecord) => tenant],
  [
    'consumer',
    ({ tenant, consumer }: AccessRecord) => (consumer === '' ? '(none)' : `${tenant}/${consumer}`),
  ],
  [
    'credential',
    ({ tenant, consumer, credential }: AccessRecord) =>
      consumer === '' ? '(none)' : `${tenant}/${consumer}/${credential}`,
  ],
  [
    'decision',
    ({ code, decidingRule }: AccessRecord) =>
      code === ''
        ? decidingRule === ''
          ? 'permitted'
          : `permitted by ${decidingRule}`
        : decidingRule === ''
          ? code
          : `refused by ${decidingRule}`,
  ],
  ['model', ({ model }: AccessRecord) => (model === '' ? null : model)],
  ['pool', ({ target }: AccessRecord) => (target === '' ? null : target)],
] as const;

const SHARES = [0.5, 0.99, 1] as const;

function percentilesOf(cell: RollupCell) {
  return {
    latency: SHARES.map((share) => cell.latencyUs.percentile(share)),
    requestSize: SHARES.map((share) => cell.requestBytes.percentile(share)),
    responseSize: SHARES.map((share) => cell.responseBytes.percentile(share)),
  };
}

/** The value of that rank, rounded up as far as the histogram may: an eighth for times, to a power of two less one for sizes. */
function ranksOf(all: readonly AccessRecord[]) {
  const of = (amountOf: (each: AccessRecord) => number, roundedUp: (value: number) => number): number[] => {
    const values = all.map((each) => Math.max(0, amountOf(each))).sort((one, other) => one - other);
    return SHARES.map((share) =>
      Math.min(values.at(-1)!, roundedUp(values[Math.ceil(share * values.length) - 1]!)),
    );
  };
  return {
    latency: of(({ finishedUs }) => finishedUs, eighthUp),
    requestSize: of(({ requestBytes }) => requestBytes, powerUp),
    responseSize: of(({ responseBytes }) => responseBytes, powerUp),
  };
}

const powerUp = (value: number): number => (value === 0 ? 0 : 2 ** (Math.floor(Math.log2(value)) + 1) - 1);

/** To the end of its eighth of the power of two it lies in; below eight each number stands for itself. */
function eighthUp(value: number): number {
  if (value < 8) return value;
  const eighth = 2 ** (Math.floor(Math.log2(value)) - 3);
  return (Math.floor(value / eighth) + 1) * eighth - 1;
}

function sumsOf(all: readonly AccessRecord[]) {
  const count = (isMeant: (each: AccessRecord) => boolean) => all.filter(isMeant).length;
  const total = (of: (each: AccessRecord) => number) =>
    all.reduce((sum, each) => sum + Math.max(0, of(each)), 0);
  return {
    requests: all.length,
    clientErrors: count(({ status }) => status >= 400 && status < 500),
    serverErrors: count(({ status }) => status >= 500),
    refused: count(({ code, decidingRule }) => code !== '' && decidingRule !== ''),
    aborted: count(({ clientAborted }) => clientAborted),
    requestBytes: total(({ requestBytes }) => requestBytes),
    responseBytes: total(({ responseBytes }) => responseBytes),
    inputTokens: total(({ inputTokens }) => inputTokens),
    outputTokens: total(({ outputTokens }) => outputTokens),
    costNano: total(({ costNano }) => costNano),
    durationUs: total(({ finishedUs }) => finishedUs),
    cachedTokens: total(({ cachedTokens }) => cachedTokens),
    reasoningTokens: total(({ reasoningTokens }) => reasoningTokens),
    cacheHits: count(({ cache }) => cache === 'hit'),
  };
}
