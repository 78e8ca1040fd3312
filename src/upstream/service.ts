import { assert } from '../base/assert.ts';
import type { Service } from '../model/world.ts';
import type {
  ResolvedAddress,
  TunnelHandler,
  TunnelRequest,
  UpstreamCall,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
  UpstreamTunnel,
} from '../pipeline/upstream.ts';
import { chooseEndpoint, NONE } from './balancer.ts';
import { Call, type CallOwner } from './call.ts';
import { type AttemptOutcome, EndpointHealth, type Peers } from './health.ts';
import { EndpointPool, type PoolOwner } from './pool.ts';
import { assertRequest } from './request-head.ts';
import { type AttemptFailure, type FailureKind, mayRepeat, RetryBudget } from './retry.ts';
import type { UpstreamThread } from './thread.ts';
import type { TlsTexts } from './tls-files.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';
import { WaitQueue } from './wait-queue.ts';

export interface ServiceParts {
  readonly thread: UpstreamThread;
  readonly service: Service;
  /** Of each endpoint, its slot in the thread's endpoint memory. */
  readonly slots: readonly number[];
  readonly files: TlsTexts;
  readonly onRetired: () => void;
}

/** One service on one thread: chooses an endpoint for each attempt, queues what finds no room, and decides on repeats. */
export class ServiceClient implements UpstreamService, CallOwner, PoolOwner, Peers, TunnelOwner {
  /** Configurations that use it; see `client.ts`. */
  uses = 0;
  readonly service: Service;

  readonly #thread: UpstreamThread;
  readonly #files: TlsTexts;
  readonly #onRetired: () => void;
  /** One for each address of each endpoint. */
  #pools: readonly EndpointPool[];
  readonly #queue: WaitQueue;
  readonly #budget: RetryBudget;
  #closed = false;

