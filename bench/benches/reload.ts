import { setTimeout as delay } from 'node:timers/promises';
import { atLeast, atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import { cpuUsBetween, readCpu } from '../cpu.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import { applyLoad } from '../load.ts';
import { failureCount, type OpenLoop, type OpenLoopReport, startOpenLoop } from '../open-loop.ts';
import { FREE } from '../placement.ts';
import { governedPolicy, ITEM_PATH, STREAM_PATH, writePolicy } from '../projects.ts';
import { parseRemaining } from '../rate-limit-field.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedRatios } from '../statistics.ts';
import { type CountingUpstream, startCountingUpstream, type UpstreamCounts } from '../upstream.ts';

export const reload: Bench = {
  name: 'reload',
  summary: 'many reloads under open-loop load: nothing fails, nothing comes twice, counters stay',
  run: (context) => withScope((scope) => run(context, scope)),
};

/** Calm and reloads in turn: a single pair of windows says what the machine did meanwhile as much as what reloads cost. */
const PLAN = {
  full: { rounds: 10, reloadsPerRound: 50, calmMs: 5_000, maximumSeconds: 5 },
  quick: { rounds: 2, reloadsPerRound: 10, calmMs: 2_000, maximumSeconds: 2 },
} as const;

const LOAD = { connections: 64, postsOfTen: 3, streams: 32, eventsPerStream: 20, eventEveryMs: 50 } as const;
const WARM_UP_MS = 3_000;
const LIVE_WITHIN_MS = 15_000;
const PROBE_EVERY_MS = 10;
/** Ten reloads a second: back to back, compiling would simply take a core away from everybody else on two cores. */
const RELOAD_EVERY_MS = 100;

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const plan = PLAN[context.mode];
  const upstream = scope.own(await startCountingUpstream(context.workFolder, FREE.others));
  const gateway = scope.own(
    await startGateway({
      name: 'reload',
      main: context.gatewayMain,
      folder: context.workFolder,
      rules: 'governed',
      upstreamPort: upstream.port,
      dataThreads: 1,
      generatedRoutes: 0,
      core: FREE.measured,
    }),
  );
  const maximum = await measureMaximum(gateway, context, plan.maximumSeconds);
  const rate = Math.floor(maximum / 2);
  context.say(`maximum ${Math.round(maximum)} requests/s; load ${rate} requests/s`);
  const first = await probe(gateway, upstream);
  const loop = scope.own(await startOpenLoop(loadOf(gateway, rate), context.workFolder, FREE.others));
  const outcome = await loadAndReload(gateway, loop, plan, context);
  const last = await probe(gateway, upstream);
  return {
    figures: figuresOf({ reloads: plan.rounds * plan.reloadsPerRound, rate }, outcome, first, last),
    notes: [
      `Load: ${rate} requests/s (half of ${Math.round(maximum)}), open loop, ${LOAD.connections} keep-alive clients, ${LOAD.postsOfTen} of 10 requests POST with 1 KiB, ${LOAD.streams} streaming clients.`,
      `${answeredIn(outcome.calm)} answered in calm windows, ${answeredIn(outcome.reloading)} while reloading, by ${versionsIn(outcome.reloading)} versions.`,
      `${plan.rounds} rounds: ${plan.calmMs / 1_000} s of calm, then ${plan.reloadsPerRound} reloads.`,
      `A reload begins every ${RELOAD_EVERY_MS} ms, or when the last one is live.`,
      'Latency counts from the moment a request was due. Gateway, generator and upstream share all cores with the compiler.',
      ...failureLines('while warming up', [outcome.warmUp]),
      ...failureLines(
        'in calm windows',
        outcome.calm.map(({ report }) => report),
      ),
      ...failureLines('while reloading', [...outcome.reloading.map(({ report }) => report), outcome.rest]),
      ...[...new Set(outcome.probeFailures)].map((what) => `FAILED while looking for a new version: ${what}`),
    ],
  };
}

async function measureMaximum(gateway: Gateway, context: BenchContext, seconds: number): Promise<number> {
  const spec = {
    url: `${gateway.url}${ITEM_PATH}`,
    method: 'GET',
    headers: gateway.credential,
    body: null,
    paths: null,
    keys: null,
    connections: LOAD.connections,
    core: FREE.others,
    folder: context.workFolder,
  } as const;
  await applyLoad({ ...spec, seconds: 2 });
  return (await applyLoad({ ...spec, seconds })).requestsPerSecond;
}

