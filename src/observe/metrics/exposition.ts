import { AggregatorRegistry, Registry } from 'prom-client';
import type { MetricSamples } from './metric-samples.ts';
import { METRICS, type MetricName } from './metric-table.ts';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Samples in the text format of Prometheus, or of OpenMetrics where the caller's `Accept` asks for it. */
export async function exposition(samples: MetricSamples, accept: string): Promise<Exposition> {
  const open = asksForOpenMetrics(accept);
  const metrics = (Object.keys(METRICS) as MetricName[]).map((name) => ({
    // OpenMetrics names the family without the ending that its counters have; prom-client adds it then.
    name: open && METRICS[name].type === 'counter' ? name.slice(0, -COUNTER_ENDING.length) : name,
    type: METRICS[name].type,
    help: METRICS[name].help,
    values: samples.valuesOf(name),
    // Each label set is there once: the way of adding up is never asked.
    aggregator: 'first',
  }));
  const registry = AggregatorRegistry.aggregate([metrics.filter(({ values }) => values.length > 0)]);
  if (open) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

const COUNTER_ENDING = '_total';

/** Prometheus itself names both, and wants OpenMetrics first. */
function asksForOpenMetrics(accept: string): boolean {
  return accept
    .split(',')
    .map((range) => range.split(';', 1)[0]!.trim().toLowerCase())
    .includes('application/openmetrics-text');
}
