import type { PoolSubject } from '../../pipeline/pool-rules.ts';
import { type Exhaustion, sooner } from '../../pools/exhaustion.ts';
import type { PoolForecast } from '../../pools/forecasts.ts';
import { KEY_STATES } from '../../pools/key-states.ts';
import type { KeyReading, PoolReading } from '../../pools/pool-registry.ts';

export interface ForecastOfPool {
  readonly reading: PoolReading;
  readonly forecast: PoolForecast;
}

/** Pools and their keys as rules see them, each pool before its keys. `secretSinceMs`: by the wall clock. */
export function poolSubjects(
  pools: readonly ForecastOfPool[],
  secretSinceMs: (key: KeyReading) => number,
  wallMs: number,
): PoolSubject[] {
  return pools.flatMap(({ reading: { pool, keys }, forecast }) => {
    const ofPool = {
      pool: pool.name,
      'pool.provider': pool.provider,
      'pool.headroom': percentOf(forecast.headroom),
      'pool.keys': keys.length,
      'pool.usable_keys': keys.filter(({ state }) => KEY_STATES[state].serves !== 'none').length,
      'pool.exhausted_in': exhaustedIn(forecast),
    };
    const ofKeys = keys.map((reading): PoolSubject => {
      const { key, state } = reading;
      const own = forecast.keys.get(key.name)!;
      const facts = {
        ...ofPool,
        key: key.name,
        'key.account': key.account,
        'key.state': state,
        'key.headroom': percentOf(own.headroom),
        'key.age': Math.max(0, wallMs - secretSinceMs(reading)),
        'key.exhausted_in': exhaustedIn(own),
      };
      return { pool: pool.name, key: key.name, facts };
    });
    return [{ pool: pool.name, key: null, facts: ofPool }, ...ofKeys];
  });
}

/** Cut to tenths: what is below a whole percent before is so behind. */
function percentOf(share: number): number {
  return Math.floor(share * 1_000) / 10;
}

function exhaustedIn({ currentMs, seasonalMs }: Exhaustion): number | undefined {
  const inMs = sooner(currentMs, seasonalMs);
  return inMs === null ? undefined : Math.round(inMs);
}
