import type { LimitName, LimitValues } from '../../base/limits.ts';
import { type FilledBound, metricsOf } from '../../observe/metrics/bound-table.ts';
import type { MetricSamples } from '../../observe/metrics/metric-samples.ts';
import type { ThreadGauge, ThreadGaugeValues } from '../../pipeline/thread-gauges.ts';

/** How much of a bound is used, by its name. */
export type BoundUses<Bound extends LimitName> = Readonly<Record<Bound, number>>;

export function collectBounds(
  samples: MetricSamples,
  thread: string,
  uses: BoundUses<FilledBound<'data'>> | BoundUses<FilledBound<'control'>>,
  limits: LimitValues,
): void {
  for (const [name, used] of Object.entries(uses)) {
    const bound = name as LimitName;
    const metrics = metricsOf(bound);
    samples.add(metrics.used, { bound, thread }, used);
    samples.add(metrics.max, { bound, thread }, limits[bound]);
  }
}

/** What a data thread says of its bounds, by its gauges and the ring that the control thread reads. */
export function dataBounds(gauges: ThreadGaugeValues, ringUsedBytes: number): BoundUses<FilledBound<'data'>> {
  return {
    bodiesBufferedPerThreadBytes: gauges.bufferedBodyBytes,
    bodyDecodersPerThread: gauges.decodersOpen,
    connectionsPerThread: gauges.connections,
    exchangesPerThread: gauges.activeRequests,
    // Requests of higher priorities are among them: more than these bounds may be in flight.
    normalExchangesPerThread: gauges.activeRequests,
    lowExchangesPerThread: gauges.activeRequests,
    upstreamConnectionsPerEndpoint: gauges.upstreamConnectionsMost,
    upstreamWaiting: gauges.connectionWaitersMost,
    limitWaitersPerThread: gauges.limitWaiters,
    cachedBytesPerThread: gauges.cachedBytes,
    cachedAnswersPerThread: gauges.cachedAnswers,
    identityCacheEntries: gauges.identitiesKnown,
    tokensVerifying: gauges.tokensVerifying,
    promptCountsPerThread: gauges.promptsCounting,
    recordRingBytes: ringUsedBytes,
  };
}

type RefusalGauge = Extract<ThreadGauge, `${string}Refused`>;
type RefusingBound = RefusalGauge extends `${infer Bound}Refused` ? Bound : never;

const REFUSALS: Readonly<Record<RefusingBound & LimitName, RefusalGauge>> = {
  exchangesPerThread: 'exchangesPerThreadRefused',
  normalExchangesPerThread: 'normalExchangesPerThreadRefused',
  lowExchangesPerThread: 'lowExchangesPerThreadRefused',
  eventLoopDelayMs: 'eventLoopDelayMsRefused',
  connectionsPerThread: 'connectionsPerThreadRefused',
  connectionsPerAddress: 'connectionsPerAddressRefused',
  bodiesBufferedPerThreadBytes: 'bodiesBufferedPerThreadBytesRefused',
  bodyDecodersPerThread: 'bodyDecodersPerThreadRefused',
  tokensVerifying: 'tokensVerifyingRefused',
  upstreamWaiting: 'upstreamWaitingRefused',
  limitWaitersPerThread: 'limitWaitersPerThreadRefused',
  promptCountsPerThread: 'promptCountsPerThreadRefused',
  promptCountMs: 'promptCountMsRefused',
};

export function collectRefusals(samples: MetricSamples, thread: string, gauges: ThreadGaugeValues): void {
  for (const [bound, gauge] of Object.entries(REFUSALS))
    samples.add('portunus_bound_refusals_total', { bound, thread }, gauges[gauge]);
}
