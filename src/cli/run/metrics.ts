import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdminServer } from '../../admin/server.ts';
import type { LimitValues } from '../../base/limits.ts';
import type { Clock } from '../../base/ports.ts';
import { ALERT_SEVERITIES, ASKED_BY } from '../../observe/alert-bus.ts';
import type { FilledBound } from '../../observe/metrics/bound-table.ts';
import { type Exposition, exposition } from '../../observe/metrics/exposition.ts';
import { MetricSamples } from '../../observe/metrics/metric-samples.ts';
import type { LabelsOf } from '../../observe/metrics/metric-table.ts';
import type { PoolAlertView } from '../../observe/pool-alerts.ts';
import type { RuleMatches } from '../../observe/rule-alerts.ts';
import type { ThreadGaugeValues } from '../../pipeline/thread-gauges.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';
import { HISTORY_FILE } from '../../state/history-file.ts';
import { quotaUsedUpMs } from '../../state/quota-forecast.ts';
import type { OpenSlice } from '../../state/quota-leases.ts';
import type { RateKeeping } from '../../state/rates/rate-checkpoints.ts';
import { STORE_FILE } from '../../state/store.ts';
import { VERSION } from '../version.ts';
import { type BoundUses, collectBounds, collectRefusals, dataBounds } from './bound-metrics.ts';
import type { LoadResult, Running } from './configuration.ts';
import type { EndpointUsage } from './endpoint-keeper.ts';
import { collectEndpoints } from './endpoint-metrics.ts';
import type { Observation } from './observation.ts';
import { collectPools, type ForecastPool } from './pool-metrics.ts';

/** What the control thread can tell when it is asked. */
export interface MetricSources {
  readonly observation: Observation;
  readonly startedMs: number;
  readonly clock: Clock;
  readonly dataFolder: string;
  readonly running: () => Running | null;
  readonly counters: () => readonly CounterUsage[];
  readonly openSlices: () => readonly OpenSlice[];
  readonly rates: () => RateKeeping;
  readonly replacedInForce: () => number;
  readonly ruleAlerts: () => readonly RuleMatches[];
  readonly poolAlerts: () => readonly PoolAlertView[];
  readonly endpoints: () => readonly EndpointUsage[];
  readonly pools: () => readonly ForecastPool[];
  /** By name of the thread. */
  readonly threads: () => ReadonlyMap<string, ThreadGaugeValues>;
  readonly controlBounds: () => Promise<BoundUses<FilledBound<'control'>>>;
  readonly adminConnections: AdminServer['connections'];
  readonly directoryNames: () => { readonly used: number; readonly max: number };
  readonly limits: LimitValues;
}

/** Everything that `/metrics` says, read when it is asked for: nothing is kept up to date for a scrape that never comes. */
export class GatewayMetrics {
  readonly #sources: MetricSources;
  readonly #loads = new Map<LoadResult['outcome']['kind'], number>();
  #lastLoadMs = 0;

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  loaded({ outcome, tookMs }: LoadResult): void {
    this.#loads.set(outcome.kind, (this.#loads.get(outcome.kind) ?? 0) + 1);
    this.#lastLoadMs = tookMs;
  }

  /** `accept`: the field of that name, '' where there is none. */
  async scrape(accept: string): Promise<Exposition> {
    const samples = new MetricSamples();
    this.#sources.observation.requestMetrics.collect(samples);
    this.#limits(samples);
    this.#rateWindows(samples);
    this.#records(samples);
    this.#threads(samples);
    await this.#bounds(samples);
    collectEndpoints(samples, this.#sources.endpoints(), this.#sources.limits.metricSeries);
    collectPools(samples, this.#sources.pools(), {
      seriesMax: this.#sources.limits.metricSeries,
      nowMs: this.#sources.clock.monotonicMs(),
    });
    this.#configuration(samples);
    this.#alerts(samples);
    await this.#files(samples);
    await this.#process(samples);
    return await exposition(samples, accept);
  }

