import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPortkey } from '../ai/portkey.ts';
import { CHAT_PATH, MODEL, NOT_GOVERNED, writeAiProject } from '../ai/project.ts';
import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type BenchContext,
  type BenchResult,
  type Figure,
} from '../bench.ts';
import { type Gateway, gatewayIsBuilt, startOnProject } from '../gateway.ts';
import { loadTool } from '../load.ts';
import { column, measurePeer, type PeerSample, type SharedLoad } from '../measure.ts';
import { startBareNginx } from '../nginx.ts';
import { firstByteFigures, measureMemory, possibleStreams, SETTLE_MS } from '../open-streams.ts';
import type { Peer } from '../peer.ts';
import { apart } from '../placement.ts';
import { freePort, placementNote } from '../processes.ts';
import { type Contender, interleave } from '../rounds.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedRatios, quantile } from '../statistics.ts';
import { type FirstByte, type StreamsSpec, startStreamsClient } from '../streams-client.ts';
import { type CountingUpstream, startCountingUpstream } from '../upstream.ts';

export const ai: Bench = {
  name: 'ai',
  summary:
    'CPU of a governed chat completion, whole and as a stream, beside nginx and Portkey; open streams; first token',
  run: (context) => withScope((scope) => run(context, scope)),
};

const GATEWAY = 'portunus governed';
const NGINX = 'nginx bare';
const PORTKEY = 'portkey';
const STREAMS = 5_000;
const STREAMS_QUICK = 300;
const PROBES = 500;

interface Shape {
  readonly name: string;
  readonly body: string;
  readonly connections: number;
  /** A stream takes a second: short measurements would hold too few whole ones. */
  readonly secondsMin: number;
  /** CPU against bare nginx. */
  readonly ratioBar: Bar;
  /** Portkey 1.15.2 and 1.9.8 answer streams 500 here ("TypeError: immutable", of undici in Node 20.20): there is nothing to compare. */
  readonly portkey: 'serves' | 'fails';
}

const PROMPT = 'Tell me of the gate and of the key that opens it. '.repeat(25).slice(0, 1_024);

function bodyOf(more: object): string {
  return JSON.stringify({
    model: MODEL,
    messages: [{ role: 'user', content: PROMPT }],
    max_tokens: 256,
    temperature: 0.2,
    ...more,
  });
}

const SHAPES: readonly Shape[] = [
  { name: 'JSON', body: bodyOf({}), connections: 32, secondsMin: 1, ratioBar: atMost(3), portkey: 'serves' },
  {
    name: 'SSE of 100 events',
    body: bodyOf({ stream: true }),
    connections: 48,
    secondsMin: 6,
    ratioBar: atMost(4),
    portkey: 'fails',
  },
];
const HEADERS = { 'content-type': 'application/json' };

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const { measured, others } = apart();
  const upstream = scope.own(await startCountingUpstream(context.workFolder, others));
  const gateway = gatewayIsBuilt(context.gatewayMain)
    ? scope.own(await startAiGateway(context, upstream, measured))
    : null;
  if (gateway === null) throw new Error(`there is no build at ${context.gatewayMain}`);
  const cost = await measureCost(context, scope, { gateway, upstream, measured, others });
  const open = await measureStreams(context, scope, gateway, upstream);
  return {
    figures: [...cost.figures, ...open.figures],
    notes: [placementNote(measured, others), NOT_GOVERNED, ...cost.notes, ...open.notes],
  };
}

async function startAiGateway(
  context: BenchContext,
  upstream: CountingUpstream,
  core: number | null,
): Promise<Gateway> {
  const project = writeAiProject({
    folder: join(context.workFolder, 'ai'),
    upstreamPort: upstream.port,
    port: await freePort(),
    adminPort: await freePort(),
  });
  return await startOnProject(project, { name: GATEWAY, main: context.gatewayMain, core }, null);
}

interface Parts {
  readonly gateway: Gateway;
  readonly upstream: CountingUpstream;
  readonly measured: number | null;
  readonly others: number | null;
}

