/**
 * One call to a model: it is sent with the key that `key-search.ts` finds, and what the answer says of the key and its limits is
 * learned. What a provider refuses is tried with another key before the caller hears of it; nothing is sent again once a byte of an answer has been passed on, or where a provider may have worked on it.
 */
import type { Operation } from '../ai/operations.ts';
import { assert } from '../base/assert.ts';
import { type ContentCoding, contentCoding } from '../model/content-coding.ts';
import { isEventStream, isMedia } from '../model/media-type.ts';
import type { CallError, ModelPrice } from '../model/pools.ts';
import type { MeterReport } from '../model/provider-limits.ts';
import type { SentModelCall } from '../pipeline/model-request.ts';
import type { TargetHold, TargetLimits } from '../pipeline/target-limits.ts';
import type {
  ResponseHead,
  UpstreamCall,
  UpstreamError,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
} from '../pipeline/upstream.ts';
import { tenantTag } from './answer-homes.ts';
import { AnswerUsage } from './answer-usage.ts';
import { type BelievedUsage, believed, usedNano, usedTokens } from './believed-usage.ts';
import { asksForUsage, bodyFor } from './call-body.ts';
import { costBoundNano } from './call-cost.ts';
import { errorEvent } from './call-end.ts';
import { CallGuard } from './call-guard.ts';
import { type CallPlan, timesPaid } from './call-plan.ts';
import type { Chosen } from './choice.ts';
import { DecodedAnswer, type DecodedAnswerHost, decodedHead } from './decoded-answer.ts';
import type { BegunCall } from './key-health.ts';
import { KeySearch, type KeySeeker, type NoKey } from './key-search.ts';
import type { LaneTicket } from './lane-ticket.ts';
import type { CallOutcome } from './lanes.ts';
import type { ModelThread, Target } from './model-services.ts';
import type { PreparedKey } from './pool-registry.ts';
import { callerFields, refusedCall, repeats, reportsOf, usedUpForMs } from './provider-answer.ts';
import { providerRequest } from './provider-request.ts';

/** A key in use. */
interface Attempt {
  readonly target: Target;
  readonly key: number;
  /** As it was when the call was sent: the key may have another secret by now. */
  readonly sent: PreparedKey;
  /** What the call costs with it; null: not known. */
  readonly price: ModelPrice | null;
  readonly ticket: LaneTicket;
  /** Of what rules count by key or target; null: they count nothing. */
  readonly hold: TargetHold | null;
  readonly call: UpstreamCall;
  /** How its key was then. */
  readonly begun: BegunCall;
}

export class ModelCall implements SentModelCall, UpstreamHandler, KeySeeker, DecodedAnswerHost {
  readonly #thread: ModelThread;
  readonly #operation: Operation;
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #plan: CallPlan;
  /** Null: rules count nothing by key or target. */
  readonly #guard: CallGuard | null;
  readonly #search: KeySearch;
  #attempt: Attempt | null = null;
  #attempts = 0;
  /** Of these, such as a provider has refused for its key or its limits: they cost nothing, and end with the last key or the caller's patience. */
  #refusals = 0;
  /** Attempts of which a byte may have left. */
  #sent = 0;
  /** Of an answer that is passed on. */
  #usage: AnswerUsage | null = null;
  #isEventStream = false;
  #head: ResponseHead | null = null;
  /** Body of an answer that refuses the call. */
  #refusal: Uint8Array[] | null = null;
  #refusalBytes = 0;
  /** Null where the answer is not coded, or is not read. */
  #decoded: DecodedAnswer | null = null;
  /** It is coded in a way that can't be undone. */
  #isUnreadable = false;
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
    this.#operation = plan.operation;
    this.#request = request;
    this.#handler = handler;
    const guard = limits === null ? null : new CallGuard(limits);
    this.#guard = guard;
    this.#search = new KeySearch({ thread, plan, targets, request, guard }, this);
    if (this.#buildsUponForeign()) this.#failLater('previous_response_not_found');
    else this.#search.look();
  }

