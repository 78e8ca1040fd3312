/**
 * One call to a model: a key with room is chosen or waited for, the call is sent with it, and what the answer says
 * of the key and its limits is learned. What a provider refuses is tried with another key before the caller hears of it; nothing is
 * sent again once a byte of an answer has been passed on, or where a provider may have worked on it.
 */
import type { Operation } from '../ai/operations.ts';
import { assert } from '../base/assert.ts';
import { isMedia } from '../model/media-type.ts';
import type { TokenUsage } from '../model/model-call.ts';
import type { CallError } from '../model/pools.ts';
import type { MeterReport } from '../model/provider-limits.ts';
import type { Refusal } from '../pipeline/outcome.ts';
import type { TargetHold, TargetLimits } from '../pipeline/target-limits.ts';
import type {
  ResponseHead,
  UpstreamCall,
  UpstreamError,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
} from '../pipeline/upstream.ts';
import { AnswerUsage } from './answer-usage.ts';
import { outgoingBody } from './call-body.ts';
import { costNano } from './call-cost.ts';
import { errorEvent } from './call-end.ts';
import { CallGuard } from './call-guard.ts';
import { type CallPlan, timesPaid } from './call-plan.ts';
import type { Candidate, Chosen, KeyGuard, NoRoom } from './choice.ts';
import type { LaneTicket } from './lane-ticket.ts';
import type { CallOutcome } from './lanes.ts';
import { LOOK_SOON_MS } from './meters.ts';
import type { ModelThread, Target } from './model-services.ts';
import type { Waiter } from './pool-queue.ts';
import type { PreparedKey } from './pool-registry.ts';
import { callerFields, refusedCall, reportsOf, usedUpForMs } from './provider-answer.ts';
import { providerRequest } from './provider-request.ts';

/** A key in use. */
interface Attempt {
  readonly target: Target;
  readonly key: number;
  /** As it was when the call was sent: the key may have another secret by now. */
  readonly sent: PreparedKey;
  readonly ticket: LaneTicket;
  /** Of what rules count by key or target; null: they count nothing. */
  readonly hold: TargetHold | null;
  readonly call: UpstreamCall;
  /** `proof`: the one call that shows whether a suspect key is known. */
  readonly as: 'usual' | 'proof';
}

export class ModelCall implements UpstreamCall, UpstreamHandler {
  readonly #thread: ModelThread;
  readonly #operation: Operation;
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #tenant: number;
  readonly #plan: CallPlan;
  readonly #targets: readonly Target[];
  /** Null: rules count nothing by key or target. */
  readonly #guard: CallGuard | null;
  /** The account that keeps the answer which the call builds upon; null: any may serve it. */
  readonly #home: number | null;
  /** When it first found no room. */
  #waitsSinceMs: number | null = null;
  #attempt: Attempt | null = null;
  #attempts = 0;
  /** Attempts of which a byte may have left. */
  #sent = 0;
  /** Pools that are not tried any more: their providers have too much to do. */
  readonly #passedOver = new Set<Target>();
  /** Keys that were refused: this call is not what proves that they are well again. */
  readonly #refusedKeys: number[] = [];
  #waits: { readonly target: Target; readonly waiter: Waiter } | null = null;
  /** Of an answer that is passed on. */
  #usage: AnswerUsage | null = null;
  #isEventStream = false;
  #head: ResponseHead | null = null;
  /** Body of an answer that refuses the call. */
  #refusal: Uint8Array[] | null = null;
  #refusalBytes = 0;
  #over = false;

  /** `targets`: those of the plan that rules leave it, in order. `limits`: of rules, by key or target; null: there are none. */
  constructor(
    thread: ModelThread,
    plan: CallPlan,
    targets: readonly Target[],
    request: UpstreamRequest,
    handler: UpstreamHandler,
    limits: TargetLimits | null,
  ) {
    this.#thread = thread;
    this.#plan = plan;
    this.#targets = targets;
    this.#operation = plan.operation;
    this.#request = request;
    this.#handler = handler;
    this.#guard = limits === null ? null : new CallGuard(limits);
    this.#tenant = thread.tenants.placeOf(request.tenant);
    this.#home = this.#homeOf(plan);
    if (targets.length === 0) this.#failLater('no_pool_for_model');
    else this.#choose();
  }