function loadOf(gateway: Gateway, requestsPerSecond: number) {
  return {
    ...LOAD,
    port: gateway.project.port,
    headers: gateway.credential,
    itemPath: ITEM_PATH,
    streamPath: STREAM_PATH,
    requestsPerSecond,
  };
}

interface Window {
  readonly report: OpenLoopReport;
  /** Of requests due at fixed times; streams are not among them. */
  readonly answeredPerSecond: number;
  /** Of the whole gateway process, compiling included. */
  readonly cpuUsPerRequest: number;
}

interface Outcome {
  /** The first seconds have cold connections and code in them; a failure in them is a failure too. */
  readonly warmUp: OpenLoopReport;
  readonly calm: readonly Window[];
  readonly reloading: readonly Window[];
  /** What was outstanding at the end. */
  readonly rest: OpenLoopReport;
  /** From the signal to the first request that the new version handled, one per reload that became live. */
  readonly liveAfterMs: readonly number[];
  /** What the calls that look for the new version met; they are requests like any other. */
  readonly probeFailures: readonly string[];
}

async function loadAndReload(
  gateway: Gateway,
  loop: OpenLoop,
  plan: (typeof PLAN)['full' | 'quick'],
  context: BenchContext,
): Promise<Outcome> {
  await delay(WARM_UP_MS);
  const warmUp = await loop.report();
  const calm: Window[] = [];
  const reloading: Window[] = [];
  const liveAfterMs: number[] = [];
  const probeFailures: string[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    calm.push(await windowOf(gateway, loop, () => delay(plan.calmMs)));
    reloading.push(
      await windowOf(gateway, loop, async () => {
        for (let count = 1; count <= plan.reloadsPerRound; count++) {
          const version = String(round * plan.reloadsPerRound + count);
          const tookMs = await reloadOnce(gateway, version, probeFailures);
          if (tookMs === null) context.say(`version ${version} was not live after ${LIVE_WITHIN_MS} ms`);
          else liveAfterMs.push(tookMs);
          await delay(Math.max(0, RELOAD_EVERY_MS - (tookMs ?? 0)));
        }
      }),
    );
    context.say(`${(round + 1) * plan.reloadsPerRound} of ${plan.rounds * plan.reloadsPerRound} reloads`);
  }
  return { warmUp, calm, reloading, rest: await loop.finish(), liveAfterMs, probeFailures };
}

async function windowOf(gateway: Gateway, loop: OpenLoop, pass: () => Promise<void>): Promise<Window> {
  const begunMs = performance.now();
  const cpuBegun = readCpu(gateway.pid);
  await pass();
  const cpuEnded = readCpu(gateway.pid);
  const report = await loop.report();
  const seconds = (performance.now() - begunMs) / 1_000;
  return {
    report,
    answeredPerSecond: (report.answered - report.streamsRead) / seconds,
    cpuUsPerRequest: cpuUsBetween(cpuBegun, cpuEnded) / report.answered,
  };
}

/** Null when the version did not become live in time. */
async function reloadOnce(
  gateway: Gateway,
  version: string,
  probeFailures: string[],
): Promise<number | null> {
  writePolicy(gateway.project.folder, governedPolicy(version));
  const startedMs = performance.now();
  gateway.reload();
  while (performance.now() - startedMs < LIVE_WITHIN_MS) {
    const { version: seen } = await call(gateway).catch((error: Error) => {
      probeFailures.push(error.message);
      return { version: null };
    });
    if (seen === version) return performance.now() - startedMs;
    await delay(PROBE_EVERY_MS);
  }
  return null;
}

interface Probe {
  readonly upstream: UpstreamCounts;
  /** What is left of each limit, after this probe's own request. */
  readonly remaining: readonly number[];
}

/** The request of the probe itself is in both numbers. */
async function probe(gateway: Gateway, upstream: CountingUpstream): Promise<Probe> {
  const { rateLimit } = await call(gateway);
  return { upstream: await upstream.counts(), remaining: parseRemaining(rateLimit) };
}

/** Ids of these calls come from the far end, away from those of the generator. */
let callId = (1 << 27) - 1;

interface Call {
  /** Of the rules that handled the request. */
  readonly version: string | null;
  readonly rateLimit: string;
}

async function call(gateway: Gateway): Promise<Call> {
  callId -= 1;
  const response = await fetch(`${gateway.url}${ITEM_PATH}?id=${callId}`, { headers: gateway.credential });
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  const { version } = (await response.json()) as { version?: string };
  return { version: version ?? null, rateLimit: response.headers.get('ratelimit') ?? '' };
}

