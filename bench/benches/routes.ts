import { atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import { type Gateway, type GatewayOptions, startGateway, startOnProject } from '../gateway.ts';
import { loadTool } from '../load.ts';
import { column, measurePeer, type PeerSample, type SharedLoad } from '../measure.ts';
import { apart } from '../placement.ts';
import { placementNote } from '../processes.ts';
import { generatedPath } from '../projects.ts';
import { type Contender, interleave } from '../rounds.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedRatios } from '../statistics.ts';
import { startUpstream } from '../upstream.ts';
import { visitOnce } from '../visit.ts';

export const routes: Bench = {
  name: 'routes',
  summary: 'a request costs the same among 100 routes and among 100,000',
  run: (context) => withScope((scope) => run(context, scope)),
};

const FEW = 100;
const MANY = 100_000;
const MANY_QUICK = 2_000;

/** Which of its routes the load asks for: always the same hundred, or every one in turn (cold caches included). */
const PATTERNS = ['same 100 routes', 'every route in turn'] as const;
type Pattern = (typeof PATTERNS)[number];

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const { measured, others } = apart();
  if (loadTool() !== 'wrk') return withoutWrk();
  const many = context.mode === 'quick' ? MANY_QUICK : MANY;
  const upstream = scope.own(await startUpstream(context.workFolder, others));
  const options = (count: number): GatewayOptions => ({
    name: `${count} routes`,
    main: context.gatewayMain,
    folder: context.workFolder,
    rules: 'governed',
    upstreamPort: upstream.port,
    dataThreads: 1,
    generatedRoutes: count,
    core: measured,
  });
  const small = scope.own(await startGateway(options(FEW)));
  const cold = await startGateway(options(many));
  await cold.stop();
  context.say(`${many} routes: first start ${Math.round(cold.startedInMs)} ms; starting again`);
  const big = scope.own(await startOnProject(cold.project, options(many), cold.key));
  const contenders = [
    contender('same 100 routes', FEW, small, context, others),
    contender('same 100 routes', many, big, context, others),
    contender('every route in turn', many, big, context, others),
  ];
  context.say('asking for every route once');
  await visitOnce(small, { paths: pathsOf(FEW, FEW), keys: null });
  const firstUs = await visitOnce(big, { paths: pathsOf(many, many), keys: null });
  const samples = await interleave(contenders, {
    rounds: context.rounds,
    warmUps: 2,
    onRound: (round) => context.say(`round ${round + 1} of ${context.rounds}`),
  });
  return {
    figures: [
      ...figuresOf(samples, many),
      {
        name: `${many} routes, first request of each · CPU`,
        unit: 'µs',
        values: [firstUs],
        bar: null,
      },
      { name: `${many} routes · first start`, unit: 'ms', values: [cold.startedInMs], bar: null },
      { name: `${many} routes · second start`, unit: 'ms', values: [big.startedInMs], bar: null },
    ],
    notes: [placementNote(measured, others), 'The consumer is subscribed to every route, by name.'],
  };
}

function withoutWrk(): BenchResult {
  const figures = PATTERNS.map(
    (pattern): Figure => ({ name: ratioName(pattern), unit: '×', values: [], bar: atMost(1.1) }),
  );
  return {
    figures,
    notes: ['NOT MEASURED: asking for many paths in turn needs wrk, which is not installed.'],
  };
}

function contender(
  pattern: Pattern,
  count: number,
  gateway: Gateway,
  context: BenchContext,
  core: number | null,
): Contender<PeerSample> {
  const asked = pattern === 'same 100 routes' ? FEW : count;
  const load = loadOn(asked, count, context, core);
  return { name: contenderName(pattern, count), measure: () => measurePeer(gateway, load) };
}

/** `asked` paths spread evenly over all `count` routes. */
const pathsOf = (asked: number, count: number): readonly string[] =>
  Array.from({ length: asked }, (_, index) => generatedPath(Math.floor((index * count) / asked)));

function loadOn(asked: number, count: number, context: BenchContext, core: number | null): SharedLoad {
  return {
    path: '/',
    method: 'GET',
    headers: {},
    body: null,
    paths: pathsOf(asked, count),
    keys: null,
    connections: 32,
    seconds: context.seconds,
    core,
    folder: context.workFolder,
  };
}

function figuresOf(samples: ReadonlyMap<string, readonly PeerSample[]>, many: number): Figure[] {
  const few = column(samples.get(contenderName('same 100 routes', FEW)), 'cpuUsPerRequest');
  return [
    { name: `${FEW} routes · CPU per request`, unit: 'µs', values: few, bar: null },
    ...PATTERNS.flatMap((pattern): Figure[] => {
      const values = column(samples.get(contenderName(pattern, many)), 'cpuUsPerRequest');
      return [
        { name: `${many} routes, ${pattern} · CPU per request`, unit: 'µs', values, bar: null },
        { name: ratioName(pattern), unit: '×', values: pairedRatios(values, few), bar: atMost(1.1) },
      ];
    }),
  ];
}

function contenderName(pattern: Pattern, count: number): string {
  return `${count} routes, ${pattern}`;
}

function ratioName(pattern: Pattern): string {
  return `many routes / 100 routes, ${pattern}`;
}
