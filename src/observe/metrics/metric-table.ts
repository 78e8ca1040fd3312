/**
 * Every metric of `/metrics`: the one place where names, labels and their meaning are said. The page docs/metrics.md is made of
 * it, and nothing else can be measured. Names are those of the OpenTelemetry semantic conventions in Prometheus' spelling
 * where they have one, those of Prometheus' client libraries for the process, and `portunus_…` for what is ours.
 */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

const counter = <const Labels extends readonly string[]>(labels: Labels, help: string) =>
  ({ type: 'counter', labels, help }) as const;
const gauge = <const Labels extends readonly string[]>(labels: Labels, help: string) =>
  ({ type: 'gauge', labels, help }) as const;
const histogram = <const Labels extends readonly string[]>(labels: Labels, help: string) =>
  ({ type: 'histogram', labels, help }) as const;

const BOUND_LABELS = ['bound', 'thread'] as const;
const ENDPOINT_LABELS = ['service', 'endpoint', 'address'] as const;
const LIMIT_LABELS = ['policy', 'rule', 'measure', 'window', 'key'] as const;

export const METRICS = {
  http_server_request_duration_seconds: histogram(
    ['http_request_method', 'http_route', 'http_response_status_code'],
    'Requests by route (its name), method and status, with the time from arrival to the last byte of the answer.',
  ),
  http_server_request_body_bytes_total: counter(['http_route'], 'Bytes of request bodies.'),
  http_server_response_body_bytes_total: counter(['http_route'], 'Bytes of bodies of answers.'),
  http_server_active_requests: gauge(['thread'], 'Requests in flight.'),
  http_client_request_duration_seconds: histogram(
    ['http_route'],
    'Requests sent to services, from when they were handed to the connection to the last byte of the answer.',
  ),
  portunus_upstream_first_byte_seconds: histogram(
    ['http_route'],
    'Requests sent to services, from when they were handed to the connection to the head of the answer.',
  ),
  portunus_upstream_attempts_total: counter(
    ['http_route'],
    'Times that requests were sent to services, repetitions counted.',
  ),
  portunus_endpoint_up: gauge(
    ENDPOINT_LABELS,
    'Whether requests are sent to an address of an endpoint: 1; 0 while its checks fail or it is left alone.',
  ),
  portunus_endpoint_connections: gauge(
    ENDPOINT_LABELS,
    'Open connections to an address of an endpoint, of all data threads (each of them: limits.upstreamConnectionsPerEndpoint).',
  ),
  portunus_endpoint_failed_attempts_total: counter(
    ENDPOINT_LABELS,
    'Attempts that failed there: no connection, none in time, no whole answer. The request may have been sent again.',
  ),
  portunus_endpoint_retries_total: counter(
    ENDPOINT_LABELS,
    'Those of them whose request was sent again, there or elsewhere.',
  ),
  portunus_endpoint_retries_refused_total: counter(
    ENDPOINT_LABELS,
    'Those of them whose request was not sent again only because the retries of its service were used up (retries.share).',
  ),
  portunus_endpoint_ejections_total: counter(
    ENDPOINT_LABELS,
    'Times that an address was left alone because of what requests met there.',
  ),
  portunus_pool_headroom_ratio: gauge(
    ['pool'],
    'The least share that is left of what the keys of a pool have together; keys that take no calls have nothing left.',
  ),
  portunus_pool_used_up_in_seconds: gauge(
    ['pool', 'by'],
    'In how long nothing will be left, by the use of the last minute (current) and of the same times before (season); absent where not within a day.',
  ),
  portunus_provider_key_headroom_ratio: gauge(
    ['pool', 'key'],
    'The least share that is left of a limit of a provider key; 0 where it takes no calls.',
  ),
  portunus_provider_key_used_up_in_seconds: gauge(['pool', 'key', 'by'], 'The same as for pools, of a key.'),
  portunus_provider_key_state: gauge(
    ['pool', 'key', 'state'],
    '1 for the state that a provider key is in; its other states have no sample.',
  ),
  portunus_provider_key_in_flight: gauge(['pool', 'key'], 'Calls under way with a provider key.'),
  portunus_provider_key_held_back: gauge(
    ['pool', 'key', 'as'],
    'For how many models a provider key takes no calls, as its provider asked to wait (throttled), or one at a time after that, until one is not refused (proving).',
  ),
  portunus_overhead_seconds: histogram(
    [],
    'Time that a request spent in the gateway and not in a service: from arrival until it was handed on, or answered here.',
  ),
  portunus_decisions_total: counter(
    ['decision', 'policy', 'rule'],
    'What rules said: permitted, refused, also-refused, would-refuse (shadowed policies), warned, waived.',
  ),
  portunus_answers_total: counter(
    ['error_type'],
    'Requests that the gateway itself ended, by their stable code.',
  ),
  portunus_cache_requests_total: counter(
    ['http_route', 'outcome'],
    'Requests whose answers rules let be kept: hit (it was at hand), miss (it was fetched), bypass (the request has nothing to do with caches).',
  ),
  portunus_cache_evictions_total: counter(
    ['thread'],
    'Answers that went before their time, to make room (limits.cachedBytesPerThread, limits.cachedAnswersPerThread).',
  ),
  portunus_prompts_counted_total: counter(
    ['thread'],
    'Prompts whose tokens were counted, because limits had no room for a token of each of their bytes.',
  ),
  portunus_requests_aborted_total: counter([], 'Requests whose client went away before the end.'),
  portunus_tokens_total: counter(['direction'], 'Tokens of AI models that were used: input, output.'),
  portunus_cost_nano_units_total: counter(
    [],
    'Cost of requests, in 1/1,000,000,000 of the currency of account.',
  ),
  portunus_limit_used_ratio: gauge(
    LIMIT_LABELS,
    'Of a limit or quota: the share that is used by the counter nearest to its end (1: nothing left).',
  ),
  portunus_quota_used_up_in_seconds: gauge(
    LIMIT_LABELS,
    'Of a quota or budget: in how long the counter nearest to its end will have nothing left, if it is used as since the period began; absent where that is not before the next one.',
  ),
  portunus_limit_exhausted_keys: gauge(LIMIT_LABELS, 'Counters of a limit that have nothing left.'),
  portunus_limit_keys: gauge(LIMIT_LABELS, 'Counters of a limit in use.'),
  portunus_limit_keys_max: gauge(LIMIT_LABELS, 'Counters that a limit keeps apart.'),
  portunus_limit_shared_takes_total: counter(
    LIMIT_LABELS,
    'Requests that shared one counter of a limit, because all of its counters were in use.',
  ),
  portunus_limit_lock_timeouts_total: counter(
    LIMIT_LABELS,
    'Requests that a limit could not count, because its memory stayed in use: `on failure` decided.',
  ),
  portunus_limit_memory_bytes: gauge(LIMIT_LABELS, 'Shared memory of the counters of a limit.'),
  portunus_replaced_limits: gauge(
    [],
    'Limits in force as they were before an edit, beside those in their place (at most `limits.replacedLimits`).',
  ),
  portunus_quota_open_slice: gauge(
    LIMIT_LABELS,
    'What a quota would lose if the process were killed now, in its own unit.',
  ),
  portunus_rate_windows_exact: gauge(
    [],
    'Whether a start would find rate windows as they are: 1; 0 when each would begin full.',
  ),
  portunus_rate_journal_used_ratio: gauge(
    [],
    'How full the fullest journal of rate windows is (limits.rateJournalBytes): at 0.5 their counters are copied anew.',
  ),
  portunus_rate_snapshot_age_seconds: gauge(
    [],
    'Time since the counters of rate windows were copied as a whole.',
  ),
  portunus_rate_snapshot_size_bytes: gauge([], 'Size of that copy.'),
  portunus_rate_checkpoint_age_seconds: gauge(
    [],
    'Time since the state of rate windows was last made durable.',
  ),
  portunus_records_total: counter([], 'Access records that the control thread has taken.'),
  portunus_records_lost_total: counter(
    ['where'],
    'Access records lost: ring (a data thread found it full), access-log, request-log, traces (spans). Metrics miss those of the ring.',
  ),
  portunus_record_ring_damages_total: counter(
    ['thread'],
    'Times that a ring held something that is no record.',
  ),
  portunus_metric_series_left_out_total: counter(
    ['metric'],
    'Observations under the labels "(others)", because a metric had all label sets it may have (limits.metricSeries).',
  ),
  portunus_rollup_names_left_out_total: counter(
    [],
    'Times that a request was counted as "(others)" in sums of usage (limits.rollupNames).',
  ),
  portunus_connections: gauge(['thread'], 'Open client connections (limits.connectionsPerThread).'),
  portunus_waiting_requests: gauge(
    ['thread', 'waiting_for'],
    'Requests that wait: connection (to a service), limit (for room where limits say `queue up to`), lease (for a further slice of a quota).',
  ),
  portunus_overload_level: gauge(
    ['thread'],
    'How many priorities, from the lowest, a data thread turns away because it is late (limits.eventLoopDelayMs): 0 to 3.',
  ),
  portunus_bound_used: gauge(
    BOUND_LABELS,
    'How much of a bound is used: what waits, is kept or is open. Of several (services, addresses, caches) the one that has most.',
  ),
  portunus_bound_max: gauge(BOUND_LABELS, 'The bound, as `limits` sets it.'),
  portunus_bound_used_bytes: gauge(BOUND_LABELS, 'How much of a bound in bytes is used.'),
  portunus_bound_max_bytes: gauge(BOUND_LABELS, 'The bound in bytes, as `limits` sets it.'),
  portunus_bound_refusals_total: counter(
    BOUND_LABELS,
    'Requests and connections that were turned away because a bound was reached.',
  ),
  portunus_directory_names: gauge(
    [],
    'Names of tenants, teams, consumers and keys in memory; those of whom is gone stay until the next start.',
  ),
  portunus_directory_names_max: gauge([], 'Room for them: two for each of limits.consumerKeys, and 100,000.'),
  portunus_config_loads_total: counter(
    ['outcome'],
    'Attempts to load the configuration: live, unchanged, refused.',
  ),
  portunus_config_load_duration_seconds: gauge([], 'Time that the last attempt took.'),
  portunus_config_live_timestamp_seconds: gauge([], 'When the running version went live.'),
  portunus_config_epoch: gauge([], 'Number of the running version.'),
  portunus_config_routes: gauge([], 'Routes of the running version.'),
  portunus_config_rules: gauge([], 'Rules of the running version.'),
  portunus_store_size_bytes: gauge(['file'], 'Size of the files in the data folder: store, history.'),
  portunus_store_free_bytes: gauge([], 'Room that is left on the disk of the data folder.'),
  portunus_alerts_open: gauge(['severity'], 'Open alerts.'),
  portunus_alerts_raised_total: counter([], 'Alerts raised.'),
  portunus_alerts_resolved_total: counter([], 'Alerts resolved.'),
  portunus_alerts_left_out_total: counter(
    ['asked_by'],
    'Alerts not opened because too many were open, by who asked for them: gateway (limits.openAlerts), policy (limits.openPolicyAlerts).',
  ),
  portunus_alert_rule_matches_total: counter(
    ['policy', 'rule', 'mode'],
    'Requests that fitted an `alert when`, whether or not anybody was told.',
  ),
  portunus_alert_rule_shared_matches_total: counter(
    ['policy', 'rule'],
    'Those of them that shared one alert, because too many keys were kept apart (limits.alertKeys, limits.alertMatchesPerThread).',
  ),
  portunus_alert_rule_keys: gauge(['policy', 'rule'], 'Keys that an `alert when` keeps apart at present.'),
  portunus_pool_alert_rule_begun_total: counter(
    ['policy', 'rule', 'mode'],
    'How often an `alert when` about pools began to hold of a pool or key, whether or not anybody was told.',
  ),
  portunus_pool_alert_rule_holding: gauge(
    ['policy', 'rule', 'mode'],
    'Pools, or keys, of which an `alert when` holds, or did within limits.alertQuietMs.',
  ),
  portunus_delivery_notices_total: counter(
    ['delivery', 'outcome'],
    'Notices that a webhook was to get: sent, given-up (limits.alertDeliveryAttempts), dropped (its queue was full, or the gateway stopped).',
  ),
  portunus_delivery_failed_attempts_total: counter(
    ['delivery'],
    'Times that a webhook did not take a notice; most are tried again.',
  ),
  portunus_delivery_queue_length: gauge(
    ['delivery'],
    'Notices that wait for a webhook (limits.alertDeliveryQueue).',
  ),
  portunus_delivery_oldest_age_seconds: gauge(
    ['delivery'],
    'How long the oldest of them has waited; 0 where none does.',
  ),
  portunus_build_info: gauge(['version'], 'Always 1; the version as a label.'),
  nodejs_eventloop_delay_mean_seconds: gauge(
    ['thread'],
    'Delay of the event loop over the last ten seconds.',
  ),
  nodejs_eventloop_delay_p50_seconds: gauge(['thread'], 'Median of the delay over the last ten seconds.'),
  nodejs_eventloop_delay_p99_seconds: gauge(
    ['thread'],
    '99th percentile of the delay over the last ten seconds.',
  ),
  nodejs_eventloop_delay_max_seconds: gauge(['thread'], 'Longest delay of the last ten seconds.'),
  nodejs_eventloop_time_seconds_total: counter(
    ['thread', 'nodejs_eventloop_state'],
    'Time that the event loop was active and idle.',
  ),
  v8js_memory_heap_used_bytes: gauge(['thread'], 'JavaScript heap in use.'),
  v8js_memory_heap_limit_bytes: gauge(['thread'], 'JavaScript heap that a thread may have.'),
  process_cpu_seconds_total: counter([], 'CPU time of the process, user and system.'),
  process_resident_memory_bytes: gauge([], 'Memory of the process that is resident.'),
  process_open_fds: gauge([], 'Open file descriptors.'),
  process_start_time_seconds: gauge([], 'When the process began.'),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
export type NamesOfType<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['labels'][number], string>
>;