function figuresOf(
  wanted: { readonly reloads: number; readonly rate: number },
  outcome: Outcome,
  first: Probe,
  last: Probe,
): Figure[] {
  const { calm, reloading, liveAfterMs } = outcome;
  const single = (name: string, unit: string, value: number, bar: Figure['bar']): Figure => ({
    name,
    unit,
    values: [value],
    bar,
  });
  const each = (windows: readonly Window[], of: (window: Window) => number): number[] => windows.map(of);
  const ofReport = (windows: readonly Window[], of: (report: OpenLoopReport) => number): number[] =>
    windows.map(({ report }) => of(report));
  const carried = ({ answeredPerSecond }: Window): number => answeredPerSecond / wanted.rate;
  return [
    single('reloads that became live', 'reloads', liveAfterMs.length, atLeast(wanted.reloads)),
    single('failed requests', 'requests', failuresOf(outcome), atMost(0)),
    single('requests that came upstream twice', 'requests', last.upstream.repeatedIds, atMost(0)),
    single('bodies damaged on the way', 'requests', last.upstream.damagedBodies, atMost(0)),
    ...counterFigures(first, last),
    // Latencies of a load that was not carried say nothing: the queue of due requests only grows.
    { name: 'answered / due, calm', unit: '×', values: each(calm, carried), bar: atLeast(0.99) },
    { name: 'answered / due, reloading', unit: '×', values: each(reloading, carried), bar: atLeast(0.99) },
    {
      name: 'p99 reloading / calm',
      unit: '×',
      values: pairedRatios(
        ofReport(reloading, ({ p99Ms }) => p99Ms),
        ofReport(calm, ({ p99Ms }) => p99Ms),
      ),
      bar: atMost(2),
    },
    { name: 'p50, calm', unit: 'ms', values: ofReport(calm, ({ p50Ms }) => p50Ms), bar: null },
    { name: 'p50, reloading', unit: 'ms', values: ofReport(reloading, ({ p50Ms }) => p50Ms), bar: null },
    { name: 'p99, calm', unit: 'ms', values: ofReport(calm, ({ p99Ms }) => p99Ms), bar: null },
    { name: 'p99, reloading', unit: 'ms', values: ofReport(reloading, ({ p99Ms }) => p99Ms), bar: null },
    { name: 'longest, calm', unit: 'ms', values: ofReport(calm, ({ maxMs }) => maxMs), bar: null },
    { name: 'longest, reloading', unit: 'ms', values: ofReport(reloading, ({ maxMs }) => maxMs), bar: null },
    {
      name: 'gateway CPU per request, calm',
      unit: 'µs',
      values: each(calm, (window) => window.cpuUsPerRequest),
      bar: null,
    },
    {
      name: 'gateway CPU per request, reloading',
      unit: 'µs',
      values: each(reloading, (window) => window.cpuUsPerRequest),
      bar: null,
    },
    { name: 'live after', unit: 'ms', values: liveAfterMs, bar: null },
  ];
}

function failuresOf({ warmUp, calm, reloading, rest, probeFailures }: Outcome): number {
  const reports = [warmUp, ...[...calm, ...reloading].map(({ report }) => report), rest];
  return reports.reduce((sum, report) => sum + failureCount(report), probeFailures.length);
}

/** Each limit must have counted exactly the requests that came upstream, across all reloads. */
function counterFigures(first: Probe, last: Probe): Figure[] {
  const requests = last.upstream.requests - first.upstream.requests;
  const comparable = first.remaining.length > 0 && first.remaining.length === last.remaining.length;
  const lost = comparable
    ? first.remaining.map((before, index) => Math.abs(before - last.remaining[index]! - requests))
    : [];
  return [
    {
      name: 'requests that a limit lost or counted twice',
      unit: 'requests',
      values: lost.length === 0 ? [] : [Math.max(...lost)],
      bar: atMost(0),
    },
  ];
}

function failureLines(when: string, reports: readonly OpenLoopReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { failures } of reports)
    for (const [what, count] of Object.entries(failures)) counts.set(what, (counts.get(what) ?? 0) + count);
  return [...counts].map(([what, count]) => `FAILED ${when}: ${count} × ${what}`);
}

function answeredIn(windows: readonly Window[]): number {
  return windows.reduce((sum, { report }) => sum + report.answered, 0);
}

/** Each window sees the last version of the one before, too. */
function versionsIn(windows: readonly Window[]): number {
  return windows.reduce((sum, { report }) => sum + report.versions - 1, 1);
}
