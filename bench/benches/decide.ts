import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type BenchContext,
  type BenchResult,
  type Figure,
} from '../bench.ts';
import { parseSchedstat } from '../cpu.ts';
import { build, codeOfItsOwn, type Engine, otherEngines, ownEngines } from '../decide/engines.ts';
import { gateway } from '../decide/gateway.ts';
import { gdrive } from '../decide/gdrive.ts';
import { github } from '../decide/github.ts';
import type { Scenario } from '../decide/scenario.ts';
import { tinytodo } from '../decide/tinytodo.ts';
import { type Contender, interleave } from '../rounds.ts';
import { pairedRatios } from '../statistics.ts';

/**
 * What a decision alone costs, in this process, without counters or sockets. Nothing is measured before all engines have
 * given the same decision on every request, and the compiled rules the same whole answer as the rules by hand.
 */
export const decide: Bench = {
  name: 'decide',
  summary:
    'a decision alone: compiled rules beside rules by hand, the interpreter, cel-js, cedar-wasm and casbin',
  run,
};

const REQUESTS = 500;
const CROWDS = [10, 1_000, 10_000] as const;
const OTHER_ENGINES = ['interpreter', 'cel-js', 'cedar-wasm', 'casbin'] as const;
/** runtime.md §7. */
const BARS: Readonly<Record<string, Bar>> = { 'cel-js': atLeast(10), 'cedar-wasm': atLeast(1_000) };

async function run(context: BenchContext): Promise<BenchResult> {
  const figures: Figure[] = [];
  for (const scenario of [gdrive(REQUESTS), github(REQUESTS), tinytodo(REQUESTS), gateway(REQUESTS, 0)]) {
    figures.push(...(await compare(scenario, context)));
  }
  figures.push(...(await crowds(context)));
  return { figures, notes: NOTES };
}

const NOTES = [
  `${REQUESTS} requests of each scenario in turn; decisions of all engines, and whole answers of compiled and by hand, were equal on each.`,
  'cel-js: expression parsed and typed before. cedar-wasm: policies parsed before, entities with each call (the package keeps none). casbin: enforceSync.',
  'Ratios are taken within a round. Scenarios gdrive, github, tinytodo after Cutler et al., OOPSLA 2024; how they are mapped stands in bench/decide/.',
];

/** All engines on one scenario. */
async function compare(scenario: Scenario, context: BenchContext): Promise<Figure[]> {
  context.say(`${scenario.name}: engines agree on all requests, then are measured`);
  const engines = [...ownEngines(scenario, build(scenario)), ...(await otherEngines(scenario))];
  const permitted = demandAgreement(scenario, engines);
  const times = await measureAll(engines, permitted, context);
  const title = `${scenario.name} · `;
  return [
    ...engines.map(({ name }) => figure(`${title}${name}`, 'ns', times.get(name)!)),
    figure(`${title}compiled / by hand`, '×', ratios(times, 'compiled', 'by hand'), atMost(1.2)),
    ...OTHER_ENGINES.map((name) =>
      figure(`${title}${name} / compiled`, '×', ratios(times, name, 'compiled'), BARS[name] ?? null),
    ),
  ];
}

/** The same requests under ever more policies, none of which is about their callers. */
async function crowds(context: BenchContext): Promise<Figure[]> {
  context.say('more and more policies on one route');
  const engines = CROWDS.map((crowd): Engine => {
    const scenario = gateway(REQUESTS, crowd);
    const own = ownEngines(scenario, build(scenario)).filter(({ name }) => name !== 'interpreter');
    demandAgreement(scenario, own);
    return { ...own.find(({ name }) => name === 'compiled')!, name: `${crowd} policies` };
  });
  const permitted = Array.from({ length: REQUESTS }, (_, at) => engines[0]!.decide(at)).filter(
    Boolean,
  ).length;
  const times = await measureAll(engines, permitted, context);
  const [few, ...more] = engines.map(({ name }) => name) as [string, ...string[]];
  return [
    ...engines.map(({ name }) => figure(`${name} · compiled`, 'ns', times.get(name)!)),
    ...more.map((name) => figure(`${name} / ${few}`, '×', ratios(times, name, few), atMost(1.1))),
  ];
}

/** Returns how many requests are permitted. */
function demandAgreement({ name, requests }: Scenario, engines: readonly Engine[]): number {
  const [first, ...others] = engines as [Engine, ...Engine[]];
  let permitted = 0;
  for (const at of requests.keys()) {
    const decision = first.decide(at);
    if (decision) permitted++;
    for (const other of others) {
      if (other.decide(at) !== decision) {
        throw new Error(
          `${name}: ${other.name} and ${first.name} differ on ${JSON.stringify(requests[at]!.facts)}`,
        );
      }
      const answer = other.answer?.(at);
      if (answer !== undefined && !isDeepStrictEqual(answer, first.answer!(at))) {
        throw new Error(`${name}: answers differ: ${JSON.stringify([answer, first.answer!(at)])}`);
      }
    }
  }
  if (permitted === 0 || permitted === requests.length)
    throw new Error(`${name}: all requests get one decision`);
  return permitted;
}

async function measureAll(
  engines: readonly Engine[],
  permitted: number,
  { rounds, seconds, say }: BenchContext,
): Promise<ReadonlyMap<string, readonly number[]>> {
  // A tenth: a decision takes nanoseconds, so millions fit, and there are many contenders.
  const contenders = engines.map((engine): Contender<number> => {
    const pass = passOf(engine);
    return { name: engine.name, measure: async () => measure(pass, permitted, seconds * 100) };
  });
  return interleave(contenders, { rounds, warmUps: 2, onRound: (round) => say(`round ${round + 1}`) });
}

/** Decides all requests once and says how many it permits: a result that is looked at can't be optimised away. */
type Pass = () => number;

function passOf({ decide }: Engine): Pass {
  return codeOfItsOwn(
    '() => { let permitted = 0; for (let at = 0; at < count; at++) if (decide(at)) permitted++; return permitted; }',
    { decide, count: REQUESTS },
  );
}

/**
 * Nanoseconds on a core of one decision, over whole passes for at least `milliseconds`: on a machine with other work, time on
 * the wall counts that too.
 */
function measure(pass: Pass, permitted: number, milliseconds: number): number {
  const end = performance.now() + milliseconds;
  let passes = 0;
  const start = ownNsOnCore();
  do {
    if (pass() !== permitted) throw new Error('an engine changed its mind while it was measured');
    passes++;
  } while (performance.now() < end);
  return (ownNsOnCore() - start) / (passes * REQUESTS);
}

function ownNsOnCore(): number {
  return parseSchedstat(readFileSync('/proc/thread-self/schedstat', 'utf8'));
}

function ratios(times: ReadonlyMap<string, readonly number[]>, of: string, to: string): number[] {
  return pairedRatios(times.get(of)!, times.get(to)!);
}

function figure(name: string, unit: string, values: readonly number[], bar: Bar | null = null): Figure {
  return { name, unit, values, bar };
}