async function measureCost(
  context: BenchContext,
  scope: Scope,
  { gateway, upstream, measured, others }: Parts,
): Promise<BenchResult> {
  const options = { upstreamPort: upstream.port, folder: context.workFolder, core: measured };
  const peers: Peer[] = [gateway];
  const absent: string[] = [];
  for (const [name, start] of [
    [NGINX, startBareNginx],
    [PORTKEY, startPortkey],
  ] as const) {
    const peer = await start(options);
    if (peer === null) absent.push(`SKIPPED ${name}: it can't be had here.`);
    else peers.push(scope.own(peer));
  }
  const shapes = SHAPES.filter(({ name }) => name.includes(context.only));
  const samples = await interleave(
    shapes.flatMap((shape) =>
      peers
        .filter(({ name }) => name !== PORTKEY || shape.portkey === 'serves')
        .map((peer) => contender(shape, peer, context, others)),
    ),
    {
      rounds: context.rounds,
      warmUps: 1,
      onRound: (round) => context.say(`round ${round + 1} of ${context.rounds}`),
    },
  );
  return {
    figures: shapes.flatMap((shape) => costFigures(shape, samples)),
    notes: [
      ...absent,
      'Portkey 1.15.2 answers streams with 500 under this Node (TypeError: immutable), so only JSON is compared with it.',
      `Upstream: ${upstream.name}, with the fields that OpenAI sends of its limits; events 10 ms apart, each in a packet of its own. Load: ${loadTool()}, 1 KiB of prompt; 32 connections for JSON, 48 for streams.`,
      'nginx passes the same bytes on and looks at none of them. The gateway asks for the usage of streams and keeps that event to itself. Ratios are paired within a round.',
    ],
  };
}

function contender(
  shape: Shape,
  peer: Peer,
  context: BenchContext,
  core: number | null,
): Contender<PeerSample> {
  const load: SharedLoad = {
    path: CHAT_PATH,
    method: 'POST',
    headers: HEADERS,
    body: shape.body,
    paths: null,
    keys: null,
    connections: shape.connections,
    seconds: Math.max(shape.secondsMin, context.seconds),
    answersWithinSeconds: 20,
    core,
    folder: context.workFolder,
  };
  return { name: `${shape.name} · ${peer.name}`, measure: () => measurePeer(peer, load) };
}

function costFigures(shape: Shape, samples: ReadonlyMap<string, readonly PeerSample[]>): Figure[] {
  const of = (peer: string) => column(samples.get(`${shape.name} · ${peer}`), 'cpuUsPerRequest');
  const ratio = (one: string, other: string): readonly number[] =>
    of(one).length === of(other).length ? pairedRatios(of(one), of(other)) : [];
  const compared = [GATEWAY, NGINX, ...(shape.portkey === 'serves' ? [PORTKEY] : [])];
  return [
    ...compared.map(
      (peer): Figure => ({
        name: `${shape.name} · ${peer} · CPU per request`,
        unit: 'µs',
        values: of(peer),
        bar: null,
      }),
    ),
    {
      name: `${shape.name} · governed / nginx`,
      unit: '×',
      values: ratio(GATEWAY, NGINX),
      bar: shape.ratioBar,
    },
    ...(shape.portkey === 'fails'
      ? []
      : [
          {
            name: `${shape.name} · portkey / governed`,
            unit: '×',
            values: ratio(PORTKEY, GATEWAY),
            bar: atLeast(20),
          },
        ]),
  ];
}

async function measureStreams(
  context: BenchContext,
  scope: Scope,
  gateway: Gateway,
  upstream: CountingUpstream,
): Promise<BenchResult> {
  const { count, note } = possibleStreams(context.mode === 'quick' ? STREAMS_QUICK : STREAMS);
  const spec: StreamsSpec = {
    port: gateway.project.port,
    path: CHAT_PATH,
    body: SHAPES[1]!.body,
    headers: { ...gateway.credential, ...HEADERS },
    streams: count,
    probes: PROBES,
  };
  const client = scope.own(startStreamsClient(spec, context.workFolder));
  const direct = scope.own(startStreamsClient({ ...spec, port: upstream.port }, context.workFolder));
  await delay(SETTLE_MS);
  context.say('first tokens, nothing else open');
  await direct.firstBytes();
  await client.firstBytes();
  const without = await direct.firstBytes();
  const through = await client.firstBytes();
  context.say(`opening ${count} streams`);
  const memory = await measureMemory(gateway, client, upstream, count);
  return {
    figures: [
      { name: 'open streams', unit: 'streams', values: [memory.open], bar: atLeast(count) },
      { name: 'memory per open stream', unit: 'KiB', values: [memory.kibPerStream], bar: atMost(15) },
      ...firstByteFigures('idle', through),
      ...firstTokenFigures(without, through),
    ],
    notes: [`Memory: resident size of the whole gateway process. ${memory.summary}`, ...note],
  };
}

/** From the request to the first event; what the gateway adds is the difference of the quantiles. */
function firstTokenFigures(without: readonly FirstByte[], through: readonly FirstByte[]): Figure[] {
  return [0.5, 0.99].flatMap((q): Figure[] => {
    const [direct, behind] = [without, through].map(
      (all) =>
        quantile(
          all.map(({ totalUs }) => totalUs),
          q,
        )! / 1_000,
    );
    const name = `time to first token, p${q * 100}`;
    return [
      { name: `${name}, without gateway`, unit: 'ms', values: [direct!], bar: null },
      { name: `${name}, through it`, unit: 'ms', values: [behind!], bar: null },
      { name: `${name}, added`, unit: 'ms', values: [behind! - direct!], bar: atMost(1) },
    ];
  });
}
