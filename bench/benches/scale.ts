import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import { cpuOfProcessMs, readMemory } from '../cpu.ts';
import { dropStartCache, type Gateway, startCacheWritten, startOnProject } from '../gateway.ts';
import { loadTool } from '../load.ts';
import { column, measurePeer, type PeerSample, type SharedLoad } from '../measure.ts';
import { apart } from '../placement.ts';
import { freePort, placementNote } from '../processes.ts';
import { ITEM_PATH, writePolicy } from '../projects.ts';
import { type Contender, interleave } from '../rounds.ts';
import { keysInMemory, lookUpNs } from '../scale/look-up.ts';
import { makeScaleProject, pathsOf, policyOf, type ScaleProject, type ScaleSize } from '../scale/project.ts';
import { type Scope, withScope } from '../scope.ts';
import { pairedRatios } from '../statistics.ts';
import { startUpstream } from '../upstream.ts';
import { visitOnce } from '../visit.ts';

export const scale: Bench = {
  name: 'scale',
  summary: 'a million consumer keys and 100,000 routes: start, memory, and what a request costs',
  run: (context) => withScope((scope) => run(context, scope)),
};

const FEW: ScaleSize = { routes: 100, consumers: 10, keys: 100 };
const MANY: ScaleSize = { routes: 100_000, consumers: 1_000, keys: 1_000_000 };
const MANY_QUICK: ScaleSize = { routes: 2_000, consumers: 1_000, keys: 20_000 };

/** The same hundred of each, or as many as there are, in turn. */
const PATTERNS = ['same 100 routes and keys', 'every route in turn, 20,000 keys'] as const;
type Pattern = (typeof PATTERNS)[number];

/** What `--only` chooses from. */
const PARTS = ['starts', 'reloads', 'requests', 'look-up'] as const;
type Part = (typeof PARTS)[number];

const STARTS = { full: 3, quick: 1 } as const;
/** Requests before the memory is read, and the rest that follows them. */
const REQUESTS_FIRST = 300;
const SETTLE_MS = 5_000;
const CACHE_WITHIN_MS = 30_000;
const RELOADS = 4;
const LIVE_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;
const MIB = 1_024 * 1_024;
/** A disturbed round says anything between 0.8 and 1.5 times. */
const LOOK_UP_ROUNDS = 17;

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const { measured, others } = apart();
  const size = context.mode === 'quick' ? MANY_QUICK : MANY;
  const upstream = scope.own(await startUpstream(context.workFolder, others));
  const make = async (name: string, of: ScaleSize): Promise<ScaleProject> =>
    makeScaleProject(
      {
        folder: join(context.workFolder, name),
        upstreamPort: upstream.port,
        port: await freePort(),
        adminPort: await freePort(),
      },
      of,
    );
  context.say(`making ${size.keys} keys and ${size.routes} routes`);
  const many = await make('many', size);
  const few = await make('few', FEW);
  const asked = (part: Part): boolean => part.includes(context.only);
  if (!PARTS.some(asked)) throw new Error(`no part has "${context.only}" in its name: ${PARTS.join(', ')}`);
  const figures: Figure[] = [];
  const notes: string[] = [];
  if (asked('starts')) {
    const starts = await measureStarts(many, context);
    figures.push(...startFigures(starts));
    notes.push(
      'Starts: not pinned, page cache as it is; a cold one has no artefacts of an earlier start. To the first good answer with a key of the store.',
    );
    if (!starts.isCached) notes.push('No artefacts were kept: the warm starts were cold ones.');
  }
  if (asked('reloads')) {
    context.say('reloads after a warm start');
    figures.push(...reloadFigures(await measureReloads(many, context)));
  }
  if (asked('requests')) {
    const requests = loadTool() === 'wrk' ? await measureRequests(few, many, context, scope) : null;
    figures.push(...requestFigures(requests));
    notes.push(
      requests === null
        ? 'NOT MEASURED: requests with many keys need wrk, which is not installed.'
        : `Requests: ${placementNote(measured, others)} First requests come from this process over 32 connections, all others from wrk.`,
    );
  }
  if (asked('look-up')) {
    context.say('looking keys up in this process');
    figures.push(...lookUpFigures(size.keys));
  }
  return { figures, notes };
}

interface Started {
  readonly toAnswerMs: number;
  readonly toAnswerCpuMs: number;
  readonly settledMib: number;
  readonly fileMib: number;
  readonly peakMib: number;
}

interface Starts {
  readonly cold: readonly Started[];
  readonly warm: readonly Started[];
  readonly isCached: boolean;
}

