/** The models of each version on one data thread: their pools, in the order in which calls try them. */
import { OPERATIONS, type Operation } from '../ai/operations.ts';
import { assert } from '../base/assert.ts';
import type { LimitValues } from '../base/limits.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Model, Models, Pool, Provider } from '../model/pools.ts';
import type { BodyDecoders } from '../pipeline/body-decoding.ts';
import type { BoundModels, ModelServices } from '../pipeline/key-pool.ts';
import type {
  CountedPrompt,
  CountPrompt,
  ModelRequest,
  ModelService,
  NoModelRequest,
  PoolChoice,
  SentModelCall,
} from '../pipeline/model-request.ts';
import type { TargetLimits } from '../pipeline/target-limits.ts';
import type { UpstreamHandler, UpstreamRequest, UpstreamService } from '../pipeline/upstream.ts';
import { AnswerHomes, accountTag } from './answer-homes.ts';
import {
  type CallPlan,
  cappedPlan,
  countedPlan,
  type OfferedModels,
  offeredModels,
  planAs,
  planCall,
  promptOf,
} from './call-plan.ts';
import type { Candidate } from './choice.ts';
import { FairShares, fairSharesCells } from './fair-shares.ts';
import { KeyHealth } from './key-health.ts';
import { Lanes } from './lanes.ts';
import { ModelCall } from './model-call.ts';
import { ModelList } from './model-list.ts';
import { ModelPrices } from './model-prices.ts';
import type { PoolMemory, PoolSizes } from './pool-memory.ts';
import { PoolQueue } from './pool-queue.ts';
import {
  LANE_PROOF_MS,
  type PreparedKey,
  type PreparedPool,
  type PreparedPools,
  type RenewedKeys,
} from './pool-registry.ts';
import { RoutedTargets } from './routed-targets.ts';
import { TenantPlaces } from './tenant-places.ts';

export interface ModelThreadParts {
  readonly memory: PoolMemory;
  readonly limits: PoolSizes & CallLimits;
  /** Of this data thread, from 0 on. */
  readonly thread: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs something in a later turn. */
  readonly later: (delayMs: number, run: () => void) => void;
  readonly countPrompt: CountPrompt;
  /** Of answers that are coded though they were asked for plain. */
  readonly decoders: BodyDecoders;
}

export type CallLimits = Pick<
  LimitValues,
  | 'requestBodyBufferedBytes'
  | 'requestJsonDepth'
  | 'requestJsonValues'
  | 'countedPromptBytes'
  | 'providerAttempts'
  | 'providerErrorBytes'
  | 'streamEventBytes'
  | 'usageTokensMax'
  | 'responseBodyDecodedBytes'
>;

/** What all calls of one thread share. */
export interface ModelThread
  extends Pick<ModelThreadParts, 'limits' | 'clock' | 'later' | 'countPrompt' | 'decoders'> {
  readonly lanes: Lanes;
  readonly health: KeyHealth;
  readonly tenants: TenantPlaces;
  /** Of answers and conversations: the account that has them, and the tenant that they are for. */
  readonly homes: AnswerHomes;
  readonly owners: AnswerHomes;
}

/** A pool as one model uses it. */
export interface Target {
  readonly pool: Pool;
  readonly provider: Provider;
  readonly service: UpstreamService;
  readonly queue: PoolQueue;
  /** What its provider calls the model. */
  readonly upstreamName: string;
  readonly prices: ModelPrices;
  /** All three are others once keys are renewed. */
  candidates: readonly Candidate[];
  /** By their places. */
  keys: ReadonlyMap<number, PreparedKey>;
  /** {@link accountTag} of each, by its place. */
  accounts: ReadonlyMap<number, number>;
}

export interface BoundModel {
  readonly model: Model;
  readonly targets: readonly Target[];
  readonly prices: ModelPrices;
}

export class ThreadModelServices implements ModelServices {
  readonly #parts: ModelThreadParts;
  readonly #thread: ModelThread;
  /** By the pool's place: waiting outlasts versions. */
  readonly #queues = new Map<number, PoolQueue>();
  /** Of all versions that are in use: nobody says of a version that it is not. */
  #targets: { readonly pool: number; readonly target: WeakRef<Target> }[] = [];

