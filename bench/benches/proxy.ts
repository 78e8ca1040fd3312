import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type BenchContext,
  type BenchResult,
  type Figure,
} from '../bench.ts';
import { gatewayIsBuilt, startGateway } from '../gateway.ts';
import { startHaproxy } from '../haproxy.ts';
import { loadTool } from '../load.ts';
import { column, measurePeer, type PeerSample, type SharedLoad } from '../measure.ts';
import { startBareNginx, startGovernedNginx } from '../nginx.ts';
import type { Peer } from '../peer.ts';
import { apart } from '../placement.ts';
import { placementNote } from '../processes.ts';
import { ITEM_PATH } from '../projects.ts';
import { type Contender, interleave } from '../rounds.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedRatios } from '../statistics.ts';
import { startUpstream } from '../upstream.ts';

export const proxy: Bench = {
  name: 'proxy',
  summary: 'CPU per request of the governed gateway beside nginx (bare and governed) and haproxy',
  run: (context) => withScope((scope) => run(context, scope)),
};

const GATEWAY = 'portunus governed';
/** The gateway of another build (`--against`). */
const AGAINST = 'portunus against';
const NGINX_BARE = 'nginx bare';

interface Shape {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** CPU against bare nginx. */
  readonly ratioBar: Bar;
  readonly throughputBar: Bar | null;
}

/** What a browser or an SDK sends beside Host and Authorization. */
const EIGHT_MORE_HEADERS = {
  accept: 'application/json',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en-GB,en;q=0.9,de;q=0.8',
  'cache-control': 'no-cache',
  cookie: 'session=0123456789abcdef0123456789abcdef; theme=dark',
  referer: 'https://shop.acme.example/orders/42',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'user-agent': 'acme-shop/4.2 (linux; x64) bench/1.0',
};

const ONE_KIB = JSON.stringify({ order: 'x'.repeat(1_024 - '{"order":""}'.length) });

/** Fields counted: Host and Authorization are two. Length and type of a body come on top. */
const SHAPES: readonly Shape[] = [
  {
    name: 'GET, 2 headers',
    method: 'GET',
    headers: {},
    body: null,
    ratioBar: atMost(1.35),
    throughputBar: atLeast(30_000),
  },
  {
    name: 'GET, 10 headers',
    method: 'GET',
    headers: EIGHT_MORE_HEADERS,
    body: null,
    ratioBar: atMost(1.45),
    throughputBar: null,
  },
  {
    name: 'POST 1 KiB, 2 headers',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ONE_KIB,
    ratioBar: atMost(1.35),
    throughputBar: null,
  },
  {
    name: 'POST 1 KiB, 10 headers',
    method: 'POST',
    headers: { ...EIGHT_MORE_HEADERS, 'content-type': 'application/json' },
    body: ONE_KIB,
    ratioBar: atMost(1.45),
    throughputBar: null,
  },
];

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const { measured, others } = apart();
  const upstream = scope.own(await startUpstream(context.workFolder, others));
  const { peers, absent } = await startPeers(context, scope, upstream.port, measured);
  const shapes = SHAPES.filter(({ name }) => name.includes(context.only));
  if (shapes.length === 0) throw new Error(`no shape of requests has "${context.only}" in its name`);
  const contenders = shapes.flatMap((shape) => peers.map((peer) => contender(shape, peer, context, others)));
  const samples = await interleave(contenders, {
    rounds: context.rounds,
    warmUps: 1,
    onRound: (round) => context.say(`round ${round + 1} of ${context.rounds}`),
  });
  return {
    figures: shapes.flatMap((shape) => figuresOf(shape, peers, samples)),
    notes: [
      placementNote(measured, others),
      `Upstream: ${upstream.name}. Load: ${loadTool()}, 32 connections, ${context.seconds} s per measurement.`,
      'Ratios are paired: gateway and peer of the same round. One worker or data thread each.',
      ...absent,
    ],
  };
}