  constructor({ thread, service, slots, files, onRetired }: ServiceParts) {
    this.#thread = thread;
    this.service = service;
    this.#files = files;
    this.#onRetired = onRetired;
    this.#pools = service.endpoints.map(({ weight }, index) =>
      this.#pool(index, null, slots[index]!, weight),
    );
    this.#budget = new RetryBudget(service.retries.share, thread.deadlines.nowMs);
    const { upstreamWaiting, upstreamWaitMs } = thread.limits;
    this.#queue = new WaitQueue(thread.deadlines, upstreamWaiting, upstreamWaitMs, (call) =>
      call.fail('upstream_queue_timeout', `no connection became free within ${upstreamWaitMs} ms`),
    );
  }

  #pool(index: number, address: string | null, slot: number, weight: number): EndpointPool {
    const { outliers, slowStartMs } = this.service;
    const memory = this.#thread.endpoints;
    const health = new EndpointHealth({ memory, slot, outliers, slowStartMs, peers: this });
    const [thread, owner, service, files] = [this.#thread, this, this.service, this.#files];
    return new EndpointPool({ thread, owner, service, index, address, weight, files, health });
  }

  /**
   * The addresses that the name of an endpoint has now. Connections to others end with their exchange; those to addresses that
   * it still has stay.
   */
  resolved(index: number, addresses: readonly ResolvedAddress[]): void {
    const weight = this.service.endpoints[index]!.weight / addresses.length;
    const before = this.#pools.filter((pool) => pool.index === index);
    const now = addresses.map(({ address, slot }) => {
      const known = before.find((pool) => pool.address === address);
      if (known === undefined) return this.#pool(index, address, slot, weight);
      known.weight = weight;
      return known;
    });
    this.#pools = [...this.#pools.filter((pool) => pool.index !== index), ...now];
    if (this.#closed) for (const pool of now) pool.retire();
    for (const pool of before) if (!now.includes(pool)) pool.lost();
    this.connectionFree();
  }

  /** Requests that wait for a connection. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Of this thread, to the address that has most. */
  get connectionsMost(): number {
    return this.#pools.reduce((most, { open }) => Math.max(most, open), 0);
  }

  // -- as its endpoints see it ---------------------------------------------------------------------------------

  mayEject(): boolean {
    const out = this.#pools.reduce((count, { health }) => count + (health.isOut ? 1 : 0), 0);
    return (out + 1) / this.#pools.length <= this.service.outliers.outMax;
  }

  errorShareBeside(asking: EndpointHealth): number | null {
    let [requests, errors] = [0, 0];
    for (const { health } of this.#pools) {
      if (health === asking) continue;
      requests += health.requests;
      errors += health.errors;
    }
    return requests < this.service.outliers.requestsMin ? null : errors / requests;
  }

  othersServe(asking: EndpointHealth, nowMs: number): boolean {
    return this.#pools.some(({ health }) => health !== asking && health.isAvailable(nowMs));
  }

  /** Of endpoints that are judged beside one another the least bad one is tried rather than none. */
  outForMs(): number {
    if (this.service.outliers.judged !== 'alone' || this.#pools.some(({ health }) => !health.isOut)) return 0;
    const nowMs = this.#thread.deadlines.readNow();
    if (this.#pools.some(({ health }) => health.isAvailable(nowMs))) return 0;
    const soonestMs = this.#pools.reduce(
      (soonest, { health }) => Math.min(soonest, health.outForMs(nowMs)),
      Number.POSITIVE_INFINITY,
    );
    // One that a probe is about to decide of may be back at any moment.
    return Math.max(1, soonestMs);
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    assertRequest(request);
    const call = new Call(this, request, handler);
    this.#budget.request();
    if (this.#closed || this.#pools.length === 0) {
      this.#refuseLater(call, 'upstream_none_available', 'the service has no endpoint any more');
    } else if (this.outForMs() > 0) {
      this.#refuseLater(call, 'upstream_none_available', LEFT_ALONE);
    } else if (this.#queue.size > 0) {
      // An endpoint may be back by time alone: whoever waits longest gets it.
      this.#enqueue(call);
      this.connectionFree();
    } else if (!this.#begin(call)) {
      this.#enqueue(call);
    }
    return call;
  }

  tunnel(request: TunnelRequest, handler: TunnelHandler): UpstreamTunnel {
    const tunnel = new Tunnel(this.#thread, this, request, handler);
    this.#budget.request();
    const pool = this.#choose(null);
    if (pool !== null && !this.#closed) tunnel.connect(pool);
    else this.#thread.later(() => tunnel.refuse('every endpoint has as many connections as it may have'));
    return tunnel;
  }

  /** Of a tunnel of which nothing was sent. */
  next(tunnel: Tunnel): EndpointPool | null {
    if (this.#pools.length < 2 || tunnel.attempts >= this.service.retries.attempts) return null;
    return this.#takesRetry(tunnel.pool!) ? this.#choose(tunnel.pool) : null;
  }

  retire(): void {
    assert(this.uses > 0, 'a service is retired once for each time it was opened');
    this.uses--;
    if (this.uses > 0) return;
    this.#onRetired();
    this.close();
  }

  /** Ends idle connections; exchanges under way and calls that wait are still served. */
  close(): void {
    this.#closed = true;
    for (const pool of this.#pools) pool.retire();
  }

  // -- attempts ------------------------------------------------------------------------------------------------

  /** Starts an attempt; false when every endpoint is full. */
  #begin(call: Call): boolean {
    const pool = this.#choose(null);
    if (pool === null) return false;
    this.#count(call, pool);
    pool.serve(call);
    return true;
  }

  #choose(avoid: EndpointPool | null): EndpointPool | null {
    const { deadlines, random } = this.#thread;
    const pools = this.#pools;
    const index = chooseEndpoint(
      pools,
      avoid === null ? NONE : pools.indexOf(avoid),
      deadlines.nowMs,
      random,
    );
    const chosen = index === NONE ? null : pools[index]!;
    if (chosen === null || this.#mayServe(chosen)) return chosen;
    // Nothing is sent to what is left alone: rather to the one that has just failed, where it is not.
    return avoid?.hasRoom === true && this.#mayServe(avoid) ? avoid : null;
  }

  #mayServe({ health }: EndpointPool): boolean {
    return this.service.outliers.judged !== 'alone' || health.isAvailable(this.#thread.deadlines.nowMs);
  }

  #count(call: Call, pool: EndpointPool): void {
    call.attempts++;
    call.pool = pool;
    pool.outstanding++;
    call.isProbe = pool.health.attemptBegins(this.#thread.deadlines.nowMs);
  }

  attemptEnded(call: Call, outcome: AttemptOutcome): void {
    const pool = call.pool!;
    pool.outstanding--;
    pool.health.attemptEnds(outcome, call.isProbe, this.#thread.deadlines.nowMs);
    call.isProbe = false;
  }

  probeAnswered(call: Call, outcome: AttemptOutcome): void {
    call.pool!.health.attemptEnds(outcome, true, this.#thread.deadlines.nowMs);
    call.isProbe = false;
  }

  attemptFailed(call: Call, failure: AttemptFailure): void {
    this.attemptEnded(call, outcomeOf(failure));
    call.pool!.health.count('failedAttempts');
    const { attempts, bodyAtHand } = call;
    const { repeatable } = call.request;
    const attemptsMax = this.service.retries.attempts;
    if (
      mayRepeat(failure, { repeatable, attempts, attemptsMax, bodyAtHand, endpoints: this.#pools.length }) &&
      this.outForMs() === 0 &&
      this.#takesRetry(call.pool!)
    ) {
      this.#repeat(call, failure);
    } else {
      call.fail(codeOf(failure), failure.detail);
    }
  }

  /** Whether a retry is in the budget, after an attempt at `pool` that may be repeated. */
  #takesRetry({ health }: EndpointPool): boolean {
    const isTaken = this.#budget.take(this.#thread.deadlines.nowMs);
    health.count(isTaken ? 'retries' : 'retriesRefused');
    return isTaken;
  }

  #repeat(call: Call, failure: AttemptFailure): void {
    const pool = this.#choose(call.pool);
    if (pool === null) {
      this.#enqueue(call);
      return;
    }
    this.#count(call, pool);
    if (failure.reused) pool.serveFresh(call);
    else pool.serve(call);
  }

  headLater(call: Call): void {
    this.#thread.headLater(call);
  }

  // -- waiting -------------------------------------------------------------------------------------------------

  #enqueue(call: Call): void {
    if (this.#queue.add(call)) return;
    this.#thread.refused++;
    const { upstreamWaiting } = this.#thread.limits;
    this.#refuseLater(call, 'upstream_queue_full', `${upstreamWaiting} requests wait for a connection`);
  }

  #refuseLater(call: Call, code: UpstreamErrorCode, detail: string): void {
    this.#thread.later(() => call.fail(code, detail));
  }

  withdrawn(call: Call): void {
    this.#queue.remove(call);
  }

  connectionFree(): void {
    if (this.#queue.size > 0 && this.outForMs() > 0) this.#refuseWaiting();
    for (let call = this.#queue.first(); call !== undefined; call = this.#queue.first()) {
      const pool = this.#choose(call.pool);
      if (pool === null) return;
      this.#queue.remove(call);
      this.#count(call, pool);
      pool.serve(call);
    }
  }

  #refuseWaiting(): void {
    for (let call = this.#queue.first(); call !== undefined; call = this.#queue.first()) {
      this.#queue.remove(call);
      this.#refuseLater(call, 'upstream_none_available', LEFT_ALONE);
    }
  }
}

function outcomeOf(failure: AttemptFailure): AttemptOutcome {
  const isStale = failure.reused && !failure.answered;
  return isStale && failure.kind !== 'malformed' ? 'unknown' : OUTCOMES[failure.kind];
}

const LEFT_ALONE = 'every endpoint of the service is left alone for a while';

/** What a failure says about the endpoint. Large heads may be the request's own. */
const OUTCOMES: Readonly<Record<FailureKind, AttemptOutcome>> = {
  'connect-failed': 'connect-failed',
  'connect-timeout': 'connect-failed',
  'tls-failed': 'connect-failed',
  closed: 'broken',
  'write-failed': 'broken',
  'first-byte-timeout': 'timed-out',
  'idle-timeout': 'timed-out',
  malformed: 'broken',
  'too-large': 'unknown',
};

function codeOf(failure: AttemptFailure): UpstreamErrorCode {
  if (failure.answered && (failure.kind === 'closed' || failure.kind === 'write-failed')) {
    return 'upstream_closed_in_answer';
  }
  return CODES[failure.kind];
}

const CODES: Readonly<Record<FailureKind, UpstreamErrorCode>> = {
  'connect-failed': 'upstream_connect_failed',
  'connect-timeout': 'upstream_connect_timeout',
  'tls-failed': 'upstream_tls_failed',
  closed: 'upstream_closed_before_answer',
  'write-failed': 'upstream_write_failed',
  'first-byte-timeout': 'upstream_first_byte_timeout',
  'idle-timeout': 'upstream_idle_timeout',
  malformed: 'upstream_malformed_answer',
  'too-large': 'upstream_header_too_large',
};
