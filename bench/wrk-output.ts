/** What wrk 4 prints, as numbers. Pure. */
export interface WrkReport {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Socket errors and timeouts. */
  readonly socketErrors: number;
  /** Answers other than 2xx and 3xx. */
  readonly otherStatuses: number;
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Reads the output of `wrk --latency`. Throws when a line is missing that is always printed. */
export function parseWrkOutput(text: string): WrkReport {
  const total = text.match(/^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h),/m);
  if (total === null) throw new Error(`wrk printed no total:\n${text}`);
  return {
    requests: Number(total[1]),
    seconds: durationMs(total[2]!, total[3]!) / 1_000,
    p50Ms: percentileMs(text, 50),
    p99Ms: percentileMs(text, 99),
    socketErrors: socketErrors(text),
    otherStatuses: Number(text.match(/^\s*Non-2xx or 3xx responses: (\d+)/m)?.[1] ?? 0),
  };
}

function percentileMs(text: string, percent: number): number {
  const line = text.match(new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s|m|h)\\s*$`, 'm'));
  if (line === null) throw new Error(`wrk printed no ${percent} % latency:\n${text}`);
  return durationMs(line[1]!, line[2]!);
}

function socketErrors(text: string): number {
  const line = text.match(/^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/m);
  return line === null ? 0 : line.slice(1).reduce((sum, count) => sum + Number(count), 0);
}

function durationMs(number: string, unit: string): number {
  return Number(number) * MS_PER_UNIT[unit]!;
}
