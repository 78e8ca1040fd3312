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
import { type CountingUpstream, startCountingUpstream, type UpstreamCounts } from '../upstream.ts';

export const reload: Bench = {
  name: 'reload',
  summary: 'many reloads under open-loop load: nothing fails, nothing comes twice, counters stay',
  run: (context) => withScope((scope) => run(context, scope)),
};

const PLAN = {
  full: { reloads: 500, beforeMs: 15_000, maximumSeconds: 5 },
  quick: { reloads: 10, beforeMs: 3_000, maximumSeconds: 2 },
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
    figures: figuresOf({ reloads: plan.reloads, rate }, outcome, first, last),
    notes: [
      `Load: ${rate} requests/s (half of ${Math.round(maximum)}), open loop, ${LOAD.connections} keep-alive clients, ${LOAD.postsOfTen} of 10 requests POST with 1 KiB, ${LOAD.streams} streaming clients.`,
      `Before: ${outcome.before.answered} answered; during: ${outcome.during.answered}, of them ${outcome.during.streamsRead} streams; ${outcome.during.versions} versions seen by requests.`,
      `A reload begins every ${RELOAD_EVERY_MS} ms, or when the last one is live.`,
      'Latency counts from the moment a request was due. Gateway, generator and upstream share all cores with the compiler.',
      ...failureLines('before', outcome.before),
      ...failureLines('during', outcome.during),
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

interface Outcome {
  readonly before: OpenLoopReport;
  readonly during: OpenLoopReport;
  readonly perSecondBefore: number;
  /** Includes what was outstanding at the end. */
  readonly perSecondDuring: number;
  /** Of the whole gateway process, compiling included. */
  readonly cpuUsPerRequest: { readonly before: number; readonly during: number };
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
  // The first seconds have cold connections and code in them: they are neither before nor during.
  await delay(WARM_UP_MS);
  const warmUp = await loop.report();
  const begunMs = performance.now();
  const cpuBegun = readCpu(gateway.pid);
  await delay(plan.beforeMs);
  const before = await loop.report();
  const reloadsBegunMs = performance.now();
  const cpuAtReloads = readCpu(gateway.pid);
  const liveAfterMs: number[] = [];
  const probeFailures: string[] = [];
  for (let version = 1; version <= plan.reloads; version++) {
    const tookMs = await reloadOnce(gateway, String(version), probeFailures);
    if (tookMs === null) context.say(`version ${version} was not live after ${LIVE_WITHIN_MS} ms`);
    else liveAfterMs.push(tookMs);
    await delay(Math.max(0, RELOAD_EVERY_MS - (tookMs ?? 0)));
    if (version % 50 === 0) context.say(`${version} of ${plan.reloads} reloads`);
  }
  const reloadsEndedMs = performance.now();
  const cpuEnded = readCpu(gateway.pid);
  const during = await loop.finish();
  return {
    before: withFailuresOf(warmUp, before),
    during,
    perSecondBefore: perSecond(before, reloadsBegunMs - begunMs),
    perSecondDuring: perSecond(during, reloadsEndedMs - reloadsBegunMs),
    cpuUsPerRequest: {
      before: cpuUsBetween(cpuBegun, cpuAtReloads) / before.answered,
      during: cpuUsBetween(cpuAtReloads, cpuEnded) / during.answered,
    },
    liveAfterMs,
    probeFailures,
  };
}

function perSecond(report: OpenLoopReport, elapsedMs: number): number {
  return (report.answered - report.streamsRead) / (elapsedMs / 1_000);
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

/** A failure in the warm-up is a failure too, though its latencies don't count. */
function withFailuresOf(warmUp: OpenLoopReport, before: OpenLoopReport): OpenLoopReport {
  const failures = { ...before.failures };
  for (const [what, count] of Object.entries(warmUp.failures)) failures[what] = (failures[what] ?? 0) + count;
  return { ...before, failures };
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
  const { before, during, liveAfterMs } = outcome;
  const single = (name: string, unit: string, value: number, bar: Figure['bar']): Figure => ({
    name,
    unit,
    values: [value],
    bar,
  });
  return [
    single('reloads that became live', 'reloads', liveAfterMs.length, atLeast(wanted.reloads)),
    single(
      'failed requests',
      'requests',
      failureCount(before) + failureCount(during) + outcome.probeFailures.length,
      atMost(0),
    ),
    single('requests that came upstream twice', 'requests', last.upstream.repeatedIds, atMost(0)),
    single('bodies damaged on the way', 'requests', last.upstream.damagedBodies, atMost(0)),
    ...counterFigures(first, last),
    // Latencies of a load that was not carried say nothing: the queue of due requests only grows.
    single('answered / due, before', '×', outcome.perSecondBefore / wanted.rate, atLeast(0.99)),
    single('answered / due, during', '×', outcome.perSecondDuring / wanted.rate, atLeast(0.99)),
    single('p99 during / before', '×', during.p99Ms / before.p99Ms, atMost(2)),
    single('gateway CPU per request, before', 'µs', outcome.cpuUsPerRequest.before, null),
    single('gateway CPU per request, during', 'µs', outcome.cpuUsPerRequest.during, null),
    single('p50 before', 'ms', before.p50Ms, null),
    single('p99 before', 'ms', before.p99Ms, null),
    single('p50 during', 'ms', during.p50Ms, null),
    single('p99 during', 'ms', during.p99Ms, null),
    single('p99.9 during', 'ms', during.p999Ms, null),
    single('longest during', 'ms', during.maxMs, null),
    { name: 'live after', unit: 'ms', values: liveAfterMs, bar: null },
  ];
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

function failureLines(when: string, report: OpenLoopReport): string[] {
  return Object.entries(report.failures).map(([what, count]) => `FAILED ${when}: ${count} × ${what}`);
}
