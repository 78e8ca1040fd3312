/** Forecasts of all keys and pools: the control thread looks at every limit once a second, and tells when it will be used up. */
import type { MeterUnit } from '../model/provider-limits.ts';
import {
  currentExhaustion,
  type Exhaustion,
  type MeterState,
  seasonalExhaustion,
  sooner,
} from './exhaustion.ts';
import { KEY_STATES, SET_ASIDE } from './key-states.ts';
import type { MeterReading } from './meters.ts';
import type { KeyReading, LaneOfKey, PoolReading } from './pool-registry.ts';
import { together, UseProfile, type UseRate } from './use-profile.ts';

export interface PoolForecast extends Exhaustion {
  /** The least share that is left of what its keys have together, 0 … 1. Keys that take no calls have nothing left. */
  readonly headroom: number;
  /** By name. */
  readonly keys: ReadonlyMap<string, KeyForecast>;
}

export interface KeyForecast extends Exhaustion {
  /** The least share that is left of a limit, 0 … 1; 0 where it takes no calls. */
  readonly headroom: number;
}

interface Followed {
  readonly profile: UseProfile;
  left: number;
  amount: number;
  endsMs: number;
  atMs: number;
}

export class Forecasts {
  /** By lane and limit: no more than there is room for in shared memory. */
  readonly #followed = new Map<string, Followed>();
  /** Monotonic moments, or null, since the last look: days are gone through once for each, however often somebody asks. */
  readonly #seasonal = new Map<string, number | null>();

  /** To be called every second or so. */
  observe(pools: readonly PoolReading[], nowMs: number, wallMs: number): void {
    this.#seasonal.clear();
    const seen = new Set<string>();
    for (const { keys } of pools)
      for (const { lanes } of keys)
        for (const lane of lanes)
          for (const meter of lane.meters) {
            const name = nameOf(lane, meter);
            // Keys of one account have the same lanes.
            if (seen.has(name)) continue;
            seen.add(name);
            this.#observe(name, meter, nowMs, wallMs);
          }
    for (const name of this.#followed.keys()) if (!seen.has(name)) this.#followed.delete(name);
  }

  #observe(name: string, meter: MeterReading, nowMs: number, wallMs: number): void {
    const { left, amount, endsMs } = meter;
    const before = this.#followed.get(name);
    if (before === undefined) {
      this.#followed.set(name, { profile: new UseProfile(), left, amount, endsMs, atMs: nowMs });
      return;
    }
    // Another amount is no use: what was in use stays in use.
    const leftBefore = before.left + (amount - before.amount);
    before.profile.observe(usedSince(leftBefore, before, meter, nowMs), nowMs - before.atMs, wallMs);
    Object.assign(before, { left, amount, endsMs, atMs: nowMs });
  }