  #limits(samples: MetricSamples): void {
    const slices = new Map(this.#sources.openSlices().map(({ identity, amount }) => [identity, amount]));
    const running = this.#sources.running();
    const windows = new Map(running?.bundle.counters.map(({ identity, window }) => [identity, window]));
    const wallMs = this.#sources.clock.wallMs();
    // No more limits than series, as for every other metric: those nearest to their end first.
    const usages = [...this.#sources.counters()].sort((a, b) => b.headroom.usedShare - a.headroom.usedShare);
    const seriesMax = this.#sources.limits.metricSeries;
    for (const usage of usages.slice(0, seriesMax)) {
      const labels = limitLabels(usage.identity);
      samples.add('portunus_limit_used_ratio', labels, usage.headroom.usedShare);
      samples.add('portunus_limit_exhausted_keys', labels, usage.headroom.exhaustedKeys);
      samples.add('portunus_limit_keys', labels, usage.keysUsed);
      samples.add('portunus_limit_keys_max', labels, usage.keysMax);
      samples.add('portunus_limit_shared_takes_total', labels, usage.overflowTakes);
      samples.add('portunus_limit_lock_timeouts_total', labels, usage.lockTimeouts);
      samples.add('portunus_limit_memory_bytes', labels, usage.bytes);
      const slice = slices.get(usage.identity);
      if (slice !== undefined) samples.add('portunus_quota_open_slice', labels, slice);
      const window = windows.get(usage.identity);
      const usedUpMs = window === undefined ? null : quotaUsedUpMs(window, usage.headroom.usedShare, wallMs);
      if (usedUpMs !== null)
        samples.add('portunus_quota_used_up_in_seconds', labels, (usedUpMs - wallMs) / 1e3);
    }
    samples.add('portunus_replaced_limits', {}, this.#sources.replacedInForce());
    const leftOut = Math.max(0, usages.length - seriesMax);
    if (leftOut > 0)
      samples.add('portunus_metric_series_left_out_total', { metric: 'portunus_limit_used_ratio' }, leftOut);
  }

  #rateWindows(samples: MetricSamples): void {
    const { state, journalShare, snapshotAgeMs, snapshotBytes, durableAgeMs } = this.#sources.rates();
    if (state === 'unused') return;
    samples.add('portunus_rate_windows_exact', {}, state === 'exact' ? 1 : 0);
    samples.add('portunus_rate_journal_used_ratio', {}, journalShare);
    samples.add('portunus_rate_snapshot_size_bytes', {}, snapshotBytes);
    if (snapshotAgeMs !== null) samples.add('portunus_rate_snapshot_age_seconds', {}, snapshotAgeMs / 1e3);
    if (durableAgeMs !== null) samples.add('portunus_rate_checkpoint_age_seconds', {}, durableAgeMs / 1e3);
  }

  #records(samples: MetricSamples): void {
    const { drain, accessLog, history, traces } = this.#sources.observation;
    samples.add('portunus_records_total', {}, drain.counts.drained);
    samples.add('portunus_records_lost_total', { where: 'ring' }, drain.counts.dropped);
    samples.add('portunus_records_lost_total', { where: 'access-log' }, accessLog.counts.dropped);
    samples.add('portunus_records_lost_total', { where: 'request-log' }, history.lost);
    samples.add('portunus_records_lost_total', { where: 'traces' }, traces === null ? 0 : traces.lost);
    samples.add('portunus_rollup_names_left_out_total', {}, history.rollups.leftOut);
    for (const [thread, ring] of drain.rings.entries()) {
      const labels = { thread: dataThreadName(thread) };
      samples.add('portunus_record_ring_damages_total', labels, ring.damaged);
    }
  }

