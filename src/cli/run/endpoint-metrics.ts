import type { MetricSamples } from '../../observe/metrics/metric-samples.ts';
import type { LabelsOf } from '../../observe/metrics/metric-table.ts';
import { OTHERS } from '../../observe/metrics/series.ts';
import type { EndpointUsage } from './endpoint-keeper.ts';

/** The first `seriesMax` addresses of endpoints by their names, further ones together: up only where all of them are. */
export function collectEndpoints(
  samples: MetricSamples,
  usages: readonly EndpointUsage[],
  seriesMax: number,
): void {
  for (const usage of usages.slice(0, seriesMax)) {
    const { service, url, address } = usage;
    put(samples, { service, endpoint: url, address: address ?? '' }, usage);
  }
  const others = usages.slice(seriesMax);
  if (others.length === 0) return;
  put(samples, { service: OTHERS, endpoint: OTHERS, address: OTHERS }, others.reduce(together));
  samples.add('portunus_metric_series_left_out_total', { metric: 'portunus_endpoint_up' }, others.length);
}

function together(a: EndpointUsage, b: EndpointUsage): EndpointUsage {
  return {
    ...a,
    isUp: a.isUp && b.isUp,
    connections: a.connections + b.connections,
    failedAttempts: a.failedAttempts + b.failedAttempts,
    retries: a.retries + b.retries,
    retriesRefused: a.retriesRefused + b.retriesRefused,
    ejections: a.ejections + b.ejections,
  };
}

function put(samples: MetricSamples, labels: LabelsOf<'portunus_endpoint_up'>, usage: EndpointUsage): void {
  samples.add('portunus_endpoint_up', labels, usage.isUp ? 1 : 0);
  samples.add('portunus_endpoint_connections', labels, usage.connections);
  samples.add('portunus_endpoint_failed_attempts_total', labels, usage.failedAttempts);
  samples.add('portunus_endpoint_retries_total', labels, usage.retries);
  samples.add('portunus_endpoint_retries_refused_total', labels, usage.retriesRefused);
  samples.add('portunus_endpoint_ejections_total', labels, usage.ejections);
}
