/**
 * Every bound of `limits`, and how it is seen that one is near or was reached: the gateway measures by this table, docs/metrics.md
 * is made of it, and no bound can be added without an entry.
 */
import { LIMITS, type LimitName } from '../../base/limits.ts';
import type { MetricName } from './metric-table.ts';

/** A metric, or those of its series that have one label. */
export type MetricSelector = MetricName | `${MetricName}{${string}="${string}"}`;

export interface BoundView {
  /** The threads that tell how full it is, in `portunus_bound_used`; null where nothing fills. */
  readonly fillsOn: 'data' | 'control' | null;
  /** What there is when it is full: one more is refused or lost, or the oldest goes to make room, as is usual after a while. */
  readonly whenFull: 'one-more-is-refused' | 'oldest-goes';
  /** What else is measured of it, or of what went beyond it. */
  readonly seenBy: readonly MetricSelector[];
  /** Where no metric is: who hears of it instead. */
  readonly toldTo: string;
}

const REFUSES = { whenFull: 'one-more-is-refused', toldTo: '' } as const;
const fills = <const On extends 'data' | 'control'>(on: On, ...seenBy: readonly MetricSelector[]) =>
  ({ ...REFUSES, fillsOn: on, seenBy }) as const;
const rolls = <const On extends 'data' | 'control'>(on: On) =>
  ({ fillsOn: on, whenFull: 'oldest-goes', seenBy: [], toldTo: '' }) as const;
const seen = (...seenBy: readonly MetricSelector[]) => ({ ...REFUSES, fillsOn: null, seenBy }) as const;
const told = (toldTo: string) => ({ ...REFUSES, fillsOn: null, seenBy: [], toldTo }) as const;

const answer = (code: string): MetricSelector => `portunus_answers_total{error_type="${code}"}`;
const refusals = (bound: LimitName): MetricSelector => `portunus_bound_refusals_total{bound="${bound}"}`;
const lost = (where: string): MetricSelector => `portunus_records_lost_total{where="${where}"}`;
const notices = (outcome: string): MetricSelector => `portunus_delivery_notices_total{outcome="${outcome}"}`;

const REFUSED_CONFIGURATION = seen('portunus_config_loads_total{outcome="refused"}');
const CALLER_OF_ADMIN_API = told('the caller of the admin API, by the answer or the end of the connection');
const WEBSOCKET = told('the client and the service, by a close; the record of the request');