  /** What another tenant has said must not be told to this one by the model. */
  #buildsUponForeign(): boolean {
    for (const id of this.#plan.buildsUpon) {
      const owner = this.#thread.owners.ownerOf(id);
      if (owner !== null && owner !== this.#owner()) return true;
    }
    return false;
  }

  /** Null: nobody who is known. */
  #owner(): number | null {
    const { tenant } = this.#request;
    return tenant === null ? null : tenantTag(tenant);
  }

  // -- as the exchange sees it -----------------------------------------------------------------------------------

  get unsent(): boolean {
    return this.#sent === 0 && (this.#attempt === null || this.#attempt.call.unsent);
  }

  get isWaiting(): boolean {
    if (this.#attempt !== null) return this.#attempt.call.unsent;
    return !this.#over && this.#plan.use.charged === 'nothing';
  }

  /** The body came with the plan. */
  write(): never {
    throw new Error('nothing is written to a call to a model');
  }

  end(): void {}

  abort(): void {
    this.#over = true;
    this.#search.leave();
    const attempt = this.#attempt;
    if (attempt === null) return;
    const { unsent } = attempt.call;
    attempt.call.abort();
    this.#endAttempt(unsent ? 'unsent' : this.#used(), NO_REPORTS);
  }

  breakOff(code: string, sentence: string): boolean {
    const attempt = this.#attempt;
    if (attempt === null || this.#usage === null || !this.#isEventStream) return false;
    attempt.call.abort();
    this.#endAttempt(this.#used(), NO_REPORTS);
    this.#sayBrokenOff(code, sentence);
    return true;
  }

  pause(): void {
    if (this.#decoded === null) this.#attempt?.call.pause();
    else this.#decoded.pause();
  }

  resume(): void {
    if (this.#decoded === null) this.#attempt?.call.resume();
    else this.#decoded.resume();
  }

  // -- a key -----------------------------------------------------------------------------------------------------

  /** In a later turn, as the port promises. */
  notFound({ code, againMs }: NoKey): void {
    this.#failLater(code, code === 'upstream_none_available' ? LEFT_ALONE : undefined, againMs);
  }

  found(target: Target, { key, price, ticket }: Chosen): void {
    const { health, lanes, clock } = this.#thread;
    const plan = this.#plan;
    const nowMs = clock.monotonicMs();
    const sent = this.#search.mayTry(target) ? target.keys.get(key) : undefined;
    const begun = sent === undefined ? null : health.begins(key, nowMs);
    const hold = this.#guard === null ? null : this.#guard.held();
    if (sent === undefined || begun === null) {
      // Its provider is left alone by now, another call proves the key, or somebody has switched it off: it serves no more, and is not chosen again.
      lanes.release(ticket, nowMs);
      hold?.cancel();
      this.#search.look();
      return;
    }
    this.#attempts++;
    if (hold !== null) this.#guard!.watch(hold, target, key, nowMs);
    this.#noteAttempt(target, key);
    const body = bodyFor(plan, target.provider);
    const request = providerRequest(this.#request, this.#operation, target.provider, sent, body.length);
    const call = target.service.dispatch(request, this);
    this.#attempt = { target, key, sent, price, ticket, hold, call, begun };
    call.write(body);
    call.end();
  }

  #noteAttempt({ pool, keys }: Target, key: number): void {
    const { use } = this.#plan;
    use.pool = pool.name;
    use.key = keys.get(key)!.name;
    use.charged = 'reserve';
  }

  // -- its answer ------------------------------------------------------------------------------------------------

  onHead(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    const coding = contentCoding(head.fields);
    this.#isUnreadable = coding === null;
    if (coding === null || coding === 'identity' || !head.hasBody || !this.#isRead(head))
      this.#answered(head, chunk, last);
    else this.#decode(coding, head, chunk, last);
  }

  onData(chunk: Uint8Array, last: boolean): void {
    if (this.#decoded === null) this.onDecoded(chunk, last);
    else this.#decoded.push(chunk, last);
  }

  /** Whether anything is to be found in it: what it has used, that it is whole, or what it means that it refuses. */
  #isRead({ status, fields }: ResponseHead): boolean {
    return status >= 400 || isEventStream(fields) || (this.#operation.usage !== null && !isMedia(fields));
  }

  #decode(
    coding: Exclude<ContentCoding, 'identity'>,
    head: ResponseHead,
    chunk: Uint8Array,
    last: boolean,
  ): void {
    const { decoders, limits } = this.#thread;
    const { call } = this.#attempt!;
    const decoded = DecodedAnswer.of(coding, call, this, decoders, limits.responseBodyDecodedBytes);
    this.#decoded = decoded;
    if (decoded === null) {
      if (head.status >= 400) {
        // what it refused its status says
        this.#isUnreadable = true;
        this.#answered(head, chunk, last);
        return;
      }
      call.abort();
      this.#endAttempt(this.#used(), NO_REPORTS);
      this.#failLater('upstream_queue_full', TOO_MANY_DECODED);
      return;
    }
    this.#answered(decodedHead(head), NOTHING, false);
    // who hears of the head may have left
    if (this.#decoded === decoded) decoded.push(chunk, last);
  }

  onUndecodable(why: 'damaged' | 'too-large'): void {
    this.#attempt!.call.abort();
    this.#isUnreadable = true;
    if (this.#refusal !== null) {
      this.#learn(NOTHING);
      return;
    }
    this.#endAttempt(this.#used(), NO_REPORTS);
    this.#breakOff({
      code: why === 'damaged' ? 'upstream_unreadable_body' : 'upstream_body_too_large',
      detail: '',
      endpoint: this.#head!.endpoint,
      attempts: this.#attempts,
      unprocessed: false,
      refusedStatus: 0,
    });
  }

  #answered(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    const { target, ticket, key, sent, begun } = this.#attempt!;
    const { lanes, health, clock } = this.#thread;
    this.#head = head;
    if (head.status >= 400) {
      this.#refusal = [];
      this.#refused(chunk, last || !head.hasBody);
      return;
    }
    if (begun.isProof) health.happened(key, 'answered');
    const nowMs = clock.monotonicMs();
    if (!last) lanes.report(ticket, reportsOf(target.provider, head.fields, clock.wallMs()), nowMs);
    this.#isEventStream = !this.#isUnreadable && isEventStream(head.fields);
    this.#usage = new AnswerUsage({
      operation: this.#operation,
      usageFields: target.provider.usage,
      isEventStream: this.#isEventStream,
      isRead: !this.#isUnreadable && !isMedia(head.fields),
      choices: this.#plan.facts.choices,
      hidesUsage: asksForUsage(this.#plan, target.provider),
      untilClose: head.untilClose,
      secret: sent.secret,
      bytesMax: this.#thread.limits.streamEventBytes,
    });
    const passed = this.#usage.pass(chunk, last);
    const fields = callerFields(head.fields, target.provider, sent);
    const bodyBytes = this.#isEventStream ? -1 : head.bodyBytes;
    if (last) this.#endAttempt(this.#used(), reportsOf(target.provider, head.fields, clock.wallMs()));
    const end = last ? this.#endOf(passed) : passed;
    this.#handler.onHead(asPassed(head, fields, bodyBytes, this.#attempts), end, last);
  }

  /** A piece as it is read, whether or not it came so. */
  onDecoded(chunk: Uint8Array, last: boolean): void {
    if (this.#refusal !== null) {
      this.#refused(chunk, last);
      return;
    }
    const passed = this.#usage!.pass(chunk, last);
    if (last) this.#endAttempt(this.#used(), NO_REPORTS);
    if (passed.length > 0 || last) this.#handler.onData(last ? this.#endOf(passed) : passed, last);
  }

  /** The last piece of an answer, with what is to be said where its provider ended it before it was whole. */
  #endOf(passed: Uint8Array): Uint8Array {
    if (!this.#usage!.isCut) return passed;
    const { use } = this.#plan;
    use.brokenOff = CUT;
    return Buffer.concat([passed, errorEvent(this.#operation, CUT, BROKEN_OFF)]);
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
    const { target, key, sent, ticket } = this.#attempt!;
    const { clock } = this.#thread;
    const { status, fields } = this.#head!;
    const wallMs = clock.wallMs();
    const reports = reportsOf(target.provider, fields, wallMs);
    const { means, waitMs } = refusedCall(target.provider, status, fields, body, wallMs);
    this.#judgeKey(means, status, waitMs);
    // First, so that nobody who waits is the next to be refused.
    if (means === 'throttled') this.#close(ticket, waitMs, this.#search.wasThrottled(key), reports);
    this.#endAttempt(means === 'throttled' ? 'refused' : 'rejected', reports);
    if (means === 'throttled' || means === 'unauthorised' || means === 'out-of-credit') {
      this.#refusals++;
      this.#again();
    } else if (
      isForOthers(means) &&
      !mayHaveWorked(status) &&
      this.#mayRetry &&
      this.#search.hasOther(target)
    ) {
      this.#search.passOver(target);
      this.#again();
    } else this.#passRefusal(body, target, sent);
  }

  #judgeKey(means: CallError | null, status: number, waitMs: number): void {
    const { key, sent, begun } = this.#attempt!;
    const { health, clock } = this.#thread;
    // It went with a secret that the key has no more: the one that it has now may be tried.
    if (sent.secretTurn !== health.secretTurn(key)) return;
    if (means === 'unauthorised' || means === 'out-of-credit') this.#search.leaveOut(key, sent.secretTurn);
    // Calls that were under way together are one proof; the second one is a call that was sent after the first.
    if (means === 'unauthorised') {
      if (begun.wasSuspect || health.state(key) === 'active') health.happened(key, 'unauthorised');
    } else if (means === 'out-of-credit') health.ranOut(key, waitMs, clock.monotonicMs());
    else if (begun.isProof && status < 500) health.happened(key, 'answered');
  }

  /** The caller's own fault, or nobody's: as the provider says it, but for what it says of the account. */
  #passRefusal(body: Uint8Array, { provider }: Target, sent: PreparedKey): void {
    const head = this.#head!;
    if (this.#isUnreadable) {
      this.#failLater('upstream_unreadable_body');
      return;
    }
    if (repeats(sent.secret, body)) {
      this.#failLater('upstream_malformed_answer', UNSPEAKABLE);
      return;
    }
    this.#over = true;
    const isCut = this.#refusalBytes > body.length;
    const fields = callerFields(head.fields, provider, sent).filter(
      (_, index, all) => !(isCut && all[index - (index % 2)] === 'content-length'),
    );
    const bodyBytes = head.hasBody ? body.length : head.bodyBytes;
    this.#handler.onHead(asPassed(head, fields, bodyBytes, this.#attempts), body, true);
  }

  /** `times`: how often the key has refused this very call. */
  #close(ticket: LaneTicket, waitMs: number, times: number, reports: readonly MeterReport[]): void {
    const usedUpMs = usedUpForMs(reports);
    const toldMs = Number.isNaN(waitMs) ? (Number.isNaN(usedUpMs) ? UNTOLD_WAIT_MS : usedUpMs) : waitMs;
    const forMs = Math.max(toldMs, LEAST_WAIT_MS * 2 ** Math.min(times - 1, LEAST_WAIT_DOUBLES));
    const nowMs = this.#thread.clock.monotonicMs();
    this.#thread.lanes.close(ticket.lanes.at(-1)!, nowMs + forMs, nowMs);
  }

  get #mayRetry(): boolean {
    return this.#attempts - this.#refusals < this.#thread.limits.providerAttempts;
  }

  #again(): void {
    this.#head = null;
    this.#refusal = null;
    this.#refusalBytes = 0;
    this.#search.look();
  }

  onDrain(): void {}

  onError(error: UpstreamError): void {
    const { target } = this.#attempt!;
    if (this.#refusal !== null) {
      // What it refused is plain, though it broke off while it said why.
      this.#learn(Buffer.concat(this.#refusal));
      return;
    }
    const mayRetry = error.unprocessed && this.#mayRetry;
    this.#endAttempt(error.unprocessed ? 'unsent' : this.#used(), NO_REPORTS);
    if (this.#usage !== null) this.#breakOff(error);
    else if (mayRetry && this.#search.hasOther(target)) {
      this.#search.passOver(target);
      this.#again();
    } else {
      this.#over = true;
      const backMs =
        error.code === 'upstream_none_available' ? target.service.outForMs() : Number.POSITIVE_INFINITY;
      this.#handler.onError({ ...error, attempts: this.#attempts, ...retryAfter(backMs) });
    }
  }

  #breakOff(error: UpstreamError): void {
    if (this.#isEventStream) {
      this.#sayBrokenOff(error.code, BROKEN_OFF);
      return;
    }
    this.#over = true;
    this.#plan.use.isWhole = false;
    this.#handler.onError({ ...error, attempts: this.#attempts });
  }

  /** Nothing is missing where all has been said, though the connection did not end as it should. */
  #sayBrokenOff(code: string, sentence: string): void {
    this.#over = true;
    const { use } = this.#plan;
    use.isWhole = false;
    if (this.#usage!.hasEnded) {
      this.#handler.onData(NOTHING, true);
      return;
    }
    use.brokenOff = code;
    this.#handler.onData(errorEvent(this.#operation, code, sentence), true);
  }

  // -- the end ---------------------------------------------------------------------------------------------------

  /** Once for each attempt. */
  #endAttempt(outcome: CallOutcome | 'unsent', reports: readonly MeterReport[]): void {
    const attempt = this.#attempt!;
    this.#attempt = null;
    this.#decoded?.stop();
    this.#decoded = null;
    const { lanes, health, clock } = this.#thread;
    const nowMs = clock.monotonicMs();
    health.ended(attempt.key, attempt.begun);
    this.#noteUse(outcome, attempt.price);
    if (outcome === 'unsent') {
      lanes.release(attempt.ticket, nowMs);
      attempt.hold?.cancel();
      return;
    }
    this.#sent++;
    attempt.hold?.end(this.#plan.use);
    this.#rememberHome(attempt);
    const { tokensCounted } = attempt.target.provider;
    const counted = tokensCounted === 'reserved' ? this.#asReserved(outcome) : outcome;
    if (!lanes.settle(attempt.ticket, counted, reports, nowMs)) health.doubt(attempt.key);
    attempt.target.queue.turn(nowMs);
  }

  /** What an account has built upon it has, whoever made it: a conversation is made elsewhere. */
  #rememberHome({ target, key }: Attempt): void {
    const answerId = this.#usage?.answerId ?? null;
    const account = target.accounts.get(key);
    if (answerId === null || account === undefined) return;
    const { homes, owners } = this.#thread;
    homes.remember(answerId, account);
    const { buildsUpon } = this.#plan;
    for (const id of buildsUpon) homes.remember(id, account);
    const owner = this.#owner();
    if (owner === null) return;
    owners.remember(answerId, owner);
    for (const id of buildsUpon) owners.remember(id, owner);
  }

  /** Null: the answer has told nothing. */
  #believed(): BelievedUsage | null {
    const usage = this.#usage?.usage ?? null;
    return usage === null ? null : believed(usage, this.#plan, this.#thread.limits.usageTokensMax);
  }

  #noteUse(outcome: CallOutcome | 'unsent', price: ModelPrice | null): void {
    const { use } = this.#plan;
    const usage = this.#believed();
    const searchesNano = this.#searchesNano(price);
    use.isWhole = this.#usage?.isSound === true && this.#head?.untilClose !== true;
    const isRefused = outcome === 'refused' || outcome === 'rejected';
    if (outcome === 'unsent' || (isRefused && !mayHaveWorked(this.#head!.status))) use.charged = 'nothing';
    else if (usage !== null && this.#usage!.isWhole) {
      use.charged = 'told';
      use.usage = usedTokens(usage.told, this.#plan);
      use.doubt = usage.doubt;
      use.costNano = usedNano(usage.told, this.#plan, price);
    } else if (searchesNano !== null) {
      use.charged = 'told';
      use.costNano = searchesNano;
    } else {
      use.charged = 'reserve';
      use.costNano = this.#untoldNano(price);
    }
  }

  /** What such a provider has set aside for an answer it keeps, however short the answer was. */
  #asReserved(outcome: CallOutcome): CallOutcome {
    return typeof outcome === 'string'
      ? outcome
      : { ...outcome, outputTokens: this.#plan.amounts.outputTokens };
  }

  /** What the answer told of the call; a refusal, whether or not all of it has come, uses nothing. Of one that was not told to its end, the tokens of the prompt: those of the answer may have become more. */
  #used(): CallOutcome {
    if (this.#refusal !== null) return 'rejected';
    const usage = this.#believed();
    if (usage === null) return this.#operation.usage === null && this.#head !== null ? NO_TOKENS : 'unknown';
    const { told } = usage;
    const { inputTokens } = told;
    if (inputTokens === null) return 'unknown';
    const isTold = told.outputTokens !== null && this.#usage!.isToldWhole;
    const outputTokens = isTold
      ? told.outputTokens!
      : Math.max(told.outputTokens ?? 0, this.#plan.amounts.outputTokens);
    const costNano = usedNano({ ...told, outputTokens }, this.#plan, this.#attempt!.price) ?? 0;
    return { inputTokens, outputTokens, costNano };
  }

  /** Where the answer tells searches alone, and nothing else of it costs anything; else null. */
  #searchesNano(price: ModelPrice | null): number | null {
    const searches = this.#usage?.isWhole === true ? this.#usage.searches : null;
    if (searches === null || price === null || price.inputNano > 0 || price.outputNano > 0) return null;
    return searches * price.requestNano;
  }

  /** The most that it can have cost with its key, where keys differ: what was reserved is for the dearest. Null: all of that. */
  #untoldNano(price: ModelPrice | null): number | null {
    const { prices, bounds, facts, operation } = this.#plan;
    if (prices.each.length <= 1) return null;
    const tokens = {
      inputTokens: bounds['input-tokens'],
      outputTokens: bounds['output-tokens'],
      cache: facts.writesCache ? 'writes' : 'reads',
    } as const;
    const mostNano = costBoundNano(price, tokens, timesPaid(facts, operation));
    return Number.isFinite(mostNano) ? mostNano : null;
  }

  /** In a later turn, as the port promises. `againMs`: when it is worth to try again. */
  #failLater(code: UpstreamErrorCode, sentence?: string, againMs = Number.POSITIVE_INFINITY): void {
    const nowMs = this.#thread.clock.monotonicMs();
    const waitMs = againMs - nowMs;
    const refusal = WANT_OF_ROOM.has(code) ? this.#search.limitRefusal() : null;
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

const LEFT_ALONE = 'Every provider of the model is left alone for a while, as it fails.';
const NO_REPORTS: readonly MeterReport[] = [];
const NOTHING = new Uint8Array(0);
const NO_TOKENS = { inputTokens: 0, outputTokens: 0, costNano: 0 };
/** Where a provider refuses without a word of when it will not. */
const UNTOLD_WAIT_MS = 1_000;
/**
 * However short a wait a provider asks for, none or one that is over included: twice as long each time that it refuses one and the same call
 * again, so that a caller who waits is no storm.
 */
const LEAST_WAIT_MS = 100;
const LEAST_WAIT_DOUBLES = 6;
const UNSPEAKABLE = 'The provider refused the call with words that may not be passed on.';
const TOO_MANY_DECODED = 'Too many answers are being decoded at present.';
const BROKEN_OFF = 'The provider broke off its answer.';
/** Of a stream that ended before its provider said that it does. */
const CUT: UpstreamErrorCode = 'upstream_closed_in_answer';
