/**
 * The control thread's side of pools: which place in shared memory each key, account and pool has, over all versions of the
 * configuration; and what their limits are.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import { periodClock } from '../model/calendar-periods.ts';
import { DAY_MS } from '../model/local-time.ts';
import type { KeyLimit, Models, Pool, PoolKey } from '../model/pools.ts';
import type { MeterSpec } from '../model/provider-limits.ts';
import { spellSecretPlace } from '../model/secret-place.ts';
import type { SecretReference } from '../model/world.ts';
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { CREDIT_WAIT_MAX_MS, KeyHealth } from './key-health.ts';
import { type KeyEvent, type KeyState, SET_ASIDE } from './key-states.ts';
import { type LaneReading, Lanes } from './lanes.ts';
import type { PeriodEnds } from './meters.ts';
import type { PoolMemory, PoolSizes } from './pool-memory.ts';
import { type FormerSecret, rotationStep } from './rotation.ts';

/** One version of the configuration, on its way to the data threads: the only thing there that holds secrets. */
export interface PreparedPools {
  readonly pools: readonly PreparedPool[];
}

export interface PreparedPool {
  readonly name: string;
  readonly place: number;
  readonly keys: readonly PreparedKey[];
}

/** While a secret is replaced, a key is there twice: with the new secret, and behind it with the former one. */
export interface PreparedKey {
  readonly name: string;
  readonly place: number;
  /** Place of the key with its present secret. */
  readonly family: number;
  /** The share of calls that it is tried for before others: below 1 while a new secret has to prove itself. */
  readonly share: number;
  readonly secret: string;
  /** See `KEY_CELLS`. */
  readonly secretTurn: number;
  /** The lanes of a call to a model, in the order of locking: the one of the account, then that of its model; by name of the model at the provider. */
  readonly lanes: Readonly<Record<string, readonly number[]>>;
}

type PreparedSecret = Pick<PreparedKey, 'place' | 'secret' | 'secretTurn'>;

/** Of keys of the version that runs, whose secrets have been changed where they lie. */
export interface RenewedKeys {
  /** Only the pools and keys that differ, each with all that it is: the others stay as they are. */
  readonly pools: readonly PreparedPool[];
  /** One for each key whose secret can't be read now: what was read before still counts. */
  readonly faults: readonly KeyFault[];
}

export interface KeyFault {
  readonly pool: string;
  readonly key: string;
  /** One sentence. */
  readonly message: string;
}

/** The error says what is wrong, without subject. */
export type ReadSecret = (reference: SecretReference) => Result<Uint8Array, string>;

export interface PoolRegistryParts {
  readonly memory: PoolMemory;
  readonly sizes: PoolSizes;
  readonly clock: Clock;
  readonly readSecret: ReadSecret;
  /** Of a secret that is being replaced; null: it is not. */
  readonly readFormer: (reference: SecretReference) => FormerSecret | null;
  /** As what people had set a key aside when the process began; null: they had not. */
  readonly setAside: (pool: string, key: string) => 'disabled' | 'draining' | null;
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
  /** How many calls told more use than is believed, since the start. */
  readonly doubted: number;
  /** When its provider gives new credit, as it said, by the monotonic clock; null: it has some, or a person has to say so. */
  readonly creditAtMs: number | null;
  /** Since when the gateway knows its present secret, by the wall clock. */
  readonly secretSinceMs: number;
  readonly rotation: KeyRotation | null;
  readonly lanes: readonly LaneOfKey[];
}

/** Its secret is being replaced; moments by the wall clock. */
export interface KeyRotation {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** The share of calls that the new secret is tried for first. */
  readonly share: number;
  /** State of the key with its former secret. */
  readonly former: KeyState;
}

export interface LaneOfKey extends LaneReading {
  /** Its place: keys of one account have the same one. */
  readonly lane: number;
  /** As the provider calls it; null for the limits of the whole account. */
  readonly model: string | null;
}