async function measureStarts(scaled: ScaleProject, context: BenchContext): Promise<Starts> {
  const [cold, warm]: [Started[], Started[]] = [[], []];
  let isCached = true;
  for (let round = 0; round < STARTS[context.mode]; round++) {
    dropStartCache(scaled.project);
    const first = await measureStart(scaled, context);
    isCached &&= first.isCached;
    cold.push(first);
    warm.push(await measureStart(scaled, context));
    context.say(
      `start ${round + 1}: ${Math.round(first.toAnswerMs)} and ${Math.round(warm.at(-1)!.toAnswerMs)} ms`,
    );
  }
  return { cold, warm, isCached };
}

async function measureStart(
  scaled: ScaleProject,
  { gatewayMain }: BenchContext,
): Promise<Started & { readonly isCached: boolean }> {
  const key = scaled.keys.at(-1)!;
  const startedMs = performance.now();
  const gateway = await startOnProject(scaled.project, { name: 'many', main: gatewayMain, core: null }, key);
  try {
    await request(gateway, key);
    const toAnswerMs = performance.now() - startedMs;
    const toAnswerCpuMs = cpuOfProcessMs(gateway.pid);
    for (let index = 0; index < REQUESTS_FIRST; index++)
      await request(gateway, scaled.keys[Math.floor((index * scaled.keys.length) / REQUESTS_FIRST)]!);
    const isCached = await startCacheWritten(scaled.project, CACHE_WITHIN_MS);
    await delay(SETTLE_MS);
    const { resident, file, peak } = readMemory(gateway.pid);
    const memory = { settledMib: resident / MIB, fileMib: file / MIB, peakMib: peak / MIB };
    return { toAnswerMs, toAnswerCpuMs, ...memory, isCached };
  } finally {
    await gateway.stop();
  }
}

/** Edits of the one policy, one after the other, after a start from what an earlier one has kept. */
interface Reloads {
  readonly toLiveMs: readonly number[];
  /** After each of them. */
  readonly settledMib: readonly number[];
  readonly peakMib: number;
}

async function measureReloads(scaled: ScaleProject, { gatewayMain }: BenchContext): Promise<Reloads> {
  const key = scaled.keys.at(-1)!;
  const gateway = await startOnProject(scaled.project, { name: 'many', main: gatewayMain, core: null }, key);
  try {
    const [toLiveMs, settledMib]: [number[], number[]] = [[], []];
    for (let count = 1; count <= RELOADS; count++) {
      toLiveMs.push(await editOnce(gateway, key, `edit-${count}`));
      await delay(SETTLE_MS);
      settledMib.push(readMemory(gateway.pid).resident / MIB);
    }
    return { toLiveMs, settledMib, peakMib: readMemory(gateway.pid).peak / MIB };
  } finally {
    await gateway.stop();
  }
}

/** Milliseconds from the signal to the first answer of the new version. */
async function editOnce(gateway: Gateway, key: string, version: string): Promise<number> {
  writePolicy(gateway.project.folder, policyOf(version));
  const beganMs = performance.now();
  gateway.reload();
  while ((await request(gateway, key)) !== version) {
    if (performance.now() - beganMs > LIVE_WITHIN_MS) throw new Error(`${version} did not become live`);
    await delay(LOOK_EVERY_MS);
  }
  return performance.now() - beganMs;
}

/** The version of the policy that let it pass. */
async function request(gateway: Gateway, key: string): Promise<string | null> {
  const answer = await fetch(`${gateway.url}${ITEM_PATH}?id=1`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`a key of the store was answered ${answer.status}`);
  return answer.headers.get('x-bench-version');
}

/** Of a gateway with few routes and keys, and of one with many. */
interface Requests {
  readonly samples: ReadonlyMap<string, readonly PeerSample[]>;
  /** CPU of the first request of each route, all of them, in µs. */
  readonly firstUs: number;
}

