import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPortkey } from '../ai/portkey.ts';
import { CHAT_PATH, MODEL, writeAiProject } from '../ai/project.ts';
import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type BenchContext,
  type BenchResult,
  type Figure,
} from '../bench.ts';
import { type CollectedHeap, heapOfGateway } from '../collected-heap.ts';
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
import {
  type FirstByte,
  type StreamsClient,
  type StreamsSpec,
  startStreamsClient,
} from '../streams-client.ts';
import { type CountingUpstream, startCountingUpstream } from '../upstream.ts';

export const ai: Bench = {
  name: 'ai',
  summary:
    'CPU of a governed chat completion, whole and as a stream, beside nginx and Portkey; open streams; first token',
  run: (context) => withScope((scope) => run(context, scope)),
};

const GATEWAY = 'portunus governed';
/** The gateway of another build (`--against`). */
const AGAINST = 'portunus against';
const NGINX = 'nginx bare';
const PORTKEY = 'portkey';
/** What the part without load is called, for `--only`. */
const OPEN_STREAMS = 'open streams';
const STREAMS = 5_000;
const STREAMS_QUICK = 300;
/** Streams opened one after the other for their first token: in turns, straight and through the gateway. */
const PROBES = 50;
const PROBE_TURNS = 12;
const PROBE_WARM_UPS = 6;

interface Shape {
  readonly name: string;
  readonly body: string;
  readonly connections: number;
  /** A stream takes a second: short measurements would hold too few whole ones. */
  readonly secondsMin: Readonly<Record<BenchContext['mode'], number>>;
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

/**
 * A call runs through ten times the code of a request that is passed on, which V8 has compiled after some 20,000 of them (318 µs in the
 * first three seconds, 148 in the next, 120 … 150 from then on): a gateway lives for weeks. Peers get the same.
 */
const WARM_UPS = { full: 5, quick: 1 } as const;

const SHAPES: readonly Shape[] = [
  {
    name: 'JSON',
    body: bodyOf({}),
    connections: 32,
    secondsMin: { full: 1, quick: 1 },
    ratioBar: atMost(3),
    portkey: 'serves',
  },
  {
    name: 'SSE of 100 events',
    body: bodyOf({ stream: true }),
    connections: 48,
    secondsMin: { full: 6, quick: 3 },
    ratioBar: atMost(4),
    portkey: 'fails',
  },
];
const HEADERS = { 'content-type': 'application/json' };

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  if (!gatewayIsBuilt(context.gatewayMain)) throw new Error(`there is no build at ${context.gatewayMain}`);
  const { measured, others } = apart();
  const upstream = scope.own(await startCountingUpstream(context.workFolder, others));
  const parts = { upstream, measured, others };
  const shapes = SHAPES.filter(({ name }) => name.includes(context.only));
  const results = [
    ...(shapes.length === 0 ? [] : [await withScope((own) => measureCost(context, own, parts, shapes))]),
    ...(OPEN_STREAMS.includes(context.only) ? [await measureStreams(context, scope, parts)] : []),
  ];
  return {
    figures: results.flatMap(({ figures }) => figures),
    notes: [placementNote(measured, others), GOVERNED, ...results.flatMap(({ notes }) => notes)],
  };
}

const GOVERNED =
  'Governed: consumer key, permit and forbid, requests and tokens per consumer, requests and money per tenant, one of three keys chosen and reserved on, usage and cost read and settled.';

async function startAiGateway(
  context: BenchContext,
  { upstream, measured }: Parts,
  { name, main, nodeArguments = [] }: GatewayStart,
): Promise<Gateway> {
  const project = writeAiProject({
    folder: join(context.workFolder, name.replaceAll(' ', '-')),
    upstreamPort: upstream.port,
    port: await freePort(),
    adminPort: await freePort(),
  });
  return await startOnProject(project, { name, main, core: measured, nodeArguments }, null);
}

interface GatewayStart {
  readonly name: string;
  readonly main: string;
  readonly nodeArguments?: readonly string[];
}

interface Parts {
  readonly upstream: CountingUpstream;
  readonly measured: number | null;
  readonly others: number | null;
}