/** A key by its name, and what was learned of it. `secretDigest` tells only whether the secret is still the same one. */
export interface SavedKey {
  readonly name: string;
  readonly state: KeyState;
  readonly secretDigest: string;
  /** Since when it is known; undefined: an earlier version did not keep it. */
  readonly secretSinceMs?: number | undefined;
  /** When its provider gives new credit, by the wall clock; undefined: it has some, or it is not known. */
  readonly creditAtMs?: number | undefined;
}

/** By their names. */
export interface SavedPools {
  readonly keys: readonly SavedKey[];
  readonly lanes: readonly { readonly name: string; readonly cells: readonly number[] }[];
}

/** How long the one call that shows whether a closed lane is open again may take before another is sent. */
export const LANE_PROOF_MS = 2_000;

/** By how much the end of a period has to move before lanes, which may be tens of thousands, are told. */
const END_MOVED_MS = 50;

export class PoolRegistry {
  readonly health: KeyHealth;
  readonly lanes: Lanes;
  readonly #parts: PoolRegistryParts;
  /** By zone, as lanes were told last. */
  readonly #periodEnds = new Map<string, PeriodEnds>();
  /** Of whose days and months the limits of a lane of the version that runs are. */
  readonly #zones = new Map<number, string>();
  readonly #lanePlaces: Places;
  readonly #keyPlaces: Places;
  readonly #poolPlaces: Places;
  /** Of the secrets that keys had last, and of those that were read for a version that may come, by place. */
  readonly #digests = new Map<number, string>();
  /** Of keys that a version has had. */
  readonly #begun = new Set<number>();
  /** Of the secrets read last. */
  readonly #turns = new Map<number, number>();
  readonly #read = new Map<number, string>();
  /** Since when they are known. */
  readonly #sinceMs = new Map<number, number>();
  /** What data threads know of the secrets of a key, by its place; and what they would of a version that may come. */
  readonly #told = new Map<number, string>();
  /** Former secrets that no thread is told of any more: retired one look later, when every thread has heard of it. */
  readonly #over = new Set<number>();
  readonly #toTell = new Map<number, string>();

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
        const prepared = this.#family(pool, key, models);
        if (!prepared.ok) return prepared;
        keys.push(...prepared.value);
      }
      pools.push({ name: pool.name, place: place.value, keys });
    }
    return ok({ pools });
  }

  /** Looks at the secrets of the version that runs, but for those of the environment, which can't change. */
  renew(models: Models): RenewedKeys {
    const pools: PreparedPool[] = [];
    const faults: KeyFault[] = [];
    for (const pool of models.pools.values()) {
      const keys: PreparedKey[] = [];
      for (const key of pool.keys) {
        if (key.secret.in === 'environment') continue;
        const prepared = this.#family(pool, key, models);
        if (!prepared.ok) faults.push({ pool: pool.name, key: key.name, message: prepared.error });
        else {
          const { family } = prepared.value[0]!;
          if (this.#toTell.get(family) !== this.#told.get(family)) keys.push(...prepared.value);
        }
      }
      const place = this.#poolPlaces.known(pool.name);
      if (keys.length > 0 && place !== null) pools.push({ name: pool.name, place, keys });
    }
    return { pools, faults };
  }

  /** Data threads were told of the renewed keys: what calls with the secrets of before say of them counts no more. */
  renewed({ pools }: Pick<RenewedKeys, 'pools'>, models: Models): void {
    for (const { keys } of pools)
      for (const { place, family } of keys) {
        const digest = this.#read.get(place);
        if (digest !== undefined) this.#take(place, digest);
        this.#told.set(family, this.#toTell.get(family)!);
      }
    this.#moveFormers(models);
  }

  /** Keys with a former secret give it up, step by step. */
  #moveFormers(models: Models): void {
    for (const pool of models.pools.values())
      for (const key of pool.keys) {
        const place = this.#keyPlaces.known(spellFormer(pool.name, key.name));
        if (place === null) continue;
        const former = this.#parts.readFormer(key.secret);
        const step = former === null ? 'over' : rotationStep(former, this.#parts.clock.wallMs()).former;
        if (step === 'drains') this.health.happened(place, 'drain');
        // The place was given up with a former secret of before.
        if (step === 'serves' && SET_ASIDE.has(this.health.state(place))) this.health.begin(place, 'active');
        if (step !== 'over') this.#over.delete(place);
        else if (this.#over.has(place)) {
          this.health.happened(place, 'drain');
          this.health.happened(place, 'drained');
        } else this.#over.add(place);
      }
  }

  #take(place: number, digest: string): void {
    const before = this.#digests.get(place);
    this.#digests.set(place, digest);
    if (before !== digest || !this.#sinceMs.has(place)) this.#sinceMs.set(place, this.#parts.clock.wallMs());
    if (before !== undefined && before !== digest) this.health.renewed(place, this.#turns.get(place)!);
  }

  /** The version serves: its limits hold from now on, and a key with another secret is another key. */
  activate(models: Models): void {
    for (const [place, digest] of this.#read) this.#take(place, digest);
    this.#read.clear();
    for (const [family, told] of this.#toTell) this.#told.set(family, told);
    this.#toTell.clear();
    this.#moveFormers(models);
    const declared = new Map<number, readonly MeterSpec[]>();
    this.#zones.clear();
    for (const pool of models.pools.values()) {
      for (const key of pool.keys) {
        for (const model of modelsOf(pool, models)) {
          for (const { name, per } of lanesOf(pool, key, model.upstreamName, models)) {
            const lane = this.#lanePlaces.known(name);
            const own = limitsFor(key, model.name, per);
            // Keys of one account say its limits once, at any of them.
            if (lane === null || (declared.get(lane)?.length ?? 0) > 0) continue;
            const { dailyZone } = models.providers.get(pool.provider)!;
            declared.set(
              lane,
              own.slice(0, LANE_METERS_MAX).map((limit) => asOfDay(limit, dailyZone)),
            );
            // Where nobody says so, bills are made by days of UTC.
            this.#zones.set(lane, own[0]?.zone ?? dailyZone ?? 'UTC');
          }
        }
      }
    }
    const { clock } = this.#parts;
    const [nowMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    this.#periodEnds.clear();
    for (const zone of new Set(this.#zones.values())) this.#periodEnds.set(zone, endsIn(zone, nowMs, wallMs));
    for (const [lane, specs] of declared)
      this.lanes.declare(lane, specs, nowMs, this.#periodEnds.get(this.#zones.get(lane)!)!);
  }

  /** Limits of days and months end by the wall clock of their zone, which may be set. To be called every second. */
  alignPeriods(): void {
    const { clock } = this.#parts;
    const [nowMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    const moved = new Map<string, PeriodEnds>();
    for (const zone of new Set(this.#zones.values())) {
      const ends = endsIn(zone, nowMs, wallMs);
      const told = this.#periodEnds.get(zone);
      if (told !== undefined && !haveMoved(told, ends)) continue;
      this.#periodEnds.set(zone, ends);
      moved.set(zone, ends);
    }
    if (moved.size === 0) return;
    for (const [lane, zone] of this.#zones) {
      const ends = moved.get(zone);
      if (ends !== undefined) this.lanes.alignPeriods(lane, ends, nowMs);
    }
  }

  /** What time and the end of calls bring keys. To be called a few times a second. */
  tend(models: Models): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const pool of models.pools.values())
      for (const key of pool.keys) {
        const place = this.keyPlace(pool.name, key.name);
        if (place !== null) this.health.tend(place, nowMs);
      }
  }

  /** Whether it is the secret of the key already, or the one that it had before. */
  hasHad(pool: string, key: string, secret: string): boolean {
    return [spellKey(pool, key), spellFormer(pool, key)].some((name) => {
      const place = this.#keyPlaces.known(name);
      return place !== null && this.#digests.get(place) === digestOf(secret);
    });
  }

  /** Null where no version has had such a key. */
  keyPlace(pool: string, key: string): number | null {
    return this.#keyPlaces.known(spellKey(pool, key));
  }

  /** A person says that the provider takes calls of the key again: what it asked to wait, and debts, are forgotten. */
  openLanes(pool: Pool, key: PoolKey, models: Models): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const { upstreamName } of modelsOf(pool, models))
      for (const { name } of lanesOf(pool, key, upstreamName, models)) {
        const lane = this.#lanePlaces.known(name);
        if (lane !== null) this.lanes.open(lane, nowMs);
      }
  }

  /** How all pools of a version are. */
  inspect(models: Models): readonly PoolReading[] {
    const nowMs = this.#parts.clock.monotonicMs();
    return [...models.pools.values()].map((pool) => ({
      pool,
      keys: pool.keys.map((key): KeyReading => {
        const place = this.keyPlace(pool.name, key.name)!;
        const lanes = new Map<number, LaneOfKey>();
        for (const { upstreamName } of modelsOf(pool, models)) {
          for (const { name, per } of lanesOf(pool, key, upstreamName, models)) {
            const lane = this.#lanePlaces.known(name)!;
            if (lanes.has(lane)) continue;
            const model = per === 'account' ? null : upstreamName;
            lanes.set(lane, { lane, model, ...this.lanes.read(lane, nowMs) });
          }
        }
        return {
          key,
          state: this.health.state(place),
          changes: this.health.changes(place),
          lastEvent: this.health.lastEvent(place),
          inFlight: this.health.inFlight(place),
          doubted: this.health.doubted(place),
          creditAtMs: this.health.state(place) === 'exhausted' ? this.health.creditAtMs(place, nowMs) : null,
          secretSinceMs: this.#sinceMs.get(place) ?? this.#parts.clock.wallMs(),
          rotation: this.#rotation(pool, key),
          lanes: [...lanes.values()],
        };
      }),
    }));
  }

  /** What is to be kept over the end of the process: of the keys and accounts that a version has. */
  save(models: Models): SavedPools {
    const [nowMs, wallMs] = [this.#parts.clock.monotonicMs(), this.#parts.clock.wallMs()];
    const keys: SavedKey[] = [];
    const lanes = new Map<string, { name: string; cells: readonly number[] }>();
    for (const pool of models.pools.values()) {
      for (const key of pool.keys) {
        const name = spellKey(pool.name, key.name);
        const place = this.#keyPlaces.known(name);
        if (place !== null) {
          const creditAtMs = this.health.creditAtMs(place, nowMs);
          const state = this.health.state(place);
          keys.push({
            name,
            state: learnedState(state, creditAtMs),
            secretDigest: this.#digests.get(place) ?? '',
            secretSinceMs: this.#sinceMs.get(place),
            ...(creditAtMs === null ? {} : { creditAtMs: wallMs + creditAtMs - nowMs }),
          });
        }
        for (const { upstreamName } of modelsOf(pool, models)) {
          for (const { name: laneName } of lanesOf(pool, key, upstreamName, models)) {
            const lane = this.#lanePlaces.known(laneName);
            if (lane !== null) lanes.set(laneName, { name: laneName, cells: this.lanes.save(lane) });
          }
        }
      }
    }
    return { keys, lanes: [...lanes.values()] };
  }

  /** Before the first version is prepared. `shiftMs`: what has to be added to the moments of that process to be moments of this one. */
  restore({ keys, lanes }: SavedPools, shiftMs: number): void {
    const { clock } = this.#parts;
    const aheadMs = clock.monotonicMs() - clock.wallMs();
    for (const { name, state, secretDigest, secretSinceMs, creditAtMs } of keys) {
      const place = this.#keyPlaces.of(name);
      if (!place.ok) continue;
      this.health.begin(place.value, state);
      if (creditAtMs !== undefined)
        this.health.giveCreditAt(
          place.value,
          Math.min(creditAtMs + aheadMs, clock.monotonicMs() + CREDIT_WAIT_MAX_MS),
        );
      this.#digests.set(place.value, secretDigest);
      if (secretSinceMs !== undefined) this.#sinceMs.set(place.value, secretSinceMs);
    }
    for (const { name, cells } of lanes) {
      const lane = this.#lanePlaces.of(name);
      if (lane.ok) this.lanes.restore(lane.value, cells, shiftMs, this.#parts.clock.monotonicMs());
    }
  }

  #rotation(pool: Pool, key: PoolKey): KeyRotation | null {
    const place = this.#keyPlaces.known(spellFormer(pool.name, key.name));
    const former = place === null ? null : this.#parts.readFormer(key.secret);
    if (place === null || former === null) return null;
    const { sinceMs, untilMs } = former;
    const { share } = rotationStep(former, this.#parts.clock.wallMs());
    return { sinceMs, untilMs, share, former: this.health.state(place) };
  }

  /** The key, and behind it the same one with its former secret: where that can't be, the new one takes all calls. */
  #family(pool: Pool, key: PoolKey, models: Models): Result<readonly PreparedKey[], string> {
    const secret = this.#secret(pool, key);
    if (!secret.ok) return secret;
    const lanes = this.#lanes(pool, key, models);
    if (!lanes.ok) return lanes;
    const present = this.#prepared(spellKey(pool.name, key.name), secret.value);
    if (!present.ok) return present;
    const family = present.value.place;
    this.#begin(pool.name, key.name, family);
    const shared = { name: key.name, family, lanes: lanes.value };
    const former = this.#former(pool, key);
    if (former === null) {
      this.#toTell.set(family, digestOf(secret.value));
      return ok([{ ...shared, ...present.value, share: 1 }]);
    }
    const { share, prepared } = former;
    this.health.isFormerOf(prepared.place, family);
    this.#toTell.set(family, `${digestOf(secret.value)} ${digestOf(prepared.secret)} ${share}`);
    return ok([
      { ...shared, ...present.value, share },
      { ...shared, ...prepared, share: 1 },
    ]);
  }

  /** As people have left it. From then on what they say is said to its state. */
  #begin(pool: string, key: string, place: number): void {
    if (this.#begun.has(place)) return;
    this.#begun.add(place);
    const as = this.#parts.setAside(pool, key);
    // Its last call ended with the process before, at the latest.
    if (as !== null) this.health.begin(place, as === 'draining' ? 'retired' : as);
  }

  /** Null: there is none, its time is over, or it can't be used. */
  #former(pool: Pool, key: PoolKey): { readonly share: number; readonly prepared: PreparedSecret } | null {
    const former = this.#parts.readFormer(key.secret);
    if (former === null) return null;
    const { share, former: still } = rotationStep(former, this.#parts.clock.wallMs());
    const text = keyIn(former.value);
    if (still === 'over' || text === null) return null;
    const prepared = this.#prepared(spellFormer(pool.name, key.name), text);
    return prepared.ok ? { share, prepared: prepared.value } : null;
  }

  #prepared(name: string, secret: string): Result<PreparedSecret, string> {
    const place = this.#keyPlaces.of(name);
    if (!place.ok) return place;
    const digest = digestOf(secret);
    const before = this.#digests.get(place.value);
    this.#read.set(place.value, digest);
    const isAnother = before !== undefined && before !== digest;
    const secretTurn = this.health.secretTurn(place.value) + (isAnother ? 1 : 0);
    this.#turns.set(place.value, secretTurn);
    return ok({ place: place.value, secret, secretTurn });
  }

  #lanes(pool: Pool, key: PoolKey, models: Models): Result<PreparedKey['lanes'], string> {
    const lanes: Record<string, readonly number[]> = {};
    for (const { upstreamName } of modelsOf(pool, models)) {
      const places: number[] = [];
      for (const { name } of lanesOf(pool, key, upstreamName, models)) {
        const lane = this.#lanePlaces.of(name);
        if (!lane.ok) return lane;
        places.push(lane.value);
      }
      lanes[upstreamName] = places;
    }
    return ok(lanes);
  }

  #secret(pool: Pool, key: PoolKey): Result<string, string> {
    const read = this.#parts.readSecret(key.secret);
    const what = `The secret of key "${key.name}" of pool "${pool.name}"`;
    const where = spellSecretPlace(key.secret);
    if (!read.ok)
      return err(`${what} can't be read: ${where}: ${read.error}. ${SECRET_REMEDIES[key.secret.in]}`);
    const text = keyIn(read.value);
    if (text === null)
      return err(`${what} (${where}) is no key: 1 to 4,096 visible ASCII characters are expected.`);
    return ok(text);
  }
}

const SECRET_REMEDIES: Readonly<Record<SecretReference['in'], string>> = {
  environment: 'Set it where the gateway is started.',
  file: 'Write a file of the key there, which the gateway may read.',
  store: 'Set it with "portunus secrets set".',
};

/** What people have said is kept with the store; and one that is tried is so again, with the moment of its credit in the past. */
function learnedState(state: KeyState, creditAtMs: number | null): KeyState {
  if (SET_ASIDE.has(state)) return 'active';
  return state === 'active' && creditAtMs !== null ? 'exhausted' : state;
}

/** Of the day and the month that it is in a zone. */
function endsIn(zone: string, nowMs: number, wallMs: number): PeriodEnds {
  return {
    dayEndMs: nowMs + periodClock('day', zone).endMs(wallMs) - wallMs,
    monthEndMs: nowMs + periodClock('month', zone).endMs(wallMs) - wallMs,
  };
}

function haveMoved(told: PeriodEnds, ends: PeriodEnds): boolean {
  const byMs = Math.max(Math.abs(ends.dayEndMs - told.dayEndMs), Math.abs(ends.monthEndMs - told.monthEndMs));
  return byMs >= END_MOVED_MS;
}

/** Where what was used of a day comes back at once, the limit is of that day. */
function asOfDay(limit: KeyLimit, dailyZone: string | null): MeterSpec {
  const isDaily = (limit.zone ?? dailyZone) !== null && limit.kind === 'bucket' && limit.windowMs === DAY_MS;
  return isDaily ? { ...limit, kind: 'daily' } : limit;
}

/** Whichever of its keys says so. */
function hasAccountLimits(provider: string, account: string, { pools }: Models): boolean {
  for (const pool of pools.values()) {
    if (pool.provider !== provider) continue;
    for (const key of pool.keys)
      if (key.account === account && key.limits.some(({ per }) => per === 'account')) return true;
  }
  return false;
}

/** Amounts for one model count in place of those for every model. */
function limitsFor({ limits }: PoolKey, model: string, per: KeyLimit['per']): readonly KeyLimit[] {
  const ofAll = limits.filter((limit) => limit.per === per && limit.model === null);
  const ofModel = limits.filter((limit) => limit.per === per && limit.model === model);
  const isReplaced = ({ unit, windowMs }: KeyLimit): boolean =>
    ofModel.some((limit) => limit.unit === unit && limit.windowMs === windowMs);
  return [...ofAll.filter((limit) => !isReplaced(limit)), ...ofModel];
}

/** Keys of providers are long and random: nobody finds one by its digest. */
function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, DIGEST_CHARACTERS);
}
const DIGEST_CHARACTERS = 16;

/** What a field may hold (RFC 9110, 5.5), without blanks: no key has any. Null where the bytes are none. */
export function keyIn(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes).toString('latin1').trim();
  return /^[\x21-\x7e]{1,4096}$/.test(text) ? text : null;
}

function spellFormer(pool: string, key: string): string {
  return `${spellKey(pool, key)}/former`;
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
  models: Models,
): { name: string; per: 'account' | 'model' }[] {
  const account = JSON.stringify([pool.provider, key.account]);
  const own = { name: JSON.stringify([pool.provider, key.account, upstreamName]), per: 'model' } as const;
  return hasAccountLimits(pool.provider, key.account, models)
    ? [{ name: account, per: 'account' }, own]
    : [own];
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