  #threads(samples: MetricSamples): void {
    for (const [thread, gauges] of this.#sources.threads()) {
      const labels = { thread };
      if (thread !== CONTROL_THREAD) this.#traffic(samples, thread, gauges);
      samples.add('nodejs_eventloop_delay_mean_seconds', labels, gauges.loopDelayMean);
      samples.add('nodejs_eventloop_delay_p50_seconds', labels, gauges.loopDelayP50);
      samples.add('nodejs_eventloop_delay_p99_seconds', labels, gauges.loopDelayP99);
      samples.add('nodejs_eventloop_delay_max_seconds', labels, gauges.loopDelayMax);
      for (const [state, seconds] of [
        ['active', gauges.loopActive],
        ['idle', gauges.loopIdle],
      ] as const) {
        const time = { thread, nodejs_eventloop_state: state };
        samples.add('nodejs_eventloop_time_seconds_total', time, seconds);
      }
      samples.add('v8js_memory_heap_used_bytes', labels, gauges.heapUsedBytes);
      samples.add('v8js_memory_heap_limit_bytes', labels, gauges.heapLimitBytes);
    }
  }

  /** Of a data thread. */
  #traffic(samples: MetricSamples, thread: string, gauges: ThreadGaugeValues): void {
    samples.add('http_server_active_requests', { thread }, gauges.activeRequests);
    samples.add('portunus_connections', { thread }, gauges.connections);
    samples.add('portunus_cache_evictions_total', { thread }, gauges.cachedAnswersEvicted);
    samples.add('portunus_prompts_counted_total', { thread }, gauges.promptsCounted);
    samples.add('portunus_overload_level', { thread }, gauges.overloadLevel);
    for (const [waitingFor, count] of [
      ['connection', gauges.connectionWaiters],
      ['lease', gauges.leaseWaiters],
      ['limit', gauges.limitWaiters],
    ] as const) {
      samples.add('portunus_waiting_requests', { thread, waiting_for: waitingFor }, count);
    }
  }

  async #bounds(samples: MetricSamples): Promise<void> {
    const { observation, threads, limits, adminConnections, directoryNames } = this.#sources;
    const gauges = threads();
    for (const [thread, ring] of observation.drain.rings.entries()) {
      const name = dataThreadName(thread);
      collectBounds(samples, name, dataBounds(gauges.get(name)!, ring.usedBytes), limits);
      collectRefusals(samples, name, gauges.get(name)!);
    }
    collectBounds(samples, CONTROL_THREAD, await this.#sources.controlBounds(), limits);
    const refused = { bound: 'adminConnections', thread: CONTROL_THREAD } as const;
    samples.add('portunus_bound_refusals_total', refused, adminConnections().refused);
    const { used, max } = directoryNames();
    samples.add('portunus_directory_names', {}, used);
    samples.add('portunus_directory_names_max', {}, max);
  }

  #configuration(samples: MetricSamples): void {
    for (const outcome of ['live', 'unchanged', 'refused'] as const) {
      samples.add('portunus_config_loads_total', { outcome }, this.#loads.get(outcome) ?? 0);
    }
    samples.add('portunus_config_load_duration_seconds', {}, this.#lastLoadMs / 1e3);
    const running = this.#sources.running();
    if (running === null) return;
    samples.add('portunus_config_live_timestamp_seconds', {}, running.sinceMs / 1e3);
    samples.add('portunus_config_epoch', {}, running.epoch);
    samples.add('portunus_config_routes', {}, running.world.routes.size);
    samples.add('portunus_config_rules', {}, running.bundle.ruleCount);
  }

  #alerts(samples: MetricSamples): void {
    const { alerts } = this.#sources.observation;
    const open = alerts.open();
    for (const severity of ALERT_SEVERITIES) {
      const count = open.filter((alert) => alert.severity === severity).length;
      samples.add('portunus_alerts_open', { severity }, count);
    }
    samples.add('portunus_alerts_raised_total', {}, alerts.counts.raised);
    samples.add('portunus_alerts_resolved_total', {}, alerts.counts.resolved);
    for (const askedBy of ASKED_BY)
      samples.add('portunus_alerts_left_out_total', { asked_by: askedBy }, alerts.counts.overflowed[askedBy]);
    this.#ruleAlerts(samples);
    this.#poolAlerts(samples);
    this.#deliveries(samples);
  }

  #ruleAlerts(samples: MetricSamples): void {
    const rules = this.#sources.ruleAlerts();
    const seriesMax = this.#sources.limits.metricSeries;
    for (const { policy, rule, mode, matched, shared, keys } of rules.slice(0, seriesMax)) {
      const labels = { policy, rule };
      samples.add('portunus_alert_rule_matches_total', { ...labels, mode }, matched);
      samples.add('portunus_alert_rule_shared_matches_total', labels, shared);
      samples.add('portunus_alert_rule_keys', labels, keys);
    }
    const leftOut = Math.max(0, rules.length - seriesMax);
    const metric = 'portunus_alert_rule_matches_total';
    if (leftOut > 0) samples.add('portunus_metric_series_left_out_total', { metric }, leftOut);
  }

  #poolAlerts(samples: MetricSamples): void {
    const rules = this.#sources.poolAlerts();
    const seriesMax = this.#sources.limits.metricSeries;
    for (const { policy, rule, mode, begun, holding } of rules.slice(0, seriesMax)) {
      samples.add('portunus_pool_alert_rule_begun_total', { policy, rule, mode }, begun);
      samples.add('portunus_pool_alert_rule_holding', { policy, rule, mode }, holding);
    }
    const leftOut = Math.max(0, rules.length - seriesMax);
    const metric = 'portunus_pool_alert_rule_begun_total';
    if (leftOut > 0) samples.add('portunus_metric_series_left_out_total', { metric }, leftOut);
  }

  #deliveries(samples: MetricSamples): void {
    for (const webhook of this.#sources.observation.deliveries.inspect()) {
      const labels = { delivery: webhook.name };
      samples.add('portunus_delivery_notices_total', { ...labels, outcome: 'sent' }, webhook.delivered);
      samples.add('portunus_delivery_notices_total', { ...labels, outcome: 'given-up' }, webhook.givenUp);
      samples.add('portunus_delivery_notices_total', { ...labels, outcome: 'dropped' }, webhook.dropped);
      samples.add('portunus_delivery_failed_attempts_total', labels, webhook.failedAttempts);
      samples.add('portunus_delivery_queue_length', labels, webhook.queued);
      samples.add('portunus_delivery_oldest_age_seconds', labels, webhook.oldestAgeMs / 1e3);
    }
  }

  async #files(samples: MetricSamples): Promise<void> {
    const { dataFolder } = this.#sources;
    for (const [file, name] of [
      ['store', STORE_FILE],
      ['history', HISTORY_FILE],
    ] as const) {
      // What can't be looked at has no sample: Prometheus tells an absent series from a zero.
      const found = await stat(join(dataFolder, name)).catch(() => null);
      if (found !== null) samples.add('portunus_store_size_bytes', { file }, found.size);
    }
    const disk = await statfs(dataFolder).catch(() => null);
    if (disk !== null) samples.add('portunus_store_free_bytes', {}, disk.bavail * disk.bsize);
  }

  async #process(samples: MetricSamples): Promise<void> {
    const { user, system } = process.cpuUsage();
    samples.add('process_cpu_seconds_total', {}, (user + system) / 1e6);
    samples.add('process_resident_memory_bytes', {}, process.memoryUsage.rss());
    samples.add('process_start_time_seconds', {}, this.#sources.startedMs / 1e3);
    const descriptors = await readdir('/proc/self/fd').catch(() => null);
    // One of them is the folder that was just read.
    if (descriptors !== null) samples.add('process_open_fds', {}, descriptors.length - 1);
    samples.add('portunus_build_info', { version: VERSION }, 1);
  }
}

export const CONTROL_THREAD = 'control';

export function dataThreadName(thread: number): string {
  return `data-${thread}`;
}

/** All that makes an identity: two versions of a limit may be in use at a time, and no label set may be there twice. */
function limitLabels(identity: string): LabelsOf<'portunus_limit_used_ratio'> {
  const parts = JSON.parse(identity) as readonly unknown[];
  const [policy, rule, measure, ...rest] = parts as readonly [string, string | null, string, ...unknown[]];
  const otherwise = rest.at(-1) as string | null;
  const keys = (rest.at(-2) as readonly string[]).join(' and ');
  return {
    policy,
    rule: rule ?? '',
    measure,
    window: rest.slice(0, -2).join(' '),
    key: otherwise === null ? keys : `${keys} otherwise ${otherwise}`,
  };
}
