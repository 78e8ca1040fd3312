/** What all exchanges of one data thread share: ports, settings, and the objects that are filled anew for each request. */
import type { LimitValues } from '../base/limits.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { ServerSettings } from '../model/world.ts';
import { type Answer, KNOWN, NOTHING_KNOWN_USED } from '../pipeline/alerts.ts';
import { HeaderEdits } from '../pipeline/context.ts';
import type { SignatureVerifier } from '../pipeline/identity.ts';
import type { RecordSink } from '../pipeline/record.ts';
import { emptyRecord } from '../pipeline/record.ts';
import type { ThreadLoad } from '../pipeline/thread-gauges.ts';
import { AlertMatches, type SendMatches } from './alert-matches.ts';
import { AnswerCache } from './answer-cache.ts';
import { BufferedBytes } from './body-buffer.ts';
import type { CertificateIdentities } from './certificate-identities.ts';
import { Decoders } from './decoded-body.ts';
import { FrontFacts } from './front-checks.ts';
import { GrantWaiters } from './grant-waiters.ts';
import { Identifiers } from './identifiers.ts';
import type { IdentityCache } from './identity-cache.ts';
import { LimitQueue } from './limit-queue.ts';
import { Overload } from './overload.ts';
import { PromptCounts, type PromptToCount } from './prompt-counts.ts';
import { RequestFieldLines } from './request-fields.ts';
import type { Slashes } from './target.ts';
import { type NamedCrossing, ThresholdCrossings } from './threshold-crossings.ts';
import type { TokenIdentities } from './token-identities.ts';
import type { VersionStore } from './version-store.ts';

/** A request as its thread sees it: one of a list, that is looked at now and then. */
export interface RequestInFlight {
  next: RequestInFlight | null;
  previous: RequestInFlight | null;
  checkDeadlines(nowMs: number): void;
  /** The thread is to end: ends what would never end by itself. */
  goAway(): void;
  /** A service may have got of it, and not ended its answer. */
  readonly isWorkedOn: boolean;
  /** The time of the thread is over: ends it, with a word of why where its client can be told. */
  breakOff(): void;
  /** It has waited, and goes on. Whether it was let through. */
  wake(): boolean;
}

export interface ExchangeThreadParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LimitValues;
  readonly server: Pick<
    ServerSettings,
    'refuseChunkedRequests' | 'forwardedFields' | 'mergeSlashes' | 'tellCosts' | 'certificates' | 'traces'
  >;
  readonly versions: VersionStore;
  readonly identities: IdentityCache;
  readonly tokens: TokenIdentities;
  readonly certificates: CertificateIdentities;
  readonly signatures: SignatureVerifier;
  readonly records: RecordSink;
  readonly tellCrossings: (crossings: readonly NamedCrossing[], lost: number) => void;
  readonly tellAlerts: SendMatches;
  readonly askCount: (prompt: PromptToCount) => void;
  /** Calls back in a later turn of the thread. */
  readonly later: (delayMs: number, run: () => void) => void;
  /** By how much the events of the thread were late since it was asked last. */
  readonly eventLoopDelayMs: () => number;
}

/** Of the thread's load, what its exchanges make. */
export type ExchangeLoad = Omit<
  ThreadLoad,
  | 'connections'
  | 'connectionsPerThreadRefused'
  | 'connectionsPerAddressRefused'
  | 'connectionWaiters'
  | 'connectionWaitersMost'
  | 'upstreamConnectionsMost'
  | 'upstreamWaitingRefused'
>;

export class ExchangeThread {
  readonly clock: Clock;
  readonly limits: LimitValues;
  readonly chunkedRequests: 'accept' | 'refuse';
  readonly forwardedFields: ServerSettings['forwardedFields'];
  readonly scheme: 'http' | 'https';
  readonly slashes: Slashes;
  readonly tellsCosts: boolean;
  /** Share of the traces begun here that are recorded; null where none is. */
  readonly tracedShare: number | null;
  readonly versions: VersionStore;
  readonly identities: IdentityCache;
  readonly tokens: TokenIdentities;
  readonly certificates: CertificateIdentities;
  readonly signatures: SignatureVerifier;
  readonly records: RecordSink;
  readonly identifiers: Identifiers;
  readonly grants = new GrantWaiters();
  readonly turns: LimitQueue;
  readonly counts: PromptCounts;
  readonly crossings: ThresholdCrossings;
  readonly alerts: AlertMatches;
  readonly buffered: BufferedBytes;
  readonly decoders: Decoders;
  readonly answers: AnswerCache;
  readonly overload: Overload;

  // Valid only within one turn; an exchange that waits fills them again when it goes on.
  readonly facts = new FrontFacts();
  readonly requestFieldLines = new RequestFieldLines();
  readonly requestEdits = new HeaderEdits();
  readonly responseEdits = new HeaderEdits();
  readonly record = emptyRecord();
  readonly answer: Answer = {
    ...{ status: 0, durationMs: 0, code: undefined, known: KNOWN.request },
    ...NOTHING_KNOWN_USED,
  };

  inFlight = 0;
  readonly #eventLoopDelayMs: () => number;
  #first: RequestInFlight | null = null;
  #onIdle: (() => void) | null = null;