async function measureCost(
  context: BenchContext,
  scope: Scope,
  parts: Parts,
  shapes: readonly Shape[],
): Promise<BenchResult> {
  const { upstream, measured, others } = parts;
  const options = { upstreamPort: upstream.port, folder: context.workFolder, core: measured };
  const { gatewayMain, againstMain } = context;
  const peers: Peer[] = [
    scope.own(await startAiGateway(context, parts, { name: GATEWAY, main: gatewayMain })),
  ];
  if (againstMain !== null)
    peers.push(scope.own(await startAiGateway(context, parts, { name: AGAINST, main: againstMain })));
  const absent: string[] = [];
  for (const [name, start] of [
    [NGINX, startBareNginx],
    // Whether a change is one is decided between the two builds.
    ...(againstMain === null ? [[PORTKEY, startPortkey] as const] : []),
  ] as const) {
    const peer = await start(options);
    if (peer === null) absent.push(`SKIPPED ${name}: it can't be had here.`);
    else peers.push(scope.own(peer));
  }
  const samples = await interleave(
    shapes.flatMap((shape) =>
      peers
        .filter(({ name }) => name !== PORTKEY || shape.portkey === 'serves')
        .map((peer) => contender(shape, peer, context, others)),
    ),
    {
      rounds: context.rounds,
      warmUps: WARM_UPS[context.mode],
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
    seconds: Math.max(shape.secondsMin[context.mode], context.seconds),
    answersWithinSeconds: 20,
    core,
    folder: context.workFolder,
  };
  return { name: `${shape.name} · ${peer.name}`, measure: () => measurePeer(peer, load) };
}

function costFigures(shape: Shape, samples: ReadonlyMap<string, readonly PeerSample[]>): Figure[] {
  const all = (peer: string, measure: keyof PeerSample) =>
    column(samples.get(`${shape.name} · ${peer}`), measure);
  const of = (peer: string) => all(peer, 'cpuUsPerRequest');
  const ratio = (one: string, other: string): readonly number[] =>
    of(one).length === of(other).length ? pairedRatios(of(one), of(other)) : [];
  const compared = [GATEWAY, AGAINST, NGINX, PORTKEY].filter((peer) => of(peer).length > 0);
  return [
    ...compared.map(
      (peer): Figure => ({
        name: `${shape.name} · ${peer} · CPU per request`,
        unit: 'µs',
        values: of(peer),
        bar: null,
      }),
    ),
    // Chores of the process count, and weigh less the more requests share them.
    ...compared.map(
      (peer): Figure => ({
        name: `${shape.name} · ${peer} · throughput`,
        unit: 'requests/s',
        values: all(peer, 'requestsPerSecond'),
        bar: null,
      }),
    ),
    {
      name: `${shape.name} · governed / nginx`,
      unit: '×',
      values: ratio(GATEWAY, NGINX),
      bar: shape.ratioBar,
    },
    ...(of(AGAINST).length === 0
      ? []
      : [
          {
            name: `${shape.name} · governed / against`,
            unit: '×',
            values: ratio(GATEWAY, AGAINST),
            bar: null,
          },
        ]),
    ...(shape.portkey === 'fails' || of(AGAINST).length > 0
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

/** In a gateway of its own: one that has just served has room in its heap for what streams need. */
async function measureStreams(context: BenchContext, scope: Scope, parts: Parts): Promise<BenchResult> {
  const { upstream, others } = parts;
  const { count, note } = possibleStreams(context.mode === 'quick' ? STREAMS_QUICK : STREAMS);
  const heap = heapOfGateway(join(context.workFolder, 'heap'));
  const gateway = scope.own(
    await startAiGateway(context, parts, {
      name: `${GATEWAY} streams`,
      main: context.gatewayMain,
      nodeArguments: heap.nodeArguments,
    }),
  );
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
  context.say('first tokens, nothing else open');
  await contender(SHAPES[0]!, gateway, context, others).measure();
  const { without, through } = await firstTokens(direct, client);
  await delay(SETTLE_MS);
  context.say(`opening ${count} streams`);
  const idle = await heap.collected();
  const memory = await measureMemory(gateway, client, upstream, count);
  const opened = await heap.collected();
  const perStream = (of: keyof CollectedHeap): number => (opened[of] - idle[of]) / 1_024 / count;
  return {
    figures: [
      { name: 'open streams', unit: 'streams', values: [memory.open], bar: atLeast(count) },
      { name: 'memory per open stream', unit: 'KiB', values: [memory.kibPerStream], bar: atMost(15) },
      { name: 'of that heap, collected', unit: 'KiB', values: [perStream('heapUsed')], bar: null },
      {
        name: 'of that beside the heap, for objects in it',
        unit: 'KiB',
        values: [perStream('external')],
        bar: null,
      },
      ...firstByteFigures('through it', through),
      ...firstTokenFigures(without, through),
    ],
    notes: [
      `Memory: resident size of the whole gateway process, garbage of opening them included, with one event on every stream; beside it what V8 accounts for once all garbage is collected. ${memory.summary}`,
      `First token: ${PROBE_TURNS} times ${PROBES} streams one after the other, straight and through the gateway in turns; added is the difference of the quantiles.`,
      ...note,
    ],
  };
}

/** In turns, so that a slow moment of the machine hits both. */
async function firstTokens(
  direct: StreamsClient,
  client: StreamsClient,
): Promise<{ readonly without: readonly FirstByte[]; readonly through: readonly FirstByte[] }> {
  const without: FirstByte[] = [];
  const through: FirstByte[] = [];
  for (let turn = -PROBE_WARM_UPS; turn < PROBE_TURNS; turn++) {
    const straight = await direct.firstBytes();
    const behind = await client.firstBytes();
    if (turn < 0) continue;
    without.push(...straight);
    through.push(...behind);
  }
  return { without, through };
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
