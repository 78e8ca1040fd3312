import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import { applyLoad, loadTool } from '../load.ts';
import { FREE } from '../placement.ts';
import { generatedPath, governedPolicy, ITEM_PATH, writePolicy } from '../projects.ts';
import { type Scope, withScope } from '../scope.ts';
import { readTurns, type Turns } from '../turns.ts';
import { startCountingUpstream } from '../upstream.ts';

/**
 * How long a data thread is away from its requests around an edit of a policy. Longest turns and not latencies: two
 * cores that compiler, generator and upstream share make any request wait that is due at the wrong moment.
 */
export const pause: Bench = {
  name: 'pause',
  summary:
    'a policy edit among 10,000 routes: live within a second, no turn of a data thread longer than 5 ms',
  run: (context) => withScope((scope) => run(context, scope)),
};

const ROUTES = { full: 10_000, quick: 1_000 } as const;
const EDITS_PER_ROUND = 3;
const LIVE_WITHIN_MS = 15_000;
const PROBE_EVERY_MS = 10;
/** After an edit is live, the version before it is let go and collected. */
const AFTER_MS = 1_000;

/** What comes before the edits of a round: `visited`: every route was asked, so that all have functions. */
const STATES = ['idle', 'visited'] as const;
type State = (typeof STATES)[number];

interface Edit {
  readonly state: State;
  readonly beganMs: number;
  readonly liveMs: number;
  readonly endedMs: number;
}

async function run(context: BenchContext, scope: Scope): Promise<BenchResult> {
  const routes = ROUTES[context.mode];
  const turnsFolder = join(context.workFolder, 'turns');
  mkdirSync(turnsFolder);
  const upstream = scope.own(await startCountingUpstream(context.workFolder, FREE.others));
  const gateway = scope.own(
    await startGateway({
      name: 'pause',
      main: context.gatewayMain,
      folder: context.workFolder,
      rules: 'governed',
      upstreamPort: upstream.port,
      dataThreads: 1,
      generatedRoutes: routes,
      core: FREE.measured,
      nodeArguments: ['--import', probeInto(turnsFolder)],
    }),
  );
  const visit = visitor(gateway, routes, context);
  await visit();
  const edits: Edit[] = [];
  const calm: Omit<Edit, 'state'>[] = [];
  for (let round = 0; round < context.rounds; round++) {
    for (const state of STATES) {
      for (let count = 0; count < EDITS_PER_ROUND; count++) {
        if (state === 'visited') await visit();
        await delay(AFTER_MS / 2);
        edits.push({ state, ...(await edit(gateway, String(edits.length + 1))) });
      }
    }
    const beganMs = monotonicMs();
    await delay(AFTER_MS);
    calm.push({ beganMs, liveMs: beganMs, endedMs: monotonicMs() });
    context.say(`round ${round + 1} of ${context.rounds}`);
  }
  await delay(AFTER_MS / 2);
  const turns = readTurns(turnsFolder);
  return {
    figures: figuresOf(edits, calm, turns),
    notes: [
      `${routes} routes, one data thread, no requests but those that look for the new version, every ${PROBE_EVERY_MS} ms. Each edit changes a text of the one policy.`,
      `A window lasts from the signal to reload until ${AFTER_MS} ms after the new version is live: the version before is dropped in it.`,
      'A turn: what a data thread runs between two ticks of a timer that is due every millisecond, so up to one millisecond too much. CPU: on a core; what other processes do is not in it.',
      'Visited: every route was asked since the last edit, so each has functions to be dropped.',
    ],
  };
}

function probeInto(folder: string): string {
  const url = new URL(import.meta.resolve('../children/turn-probe.js'));
  url.searchParams.set('into', folder);
  return url.href;
}

/** Asks every route at least once. */
function visitor(gateway: Gateway, routes: number, context: BenchContext): () => Promise<void> {
  if (loadTool() !== 'wrk')
    throw new Error('asking for many paths in turn needs wrk, which is not installed');
  return async () => {
    let seconds = 1;
    for (;;) {
      const { requests } = await applyLoad({
        url: gateway.url,
        method: 'GET',
        headers: gateway.credential,
        body: null,
        paths: Array.from({ length: routes }, (_, index) => generatedPath(index)),
        keys: null,
        connections: 32,
        seconds,
        core: FREE.others,
        folder: context.workFolder,
      });
      if (requests >= routes) return;
      seconds++;
    }
  };
}

async function edit(gateway: Gateway, version: string): Promise<Omit<Edit, 'state'>> {
  writePolicy(gateway.project.folder, governedPolicy(version));
  const beganMs = monotonicMs();
  gateway.reload();
  while ((await versionOf(gateway)) !== version) {
    if (monotonicMs() - beganMs > LIVE_WITHIN_MS) throw new Error(`version ${version} did not become live`);
    await delay(PROBE_EVERY_MS);
  }
  const liveMs = monotonicMs();
  await delay(AFTER_MS);
  return { beganMs, liveMs, endedMs: monotonicMs() };
}

let callId = 0;

async function versionOf(gateway: Gateway): Promise<string | null> {
  const response = await fetch(`${gateway.url}${ITEM_PATH}?id=${++callId}`, { headers: gateway.credential });
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { version?: string }).version ?? null;
}

function figuresOf(edits: readonly Edit[], calm: readonly Omit<Edit, 'state'>[], turns: Turns): Figure[] {
  const longest = (name: string, windows: readonly Omit<Edit, 'state'>[], bar: Figure['bar']): Figure[] => [
    {
      name: `${name} · longest turn, CPU`,
      unit: 'ms',
      values: windows.map((window) => longestIn(window, turns.turns, ({ cpuMs }) => cpuMs)),
      bar,
    },
    {
      name: `${name} · longest turn, wall`,
      unit: 'ms',
      values: windows.map((window) => longestIn(window, turns.turns, ({ wallMs }) => wallMs)),
      bar: null,
    },
    {
      name: `${name} · longest collection`,
      unit: 'ms',
      values: windows.map((window) => longestIn(window, turns.collections, ({ wallMs }) => wallMs)),
      bar: null,
    },
  ];
  const worst = edits.map((window) => longestIn(window, turns.turns, ({ cpuMs }) => cpuMs));
  return [
    { name: 'longest turn of all edits, CPU', unit: 'ms', values: [Math.max(...worst)], bar: atMost(5) },
    ...STATES.flatMap((state) =>
      longest(
        state,
        edits.filter((one) => one.state === state),
        atMost(5),
      ),
    ),
    ...longest('calm', calm, null),
    {
      name: 'live after',
      unit: 'ms',
      values: edits.map(({ beganMs, liveMs }) => liveMs - beganMs),
      bar: atMost(1_000),
    },
  ];
}

/** 0 where nothing lasted long enough to be told. */
function longestIn<Told extends { readonly endMs: number }>(
  { beganMs, endedMs }: Omit<Edit, 'state'>,
  told: readonly Told[],
  measure: (one: Told) => number,
): number {
  return Math.max(
    0,
    ...told.filter(({ endMs }) => endMs >= beganMs && endMs <= endedMs).map((one) => measure(one)),
  );
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