  constructor(parts: ExchangeThreadParts) {
    this.clock = parts.clock;
    this.limits = parts.limits;
    this.chunkedRequests = parts.server.refuseChunkedRequests ? 'refuse' : 'accept';
    this.forwardedFields = parts.server.forwardedFields;
    this.scheme = parts.server.certificates === null ? 'http' : 'https';
    this.slashes = parts.server.mergeSlashes ? 'merge' : 'keep';
    this.tellsCosts = parts.server.tellCosts;
    this.tracedShare = parts.server.traces === null ? null : parts.server.traces.share;
    this.versions = parts.versions;
    this.identities = parts.identities;
    this.tokens = parts.tokens;
    this.certificates = parts.certificates;
    this.signatures = parts.signatures;
    this.records = parts.records;
    this.turns = new LimitQueue({
      waitingMax: parts.limits.limitWaitersPerThread,
      nowMs: () => parts.clock.monotonicMs(),
      later: parts.later,
    });
    this.counts = new PromptCounts({
      waitingMax: parts.limits.promptCountsPerThread,
      withinMs: parts.limits.promptCountMs,
      send: parts.askCount,
      later: parts.later,
    });
    this.identifiers = new Identifiers(parts.random);
    this.crossings = new ThresholdCrossings(parts.tellCrossings);
    this.alerts = new AlertMatches(parts.limits.alertMatchesPerThread, parts.tellAlerts);
    this.buffered = new BufferedBytes(parts.limits.bodiesBufferedPerThreadBytes);
    this.answers = new AnswerCache(parts.limits);
    this.overload = new Overload(parts.limits);
    this.#eventLoopDelayMs = parts.eventLoopDelayMs;
    this.decoders = new Decoders(parts.limits.bodyDecodersPerThread);
  }

  load(): ExchangeLoad {
    const { answers, buffered, counts, decoders, tokens, turns, overload } = this;
    return {
      activeRequests: this.inFlight,
      bufferedBodyBytes: buffered.used,
      leaseWaiters: this.grants.count,
      limitWaiters: turns.size,
      // Each of them is bounded by itself.
      identitiesKnown: Math.max(this.identities.size, tokens.size, this.certificates.size),
      tokensVerifying: tokens.verifying,
      decodersOpen: decoders.open,
      overloadLevel: overload.level,
      exchangesPerThreadRefused: overload.refused.exchangesPerThread,
      normalExchangesPerThreadRefused: overload.refused.normalExchangesPerThread,
      lowExchangesPerThreadRefused: overload.refused.lowExchangesPerThread,
      eventLoopDelayMsRefused: overload.refused.eventLoopDelayMs,
      bodiesBufferedPerThreadBytesRefused: buffered.refused,
      bodyDecodersPerThreadRefused: decoders.refused,
      tokensVerifyingRefused: tokens.refused,
      limitWaitersPerThreadRefused: turns.refused,
      cachedAnswers: answers.size,
      cachedBytes: answers.bytes,
      cachedAnswersEvicted: answers.evicted,
      promptsCounting: counts.waiting,
      promptsCounted: counts.made,
      promptCountsPerThreadRefused: counts.refused.waiting,
      promptCountMsRefused: counts.refused.late,
    };
  }

  enter(exchange: RequestInFlight): void {
    this.inFlight++;
    exchange.next = this.#first;
    if (this.#first !== null) this.#first.previous = exchange;
    this.#first = exchange;
  }

  leave(exchange: RequestInFlight): void {
    this.inFlight--;
    if (exchange.previous === null) this.#first = exchange.next;
    else exchange.previous.next = exchange.next;
    if (exchange.next !== null) exchange.next.previous = exchange.previous;
    exchange.next = exchange.previous = null;
    if (this.inFlight === 0 && this.#onIdle !== null) this.#onIdle();
  }

  /** Deadlines of all requests in flight: one timer per thread instead of one per request. */
  sweep(): void {
    const nowMs = this.clock.monotonicMs();
    this.alerts.tell(nowMs);
    this.versions.refresh();
    this.overload.observe(this.#eventLoopDelayMs());
    for (let exchange = this.#first; exchange !== null; ) {
      const { next } = exchange;
      exchange.checkDeadlines(nowMs);
      exchange = next;
    }
  }

  /** The thread is to end: ends what would never end by itself. */
  goAway(): void {
    // kept connections may bring requests until their next answer ends them
    this.turns.close();
    this.#each((exchange) => exchange.goAway());
  }

  /** The time of the thread is over: ends all, and whoever comes now. */
  breakOff(): void {
    this.overload.close();
    // what the others give back would let those begin that wait for it
    this.#each((exchange) => {
      if (!exchange.isWorkedOn) exchange.breakOff();
    });
    this.#each((exchange) => exchange.breakOff());
  }

  #each(run: (exchange: RequestInFlight) => void): void {
    for (let exchange = this.#first; exchange !== null; ) {
      const { next } = exchange;
      run(exchange);
      exchange = next;
    }
  }

  /** Calls back once, when nothing is in flight any more; at once when nothing is. */
  whenIdle(onIdle: () => void): void {
    if (this.inFlight === 0) onIdle();
    else this.#onIdle = onIdle;
  }
}