  constructor(parts: ModelThreadParts) {
    this.#parts = parts;
    const { memory, limits, clock, later, countPrompt, decoders } = parts;
    this.#thread = {
      limits,
      clock,
      later,
      countPrompt,
      decoders,
      lanes: new Lanes({ memory: memory.lanes, lanes: limits.poolLanes, proofMs: LANE_PROOF_MS }),
      health: new KeyHealth(memory),
      tenants: new TenantPlaces(memory),
      homes: new AnswerHomes(memory.homes),
      owners: new AnswerHomes(memory.owners),
    };
  }

  /** Calls of this thread that wait for a key. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.size;
    return count;
  }

  bind(models: Models, prepared: unknown, services: ReadonlyMap<string, UpstreamService>): BoundModels {
    const pools = new Map((prepared as PreparedPools).pools.map((pool) => [pool.name, pool]));
    const bound = new Map<string, BoundModel>();
    for (const model of models.models.values()) {
      const prices = new ModelPrices(model, models.pools, this.#parts.clock);
      const targets = model.pools.map((name) =>
        this.#target(name, { model, prices }, models, pools, services),
      );
      bound.set(model.name, { model, targets, prices });
    }
    return {
      list: (operation, path) => new ModelList(bound, { operation, path }, this.#thread),
      service: (operation) => new OperationOnModels(this.#thread, OPERATIONS[operation], bound),
    };
  }

  renewKeys(renewed: unknown): void {
    this.#targets = this.#targets.filter(({ target }) => target.deref() !== undefined);
    for (const { place, keys } of (renewed as Pick<RenewedKeys, 'pools'>).pools) {
      for (const key of keys) this.#thread.health.renewed(key.place, key.secretTurn);
      for (const each of this.#targets) {
        const target = each.target.deref();
        if (each.pool !== place || target === undefined) continue;
        // Only those that the version has: what else a pool has got by now is another version's.
        const known = keys.filter(({ family }) => target.keys.has(family));
        if (known.length > 0) putKeys(target, known);
      }
    }
  }

  #target(
    name: string,
    { model: { upstreamName }, prices }: Pick<BoundModel, 'model' | 'prices'>,
    { pools, providers }: Models,
    prepared: ReadonlyMap<string, PreparedPool>,
    services: ReadonlyMap<string, UpstreamService>,
  ): Target {
    const pool = pools.get(name);
    const own = prepared.get(name);
    assert(pool !== undefined && own !== undefined, 'pools of models are checked when the files are read');
    const provider = providers.get(pool.provider);
    const service = services.get(pool.provider);
    assert(
      provider !== undefined && service !== undefined,
      'providers of pools are checked when the files are read',
    );
    const target: Target = {
      pool,
      provider,
      service,
      queue: this.#queue(own.place, pool),
      upstreamName,
      prices,
      candidates: [],
      keys: new Map(),
      accounts: new Map(),
    };
    putKeys(target, own.keys);
    this.#targets.push({ pool: own.place, target: new WeakRef(target) });
    return target;
  }

  #queue(place: number, { queue }: Pool): PoolQueue {
    const known = this.#queues.get(place);
    if (known !== undefined) {
      known.waitingMax = queue.waiting;
      return known;
    }
    const { memory, limits, thread, clock, random, later } = this.#parts;
    const { lanes, health } = this.#thread;
    const cells = fairSharesCells(memory.threads, limits.poolTenants);
    const shares = new FairShares({
      cells: new Float64Array(memory.shares, place * cells * Float64Array.BYTES_PER_ELEMENT, cells),
      threads: memory.threads,
      thread,
    });
    let dueMs = Number.POSITIVE_INFINITY;
    const made: PoolQueue = new PoolQueue({
      lanes,
      shares,
      draw: (below) => random.uint32() % below,
      serves: (key, nowMs) => health.serves(key, nowMs),
      isProving: (key) => health.isProving(key),
      waitingMax: queue.waiting,
      wakeAt: (atMs) => {
        const nowMs = clock.monotonicMs();
        if (dueMs > nowMs && dueMs <= atMs) return;
        dueMs = atMs;
        later(Math.max(0, atMs - nowMs), () => {
          if (dueMs !== atMs) return;
          dueMs = Number.POSITIVE_INFINITY;
          made.turn(clock.monotonicMs());
        });
      },
    });
    this.#queues.set(place, made);
    return made;
  }
}

/** In the place of all that the target has of these keys. */
function putKeys(target: Target, renewed: readonly PreparedKey[]): void {
  const { pool, upstreamName, prices } = target;
  // An old version may have models that the one that runs has not.
  const fitting = renewed.filter(({ lanes }) => lanes[upstreamName] !== undefined);
  const families = new Set(fitting.map(({ family }) => family));
  const others = [...target.keys.values()].filter(({ family }) => !families.has(family));
  const all = [...others, ...fitting];
  // In the order of the file, but those of one account side by side: calls are drawn among accounts. The former secret of a key stands behind the new one.
  const first = new Map(pool.keys.map(({ account }, nth) => [account, nth] as const).reverse());
  const keys = pool.keys.toSorted((a, b) => first.get(a.account)! - first.get(b.account)!);
  const inOrder = keys.flatMap((key) => all.filter(({ name }) => name === key.name));
  target.keys = new Map(inOrder.map((key) => [key.place, key]));
  const accountOf = new Map(pool.keys.map(({ name, account }) => [name, accountTag(pool.provider, account)]));
  target.accounts = new Map(inOrder.map(({ name, place }) => [place, accountOf.get(name)!]));
  target.candidates = inOrder.map(({ name, place, lanes, share }) => {
    const { priority, weight } = pool.keys.find((one) => one.name === name)!;
    const pricePlace = prices.placeOf(pool.name, name);
    return { key: place, lanes: lanes[upstreamName]!, priority, weight, share, pricePlace };
  });
}

