import { atLeast, atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import { type Judgement, judge, optimumOf } from '../pool/judgement.ts';
import { loadOf } from '../pool/load.ts';
import { runPool } from '../pool/pool-run.ts';
import { runRoundRobin } from '../pool/round-robin-run.ts';
import type { Scenario } from '../pool/scenario.ts';
import { SCENARIOS } from '../pool/scenarios.ts';

export const pool: Bench = {
  name: 'pool',
  summary:
    'key pools beside what a scheduler that knows everything would get from the same keys, and round robin',
  run: async (context) => run(context),
};

/** Virtual time: a round is another load, not another measurement of the same one. */
const LOADS = { full: 5, quick: 1 } as const;
const FAIR = 0.99;

interface Measured {
  readonly pool: readonly Judgement[];
  readonly roundRobin: readonly Judgement[];
}

function run(context: BenchContext): BenchResult {
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(context.only));
  const loads = Math.min(context.rounds, LOADS[context.mode]);
  const figures = scenarios.flatMap((scenario) => {
    const measured = measure(scenario, context.seed, loads);
    context.say(`${scenario.name}: ${scenario.shows}`);
    return figuresOf(scenario, measured);
  });
  return {
    figures,
    notes: [
      `${loads} loads of each scenario, seeds ${context.seed} … ${context.seed + loads - 1}; round robin gets the same ones, after the pool each time.`,
      'Goodput is what was served of what is scarce (tokens as the provider counts them, or requests), as a share of an upper bound: the greatest flow in which calls may be split over keys and moments.',
      'Two data threads over one memory in virtual time, calls 8 … 120 ms on their way in each direction; providers are simulated behind the upstream port.',
      'A refusal is avoidable where the optimum would be less without the call.',
      "Jain's index is over tenants of whom more than 2 % were refused, while all of them wait.",
    ],
  };
}

function measure(scenario: Scenario, seed: number, loads: number): Measured {
  const pool: Judgement[] = [];
  const roundRobin: Judgement[] = [];
  for (let nth = 0; nth < loads; nth++) {
    const load = loadOf(scenario, seed + nth);
    const optimum = optimumOf(scenario, load);
    pool.push(judge(scenario, load, optimum, runPool(scenario, load, seed + nth)));
    roundRobin.push(judge(scenario, load, optimum, runRoundRobin(scenario, load, seed + nth)));
  }
  return { pool, roundRobin };
}

function figuresOf({ name, goal }: Scenario, { pool, roundRobin }: Measured): Figure[] {
  const figure = (
    what: string,
    unit: string,
    judgements: readonly Judgement[],
    of: (one: Judgement) => number,
    bar: Figure['bar'] = null,
  ): Figure => ({ name: `${name}: ${what}`, unit, values: judgements.map(of), bar });
  const percent = ({ goodput }: Judgement): number => 100 * goodput;
  const compared = pool.every(({ jain }) => !Number.isNaN(jain));
  return [
    figure('goodput', '% of optimum', pool, percent, atLeast(100 * goal)),
    // Each load has to hold it, not the median.
    {
      name: `${name}: avoidable refusals, most`,
      unit: 'calls',
      values: [Math.max(...pool.map(({ avoidable }) => avoidable))],
      bar: atMost(0),
    },
    ...(compared ? [figure('fairness', 'Jain', pool, ({ jain }) => jain, atLeast(FAIR))] : []),
    figure('429s of providers', 'in 10,000 calls', pool, ({ throttledPer10000 }) => throttledPer10000),
    figure('round robin: goodput', '% of optimum', roundRobin, percent),
    figure('round robin: avoidable refusals', 'calls', roundRobin, ({ avoidable }) => avoidable),
    ...(compared ? [figure('round robin: fairness', 'Jain', roundRobin, ({ jain }) => jain)] : []),
    figure(
      'round robin: 429s of providers',
      'in 10,000 calls',
      roundRobin,
      ({ throttledPer10000 }) => throttledPer10000,
    ),
  ];
}
