import type { Clock } from '../base/ports.ts';
import type { AccessRecord } from '../pipeline/record.ts';
import type { LatencySummary, NamedCount, TrafficSummary } from '../pipeline/traffic.ts';
import { LogLinearHistogram } from './log-linear-histogram.ts';
import type { RecordConsumer } from './record-drain.ts';

/** Small counters over all records, for `portunus status`. */
export interface Traffic extends RecordConsumer {
  summary(): TrafficSummary;
  /** Latency of all requests since the start, in microseconds: who asks twice knows of those between. */
  latencySinceStart(): readonly (readonly [usMax: number, count: number])[];
}

const LATENCY_WINDOW_MS = 60_000;
/** Percentiles are at most a sixteenth too high. */
const PRECISION_BITS = 4;
/** Names kept apart; further ones are counted together. */
const NAMES_MAX = 500;
export const OTHER_NAMES = '(others)';

export function createTraffic(clock: Clock): Traffic {
  return new TrafficCounters(clock);
}

class TrafficCounters implements Traffic {
  readonly #clock: Clock;
  #requests = 0;
  #clientAborted = 0;
  /** Index: hundreds of the status, 0 for what is none. */
  readonly #classes = new Float64Array(10);
  readonly #codes = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #shadowRefusals = new Map<string, number>();
  readonly #warnings = new Map<string, number>();
  #current = new LogLinearHistogram(PRECISION_BITS);
  #previous = new LogLinearHistogram(PRECISION_BITS);
  readonly #all = new LogLinearHistogram(PRECISION_BITS);
  #window: number;
  #inBatch = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#window = this.#windowNow();
  }

  accept(record: AccessRecord): void {
    if (!this.#inBatch) {
      this.#rotate();
      this.#inBatch = true;
    }
    this.#requests++;
    if (record.clientAborted) this.#clientAborted++;
    const hundreds = record.status >= 100 && record.status < 1_000 ? Math.floor(record.status / 100) : 0;
    this.#classes[hundreds] = this.#classes[hundreds]! + 1;
    this.#current.add(record.finishedUs);
    this.#all.add(record.finishedUs);
    if (record.code !== '') {
      count(this.#codes, record.code);
      if (record.decidingRule !== '') count(this.#refusals, record.decidingRule);
    }
    for (const rule of record.shadowDenied) count(this.#shadowRefusals, rule);
    for (const rule of record.warnedRules) count(this.#warnings, rule);
  }

  endBatch(): void {
    this.#inBatch = false;
  }

  summary(): TrafficSummary {
    this.#rotate();
    return {
      requests: this.#requests,
      clientAborted: this.#clientAborted,
      byStatusClass: this.#byStatusClass(),
      byCode: sorted(this.#codes),
      refusalsByRule: sorted(this.#refusals),
      shadowRefusalsByRule: sorted(this.#shadowRefusals),
      warningsByRule: sorted(this.#warnings),
      latency: this.#latency(),
    };
  }

  latencySinceStart(): readonly (readonly [usMax: number, count: number])[] {
    return this.#all.distribution();
  }

  #byStatusClass(): Record<string, number> {
    const classes: Record<string, number> = {};
    for (let hundreds = 0; hundreds < this.#classes.length; hundreds++) {
      const requests = this.#classes[hundreds]!;
      if (requests > 0) classes[hundreds === 0 ? 'none' : `${hundreds}xx`] = requests;
    }
    return classes;
  }

  #latency(): LatencySummary {
    const both = new LogLinearHistogram(PRECISION_BITS);
    both.addAll(this.#previous);
    both.addAll(this.#current);
    return {
      requests: both.total,
      p50Us: both.percentile(0.5),
      p90Us: both.percentile(0.9),
      p99Us: both.percentile(0.99),
      maxUs: both.percentile(1),
    };
  }

  /** Keeps the current window and the one before it. */
  #rotate(): void {
    const window = this.#windowNow();
    if (window === this.#window) return;
    const oldest = this.#previous;
    this.#previous = this.#current;
    if (window > this.#window + 1) this.#previous.clear();
    oldest.clear();
    this.#current = oldest;
    this.#window = window;
  }

  #windowNow(): number {
    return Math.floor(this.#clock.monotonicMs() / LATENCY_WINDOW_MS);
  }
}

function count(counts: Map<string, number>, name: string): void {
  const known = counts.get(name);
  if (known !== undefined) counts.set(name, known + 1);
  else if (counts.size < NAMES_MAX) counts.set(ownCopy(name), 1);
  else counts.set(OTHER_NAMES, (counts.get(OTHER_NAMES) ?? 0) + 1);
}

/** Texts of a drained record are slices of its whole text, which a kept slice would keep alive. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function sorted(counts: ReadonlyMap<string, number>): readonly NamedCount[] {
  return [...counts]
    .map(([name, times]) => ({ name, count: times }))
    .sort((left, right) => right.count - left.count || (left.name < right.name ? -1 : 1));
}
