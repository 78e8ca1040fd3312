import type { DurationBuckets } from './duration-buckets.ts';
import type { LabelsOf, MetricName, NamesOfType } from './metric-table.ts';

/** One line of an exposition. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** For the lines of a histogram. */
  readonly metricName?: string;
}

/** What one scrape finds: filled by whoever has something to tell, written by `exposition`. */
export class MetricSamples {
  readonly #values = new Map<MetricName, MetricValue[]>();

  add<Name extends NamesOfType<'counter' | 'gauge'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
  ): void {
    // A figure that could not be had is left out: no zero is told that nobody counted.
    if (Number.isFinite(value)) this.#of(name).push({ labels, value });
  }

  addHistogram<Name extends NamesOfType<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    { bounds, counts, sumUs }: DurationBuckets,
  ): void {
    const values = this.#of(name);
    let total = 0;
    for (const [bucket, us] of bounds.microseconds.entries()) {
      total += counts[bucket]!;
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: us / 1e6 }, value: total });
    }
    total += counts[bounds.microseconds.length]!;
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: total });
    values.push({ metricName: `${name}_sum`, labels, value: sumUs / 1e6 });
    values.push({ metricName: `${name}_count`, labels, value: total });
  }

  valuesOf(name: MetricName): readonly MetricValue[] {
    return this.#values.get(name) ?? [];
  }

  #of(name: MetricName): MetricValue[] {
    let values = this.#values.get(name);
    if (values === undefined) {
      values = [];
      this.#values.set(name, values);
    }
    return values;
  }
}