  of({ pool, keys }: PoolReading, nowMs: number, wallMs: number): PoolForecast {
    const serving = keys.filter((key) => serves(key));
    const ofKeys = new Map(keys.map((key) => [key.key.name, this.#ofKey(key, nowMs, wallMs)]));
    if (serving.length === 0) return { headroom: 0, currentMs: 0, seasonalMs: 0, keys: ofKeys };
    let headroom = 1;
    let [currentMs, seasonalMs]: [number | null, number | null] = [null, null];
    for (const group of groupsOf(serving, keys)) {
      const open = group.lanes.filter(({ lane }) => lane.closedUntilMs <= nowMs);
      const left = open.reduce((sum, { meter }) => sum + Math.max(0, meter.left), 0);
      headroom = Math.min(headroom, left / group.amount);
      const state = stateOf(
        group.lanes.map(({ meter }) => meter),
        nowMs,
      );
      const rate = together(group.lanes.map(({ lane, meter }) => this.#rate(lane, meter)));
      const atHand = { ...state, left };
      const name = `${pool.name} ${group.lanes.map(({ lane, meter }) => nameOf(lane, meter)).join()}`;
      currentMs = sooner(currentMs, currentExhaustion(atHand, rate));
      seasonalMs = sooner(seasonalMs, this.#seasonalOf(name, atHand, rate, { nowMs, wallMs }));
    }
    return { headroom: Math.max(0, headroom), currentMs, seasonalMs, keys: ofKeys };
  }

  #ofKey(key: KeyReading, nowMs: number, wallMs: number): KeyForecast {
    if (!serves(key)) return { headroom: 0, currentMs: 0, seasonalMs: 0 };
    let headroom = 1;
    let [currentMs, seasonalMs]: [number | null, number | null] = [null, null];
    for (const lane of key.lanes) {
      if (lane.closedUntilMs > nowMs) [headroom, currentMs] = [0, 0];
      for (const meter of lane.meters) {
        headroom = Math.min(headroom, Math.max(0, meter.left / meter.amount));
        const [state, rate] = [stateOf([meter], nowMs), this.#rate(lane, meter)];
        currentMs = sooner(currentMs, currentExhaustion(state, rate));
        seasonalMs = sooner(
          seasonalMs,
          this.#seasonalOf(nameOf(lane, meter), state, rate, { nowMs, wallMs }),
        );
      }
    }
    return { headroom, currentMs, seasonalMs };
  }

  #seasonalOf(
    name: string,
    state: MeterState,
    rate: UseRate,
    { nowMs, wallMs }: { readonly nowMs: number; readonly wallMs: number },
  ): number | null {
    if (state.left <= 0) return 0;
    let endsMs = this.#seasonal.get(name);
    if (endsMs === undefined) {
      const inMs = seasonalExhaustion(state, rate, wallMs);
      endsMs = inMs === null ? null : nowMs + inMs;
      this.#seasonal.set(name, endsMs);
    }
    return endsMs === null ? null : Math.max(0, endsMs - nowMs);
  }

  #rate(lane: LaneOfKey, meter: MeterReading): UseRate {
    return this.#followed.get(nameOf(lane, meter))?.profile ?? UNKNOWN;
  }
}

const UNKNOWN: UseRate = { current: 0, seasonalAt: () => null, seasonalMost: null };

function serves({ state }: KeyReading): boolean {
  return KEY_STATES[state].serves !== 'none';
}

function usedSince(
  leftBefore: number,
  { endsMs, atMs }: Followed,
  { kind, amount, windowMs, left, endsMs: endsNow }: MeterReading,
  nowMs: number,
): number {
  switch (kind) {
    case 'bucket':
      return Math.min(amount, leftBefore + ((nowMs - atMs) * amount) / windowMs) - left;
    case 'daily':
    case 'monthly':
      // The end of a period follows the wall clock, which is set a little now and then.
      return (Math.abs(endsNow - endsMs) < windowMs / 2 ? leftBefore : amount) - left;
    case 'fixed':
      // A window that has begun anew was full.
      return (endsNow === endsMs || endsMs === 0 ? leftBefore : amount) - left;
    case 'slots':
      return 0;
  }
}

interface Group {
  readonly lanes: { readonly lane: LaneOfKey; readonly meter: MeterReading }[];
  /** Of all keys, also of those that take no calls though they should. */
  amount: number;
}

interface GroupDraft extends Group {
  readonly keys: Set<KeyReading>;
  readonly counted: Set<number>;
}

/** Limits that all serving keys have: what one of them is without, that one never lacks. */
function groupsOf(serving: readonly KeyReading[], all: readonly KeyReading[]): readonly Group[] {
  const groups = new Map<string, GroupDraft>();
  for (const key of all) {
    if (SET_ASIDE.has(key.state)) continue;
    for (const lane of key.lanes)
      for (const meter of lane.meters) {
        const { unit, kind, windowMs } = meter;
        const name = JSON.stringify([lane.model, unit, kind, windowMs]);
        const group = groups.get(name) ?? { lanes: [], amount: 0, keys: new Set(), counted: new Set() };
        groups.set(name, group);
        // Keys of one account share it: it counts once.
        if (!group.counted.has(lane.lane)) group.amount += meter.amount;
        group.counted.add(lane.lane);
        if (!serves(key)) continue;
        group.keys.add(key);
        if (!group.lanes.some((one) => one.lane.lane === lane.lane)) group.lanes.push({ lane, meter });
      }
  }
  return [...groups.values()].filter(({ keys }) => keys.size === serving.length);
}

function stateOf(meters: readonly MeterReading[], nowMs: number): MeterState {
  const { kind, windowMs } = meters[0]!;
  const endsIn = meters.map(({ endsMs }) => (endsMs === 0 ? windowMs : Math.max(0, endsMs - nowMs)));
  return {
    kind,
    windowMs,
    amount: meters.reduce((sum, { amount }) => sum + amount, 0),
    left: meters.reduce((sum, { left }) => sum + left, 0),
    endsInMs: Math.min(...endsIn),
  };
}

function nameOf({ lane }: LaneOfKey, { unit, kind, windowMs }: MeterReading): string {
  return `${lane} ${unit satisfies MeterUnit} ${kind} ${windowMs}`;
}
