/** What a request reserved of budgets is settled exactly once, with what it cost, however the request ends. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CostSource, RouteCost } from '../model/world.ts';
import { RESERVE, type Simulation, simulate, simulatedRoute } from './exchange.cases.ts';
import { AT_MOST, expectedCost, OpenRequests, REQUEST_EVENTS } from './settlement.cases.ts';

function priced(told: CostSource | null): RouteCost {
  return { atMost: AT_MOST, currency: 'USD', told };
}
const IN_HEADER: CostSource = { kind: 'header', name: 'x-cost' };
const IN_BODY: CostSource = { kind: 'body', path: ['usage', 'cost'] };

function simulated(told: CostSource | null): Simulation {
  return simulate({
    routes: [simulatedRoute('/{rest...}', { cost: priced(told) })],
    pipeline: { admit: RESERVE },
    limits: { responseCostBytes: 1_024 },
  });
}

/** Everything is over, and what it cost was settled once. */
function costs(simulation: Simulation): readonly number[] {
  expect(simulation.thread.inFlight).toBe(0);
  expect(simulation.thread.buffered.used).toBe(0);
  const reservations = simulation.settled.map(({ reservation }) => reservation);
  expect(new Set(reservations).size).toBe(reservations.length);
  expect(new Set(simulation.releases)).toEqual(new Set(reservations));
  expect(simulation.releases.length).toBe(reservations.length);
  const actual = simulation.settled.map((each) => each.actual);
  expect(simulation.records.map(({ costNano }) => costNano)).toEqual(actual);
  return actual;
}

const JSON_FIELDS = ['content-type', 'application/json'];

describe('a request costs', () => {
  test.each([
    [200, AT_MOST],
    [500, AT_MOST],
    [404, AT_MOST],
    [401, 0],
    [429, 0],
  ])('by its price, answered %s: %s', (status, cost) => {
    const simulation = simulated(null);
    simulation.request('GET', '/');
    simulation.calls[0]!.head(true, '{}', { status });
    expect(costs(simulation)).toEqual([cost]);
  });

  test.each([
    [['x-cost', '0.02'], 20_000_000],
    [['x-cost', '0'], 0],
    [['x-cost', '0.7'], 700_000_000],
    [[], AT_MOST],
    [['x-cost', 'free'], AT_MOST],
    [['x-cost', '-1'], AT_MOST],
    [['x-cost', '0.1', 'x-cost', '0.1'], AT_MOST],
  ])('what a header tells, %j: %s', (fields, cost) => {
    const simulation = simulated(IN_HEADER);
    simulation.request('GET', '/');
    simulation.calls[0]!.head(true, '', { fields });
    expect(costs(simulation)).toEqual([cost]);
    expect(simulation.records[0]!.fault.startsWith('estimate_low')).toBe(cost > AT_MOST);
  });

  test.each([
    ['{"usage":{"cost":0.02}}', JSON_FIELDS, 20_000_000],
    ['{"usage":{"cost":"0.02"}}', JSON_FIELDS, 20_000_000],
    ['{"usage":{"cost":null}}', JSON_FIELDS, AT_MOST],
    ['{"usage":[0.02]}', JSON_FIELDS, AT_MOST],
    ['{"usage":{"cost":0.02}', JSON_FIELDS, AT_MOST],
    ['{"usage":{"cost":0.02}}', ['content-type', 'text/event-stream'], AT_MOST],
    ['{"usage":{"cost":0.02}}', [...JSON_FIELDS, 'content-encoding', 'gzip'], AT_MOST],
    [`{"usage":{"cost":0.02},"x":"${'x'.repeat(1_024)}"}`, JSON_FIELDS, AT_MOST],
  ])('what a member of the body tells, %s', (body, fields, cost) => {
    for (const pieces of [[body], [...body]]) {
      const simulation = simulated(IN_BODY);
      const client = simulation.request('GET', '/');
      const call = simulation.calls[0]!;
      pieces.forEach((piece, at) => {
        const last = at === pieces.length - 1;
        if (at === 0) call.head(last, piece, { fields });
        else call.data(piece, last);
      });
      expect(client.body).toBe(body);
      expect(costs(simulation)).toEqual([cost]);
    }
  });

  test('what the service told, also where rules change its answer on the way', () => {
    const body = '{"usage":{"cost":0.02}}';
    for (const pieces of [[body], [...body]]) {
      const simulation = simulate({
        routes: [simulatedRoute('/{rest...}', { cost: priced(IN_BODY) })],
        pipeline: { admit: RESERVE, responseTransform: () => ({ push: (chunk) => chunk, heldBytes: 0 }) },
        limits: { responseCostBytes: 1_024 },
      });
      const client = simulation.request('GET', '/');
      const call = simulation.calls[0]!;
      pieces.forEach((piece, at) => {
        const last = at === pieces.length - 1;
        if (at === 0) call.head(last, piece, { fields: JSON_FIELDS });
        else call.data(piece, last);
      });
      expect(client.body).toBe(body);
      expect(costs(simulation)).toEqual([20_000_000]);
    }
  });

  test('all where the answer is but a part of a body, whatever stands in it', () => {
    const simulation = simulated(IN_BODY);
    simulation.request('GET', '/');
    simulation.calls[0]!.head(true, '{"usage":{"cost":0.02}}', { fields: JSON_FIELDS, status: 206 });
    expect(costs(simulation)).toEqual([AT_MOST]);
  });

  test('nothing when no service got it, and all when nobody knows', () => {
    for (const [unprocessed, cost] of [
      ['unprocessed', 0],
      ['unknown', AT_MOST],
    ] as const) {
      const simulation = simulated(IN_HEADER);
      simulation.request('GET', '/');
      simulation.calls[0]!.fail(unprocessed);
      expect(costs(simulation)).toEqual([cost]);
    }
  });
});