  // -- as the exchange sees it -----------------------------------------------------------------------------------

  get unsent(): boolean {
    return this.#sent === 0 && (this.#attempt === null || this.#attempt.call.unsent);
  }

  /** The body came with the plan. */
  write(): never {
    throw new Error('nothing is written to a call to a model');
  }

  end(): void {}

  abort(): void {
    this.#over = true;
    if (this.#waits !== null) this.#waits.target.queue.withdraw(this.#waits.waiter);
    this.#waits = null;
    const attempt = this.#attempt;
    if (attempt === null) return;
    const { unsent } = attempt.call;
    attempt.call.abort();
    this.#endAttempt(unsent ? 'unsent' : this.#used(), NO_REPORTS);
  }

  pause(): void {
    this.#attempt?.call.pause();
  }

  resume(): void {
    this.#attempt?.call.resume();
  }

  // -- a key -----------------------------------------------------------------------------------------------------

  #choose(): void {
    const plan = this.#plan;
    const nowMs = this.#thread.clock.monotonicMs();
    let soonest: { target: Target; atMs: number } | null = null;
    let usable = false;
    for (const target of this.#targets) {
      if (!this.#mayTry(target)) continue;
      const candidates = this.#candidatesOf(target);
      if (!this.#isUsable(candidates, nowMs)) continue;
      usable = true;
      const outcome = target.queue.tryNow(this.#waiterOf(target, plan, nowMs), nowMs);
      if ('ticket' in outcome) {
        this.#begin(target, outcome);
        return;
      }
      // A key that is being proven may serve at any moment.
      const isProving = candidates.some(({ key }) => this.#thread.health.isProving(key));
      const atMs = isProving ? Math.min(outcome.atMs, nowMs + LOOK_SOON_MS) : outcome.atMs;
      if (soonest === null || atMs < soonest.atMs) soonest = { target, atMs };
    }
    const isLarger = soonest === null || soonest.atMs === Number.POSITIVE_INFINITY;
    if (!isLarger && this.#wait(soonest!.target, plan, soonest!.atMs, nowMs)) return;
    const backMs = this.#backMs(nowMs);
    if (backMs !== null && (isLarger || backMs < soonest!.atMs)) this.#unavailable(backMs);
    else if (!usable) this.#failLater('no_key_available');
    else if (isLarger) this.#failLater('request_exceeds_keys');
    else this.#exhausted(soonest!.atMs);
  }

  #isUsable(candidates: readonly Candidate[], nowMs: number): boolean {
    const { health } = this.#thread;
    return candidates.some(({ key }) => health.serves(key, nowMs) || health.isProving(key));
  }

  /** Whether a provider may be called for it: what is left alone is not, and the next pool serves. */
  #mayTry(target: Target): boolean {
    return !this.#passedOver.has(target) && target.service.outForMs() === 0;
  }

  /** When the first of the providers that are left alone is tried again; null: none is. */
  #backMs(nowMs: number): number | null {
    let backMs: number | null = null;
    for (const target of this.#targets) {
      const outForMs = target.service.outForMs();
      if (outForMs > 0 && !this.#passedOver.has(target))
        backMs = Math.min(backMs ?? Number.POSITIVE_INFINITY, nowMs + outForMs);
    }
    return backMs;
  }

  #waiterOf(target: Target, plan: CallPlan, nowMs: number): Waiter {
    this.#waitsSinceMs ??= nowMs;
    return {
      candidates: this.#candidatesOf(target),
      amounts: plan.amounts,
      guard: this.#guardOf(target),
      strategy: target.pool.choose,
      sticky: target.pool.sticky === null ? null : plan.conversation,
      tenant: this.#tenant,
      weight: this.#request.share,
      priority: RANKS[this.#request.priority],
      deadlineMs: this.#waitsSinceMs + target.pool.queue.upToMs,
      resume: (outcome) => this.#resumed(target, outcome),
    };
  }

  #guardOf(target: Target): KeyGuard | null {
    return this.#guard === null ? null : this.#guard.of(target);
  }

  #candidatesOf({ candidates, accounts }: Target): readonly Candidate[] {
    if (this.#refusedKeys.length === 0 && this.#home === null) return candidates;
    return candidates.filter(
      ({ key }) =>
        !this.#refusedKeys.includes(key) && (this.#home === null || accounts.get(key) === this.#home),
    );
  }

  /** An account that has no key any more that is well keeps nobody from another: its provider says what it does not know. */
  #homeOf({ previous }: CallPlan): number | null {
    const { homes, health, clock } = this.#thread;
    const home = previous === null ? null : homes.accountOf(previous);
    if (home === null) return null;
    const nowMs = clock.monotonicMs();
    const isThere = this.#targets.some(({ accounts }) =>
      [...accounts].some(
        ([key, account]) => account === home && (health.serves(key, nowMs) || health.isProving(key)),
      ),
    );
    return isThere ? home : null;
  }

