import { atMost, type Bench, type BenchContext, type BenchResult } from '../bench.ts';
import { startGateway } from '../gateway.ts';
import { column, measurePeer, type SharedLoad } from '../measure.ts';
import { apart } from '../placement.ts';
import { placementNote } from '../processes.ts';
import { ITEM_PATH } from '../projects.ts';
import { interleave } from '../rounds.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedDifferences } from '../statistics.ts';
import { startUpstream } from '../upstream.ts';

export const governance: Bench = {
  name: 'governance',
  summary: 'what governing a request costs: governed minus ungoverned gateway',
  run: (context) => withScope((scope) => run(context, scope)),
};

const VARIANTS = ['governed', 'ungoverned'] as const;

/**
 * The difference is a tenth of what is measured, and a neighbour on the machine moves both by more than that. Short turns
 * that alternate often let such a disturbance hit both alike: the median of many pairs settles where that of seven does not.
 */
const SLICE_SECONDS = 1;
const ROUNDS_FOR_ONE = 6;

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const { measured, others } = apart();
  const rounds = context.rounds * ROUNDS_FOR_ONE;
  const upstream = scope.own(await startUpstream(context.workFolder, others));
  const load: SharedLoad = {
    path: ITEM_PATH,
    method: 'GET',
    headers: {},
    body: null,
    paths: null,
    keys: null,
    connections: 32,
    seconds: SLICE_SECONDS,
    core: others,
    folder: context.workFolder,
  };
  const contenders = [];
  for (const rules of VARIANTS) {
    const gateway = scope.own(
      await startGateway({
        name: rules,
        main: context.gatewayMain,
        folder: context.workFolder,
        rules,
        upstreamPort: upstream.port,
        dataThreads: 1,
        generatedRoutes: 0,
        core: measured,
      }),
    );
    contenders.push({ name: rules, measure: () => measurePeer(gateway, load) });
  }
  const samples = await interleave(contenders, {
    rounds,
    warmUps: 2,
    onRound: (round) => context.say(`round ${round + 1} of ${rounds}`),
  });
  const [governed, ungoverned] = VARIANTS.map((name) => column(samples.get(name), 'cpuUsPerRequest'));
  return {
    figures: [
      { name: 'governed · CPU per request', unit: 'µs', values: governed!, bar: null },
      { name: 'ungoverned · CPU per request', unit: 'µs', values: ungoverned!, bar: null },
      {
        name: 'governed − ungoverned',
        unit: 'µs',
        values: pairedDifferences(governed!, ungoverned!),
        bar: atMost(4),
      },
    ],
    notes: [
      placementNote(measured, others),
      'Both keep access records. Differences are paired within a round.',
    ],
  };
}
