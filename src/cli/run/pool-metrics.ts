import type { MetricSamples } from '../../observe/metrics/metric-samples.ts';
import type { Exhaustion } from '../../pools/exhaustion.ts';
import type { PoolForecast } from '../../pools/forecasts.ts';
import type { PoolReading } from '../../pools/pool-registry.ts';

export interface ForecastPool {
  readonly reading: PoolReading;
  readonly forecast: PoolForecast;
}

/** The first `seriesMax` keys, in the order of the files; how many are left out is counted. */
export function collectPools(
  samples: MetricSamples,
  pools: readonly ForecastPool[],
  { seriesMax, nowMs }: { readonly seriesMax: number; readonly nowMs: number },
): void {
  for (const { reading, forecast } of pools.slice(0, seriesMax)) {
    const pool = reading.pool.name;
    samples.add('portunus_pool_headroom_ratio', { pool }, forecast.headroom);
    for (const [by, inMs] of timesOf(forecast))
      samples.add('portunus_pool_used_up_in_seconds', { pool, by }, inMs / 1e3);
  }
  const keys = pools.flatMap(({ reading, forecast }) =>
    reading.keys.map((key) => ({ reading, forecast, key })),
  );
  for (const { reading, forecast, key } of keys.slice(0, seriesMax)) {
    const labels = { pool: reading.pool.name, key: key.key.name };
    const own = forecast.keys.get(key.key.name)!;
    samples.add('portunus_provider_key_headroom_ratio', labels, own.headroom);
    for (const [by, inMs] of timesOf(own))
      samples.add('portunus_provider_key_used_up_in_seconds', { ...labels, by }, inMs / 1e3);
    samples.add('portunus_provider_key_state', { ...labels, state: key.state }, 1);
    samples.add('portunus_provider_key_in_flight', labels, key.inFlight);
    const throttled = key.lanes.filter(({ closedUntilMs }) => closedUntilMs > nowMs);
    const proving = key.lanes.filter((lane) => lane.isProving && lane.closedUntilMs <= nowMs);
    samples.add('portunus_provider_key_held_back', { ...labels, as: 'throttled' }, throttled.length);
    samples.add('portunus_provider_key_held_back', { ...labels, as: 'proving' }, proving.length);
  }
  const metric = 'portunus_provider_key_headroom_ratio';
  if (keys.length > seriesMax)
    samples.add('portunus_metric_series_left_out_total', { metric }, keys.length - seriesMax);
}

function timesOf({
  currentMs,
  seasonalMs,
}: Exhaustion): readonly (readonly ['current' | 'season', number])[] {
  return [
    ...(currentMs === null ? [] : [['current', currentMs] as const]),
    ...(seasonalMs === null ? [] : [['season', seasonalMs] as const]),
  ];
}
