import { setTimeout as delay } from 'node:timers/promises';
import { atLeast, atMost, type Bench, type BenchContext, type BenchResult } from '../bench.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import { applyLoad } from '../load.ts';
import { firstByteFigures, measureMemory, possibleStreams, SETTLE_MS } from '../open-streams.ts';
import { FREE } from '../placement.ts';
import { ITEM_PATH, STREAM_PATH } from '../projects.ts';
import { type Scope, withScope } from '../scope.ts';
import { type StreamsSpec, startStreamsClient } from '../streams-client.ts';
import { type CountingUpstream, startCountingUpstream } from '../upstream.ts';

export const streams: Bench = {
  name: 'streams',
  summary: 'memory of 10,000 open event streams, and how much later than upstream the first byte comes',
  run: (context) => withScope((scope) => run(context, scope)),
};

const STREAMS = 10_000;
const STREAMS_QUICK = 500;
const PROBES = 500;

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const wanted = context.mode === 'quick' ? STREAMS_QUICK : STREAMS;
  const { count, note } = possibleStreams(wanted);
  const upstream = scope.own(await startCountingUpstream(context.workFolder, FREE.others));
  const gateway = scope.own(await startGatewayFor(upstream, context));
  const spec: StreamsSpec = {
    port: gateway.project.port,
    path: STREAM_PATH,
    body: null,
    headers: gateway.credential,
    streams: count,
    probes: PROBES,
  };
  const client = scope.own(startStreamsClient(spec, context.workFolder));
  const direct = scope.own(startStreamsClient({ ...spec, port: upstream.port }, context.workFolder));
  context.say('first bytes, nothing else open');
  const justStartedUs = await client.firstBytes();
  await warmUp(gateway, context);
  await direct.firstBytes();
  const directUs = await direct.firstBytes();
  const idleUs = await client.firstBytes();
  context.say(`opening ${count} streams`);
  const memory = await measureMemory(gateway, client, upstream, count);
  context.say('first bytes, with all streams open');
  const amongOpenUs = await client.firstBytes();
  return {
    figures: [
      { name: 'open streams', unit: 'streams', values: [memory.open], bar: atLeast(count) },
      { name: 'memory per open stream', unit: 'KiB', values: [memory.kibPerStream], bar: atMost(15) },
      ...firstByteFigures('without gateway', directUs),
      ...firstByteFigures('just started', justStartedUs),
      ...firstByteFigures('idle', idleUs),
      ...firstByteFigures(`beside ${count} open streams`, amongOpenUs),
    ],
    notes: [
      `Memory: resident size of the whole gateway process, one event on every stream included; socket buffers of the kernel are not in it. ${memory.summary}`,
      `First byte: from the upstream's write to the client's read, through the gateway, ${PROBES} streams one after the other. Just started: the first ${PROBES} of the process, in code that is still interpreted.`,
      ...note,
    ],
  };
}

function startGatewayFor(upstream: CountingUpstream, context: BenchContext): Promise<Gateway> {
  return startGateway({
    name: 'streams',
    main: context.gatewayMain,
    folder: context.workFolder,
    rules: 'governed',
    upstreamPort: upstream.port,
    dataThreads: 1,
    generatedRoutes: 0,
    core: FREE.measured,
  });
}

/** Code and caches are warm before anything is measured: else V8's compilers run beside, and first garbage counts as streams. */
async function warmUp(gateway: Gateway, context: BenchContext): Promise<void> {
  await applyLoad({
    url: `${gateway.url}${ITEM_PATH}`,
    method: 'GET',
    headers: gateway.credential,
    body: null,
    paths: null,
    keys: null,
    connections: 32,
    seconds: context.seconds,
    core: FREE.others,
    folder: context.workFolder,
  });
  await delay(SETTLE_MS);
}
