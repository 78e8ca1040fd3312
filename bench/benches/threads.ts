import { atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import { startGateway } from '../gateway.ts';
import { column, measurePeer, type SharedLoad } from '../measure.ts';
import { FREE } from '../placement.ts';
import { placementNote } from '../processes.ts';
import { ITEM_PATH } from '../projects.ts';
import { interleave } from '../rounds.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedRatios } from '../statistics.ts';
import { startUpstream } from '../upstream.ts';

export const threads: Bench = {
  name: 'threads',
  summary: 'CPU per request with two data threads on the same counters, beside one',
  run: (context) => withScope((scope) => run(context, scope)),
};

const COUNTS = [1, 2] as const;

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const upstream = scope.own(await startUpstream(context.workFolder, FREE.others));
  const load: SharedLoad = {
    path: ITEM_PATH,
    method: 'GET',
    headers: {},
    body: null,
    paths: null,
    keys: null,
    // Enough that the kernel spreads them over both threads nearly evenly (SO_REUSEPORT hashes addresses).
    connections: 64,
    seconds: context.seconds,
    core: FREE.others,
    folder: context.workFolder,
  };
  const contenders = [];
  for (const dataThreads of COUNTS) {
    const name = `${dataThreads} data threads`;
    const gateway = scope.own(
      await startGateway({
        name,
        main: context.gatewayMain,
        folder: context.workFolder,
        rules: 'governed',
        upstreamPort: upstream.port,
        dataThreads,
        generatedRoutes: 0,
        core: FREE.measured,
      }),
    );
    contenders.push({ name, measure: () => measurePeer(gateway, load) });
  }
  const samples = await interleave(contenders, {
    rounds: context.rounds,
    warmUps: 2,
    onRound: (round) => context.say(`round ${round + 1} of ${context.rounds}`),
  });
  const [one, two] = contenders.map(({ name }) => samples.get(name));
  const figure = (name: string, values: readonly number[], unit: string): Figure => ({
    name,
    unit,
    values,
    bar: null,
  });
  const [cpuOfOne, cpuOfTwo] = [column(one, 'cpuUsPerRequest'), column(two, 'cpuUsPerRequest')];
  return {
    figures: [
      figure('1 data thread · CPU per request', cpuOfOne, 'µs'),
      figure('2 data threads · CPU per request', cpuOfTwo, 'µs'),
      {
        name: '2 / 1 data threads, CPU per request',
        unit: '×',
        values: pairedRatios(cpuOfTwo, cpuOfOne),
        bar: atMost(1.1),
      },
      figure('1 data thread · throughput', column(one, 'requestsPerSecond'), 'requests/s'),
      figure('2 data threads · throughput', column(two, 'requestsPerSecond'), 'requests/s'),
    ],
    notes: [
      placementNote(FREE.measured, FREE.others),
      'Throughput of two threads says little where generator and upstream share the same cores.',
    ],
  };
}
