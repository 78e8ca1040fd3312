import type { OpenLoopReport } from '../open-loop.ts';
import { LatencyHistogram } from './histogram.ts';

/** Kinds of failure that are kept apart; a broken gateway must not fill the report. */
const FAILURE_KINDS_MAX = 50;

/** Books what the clients of the open loop see, between two reports. */
export class Ledger {
  #latencies = new LatencyHistogram();
  #streamsRead = 0;
  #failures = new Map<string, number>();
  #versions = new Set<string>();

  answered(latencyMs: number, version: string): void {
    this.#latencies.record(latencyMs * 1_000);
    this.#versions.add(version);
  }

  /** A stream's length is its upstream's choice, so it has no latency. */
  streamRead(): void {
    this.#streamsRead += 1;
  }

  failed(what: string): void {
    const kind =
      this.#failures.has(what) || this.#failures.size < FAILURE_KINDS_MAX ? what : 'other failures';
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
  }

  /** What was booked since the last report. */
  report(): OpenLoopReport {
    const latencies = this.#latencies;
    const report: OpenLoopReport = {
      answered: latencies.count + this.#streamsRead,
      streamsRead: this.#streamsRead,
      failures: Object.fromEntries(this.#failures),
      p50Ms: latencies.quantileUs(0.5) / 1_000,
      p99Ms: latencies.quantileUs(0.99) / 1_000,
      p999Ms: latencies.quantileUs(0.999) / 1_000,
      maxMs: latencies.maxUs / 1_000,
      versions: this.#versions.size,
    };
    this.#latencies = new LatencyHistogram();
    this.#streamsRead = 0;
    this.#failures = new Map();
    this.#versions = new Set();
    return report;
  }
}
