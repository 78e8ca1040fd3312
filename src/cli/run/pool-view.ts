import type { ForecastView, PoolKeyView, PoolLimitView, PoolView } from '../../admin/routes/pools.ts';
import type { Exhaustion } from '../../pools/exhaustion.ts';
import type { PoolForecast } from '../../pools/forecasts.ts';
import { KEY_EVENTS } from '../../pools/key-states.ts';
import type { KeyReading, PoolReading } from '../../pools/pool-registry.ts';

/** How old a secret is, and when it is to be replaced. */
export type SecretAge = Pick<PoolKeyView, 'secretSinceMs' | 'rotationDueMs'>;

/** A pool as the admin API shows it: moments by the wall clock. */
export function poolView(
  { pool, keys }: PoolReading,
  forecast: PoolForecast,
  { nowMs, wallMs }: { readonly nowMs: number; readonly wallMs: number },
  secretOf: (key: KeyReading) => SecretAge,
): PoolView {
  return {
    name: pool.name,
    provider: pool.provider,
    choose: pool.choose,
    queueUpToMs: pool.queue.upToMs,
    queueWaiting: pool.queue.waiting,
    headroom: forecast.headroom,
    usedUp: usedUp(forecast, wallMs),
    keys: keys.map((key) => ({
      ...keyView(key, nowMs, wallMs - nowMs),
      ...secretOf(key),
      usedUp: usedUp(forecast.keys.get(key.key.name)!, wallMs),
    })),
  };
}

function usedUp({ currentMs, seasonalMs }: Exhaustion, wallMs: number): ForecastView {
  const moment = (inMs: number | null): number | null => (inMs === null ? null : Math.round(wallMs + inMs));
  return { byCurrentMs: moment(currentMs), bySeasonMs: moment(seasonalMs) };
}

function keyView(
  reading: KeyReading,
  nowMs: number,
  wallAheadMs: number,
): Omit<PoolKeyView, 'usedUp' | keyof SecretAge> {
  const limits = reading.lanes.flatMap(({ model, meters }) =>
    meters.map(
      ({ unit, kind, windowMs, amount, left, isDeclared }): PoolLimitView => ({
        ...{ model, unit, kind, windowMs, amount },
        left: Math.floor(left),
        source: isDeclared ? 'declared' : 'learned',
      }),
    ),
  );
  const closed = reading.lanes.filter(({ closedUntilMs }) => closedUntilMs > nowMs);
  const proving = reading.lanes.filter(({ isProving, closedUntilMs }) => isProving && closedUntilMs <= nowMs);
  return {
    name: reading.key.name,
    account: reading.key.account,
    state: reading.state,
    because: reading.changes === 0 ? null : KEY_EVENTS[reading.lastEvent],
    inFlight: reading.inFlight,
    creditAtMs: reading.creditAtMs === null ? null : Math.ceil(reading.creditAtMs + wallAheadMs),
    rotation: reading.rotation,
    headroom: limits.reduce((least, { left, amount }) => Math.min(least, Math.max(0, left / amount)), 1),
    throttled: closed.map(({ model, closedUntilMs }) => ({
      model,
      untilMs: Math.ceil(closedUntilMs + wallAheadMs),
    })),
    proving: proving.map(({ model, proofDueMs }) => ({
      model,
      untilMs: proofDueMs === 0 ? null : Math.ceil(proofDueMs + wallAheadMs),
    })),
    limits,
  };
}