class OperationOnModels implements ModelService {
  readonly #thread: ModelThread;
  readonly #operation: Operation;
  readonly #models: OfferedModels<Target>;
  readonly #routed = new RoutedTargets();

  constructor(thread: ModelThread, operation: Operation, models: ReadonlyMap<string, BoundModel>) {
    this.#thread = thread;
    this.#operation = operation;
    this.#models = offeredModels(models, operation);
  }

  get takesForms(): boolean {
    return this.#operation.files !== 'none';
  }

  read(text: Uint8Array, boundary: string | null = null): ModelRequest | NoModelRequest {
    return planCall({ text, boundary }, this.#operation, this.#models, this.#thread.limits);
  }

  as(call: ModelRequest, model: string): ModelRequest | null {
    return planAs(call as CallPlan, model, this.#models, this.#thread.limits);
  }

  capped(call: ModelRequest, outputTokens: number): ModelRequest | NoModelRequest {
    return cappedPlan(call as CallPlan, outputTokens);
  }

  prompt(call: ModelRequest): CountedPrompt | null {
    return promptOf(call as CallPlan);
  }

  counted(call: ModelRequest, promptTokens: number): ModelRequest {
    return countedPlan(call as CallPlan, promptTokens);
  }

  send(
    call: ModelRequest,
    pools: PoolChoice | null,
    request: UpstreamRequest,
    handler: UpstreamHandler,
    limits: TargetLimits | null,
  ): SentModelCall {
    // whoever sends a call has it from `read`, above
    const plan = call as CallPlan;
    const targets = pools === null ? plan.targets : this.#routed.of(plan, pools);
    return new ModelCall(this.#thread, plan, targets, request, handler, limits);
  }

  dispatch(): never {
    throw new Error('calls to models are read before they are sent');
  }

  tunnel(): never {
    throw new Error('routes to models open no WebSockets: the configuration says so');
  }

  /** Each call finds out which of its providers are. */
  outForMs(): number {
    return 0;
  }

  /** Providers are retired by the version. */
  retire(): void {}
}
