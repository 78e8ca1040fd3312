import { expect, test } from 'vitest';
import { MetricSamples } from '../../observe/metrics/metric-samples.ts';
import type { EndpointUsage } from './endpoint-keeper.ts';
import { collectEndpoints } from './endpoint-metrics.ts';

function usage(address: string | null, changes: Partial<EndpointUsage> = {}): EndpointUsage {
  return {
    service: 'orders',
    url: 'http://orders.test:80',
    address,
    isUp: true,
    connections: 1,
    failedAttempts: 2,
    retries: 3,
    retriesRefused: 4,
    ejections: 5,
    ...changes,
  };
}

function collected(usages: readonly EndpointUsage[], seriesMax: number): MetricSamples {
  const samples = new MetricSamples();
  collectEndpoints(samples, usages, seriesMax);
  return samples;
}

const TOTALS = {
  portunus_endpoint_connections: 1,
  portunus_endpoint_failed_attempts_total: 2,
  portunus_endpoint_retries_total: 3,
  portunus_endpoint_retries_refused_total: 4,
  portunus_endpoint_ejections_total: 5,
} as const;

test('each address is told by its names', () => {
  const samples = collected([usage(null), usage('192.0.2.1', { isUp: false })], 2);
  const labels = { service: 'orders', endpoint: 'http://orders.test:80' };
  expect(samples.valuesOf('portunus_endpoint_up')).toEqual([
    { labels: { ...labels, address: '' }, value: 1 },
    { labels: { ...labels, address: '192.0.2.1' }, value: 0 },
  ]);
  for (const [name, value] of Object.entries(TOTALS))
    expect(samples.valuesOf(name as keyof typeof TOTALS)[1]!.value).toBe(value);
  expect(samples.valuesOf('portunus_metric_series_left_out_total')).toEqual([]);
});

test('those beyond the bound of series are added up, up only where all are', () => {
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => usage(address));
  const samples = collected([...addresses, usage('192.0.2.4', { isUp: false })], 1);
  const values = samples.valuesOf('portunus_endpoint_up');
  expect(values.map(({ labels, value }) => [labels.address, value])).toEqual([
    ['192.0.2.1', 1],
    ['(others)', 0],
  ]);
  for (const [name, value] of Object.entries(TOTALS))
    expect(samples.valuesOf(name as keyof typeof TOTALS)[1]!.value).toBe(3 * value);
  expect(samples.valuesOf('portunus_metric_series_left_out_total')[0]!.value).toBe(3);
});