  #wait(target: Target, plan: CallPlan, atMs: number, nowMs: number): boolean {
    const waiter = this.#waiterOf(target, plan, nowMs);
    if (atMs > waiter.deadlineMs) return false;
    this.#waits = { target, waiter };
    if (target.queue.enqueue(waiter, nowMs)) return true;
    this.#waits = null;
    return false;
  }

  #resumed(target: Target, outcome: Chosen | NoRoom): void {
    this.#waits = null;
    if ('ticket' in outcome) {
      this.#begin(target, outcome);
      return;
    }
    const nowMs = this.#thread.clock.monotonicMs();
    for (const other of this.#targets) {
      if (other === target || !this.#mayTry(other)) continue;
      const found = other.queue.tryNow(this.#waiterOf(other, this.#plan, nowMs), nowMs);
      if (!('ticket' in found)) continue;
      this.#begin(other, found);
      return;
    }
    const backMs = this.#backMs(nowMs);
    if (backMs !== null && backMs < outcome.atMs) this.#unavailable(backMs);
    else this.#exhausted(outcome.atMs);
  }

  #begin(target: Target, { key, ticket }: Chosen): void {
    const { health, lanes, clock } = this.#thread;
    const plan = this.#plan;
    const nowMs = clock.monotonicMs();
    const sent = this.#mayTry(target) ? target.keys.get(key) : undefined;
    const as = sent === undefined ? null : health.begins(key, nowMs);
    const hold = this.#guard === null ? null : this.#guard.held();
    if (sent === undefined || as === null) {
      // Its provider is left alone by now, another call proves the key, or somebody has switched it off: it serves no more, and is not chosen again.
      lanes.release(ticket, nowMs);
      hold?.cancel();
      this.#choose();
      return;
    }
    this.#attempts++;
    if (hold !== null) this.#guard!.watch(hold, target, key, nowMs);
    this.#noteAttempt(target, key);
    const body = outgoingBody(plan.document!, this.#operation, {
      model: plan.model.upstreamName === plan.facts.model ? null : plan.model.upstreamName,
      outputCap: plan.isCapped || plan.relyOnCap ? plan.outputCap : null,
      capMember: capMember(this.#operation, target.provider),
      asksForUsage: this.#asksForUsage(target),
    });
    const request = providerRequest(this.#request, this.#operation, target.provider, sent, body.length);
    const call = target.service.dispatch(request, this);
    this.#attempt = { target, key, sent, ticket, hold, call, as };
    call.write(body);
    call.end();
  }

  #noteAttempt({ pool, keys }: Target, key: number): void {
    const { use } = this.#plan;
    use.pool = pool.name;
    use.key = keys.get(key)!.name;
    use.charged = 'reserve';
  }

  #asksForUsage({ provider }: Target): boolean {
    const { facts } = this.#plan;
    return (
      provider.streamUsage === 'asked' &&
      asksByOption(this.#operation) &&
      facts.streams &&
      !facts.asksForUsage
    );
  }

  // -- its answer ------------------------------------------------------------------------------------------------

  onHead(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    const { target, ticket, key, as } = this.#attempt!;
    const { lanes, health, clock } = this.#thread;
    this.#head = head;
    if (head.status >= 400) {
      this.#refusal = [];
      this.#refused(chunk, last || !head.hasBody);
      return;
    }
    if (as === 'proof') health.happened(key, 'answered');
    const nowMs = clock.monotonicMs();
    if (!last) lanes.report(ticket, reportsOf(target.provider, head.fields, clock.wallMs()), nowMs);
    this.#isEventStream = isEventStream(head.fields);
    this.#usage = new AnswerUsage({
      operation: this.#operation,
      usageFields: target.provider.usage,
      isEventStream: this.#isEventStream,
      isMedia: isMedia(head.fields),
      hidesUsage: this.#asksForUsage(target),
      bytesMax: this.#thread.limits.streamEventBytes,
    });
    const passed = this.#usage.pass(chunk, last);
    const fields = callerFields(head.fields, target.provider);
    const bodyBytes = this.#isEventStream ? -1 : head.bodyBytes;
    if (last) this.#endAttempt(this.#used(), reportsOf(target.provider, head.fields, clock.wallMs()));
    this.#handler.onHead(asPassed(head, fields, bodyBytes, this.#attempts), passed, last);
  }

  onData(chunk: Uint8Array, last: boolean): void {
    if (this.#refusal !== null) {
      this.#refused(chunk, last);
      return;
    }
    const passed = this.#usage!.pass(chunk, last);
    if (last) this.#endAttempt(this.#used(), NO_REPORTS);
    if (passed.length > 0 || last) this.#handler.onData(passed, last);
  }

  /** The whole body is held until it is plain what it means, and longer ones are cut: none says more in its end. */
  #refused(chunk: Uint8Array, last: boolean): void {
    const room = this.#thread.limits.providerErrorBytes - this.#refusalBytes;
    if (room > 0) this.#refusal!.push(new Uint8Array(chunk.subarray(0, room)));
    this.#refusalBytes += chunk.length;
    if (last) this.#learn(Buffer.concat(this.#refusal!));
    else if (this.#refusalBytes >= this.#thread.limits.providerErrorBytes) {
      this.#attempt!.call.abort();
      this.#learn(Buffer.concat(this.#refusal!));
    }
  }

  #learn(body: Uint8Array): void {
    const { target, sent, ticket } = this.#attempt!;
    const { clock } = this.#thread;
    const { status, fields } = this.#head!;
    const wallMs = clock.wallMs();
    const reports = reportsOf(target.provider, fields, wallMs);
    const { means, waitMs } = refusedCall(target.provider, status, fields, body, wallMs);
    this.#judgeKey(means, status);
    // First, so that nobody who waits is the next to be refused.
    if (means === 'throttled') this.#close(ticket, waitMs, reports);
    this.#endAttempt(means === 'throttled' ? 'refused' : 'rejected', reports);
    if (mayHaveWorked(status)) this.#plan.use.charged = 'reserve';
    const mayRetry = this.#attempts < this.#thread.limits.providerAttempts;
    if (means === 'throttled' || means === 'unauthorised' || means === 'out-of-credit') {
      if (mayRetry) this.#again();
      else if (means === 'throttled') this.#exhausted(this.#soonestMs());
      else this.#failLater('no_key_available');
    } else if (isForOthers(means) && !mayHaveWorked(status) && mayRetry && this.#hasOther(target)) {
      this.#passedOver.add(target);
      this.#again();
    } else this.#passRefusal(body, target, sent);
  }

  #judgeKey(means: CallError | null, status: number): void {
    const { key, sent, as } = this.#attempt!;
    const { health } = this.#thread;
    // It went with a secret that the key has no more: the one that it has now may be tried.
    if (sent.secretTurn !== health.secretTurn(key)) return;
    if (means === 'unauthorised' || means === 'out-of-credit') this.#refusedKeys.push(key);
    // Calls that were under way together are one proof; the second one is a call that was sent after the first.
    if (means === 'unauthorised') {
      if (as === 'proof' || health.state(key) === 'active') health.happened(key, 'unauthorised');
    } else if (means === 'out-of-credit') health.happened(key, 'out-of-credit');
    else if (as === 'proof' && status < 500) health.happened(key, 'answered');
  }

  /** The caller's own fault, or nobody's: as the provider says it, but for what it says of the account. */
  #passRefusal(body: Uint8Array, { provider }: Target, { secret }: PreparedKey): void {
    const head = this.#head!;
    if (Buffer.from(body.buffer, body.byteOffset, body.length).includes(secret)) {
      this.#failLater(
        'upstream_malformed_answer',
        'The provider refused the call with words that may not be passed on.',
      );
      return;
    }
    this.#over = true;
    const isCut = this.#refusalBytes > body.length;
    const fields = callerFields(head.fields, provider).filter(
      (_, index, all) => !(isCut && all[index - (index % 2)] === 'content-length'),
    );
    const bodyBytes = head.hasBody ? body.length : head.bodyBytes;
    this.#handler.onHead(asPassed(head, fields, bodyBytes, this.#attempts), body, true);
  }

  #close(ticket: LaneTicket, waitMs: number, reports: readonly MeterReport[]): void {
    const usedUpMs = usedUpForMs(reports);
    const forMs = Number.isNaN(waitMs) ? (Number.isNaN(usedUpMs) ? UNTOLD_WAIT_MS : usedUpMs) : waitMs;
    const nowMs = this.#thread.clock.monotonicMs();
    this.#thread.lanes.close(ticket.lanes.at(-1)!, nowMs + forMs, nowMs);
  }

  #again(): void {
    this.#head = null;
    this.#refusal = null;
    this.#refusalBytes = 0;
    this.#choose();
  }

  #hasOther(target: Target): boolean {
    return this.#targets.some(
      (other) => other !== target && this.#mayTry(other) && this.#candidatesOf(other).length > 0,
    );
  }

  onDrain(): void {}

  onError(error: UpstreamError): void {
    const { target } = this.#attempt!;
    if (this.#refusal !== null) {
      // What it refused is plain, though it broke off while it said why.
      this.#learn(Buffer.concat(this.#refusal));
      return;
    }
    const mayRetry = error.unprocessed && this.#attempts < this.#thread.limits.providerAttempts;
    this.#endAttempt(error.unprocessed ? 'unsent' : this.#used(), NO_REPORTS);
    if (this.#usage !== null) this.#breakOff(error);
    else if (mayRetry && this.#hasOther(target)) {
      this.#passedOver.add(target);
      this.#again();
    } else {
      this.#over = true;
      const backMs =
        error.code === 'upstream_none_available' ? target.service.outForMs() : Number.POSITIVE_INFINITY;
      this.#handler.onError({ ...error, attempts: this.#attempts, ...retryAfter(backMs) });
    }
  }

  #breakOff(error: UpstreamError): void {
    this.#over = true;
    this.#plan.use.isWhole = false;
    if (!this.#isEventStream) {
      this.#handler.onError({ ...error, attempts: this.#attempts });
      return;
    }
    this.#handler.onData(errorEvent(this.#operation, error.code, BROKEN_OFF), true);
  }

  // -- the end ---------------------------------------------------------------------------------------------------

  /** Once for each attempt. */
  #endAttempt(outcome: CallOutcome | 'unsent', reports: readonly MeterReport[]): void {
    const attempt = this.#attempt!;
    this.#attempt = null;
    const { lanes, health, clock } = this.#thread;
    const nowMs = clock.monotonicMs();
    health.ended(attempt.key, attempt.as);
    this.#noteUse(outcome);
    if (outcome === 'unsent') {
      lanes.release(attempt.ticket, nowMs);
      attempt.hold?.cancel();
      return;
    }
    this.#sent++;
    attempt.hold?.end(this.#plan.use);
    const answerId = this.#usage?.answerId ?? null;
    const account = attempt.target.accounts.get(attempt.key);
    if (answerId !== null && account !== undefined) this.#thread.homes.remember(answerId, account);
    const { tokensCounted } = attempt.target.provider;
    const counted = tokensCounted === 'reserved' ? this.#asReserved(outcome) : outcome;
    lanes.settle(attempt.ticket, counted, reports, nowMs);
    attempt.target.queue.turn(nowMs);
  }

  #noteUse(outcome: CallOutcome | 'unsent'): void {
    const { use, model } = this.#plan;
    const usage = this.#usage?.usage ?? null;
    const searchesNano = this.#searchesNano();
    use.isWhole = this.#usage?.isSound === true && this.#head?.untilClose !== true;
    if (outcome === 'unsent' || outcome === 'refused' || outcome === 'rejected') use.charged = 'nothing';
    else if (usage !== null && this.#usage!.isWhole) {
      use.charged = 'told';
      use.usage = usage;
      use.costNano = usage.costNano ?? (model.price === null ? null : this.#costNano(usage));
    } else if (searchesNano !== null) {
      use.charged = 'told';
      use.costNano = searchesNano;
    } else use.charged = 'reserve';
  }

  /** What such a provider has set aside for an answer it keeps, however short the answer was. */
  #asReserved(outcome: CallOutcome): CallOutcome {
    return typeof outcome === 'string'
      ? outcome
      : { ...outcome, outputTokens: this.#plan.amounts.outputTokens };
  }

  /** What the answer told of the call, as far as it came. */
  #used(): CallOutcome {
    const usage = this.#usage?.usage ?? null;
    if (usage === null) return this.#operation.usage === null && this.#head !== null ? NO_TOKENS : 'unknown';
    const { inputTokens, outputTokens } = usage;
    return { inputTokens, outputTokens, costNano: this.#costNano(usage) };
  }

  /** Where the answer tells searches alone, and nothing else of it costs anything; else null. */
  #searchesNano(): number | null {
    const { price } = this.#plan.model;
    const searches = this.#usage?.isWhole === true ? this.#usage.searches : null;
    if (searches === null || price === null || price.inputNano > 0 || price.outputNano > 0) return null;
    return searches * price.requestNano;
  }

  /** As the provider says, or else by the price of the model. */
  #costNano(usage: TokenUsage): number {
    if (usage.costNano !== null) return usage.costNano;
    const { model, facts, operation } = this.#plan;
    return costNano(model.price, usage, timesPaid(facts, operation));
  }

  #soonestMs(): number {
    const nowMs = this.#thread.clock.monotonicMs();
    const { amounts } = this.#plan;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const target of this.#targets)
      for (const { key, lanes } of this.#candidatesOf(target))
        if (this.#thread.health.serves(key, nowMs))
          soonestMs = Math.min(soonestMs, this.#thread.lanes.fitsAtMs(lanes, amounts, nowMs));
    return soonestMs;
  }

  #exhausted(atMs: number): void {
    this.#failLater('keys_exhausted', undefined, atMs);
  }

  /** An outage. */
  #unavailable(atMs: number): void {
    this.#failLater(
      'upstream_none_available',
      'Every provider of the model is left alone for a while, as it fails.',
      atMs,
    );
  }

  /** In a later turn, as the port promises. `againMs`: when it is worth to try again. */
  #failLater(code: UpstreamErrorCode, sentence?: string, againMs = Number.POSITIVE_INFINITY): void {
    const nowMs = this.#thread.clock.monotonicMs();
    const waitMs = againMs - nowMs;
    const refusal = WANT_OF_ROOM.has(code) ? this.#limitRefusal(nowMs) : null;
    assert(this.#attempt === null, 'an attempt is ended before its call is');
    this.#thread.later(0, () => {
      if (this.#over) return;
      this.#over = true;
      this.#handler.onError({
        code,
        detail: sentence ?? '',
        endpoint: 0,
        attempts: this.#attempts,
        unprocessed: this.#sent === 0,
        refusedStatus: 0,
        ...(sentence === undefined ? {} : { sentence }),
        ...(refusal === null ? {} : { refusal }),
        ...retryAfter(waitMs),
      });
    });
  }

  /** In the words of a rule, where that has room for the call later than the limits of the key that is there first (language-rules #11). */
  #limitRefusal(nowMs: number): Refusal | null {
    const { health, lanes } = this.#thread;
    const guard = this.#guard;
    if (guard === null) return null;
    const keys = this.#targets
      .filter((target) => this.#mayTry(target))
      .flatMap((target) => this.#candidatesOf(target).map((candidate) => ({ target, candidate })))
      .filter(({ candidate }) => health.serves(candidate.key, nowMs))
      .map(({ target, candidate: { key, lanes: own } }) => {
        const ownMs = lanes.fitsAtMs(own, this.#plan.amounts, nowMs);
        const ruleMs = guard.of(target).fitsAtMs(key, nowMs);
        return { target, key, ownMs, ruleMs, atMs: Math.max(ownMs, ruleMs) };
      });
    // of those that never have room one whose own limits are large enough
    const [first] = keys.sort((a, b) => compared(a.atMs, b.atMs) || compared(a.ownMs, b.ownMs));
    if (first === undefined || first.ruleMs <= first.ownMs) return null;
    return guard.refusal(first.target, first.key, nowMs);
  }
}

/** Also of moments that never come. */
function compared(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const WANT_OF_ROOM: ReadonlySet<UpstreamErrorCode> = new Set<UpstreamErrorCode>([
  'keys_exhausted',
  'request_exceeds_keys',
]);

/** Nothing where nobody knows. */
function retryAfter(waitMs: number): { readonly retryAfterS?: number } {
  return Number.isFinite(waitMs) ? { retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)) } : {};
}