export const BOUND_VIEWS = {
  requestHeaderBytes: seen(answer('header_fields_too_large'), answer('target_too_long')),
  requestHeaderCount: seen(answer('header_fields_too_large')),
  requestBodyBytes: seen(answer('body_too_large')),
  requestBodyBufferedBytes: seen(answer('body_too_large'), answer('overloaded')),
  bodiesBufferedPerThreadBytes: fills('data', refusals('bodiesBufferedPerThreadBytes')),
  bodyHoldBackBytes: seen(answer('body_held_back_too_long')),
  bodyDecodersPerThread: fills('data', refusals('bodyDecodersPerThread')),
  responseBodyDecodedBytes: seen(answer('upstream_body_too_large')),
  maskedAnswerBytes: seen(answer('answer_too_large_to_mask')),
  responseCostBytes: told('nobody: the whole reserve of such an answer is spent'),
  requestJsonDepth: seen(answer('malformed_body')),
  requestJsonValues: seen(answer('malformed_body')),
  requestReadMs: seen(answer('request_timeout')),
  responseHeaderBytes: seen(answer('upstream_header_too_large')),
  connectionsPerThread: fills('data', 'portunus_connections', refusals('connectionsPerThread')),
  connectionsPerAddress: seen(refusals('connectionsPerAddress')),
  exchangesPerThread: fills(
    'data',
    'http_server_active_requests',
    'portunus_waiting_requests{waiting_for="lease"}',
    refusals('exchangesPerThread'),
  ),
  normalExchangesPerThread: fills('data', refusals('normalExchangesPerThread')),
  lowExchangesPerThread: fills('data', refusals('lowExchangesPerThread')),
  eventLoopDelayMs: seen('portunus_overload_level', refusals('eventLoopDelayMs')),
  websocketMessageBytes: WEBSOCKET,
  websocketBufferedBytes: WEBSOCKET,
  upstreamConnectionsPerEndpoint: fills('data', 'portunus_endpoint_connections'),
  upstreamWaiting: fills(
    'data',
    'portunus_waiting_requests{waiting_for="connection"}',
    refusals('upstreamWaiting'),
  ),
  limitWaitersPerThread: fills(
    'data',
    'portunus_waiting_requests{waiting_for="limit"}',
    refusals('limitWaitersPerThread'),
  ),
  cachedBytesPerThread: { ...rolls('data'), seenBy: ['portunus_cache_evictions_total'] },
  cachedAnswersPerThread: { ...rolls('data'), seenBy: ['portunus_cache_evictions_total'] },
  cachedAnswerBytes: seen('portunus_cache_requests_total{outcome="miss"}'),
  upstreamWaitMs: seen(answer('upstream_queue_timeout')),
  endpointAddresses: fills('control'),
  addressesPerName: told('nobody: further addresses of a name are not used'),
  healthChecksAtOnce: fills('control'),
  identityCacheEntries: rolls('data'),
  tokensVerifying: fills('data', refusals('tokensVerifying')),
  signaturesRemembered: fills('control', answer('signatures_full')),
  consumerKeys: fills('control', 'portunus_directory_names', 'portunus_directory_names_max'),
  storedEntities: fills('control'),
  storedSecrets: fills('control'),
  directoryBytes: fills('control'),
  replacedLimits: seen('portunus_replaced_limits'),
  counterKeys: seen('portunus_limit_keys', 'portunus_limit_keys_max', 'portunus_limit_shared_takes_total'),
  rateJournalBytes: seen('portunus_rate_journal_used_ratio'),
  recordRingBytes: fills('data', lost('ring')),
  accessLogQueueBytes: fills('control', lost('access-log')),
  metricSeries: seen('portunus_metric_series_left_out_total'),
  rollupNames: seen('portunus_rollup_names_left_out_total'),
  usageSums: told('whoever asked for the report'),
  usageNames: told('whoever asked for the report'),
  traceQueueSpans: fills('control', lost('traces')),
  requestLogQueueBytes: fills('control', lost('request-log')),
  openAlerts: fills('control', 'portunus_alerts_left_out_total{asked_by="gateway"}'),
  openPolicyAlerts: fills('control', 'portunus_alerts_left_out_total{asked_by="policy"}'),
  alertKeys: seen('portunus_alert_rule_keys', 'portunus_alert_rule_shared_matches_total'),
  alertMatchesPerThread: seen('portunus_alert_rule_shared_matches_total'),
  alertQuietMs: seen('portunus_alerts_resolved_total'),
  alertDeliveryQueue: seen('portunus_delivery_queue_length', notices('dropped')),
  alertDeliveryAttempts: seen(notices('given-up')),
  alertDeliveryMs: seen('portunus_delivery_failed_attempts_total'),
  adminHeaderBytes: CALLER_OF_ADMIN_API,
  adminRequestMs: CALLER_OF_ADMIN_API,
  adminStalledMs: CALLER_OF_ADMIN_API,
  adminConnections: fills('control', refusals('adminConnections')),
  adminBodyBytes: CALLER_OF_ADMIN_API,
  adminIdempotencyKeys: fills('control'),
  adminIdempotencyMs: told('nobody: what is older is forgotten'),
  auditRecords: rolls('control'),
  configurationVersions: rolls('control'),
  compiledCacheBytes: fills('control'),
  configurationFileBytes: REFUSED_CONFIGURATION,
  configurationFiles: REFUSED_CONFIGURATION,
  diagnosticsPerFile: told('whoever reads the findings, by the number of those left out'),
  yamlAliases: REFUSED_CONFIGURATION,
  nestingDepth: REFUSED_CONFIGURATION,
  regexInstructions: REFUSED_CONFIGURATION,
  maskPatternCharacters: REFUSED_CONFIGURATION,
  pools: REFUSED_CONFIGURATION,
  poolKeys: REFUSED_CONFIGURATION,
  poolLanes: REFUSED_CONFIGURATION,
  countedPromptBytes: told('nobody: longer prompts are bounded by their bytes'),
  promptCountsPerThread: fills('data', refusals('promptCountsPerThread')),
  promptCountMs: seen(refusals('promptCountMs')),
  poolTenants: told('nobody: further tenants wait as one'),
  rememberedAnswers: told(
    'the caller, by the provider: a call that builds upon a forgotten answer goes to any account',
  ),
  providerAttempts: told('the caller, by what the last provider said'),
  providerErrorBytes: told('the caller, whose error is cut'),
  streamEventBytes: told('nobody: all that was estimated for such a call is spent'),
  usageTokensMax: told(
    'the record of the call, as `usage_unbelievable`: what was not believed counts as its bound',
  ),
  testRequests: told('whoever runs the test'),
  drainMs: told('the log, by the number of requests that were cut off'),
} as const satisfies Record<LimitName, BoundView>;

/** Bounds of which threads of a kind tell how full they are. */
export type FilledBound<On extends 'data' | 'control'> = {
  [Name in LimitName]: (typeof BOUND_VIEWS)[Name]['fillsOn'] extends On ? Name : never;
}[LimitName];

type FillMetric = Exclude<Extract<MetricName, `portunus_bound_${string}`>, 'portunus_bound_refusals_total'>;

/** The metrics of what is used and of the bound: units are never mixed in one. */
export function metricsOf(bound: LimitName): { readonly used: FillMetric; readonly max: FillMetric } {
  return LIMITS[bound].unit === 'bytes'
    ? { used: 'portunus_bound_used_bytes', max: 'portunus_bound_max_bytes' }
    : { used: 'portunus_bound_used', max: 'portunus_bound_max' };
}