async function measureRequests(
  few: ScaleProject,
  many: ScaleProject,
  context: BenchContext,
  scope: Scope,
): Promise<Requests> {
  const { measured, others } = apart();
  const start = async ({ project, keys }: ScaleProject, name: string): Promise<Gateway> =>
    scope.own(await startOnProject(project, { name, main: context.gatewayMain, core: measured }, keys[0]!));
  const [small, big] = [await start(few, 'few'), await start(many, 'many')];
  const loadOn = ({ size, keys }: ScaleProject, pattern: Pattern): SharedLoad => {
    const isAll = pattern === PATTERNS[1];
    const asked = isAll ? keys : keys.filter((_, index) => index % Math.ceil(keys.length / 100) === 0);
    return {
      path: '/',
      method: 'GET',
      headers: {},
      body: null,
      paths: pathsOf(size, isAll ? size.routes : 100),
      keys: asked,
      connections: 32,
      seconds: context.seconds,
      core: others,
      folder: context.workFolder,
    };
  };
  const contender = (name: string, gateway: Gateway, load: SharedLoad): Contender<PeerSample> => ({
    name,
    measure: () => measurePeer(gateway, load),
  });
  context.say('asking for every route once');
  await visitOnce(small, { paths: pathsOf(few.size, few.size.routes), keys: few.keys });
  const firstUs = await visitOnce(big, { paths: pathsOf(many.size, many.size.routes), keys: many.keys });
  // Keys beyond the number of routes have their first request too.
  for (let from = many.size.routes; from < many.keys.length; from += many.size.routes)
    await visitOnce(big, { paths: pathsOf(many.size, many.size.routes), keys: many.keys.slice(from) });
  const samples = await interleave(
    [
      contender('few', small, loadOn(few, PATTERNS[0])),
      ...PATTERNS.map((pattern) => contender(pattern, big, loadOn(many, pattern))),
    ],
    {
      rounds: context.rounds,
      warmUps: 2,
      onRound: (round) => context.say(`round ${round + 1} of ${context.rounds}`),
    },
  );
  return { samples, firstUs };
}

function startFigures({ cold, warm, isCached }: Starts): Figure[] {
  const of = (starts: readonly Started[], measure: keyof Started) => starts.map((each) => each[measure]);
  return [
    { name: 'start, cold', unit: 'ms', values: of(cold, 'toAnswerMs'), bar: atMost(15_000) },
    // a second cold start is no warm one, however fast
    { name: 'start, warm', unit: 'ms', values: isCached ? of(warm, 'toAnswerMs') : [], bar: atMost(5_000) },
    ...(['cold', 'warm'] as const).flatMap((kind): Figure[] => {
      const starts = kind === 'cold' ? cold : warm;
      return [
        { name: `start, ${kind} · CPU`, unit: 'ms', values: of(starts, 'toAnswerCpuMs'), bar: null },
        { name: `resident at most, ${kind}`, unit: 'MiB', values: of(starts, 'peakMib'), bar: atMost(1_024) },
        {
          name: `resident when settled, ${kind}`,
          unit: 'MiB',
          values: of(starts, 'settledMib'),
          bar: atMost(1_024),
        },
        { name: `of this pages of files, ${kind}`, unit: 'MiB', values: of(starts, 'fileMib'), bar: null },
      ];
    }),
  ];
}

function reloadFigures({ toLiveMs: [first, ...others], settledMib, peakMib }: Reloads): Figure[] {
  return [
    { name: 'first reload after a warm start', unit: 'ms', values: [first!], bar: null },
    { name: 'reloads after it', unit: 'ms', values: others, bar: null },
    { name: 'resident at most, reloads', unit: 'MiB', values: [peakMib], bar: atMost(1_024) },
    { name: 'resident when settled, reloads', unit: 'MiB', values: settledMib, bar: null },
    {
      name: 'resident, settled after the last',
      unit: 'MiB',
      values: settledMib.slice(-1),
      bar: atMost(1_024),
    },
  ];
}

function requestFigures(requests: Requests | null): Figure[] {
  const samples = requests?.samples;
  const few = column(samples?.get('few'), 'cpuUsPerRequest');
  const first = requests === null ? [] : [requests.firstUs];
  return [
    { name: 'first request of each route · CPU', unit: 'µs', values: first, bar: null },
    { name: '100 routes and keys · CPU per request', unit: 'µs', values: few, bar: null },
    ...PATTERNS.flatMap((pattern): Figure[] => {
      const values = column(samples?.get(pattern), 'cpuUsPerRequest');
      return [
        { name: `${pattern} · CPU per request`, unit: 'µs', values, bar: null },
        { name: `many / few, ${pattern}`, unit: '×', values: pairedRatios(values, few), bar: atMost(1.1) },
      ];
    }),
  ];
}

function lookUpFigures(keys: number): Figure[] {
  const [few, many] = [keysInMemory(FEW.keys), keysInMemory(keys)];
  const [fewNs, manyNs]: [number[], number[]] = [[], []];
  lookUpNs(few);
  lookUpNs(many);
  for (let round = 0; round < LOOK_UP_ROUNDS; round++) {
    fewNs.push(lookUpNs(few));
    manyNs.push(lookUpNs(many));
  }
  return [
    { name: `look-up among ${FEW.keys} keys · CPU`, unit: 'ns', values: fewNs, bar: null },
    {
      name: `look-up among ${keys.toLocaleString('en-US')} keys · CPU`,
      unit: 'ns',
      values: manyNs,
      bar: null,
    },
    { name: 'look-up, many / few', unit: '×', values: pairedRatios(manyNs, fewNs), bar: atMost(1.1) },
  ];
}
