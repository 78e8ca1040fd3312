import { ask } from './conversation.ts';
import { startProgram } from './processes.ts';

/**
 * Open-loop load: requests are due at fixed times, whether earlier ones were answered or not, and latency counts from
 * the time a request was due. A closed loop would stop asking while the gateway stalls and so hide the stall
 * ("coordinated omission", Gil Tene, How NOT to Measure Latency).
 */
export interface OpenLoopSpec {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly itemPath: string;
  readonly streamPath: string;
  readonly requestsPerSecond: number;
  /** Keep-alive connections; a request that finds none free waits, and its latency grows. */
  readonly connections: number;
  /** Of 10 requests, how many are POSTs with a body of 1 KiB. */
  readonly postsOfTen: number;
  /** Clients that read one event stream after the other. */
  readonly streams: number;
  readonly eventsPerStream: number;
  readonly eventEveryMs: number;
}

/** What happened since the last report. Every answer is checked: status, id, seen once upstream, whole body. */
export interface OpenLoopReport {
  /** Requests answered correctly, streams read to their end included. */
  readonly answered: number;
  readonly streamsRead: number;
  /** Failures by what went wrong. */
  readonly failures: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Different values of x-bench-version that requests carried upstream. */
  readonly versions: number;
}

export interface OpenLoop {
  /** Reports and begins anew; the load goes on. */
  readonly report: () => Promise<OpenLoopReport>;
  /** Sends nothing further, waits for what is outstanding, reports the rest. */
  readonly finish: () => Promise<OpenLoopReport>;
  readonly stop: () => Promise<void>;
}

export async function startOpenLoop(
  spec: OpenLoopSpec,
  folder: string,
  core: number | null,
): Promise<OpenLoop> {
  const started = startProgram(import.meta.resolve('./children/open-loop.js'), {
    name: 'open-loop',
    args: [JSON.stringify(spec)],
    folder,
    core,
  });
  await ask<null>(started, 'begin');
  return {
    report: () => ask<OpenLoopReport>(started, 'report'),
    finish: () => ask<OpenLoopReport>(started, 'finish'),
    stop: started.stop,
  };
}

export function failureCount(report: OpenLoopReport): number {
  return Object.values(report.failures).reduce((sum, count) => sum + count, 0);
}
