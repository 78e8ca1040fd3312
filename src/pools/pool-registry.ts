/**
 * The control thread's side of pools: which place in shared memory each key, account and pool has, over all versions of the
 * configuration; and what their limits are.
 */
import type { Clock } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Models, Pool, PoolKey } from '../model/pools.ts';
import type { MeterSpec } from '../model/provider-limits.ts';
import type { SecretReference } from '../model/world.ts';
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { KeyHealth } from './key-health.ts';
import { KEY_STATE_NAMES, type KeyEvent, type KeyState } from './key-states.ts';
import { type LaneReading, Lanes } from './lanes.ts';
import type { PoolMemory, PoolSizes } from './pool-memory.ts';

/** One version of the configuration, on its way to the data threads: the only thing there that holds secrets. */
export interface PreparedPools {
  readonly pools: readonly PreparedPool[];
}

export interface PreparedPool {
  readonly name: string;
  readonly place: number;
  readonly keys: readonly PreparedKey[];
}

export interface PreparedKey {
  readonly name: string;
  readonly place: number;
  readonly secret: string;
  /** The lanes of a call to a model, in the order of locking: the one of the account, then that of its model; by name of the model at the provider. */
  readonly lanes: Readonly<Record<string, readonly number[]>>;
}

/** The error says what is wrong, without subject. */
export type ReadSecret = (reference: SecretReference) => Result<Uint8Array, string>;

export interface PoolRegistryParts {
  readonly memory: PoolMemory;
  readonly sizes: PoolSizes;
  readonly clock: Clock;
  readonly readSecret: ReadSecret;
}

export interface PoolReading {
  readonly pool: Pool;
  readonly keys: readonly KeyReading[];
}

export interface KeyReading {
  readonly key: PoolKey;
  readonly state: KeyState;
  /** How often the state has changed, and what changed it last. */
  readonly changes: number;
  readonly lastEvent: KeyEvent;
  readonly inFlight: number;
  /** `model`: as the provider calls it; null for the limits of the whole account. */
  readonly lanes: readonly (LaneReading & { readonly model: string | null })[];
}

/** By their names, in the order of their places. */
export interface SavedPools {
  readonly keys: readonly { readonly name: string; readonly state: KeyState }[];
  readonly lanes: readonly { readonly name: string; readonly cells: readonly number[] }[];
}

/** How long the one call that shows whether a closed lane is open again may take before another is sent. */
export const LANE_PROOF_MS = 60_000;

export class PoolRegistry {
  readonly health: KeyHealth;
  readonly lanes: Lanes;
  readonly #parts: PoolRegistryParts;
  readonly #lanePlaces: Places;
  readonly #keyPlaces: Places;
  readonly #poolPlaces: Places;

  constructor(parts: PoolRegistryParts) {
    this.#parts = parts;
    const { memory, sizes } = parts;
    this.health = new KeyHealth(memory);
    this.lanes = new Lanes({ memory: memory.lanes, lanes: sizes.poolLanes, proofMs: LANE_PROOF_MS });
    this.#lanePlaces = new Places(sizes.poolLanes, 'poolLanes');
    this.#keyPlaces = new Places(sizes.poolKeys, 'poolKeys');
    this.#poolPlaces = new Places(sizes.pools, 'pools');
  }

  /** Reads the secrets and finds the places. The error is one sentence, and never shows a secret. */
  prepare(models: Models): Result<PreparedPools, string> {
    const pools: PreparedPool[] = [];
    for (const pool of models.pools.values()) {
      const place = this.#poolPlaces.of(pool.name);
      if (!place.ok) return place;
      const keys: PreparedKey[] = [];
      for (const key of pool.keys) {
        const prepared = this.#key(pool, key, models);
        if (!prepared.ok) return prepared;
        keys.push(prepared.value);
      }
      pools.push({ name: pool.name, place: place.value, keys });
    }
    return ok({ pools });
  }

