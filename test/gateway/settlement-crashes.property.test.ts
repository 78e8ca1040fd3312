/**
 * Requests that reserve of a budget through leases of a real store, while processes crash, stop and begin anew: each request is
 * settled once or, if it was under way at a crash, stays charged with what it reserved. Never more than the budget is spent, and
 * what crashes are told to lose is all that is missing of it.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { simulate, simulatedRoute } from '../../src/gateway/exchange.cases.ts';
import {
  AT_MOST,
  expectedCost,
  OpenRequests,
  REQUEST_EVENTS,
  type RequestEvent,
} from '../../src/gateway/settlement.cases.ts';
import { type CounterSpec, NEEDS_LEASE, TAKEN } from '../../src/pipeline/counters.ts';
import { CONTINUE, type Outcome } from '../../src/pipeline/outcome.ts';
import { fill, spec } from '../state/counters-rig.ts';
import { QuotaStore } from '../state/quota-rig.ts';

const BUDGET = 12 * AT_MOST;
const REFUSED: Outcome = {
  kind: 'respond',
  refusal: {
    status: 429,
    code: 'limit_exceeded',
    detail: 'The budget is spent.',
    ruleIndex: 0,
    retryAfterS: 1,
    rateLimit: '',
    rateLimitPolicy: '',
  },
};

type Step =
  | { readonly kind: 'request'; readonly events: readonly RequestEvent[] }
  | { readonly kind: 'event'; readonly pick: number }
  | { readonly kind: 'time out' | 'crash' | 'stop' };

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('request' as const),
        events: fc.array(fc.constantFrom(...REQUEST_EVENTS), { minLength: 1, maxLength: 5 }),
      }),
    },
    { weight: 9, arbitrary: fc.record({ kind: fc.constant('event' as const), pick: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'time out' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** At the end the rest of the budget is asked for. */
const FILL: readonly Step[] = Array.from({ length: 14 }, () => ({ kind: 'request', events: ['leave'] }));

/** A process of the gateway: an exchange over counters of its own memory. */
function begin(store: QuotaStore, specs: readonly CounterSpec[]) {
  const process = store.process(specs);
  const binding = process.bind(specs);
  const batch = binding.createBatch();
  const take = () => {
    const result = binding.take(
      fill(batch, [{ counter: 0, key: 1, weight: AT_MOST }]),
      store.clock.monotonicMs,
      store.clock.wallMs,
    );
    process.grant();
    return result;
  };
  const simulation = simulate({
    routes: [
      simulatedRoute('/{rest...}', {
        cost: { atMost: AT_MOST, currency: 'USD', told: { kind: 'header', name: 'x-cost' } },
      }),
    ],
    counters: binding,
    pipeline: {
      admit: (context) => {
        let result = take();
        while (result === NEEDS_LEASE) result = take();
        if (result !== TAKEN) return REFUSED;
        context.reservation = binding.reserve(batch);
        return CONTINUE;
      },
    },
    limits: { responseCostBytes: 1_024 },
  });
  return { process, simulation, open: new OpenRequests(simulation) };
}

function run(
  store: QuotaStore,
  identity: string,
  steps: readonly Step[],
): { crashedOpen: number; refused: number } {
  const specs = [
    spec(identity, { kind: 'calendar', amount: BUDGET, period: 'day', zone: 'UTC' }, { estimates: 'money' }),
  ];
  let life = begin(store, specs);
  /** Of processes that are gone: what is charged for good, and what crashes were told to lose. */
  let [charged, lost, crashedOpen, refused] = [0, 0, 0, 0];
  const chargedNow = (): number => {
    const over = life.open.all.filter((one) => one.call !== null && !life.open.waiting.includes(one));
    const settled = over.reduce((sum, { seen }) => sum + expectedCost(seen), 0);
    expect(life.simulation.settled.map(({ actual }) => actual).reduce((sum, each) => sum + each, 0)).toBe(
      settled,
    );
    return charged + settled + life.open.waiting.length * AT_MOST;
  };
  for (const step of [...steps, ...FILL]) {
    switch (step.kind) {
      case 'request': {
        const before = chargedNow();
        const { call } = life.open.begin([...step.events, 'leave']);
        if (call !== null) expect(before + AT_MOST, 'no more than the budget').toBeLessThanOrEqual(BUDGET);
        else {
          refused++;
          expect(before + lost + AT_MOST, 'refused only what does not fit').toBeGreaterThan(BUDGET);
        }
        break;
      }
      case 'event':
        life.open.step(step.pick);
        break;
      case 'time out':
        life.open.timeOut();
        break;
      case 'crash':
      case 'stop': {
        // who stops lets requests end; a crash leaves what they reserved charged
        if (step.kind === 'stop') life.open.timeOut();
        life.process.grant();
        charged = chargedNow();
        if (step.kind === 'stop') life.process.stop();
        else {
          lost += life.process.openAmount();
          crashedOpen += life.open.waiting.length;
        }
        const { records, settled, releases } = life.simulation;
        const paths = records.map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
        expect(releases.length).toBe(settled.length);
        life = begin(store, specs);
        break;
      }
    }
    life.process.grant();
  }
  return { crashedOpen, refused };
}

it('holds over random interleavings of requests, time-outs, crashes and stops', async () => {
  const store = new QuotaStore();
  let runs = 0;
  const seen = { crashedOpen: 0, refused: 0 };
  try {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const { crashedOpen, refused } = run(store, `settled${runs++}`, steps);
        seen.crashedOpen += crashedOpen;
        seen.refused += refused;
      }),
      { numRuns: 150 },
    );
  } finally {
    await store.close();
  }
  expect(Math.min(seen.crashedOpen, seen.refused)).toBeGreaterThan(20);
}, 120_000);
