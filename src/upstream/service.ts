import { assert } from '../base/assert.ts';
import type { Service } from '../model/world.ts';
import type {
  UpstreamCall,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
} from '../pipeline/upstream.ts';
import { chooseEndpoint, NONE } from './balancer.ts';
import { Call, type CallOwner } from './call.ts';
import type { AttemptOutcome } from './health.ts';
import { EndpointPool, type PoolOwner } from './pool.ts';
import { assertRequest, type EndpointHead } from './request-head.ts';
import { type AttemptFailure, type FailureKind, mayRepeat, RetryBudget } from './retry.ts';
import type { UpstreamThread } from './thread.ts';
import { WaitQueue } from './wait-queue.ts';

/** One service on one thread: chooses an endpoint for each attempt, queues what finds no room, and decides on repeats. */
export class ServiceClient implements UpstreamService, CallOwner, PoolOwner {
  /** Configurations that use it; see `client.ts`. */
  uses = 0;

  readonly #thread: UpstreamThread;
  readonly #onRetired: () => void;
  readonly #pools: readonly EndpointPool[];
  readonly #queue: WaitQueue;
  readonly #budget: RetryBudget;
  #closed = false;

  constructor(thread: UpstreamThread, service: Service, certificates: string | null, onRetired: () => void) {
    this.#thread = thread;
    this.#onRetired = onRetired;
    this.#pools = service.endpoints.map(
      (_, index) => new EndpointPool(thread, this, service, index, certificates),
    );
    this.#budget = new RetryBudget(thread.deadlines.nowMs);
    const { upstreamWaiting, upstreamWaitMs } = thread.limits;
    this.#queue = new WaitQueue(thread.deadlines, upstreamWaiting, upstreamWaitMs, (call) =>
      call.fail('upstream_queue_timeout', `no connection became free within ${upstreamWaitMs} ms`),
    );
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    assertRequest(request);
    const call = new Call(this, request, handler);
    this.#budget.request();
    if (this.#closed || this.#pools.length === 0) {
      this.#refuseLater(call, 'upstream_none_available', 'the service has no endpoint any more');
    } else if (this.#queue.size > 0) {
      // An endpoint may be back by time alone: whoever waits longest gets it.
      this.#enqueue(call);
      this.connectionFree();
    } else if (!this.#begin(call, NONE)) {
      this.#enqueue(call);
    }
    return call;
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
  #begin(call: Call, avoid: number): boolean {
    const pool = this.#choose(avoid);
    if (pool === null) return false;
    this.#count(call, pool);
    pool.serve(call);
    return true;
  }

  #choose(avoid: number): EndpointPool | null {
    const { deadlines, random } = this.#thread;
    const index = chooseEndpoint(this.#pools, avoid, deadlines.nowMs, random);
    return index === NONE ? null : this.#pools[index]!;
  }

  #count(call: Call, pool: EndpointPool): void {
    call.attempts++;
    call.endpoint = pool.index;
    pool.outstanding++;
    pool.health.attemptBegins(this.#thread.deadlines.nowMs);
  }

  attemptEnded(call: Call, outcome: AttemptOutcome): void {
    const pool = this.#pools[call.endpoint]!;
    pool.outstanding--;
    pool.health.attemptEnds(outcome, this.#thread.deadlines.nowMs);
  }

  attemptFailed(call: Call, failure: AttemptFailure): void {
    this.attemptEnded(call, outcomeOf(failure));
    const { attempts, bodyAtHand } = call;
    const { repeatable } = call.request;
    const nowMs = this.#thread.deadlines.nowMs;
    if (
      mayRepeat(failure, { repeatable, attempts, bodyAtHand, endpoints: this.#pools.length }) &&
      this.#budget.take(nowMs)
    ) {
      this.#repeat(call, failure);
    } else {
      call.fail(codeOf(failure), failure.detail);
    }
  }

  #repeat(call: Call, failure: AttemptFailure): void {
    const pool = this.#choose(call.endpoint);
    if (pool === null) {
      this.#enqueue(call);
      return;
    }
    this.#count(call, pool);
    if (failure.reused) pool.serveFresh(call);
    else pool.serve(call);
  }

  headOf(endpoint: number): EndpointHead {
    return this.#pools[endpoint]!.head;
  }

  headLater(call: Call): void {
    this.#thread.headLater(call);
  }

  // -- waiting -------------------------------------------------------------------------------------------------

  #enqueue(call: Call): void {
    if (this.#queue.add(call)) return;
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
    for (let call = this.#queue.first(); call !== undefined; call = this.#queue.first()) {
      const pool = this.#choose(call.endpoint);
      if (pool === null) return;
      this.#queue.remove(call);
      this.#count(call, pool);
      pool.serve(call);
    }
  }
}

function outcomeOf(failure: AttemptFailure): AttemptOutcome {
  const isStale = failure.reused && !failure.answered;
  return isStale && failure.kind !== 'malformed' ? 'unknown' : OUTCOMES[failure.kind];
}

/** What a failure says about the endpoint. Slowness and large heads may be the request's own. */
const OUTCOMES: Readonly<Record<FailureKind, AttemptOutcome>> = {
  'connect-failed': 'connect-failed',
  'connect-timeout': 'connect-failed',
  'tls-failed': 'connect-failed',
  closed: 'broken',
  'write-failed': 'broken',
  'first-byte-timeout': 'unknown',
  'idle-timeout': 'unknown',
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
