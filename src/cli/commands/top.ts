import { setTimeout as pause } from 'node:timers/promises';
import { callAdmin } from '../../admin/client.ts';
import type { LiveStatus, LiveThread } from '../../admin/routes/observation.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { durationOf, spellBytes, spellUs } from '../moments.ts';
import { CLOSE_SCREEN, frame, OPEN_SCREEN } from '../screen.ts';
import { tableText } from '../table.ts';
import { findGateway } from './data-folder.ts';
import type { GatewayOptions } from './remote-gateway.ts';

export interface TopOptions extends GatewayOptions {
  readonly every: string;
  readonly once?: true;
  readonly json?: true;
}

const EVERY_MS_MIN = 200;

/** `portunus top [FOLDER]`: what the gateway does now, until it is interrupted; once where nobody watches. */
export async function top(folder: string, options: TopOptions): Promise<ExitCode> {
  const every = durationOf(options.every);
  if (!every.ok || every.value < EVERY_MS_MIN) {
    return failed(`--every: ${every.ok ? `the least is ${EVERY_MS_MIN}ms.` : every.error}`, EXIT.usage);
  }
  const access = await findGateway(folder, options);
  if (!access.ok) return failed(access.error, EXIT.couldNotRun);
  const look = () => callAdmin<LiveStatus>(access.value, { method: 'GET', path: '/v1/live' });
  const { stdout } = process;
  const watched = stdout.isTTY && !options.once && !options.json;
  let before = await look();
  if (!before.ok) return failed(before.error.message, EXIT.couldNotRun);
  if (options.json) {
    stdout.write(`${JSON.stringify(before.value, null, 2)}\n`);
    return EXIT.fine;
  }
  if (watched) stdout.write(OPEN_SCREEN);
  const leave = (): void => {
    stdout.write(CLOSE_SCREEN);
    process.exit(EXIT.fine);
  };
  if (watched) process.once('SIGINT', leave).once('SIGTERM', leave);
  for (;;) {
    await pause(every.value);
    const now = await look();
    if (!now.ok) {
      if (watched) stdout.write(CLOSE_SCREEN);
      return failed(now.error.message, EXIT.couldNotRun);
    }
    const text = topText(before.value, now.value);
    if (!watched) {
      stdout.write(text);
      return EXIT.fine;
    }
    stdout.write(frame(text, stdout.columns, stdout.rows));
    before = now;
  }
}

/** What happened between two looks. */
export function topText(before: LiveStatus, now: LiveStatus): string {
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000);
  const rate = (count: number): string => `${(count / seconds).toFixed(1)}/s`;
  const latencies = between(before.latency, now.latency);
  const classes = Object.entries(now.byStatusClass)
    .map(([name, count]) => [name, count - (before.byStatusClass[name] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${rate(count)}`);
  const head = [
    `requests ${rate(now.requests - before.requests)}  ${classes.join('  ')}`.trimEnd(),
    `latency  p50 ${spellUs(percentile(latencies, 0.5))}  p99 ${spellUs(percentile(latencies, 0.99))}`,
    `process  ${spellBytes(now.residentBytes)} resident, ${percent((now.cpuSeconds - before.cpuSeconds) / seconds)} of a core, ${now.recordsLost} records lost`,
    ...now.alerts.map(({ severity, message }) => `${severity}: ${message}`),
  ];
  return [head.join('\n'), threads(before, now), refusals(before, now, rate), limits(now), endpoints(now)]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

type Latency = LiveStatus['latency'];

/** Buckets by their greatest value; those that did not change are left out. */
function between(before: Latency, now: Latency): Latency {
  const known = new Map(before.map(([usMax, count]) => [usMax, count]));
  return now
    .map(([usMax, count]) => [usMax, count - (known.get(usMax) ?? 0)] as const)
    .filter(([, count]) => count > 0);
}

/** -1 where there was no request. */
function percentile(latency: Latency, share: number): number {
  const wanted = Math.ceil(share * latency.reduce((sum, [, count]) => sum + count, 0));
  let seen = 0;
  for (const [usMax, count] of latency) {
    seen += count;
    if (seen >= wanted) return usMax;
  }
  return -1;
}

function threads(before: LiveStatus, now: LiveStatus): string {
  const rows = now.threads.map((thread) => [
    thread.name,
    percent(
      busyShare(
        before.threads.find(({ name }) => name === thread.name),
        thread,
      ),
    ),
    spellUs(thread.loopDelayP99Seconds * 1e6),
    String(thread.activeRequests),
    String(thread.connections),
    spellBytes(thread.heapUsedBytes),
  ]);
  const columns = ['busy', 'loop delay p99', 'in flight', 'connections', 'heap'];
  return table('thread', columns, rows);
}

function busyShare(before: LiveThread | undefined, now: LiveThread): number {
  const active = now.loopActiveSeconds - (before?.loopActiveSeconds ?? 0);
  const idle = now.loopIdleSeconds - (before?.loopIdleSeconds ?? 0);
  return active + idle <= 0 ? 0 : active / (active + idle);
}

const REFUSING_SHOWN = 8;

function refusals(before: LiveStatus, now: LiveStatus, rate: (count: number) => string): string {
  const known = new Map(before.refusalsByRule.map(({ name, count }) => [name, count]));
  const rows = now.refusalsByRule
    .map(({ name, count }) => ({ name, count, since: count - (known.get(name) ?? 0) }))
    .sort((left, right) => right.since - left.since || right.count - left.count)
    .slice(0, REFUSING_SHOWN)
    .map(({ name, count, since }) => [name, rate(since), String(count)]);
  return table('refused by', ['now', 'since the start'], rows);
}

function limits({ nearestLimits }: LiveStatus): string {
  const rows = nearestLimits
    .filter(({ usedShare }) => usedShare > 0)
    .map(({ label, usedShare, exhaustedKeys, keys }) => [
      label,
      percent(usedShare),
      `${exhaustedKeys} of ${keys}`,
    ]);
  return table('limit', ['used at most', 'keys with nothing left'], rows);
}

function endpoints({ services }: LiveStatus): string {
  const rows = services.flatMap(({ name, endpoints: all }) =>
    all.map(({ url, address, state, why, unresolved }) => [
      name,
      address === null ? url : `${url} (${address})`,
      state,
      unresolved ?? why ?? '',
    ]),
  );
  if (rows.length === 0) return '';
  const columns = ['service', 'endpoint', 'state', ''].map((title) => ({ title, columnsMax: 60 }));
  return tableText(columns, rows).trimEnd();
}

/** A name and figures. */
function table(title: string, figures: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const columns = [
    { title, columnsMax: 60 },
    ...figures.map((figure) => ({ title: figure, align: 'right' as const })),
  ];
  return tableText(columns, rows).trimEnd();
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function failed(why: string, code: ExitCode): ExitCode {
  process.stderr.write(`portunus top: ${why}\n`);
  return code;
}