async function startPeers(
  context: BenchContext,
  scope: Scope,
  upstreamPort: number,
  core: number | null,
): Promise<{ peers: Peer[]; absent: string[] }> {
  const options: ProxyOptions = { upstreamPort, folder: context.workFolder, core };
  const { gatewayMain, againstMain } = context;
  const gateway = (name: string, main: string) => () => startGovernedGateway(name, main, options);
  const nginxBare = () => startBareNginx(options);
  // Whether a change is one is decided between the two builds: the other peers would only take time.
  const starts: readonly [string, () => Promise<Peer | null>][] =
    againstMain !== null
      ? [
          [GATEWAY, gateway(GATEWAY, gatewayMain)],
          [AGAINST, gateway(AGAINST, againstMain)],
          [NGINX_BARE, nginxBare],
        ]
      : [
          [GATEWAY, gateway(GATEWAY, gatewayMain)],
          [NGINX_BARE, nginxBare],
          ['nginx governed', () => startGovernedNginx(options)],
          ['haproxy', () => startHaproxy(options)],
        ];
  const peers: Peer[] = [];
  const absent: string[] = [];
  for (const [name, start] of starts) {
    const peer = await start();
    if (peer === null)
      absent.push(
        `SKIPPED ${name}: ${name === GATEWAY || name === AGAINST ? 'its build does not exist' : 'it is not installed here'}.`,
      );
    else peers.push(scope.own(peer));
  }
  for (const line of absent) context.say(line);
  return { peers, absent };
}

interface ProxyOptions {
  readonly upstreamPort: number;
  readonly folder: string;
  readonly core: number | null;
}

async function startGovernedGateway(
  name: string,
  main: string,
  { folder, upstreamPort, core }: ProxyOptions,
): Promise<Peer | null> {
  if (!gatewayIsBuilt(main)) return null;
  return await startGateway({
    name,
    main,
    folder,
    rules: 'governed',
    upstreamPort,
    dataThreads: 1,
    generatedRoutes: 0,
    core,
  });
}

function contender(
  shape: Shape,
  peer: Peer,
  context: BenchContext,
  core: number | null,
): Contender<PeerSample> {
  const load: SharedLoad = {
    path: ITEM_PATH,
    method: shape.method,
    headers: shape.headers,
    body: shape.body,
    paths: null,
    keys: null,
    connections: 32,
    seconds: context.seconds,
    core,
    folder: context.workFolder,
  };
  return { name: `${shape.name} · ${peer.name}`, measure: () => measurePeer(peer, load) };
}

function figuresOf(
  shape: Shape,
  peers: readonly Peer[],
  samples: ReadonlyMap<string, readonly PeerSample[]>,
): Figure[] {
  const of = (peer: string, measure: keyof PeerSample) =>
    column(samples.get(`${shape.name} · ${peer}`), measure);
  const ratio = (peer: string): readonly number[] => {
    const [gateway, other] = [of(GATEWAY, 'cpuUsPerRequest'), of(peer, 'cpuUsPerRequest')];
    return gateway.length === other.length ? pairedRatios(gateway, other) : [];
  };
  const perPeer = peers.flatMap(({ name }): Figure[] => [
    {
      name: `${shape.name} · ${name} · CPU per request`,
      unit: 'µs',
      values: of(name, 'cpuUsPerRequest'),
      bar: null,
    },
  ]);
  const throughput = (name: string, bar: Bar | null): Figure => ({
    name: `${shape.name} · ${name} · throughput`,
    unit: 'requests/s',
    values: of(name, 'requestsPerSecond'),
    bar,
  });
  // Where nginx is missing, its ratio stands there unmeasured, and its bar does not hold.
  const compared = new Set([NGINX_BARE, ...peers.map(({ name }) => name)]);
  compared.delete(GATEWAY);
  const ratios = [...compared].map(
    (name): Figure => ({
      name: `${shape.name} · governed / ${name}`,
      unit: '×',
      values: ratio(name),
      bar: name === NGINX_BARE ? shape.ratioBar : null,
    }),
  );
  return [
    ...perPeer,
    ...ratios,
    throughput(GATEWAY, shape.throughputBar),
    ...peers.filter(({ name }) => name !== GATEWAY).map(({ name }) => throughput(name, null)),
  ];
}