test('what a service does not answer in time costs all that was reserved', () => {
  const simulation = simulated(IN_HEADER);
  const client = simulation.request('GET', '/');
  simulation.nowMs += 3_600_000;
  simulation.thread.sweep();
  expect(client.status).toBe(504);
  expect(costs(simulation)).toEqual([AT_MOST]);
});

test('what waits for a connection when it is given up costs nothing', () => {
  for (const unsent of [true, false]) {
    const simulation = simulated(IN_HEADER);
    const left = simulation.request('GET', '/left');
    simulation.request('GET', '/late');
    for (const call of simulation.calls) call.unsent = unsent;
    left.disconnect();
    simulation.nowMs += 3_600_000;
    simulation.thread.sweep();
    expect(costs(simulation)).toEqual(unsent ? [0, 0] : [AT_MOST, AT_MOST]);
  }
});

test.each([IN_HEADER, IN_BODY])(
  'exactly once, over random interleavings of requests that end in every way, time-outs among them: told in a $kind',
  (told) => {
    const scripts = fc.array(fc.array(fc.constantFrom(...REQUEST_EVENTS), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 6,
    });
    const timedOut = new Set<number>();
    fc.assert(
      fc.property(scripts, fc.infiniteStream(fc.nat()), fc.nat({ max: 40 }), (events, picks, timeOutAt) => {
        const simulation = simulated(told);
        const open = new OpenRequests(simulation, told.kind);
        for (const script of events) open.begin([...script, 'leave']);
        for (let step = 0; open.waiting.length > 0; step++) {
          if (step === timeOutAt) {
            for (const { status } of open.timeOut()) timedOut.add(status);
          } else open.step(picks.next().value);
        }
        costs(simulation);
        const byPath = new Map(simulation.records.map(({ path, costNano }) => [path, costNano]));
        for (const { path, seen } of open.all) expect(byPath.get(path)).toBe(expectedCost(seen, told.kind));
      }),
      { numRuns: 200 },
    );
    // those that had no answer, and those that were in the middle of one
    expect([...timedOut].sort()).toEqual([200, 504]);
  },
);