  /** The version serves: its limits hold from now on. */
  activate(models: Models): void {
    const declared = new Map<number, readonly MeterSpec[]>();
    for (const pool of models.pools.values()) {
      for (const key of pool.keys) {
        for (const model of modelsOf(pool, models)) {
          for (const { name, per } of lanesOf(pool, key, model.upstreamName)) {
            const lane = this.#lanePlaces.known(name);
            const own = key.limits.filter(
              (limit) => limit.per === per && (limit.model === null || limit.model === model.name),
            );
            if (lane === null || own.length === 0 || declared.has(lane)) continue;
            declared.set(lane, own.slice(0, LANE_METERS_MAX));
          }
        }
      }
    }
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [lane, specs] of declared) this.lanes.declare(lane, specs, nowMs);
  }

  /** Null where no version has had such a key. */
  keyPlace(pool: string, key: string): number | null {
    return this.#keyPlaces.known(spellKey(pool, key));
  }

  /** How all pools of a version are. */
  inspect(models: Models): readonly PoolReading[] {
    const nowMs = this.#parts.clock.monotonicMs();
    return [...models.pools.values()].map((pool) => ({
      pool,
      keys: pool.keys.map((key): KeyReading => {
        const place = this.keyPlace(pool.name, key.name)!;
        const lanes = new Map<number, LaneReading & { readonly model: string | null }>();
        for (const { upstreamName } of modelsOf(pool, models)) {
          for (const { name, per } of lanesOf(pool, key, upstreamName)) {
            const lane = this.#lanePlaces.known(name)!;
            if (lanes.has(lane)) continue;
            const model = per === 'account' ? null : upstreamName;
            lanes.set(lane, { model, ...this.lanes.read(lane, nowMs) });
          }
        }
        return {
          key,
          state: this.health.state(place),
          changes: this.health.changes(place),
          lastEvent: this.health.lastEvent(place),
          inFlight: this.health.inFlight(place),
          lanes: [...lanes.values()],
        };
      }),
    }));
  }

  /** What is to be kept over the end of the process. */
  save(): SavedPools {
    return {
      keys: this.#keyPlaces.names().map((name, place) => ({ name, state: this.health.state(place) })),
      lanes: this.#lanePlaces.names().map((name, lane) => ({ name, cells: this.lanes.save(lane) })),
    };
  }

  /** Before the first version is prepared. `shiftMs`: what has to be added to the moments of that process to be moments of this one. */
  restore({ keys, lanes }: SavedPools, shiftMs: number): void {
    for (const { name, state } of keys) {
      const place = this.#keyPlaces.of(name);
      if (place.ok && KEY_STATE_NAMES.includes(state)) this.health.begin(place.value, state);
    }
    for (const { name, cells } of lanes) {
      const lane = this.#lanePlaces.of(name);
      if (lane.ok) this.lanes.restore(lane.value, cells, shiftMs);
    }
  }

  #key(pool: Pool, key: PoolKey, models: Models): Result<PreparedKey, string> {
    const place = this.#keyPlaces.of(spellKey(pool.name, key.name));
    if (!place.ok) return place;
    const secret = this.#secret(pool, key);
    if (!secret.ok) return secret;
    const lanes: Record<string, readonly number[]> = {};
    for (const { upstreamName } of modelsOf(pool, models)) {
      const places: number[] = [];
      for (const { name } of lanesOf(pool, key, upstreamName)) {
        const lane = this.#lanePlaces.of(name);
        if (!lane.ok) return lane;
        places.push(lane.value);
      }
      lanes[upstreamName] = places;
    }
    return ok({ name: key.name, place: place.value, secret: secret.value, lanes });
  }

  #secret(pool: Pool, key: PoolKey): Result<string, string> {
    const read = this.#parts.readSecret(key.secret);
    const what = `The secret of key "${key.name}" of pool "${pool.name}"`;
    const where = key.secret.in === 'file' ? key.secret.path : `the variable ${key.secret.name}`;
    if (!read.ok) return err(`${what} can't be read: ${where}: ${read.error}.`);
    const text = Buffer.from(read.value).toString('latin1').trim();
    // What a field may hold (RFC 9110, 5.5), without blanks: no key has any.
    if (!/^[\x21-\x7e]{1,4096}$/.test(text))
      return err(`${what} (${where}) is no key: 1 to 4,096 visible ASCII characters are expected.`);
    return ok(text);
  }
}

function spellKey(pool: string, key: string): string {
  return `${pool}/${key}`;
}

function modelsOf(pool: Pool, models: Models): { name: string; upstreamName: string }[] {
  return [...models.models.values()].filter(({ pools }) => pools.includes(pool.name));
}

/** The account's own first, which all its models share; then the account's of the model. */
function lanesOf(
  pool: Pool,
  key: PoolKey,
  upstreamName: string,
): { name: string; per: 'account' | 'model' }[] {
  const account = JSON.stringify([pool.provider, key.account]);
  const own = { name: JSON.stringify([pool.provider, key.account, upstreamName]), per: 'model' } as const;
  return key.limits.some(({ per }) => per === 'account') ? [{ name: account, per: 'account' }, own] : [own];
}

/** Numbers for names, each kept while the process runs. */
class Places {
  readonly #places = new Map<string, number>();
  readonly #most: number;
  readonly #limit: string;

  constructor(most: number, limit: string) {
    this.#most = most;
    this.#limit = limit;
  }

  names(): readonly string[] {
    return [...this.#places.keys()];
  }

  known(name: string): number | null {
    return this.#places.get(name) ?? null;
  }

  of(name: string): Result<number, string> {
    const known = this.#places.get(name);
    if (known !== undefined) return ok(known);
    const place = this.#places.size;
    if (place >= this.#most)
      return err(
        `There is no room for more than ${this.#most} since the last start. Raise limits.${this.#limit}, and start anew.`,
      );
    this.#places.set(name, place);
    return ok(place);
  }
}
