import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServiceStatus } from '../../admin/actions.ts';
import { OneByOne } from '../../admin/one-by-one.ts';
import type { LiveLimit, LiveStatus, ObservationActions } from '../../admin/routes/observation.ts';
import type { LimitValues } from '../../base/limits.ts';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { counterLabel } from '../../language/canonical.ts';
import { type LogCursor, searchLog } from '../../observe/history/log-search.ts';
import { usageReport } from '../../observe/history/usage.ts';
import { HistoryAway, type HistoryProblem } from '../../pipeline/history.ts';
import type { ThreadGaugeValues } from '../../pipeline/thread-gauges.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Observation } from './observation.ts';

export interface ObservationDeskParts {
  readonly observation: Observation;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly limits: Pick<LimitValues, 'usageSums' | 'usageNames'>;
  readonly currency: () => string;
  readonly counters: () => readonly CounterUsage[];
  readonly services: () => readonly ServiceStatus[];
  /** By name of the thread. */
  readonly threads: () => ReadonlyMap<string, ThreadGaugeValues>;
}

/** Limits that `top` has room for. */
const NEAREST_LIMITS = 10;
const REFUSING_RULES = 20;

/** Answers what the admin API is asked of records, sums and the present. */
export function createObservationDesk(parts: ObservationDeskParts): ObservationActions {
  const { observation, metrics, clock, limits } = parts;
  const reports = new OneByOne();
  return {
    metrics: (accept) => metrics.scrape(accept),
    searchLog: (query, recordsMax, cursor, gone) =>
      unlessAway(async () => {
        // Whoever asks for a request that was answered a moment ago finds it.
        observation.drain.drainTurn();
        observation.history.flush();
        const options = { store: observation.historyFile, clock, pause: pauseUnless(gone) };
        const after = cursor === null ? null : cursorOf(cursor);
        const { records, next } = await searchLog(options, query, recordsMax, after);
        return ok({ records, next: next === null ? null : `${next.openedMs}.${next.number}.${next.before}` });
      }),
    currency: parts.currency,
    usage: (query, gone) =>
      // One report holds memory by its limits; several wait for one another.
      reports.run('usage', () =>
        unlessAway(() => {
          observation.drain.drainTurn();
          const { rollups } = observation.history;
          return usageReport({ rollups, limits, pause: pauseUnless(gone) }, query);
        }),
      ),
    live: () => liveStatus(parts),
  };
}

/** After a write that failed on a full disk the history may be away for a while. */
async function unlessAway<Value, Fault>(
  ask: () => Promise<Result<Value, Fault>>,
): Promise<Result<Value, Fault | HistoryProblem>> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof HistoryAway) return err(thrown.problem);
    throw thrown;
  }
}

/** The next turn of the event loop, or a rejection where the caller is gone. */
function pauseUnless(gone: AbortSignal): () => Promise<void> {
  return async () => {
    await nextTurn();
    gone.throwIfAborted();
  };
}

function cursorOf(text: string): LogCursor {
  const [openedMs, number, before] = text.split('.').map(Number);
  return { openedMs: openedMs!, number: number!, before: before! };
}

function liveStatus({ observation, clock, counters, services, threads }: ObservationDeskParts): LiveStatus {
  const { requests, byStatusClass, refusalsByRule } = observation.traffic.summary();
  const usages = counters();
  const { user, system } = process.cpuUsage();
  return {
    atMs: clock.wallMs(),
    requests,
    byStatusClass,
    latency: observation.traffic.latencySinceStart(),
    refusalsByRule: refusalsByRule.slice(0, REFUSING_RULES),
    nearestLimits: [...usages]
      .sort((left, right) => right.headroom.usedShare - left.headroom.usedShare)
      .slice(0, NEAREST_LIMITS)
      .map(liveLimit),
    limits: usages.length,
    services: services(),
    threads: Array.from(threads(), ([name, gauges]) => ({
      name,
      activeRequests: gauges.activeRequests,
      connections: gauges.connections,
      heapUsedBytes: gauges.heapUsedBytes,
      loopDelayP99Seconds: gauges.loopDelayP99,
      loopActiveSeconds: gauges.loopActive,
      loopIdleSeconds: gauges.loopIdle,
    })),
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    recordsLost:
      observation.drain.counts.dropped + observation.accessLog.counts.dropped + observation.history.lost,
    alerts: observation.alerts.open().map(({ severity, message }) => ({ severity, message })),
  };
}

function liveLimit({ identity, headroom, keysUsed }: CounterUsage): LiveLimit {
  return {
    label: counterLabel(identity),
    usedShare: headroom.usedShare,
    exhaustedKeys: headroom.exhaustedKeys,
    keys: keysUsed,
  };
}