function asPassed(
  { status, hasBody, untilClose, endpoint }: ResponseHead,
  fields: readonly string[],
  bodyBytes: number,
  attempts: number,
): ResponseHead {
  return { status, fields, bodyBytes, hasBody, untilClose, endpoint, attempts };
}

function isEventStream(fields: readonly string[]): boolean {
  for (let index = 0; index < fields.length; index += 2)
    if (fields[index] === 'content-type') return fields[index + 1]!.startsWith('text/event-stream');
  return false;
}

/**
 * What fails or takes too long may have been worked on, and be paid for. 503, and the 529 that some providers have beside it, say that
 * there was no room for it.
 */
function mayHaveWorked(status: number): boolean {
  return status === 408 || (status >= 500 && status !== 503 && status !== 529);
}

/** What another provider may take, though this one does not. */
function isForOthers(means: CallError | null): boolean {
  return means === 'overloaded' || means === 'context-too-long';
}

/** Of OpenAI's two names for it, providers that speak its dialect may know but one. */
function capMember({ outputCaps }: Operation, { outputCapMember }: Target['provider']): string | null {
  return outputCaps.includes(outputCapMember) ? outputCapMember : (outputCaps[0] ?? null);
}

/** The others tell their usage in streams without being asked, or have no such member. */
function asksByOption({ dialect, path }: Operation): boolean {
  return dialect === 'openai' && (path === '/chat/completions' || path === '/completions');
}

const RANKS = { high: 0, normal: 1, low: 2 } as const;
const NO_REPORTS: readonly MeterReport[] = [];
const NO_TOKENS = { inputTokens: 0, outputTokens: 0, costNano: 0 };
/** Where a provider refuses without a word of when it will not. */
const UNTOLD_WAIT_MS = 1_000;
const BROKEN_OFF = 'The provider broke off its answer.';
