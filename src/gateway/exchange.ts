/**
 * One request from its head to its record: the PHASES in order (`pipeline/phases.ts`). Knows no socket: the client is a
 * `ClientStream`, the service an `UpstreamService`. What is decided is `deciding.ts`, what the client is answered
 * `client-answer.ts`, how bodies pass `request-body.ts` and `response-body.ts`, and what is settled at the end `settling.ts`. Every
 * ending goes through `#finish`, once.
 */

import type { WebSocketSettings } from '../model/world.ts';
import { RequestContext } from '../pipeline/context.ts';
import type { Refusal } from '../pipeline/outcome.ts';
import { PHASE } from '../pipeline/phases.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import type {
  ResponseHead,
  TunnelOpened,
  UpstreamCall,
  UpstreamError,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
} from '../pipeline/upstream.ts';
import type { Variants } from '../pipeline/variants.ts';
import { Account, recordAccount, recordRequest, recordRoute } from './access-record.ts';
import { tellAlerts } from './answer-alerts.ts';
import { placeOf, type StoredAnswer } from './answer-cache.ts';
import { AnswerKeeping } from './answer-keeping.ts';
import { changes, wishesOf } from './cacheable.ts';
import { CallToModel } from './call-to-model.ts';
import { type AnswerHost, ClientAnswer } from './client-answer.ts';
import type { ClientHandler, ClientStream, ReceivedRequest } from './client-stream.ts';
import type { Progress, Waiting } from './deciding.ts';
import {
  BODY,
  decide,
  FIRST_STAGE,
  NEEDS_BODY,
  NEEDS_COUNT,
  NEEDS_LOOKUP,
  NEEDS_SHAPING,
  NEEDS_SIGNED_BODY,
  NEEDS_VARIANT,
  ruleProblem,
} from './deciding.ts';
import type { ExchangeThread, RequestInFlight } from './exchange-thread.ts';
import { checkFront } from './front-checks.ts';
import { linesWithin, requestIdIn, tracedLines, traceparentIn } from './identifiers.ts';
import { checkAgainstRoute, dialectOfUntaken, findRoute, identifyAgain, receive } from './intake.ts';
import { keepingOf } from './kept-request.ts';
import type { LimitWaiter } from './limit-queue.ts';
import { OutgoingBody } from './outgoing-body.ts';
import { askReadableAnswer, outgoingRequest } from './outgoing-request.ts';
import { fillTemplate } from './path-template.ts';
import type { Problem } from './problem.ts';
import { fromUpstream, goingAway, overloaded, problem } from './problem.ts';
import { readWholeBody, unreadableBody } from './read-body.ts';
import { ReplayedAnswer } from './replayed-answer.ts';
import type { RequestBodyHost } from './request-body.ts';
import { RequestBody } from './request-body.ts';
import { RequestWaits } from './request-waits.ts';
import type { RoutePlan, RuleVersion } from './rule-version.ts';
import { giveBack, RequestCost, settle } from './settling.ts';
import { drawsTrace, isSampled, parentSpanIdOf, traceIdOf } from './trace-context.ts';
import type { Tunnel, TunnelCode, TunnelHost } from './tunnel.ts';
import { acceptedHead, openTunnel, withoutHandshake } from './tunnel-opening.ts';

export class Exchange
  implements
    ClientHandler,
    UpstreamHandler,
    Progress,
    RequestInFlight,
    RequestBodyHost,
    AnswerHost,
    TunnelHost,
    LimitWaiter
{
  /** Neighbours in the thread's list of requests in flight. */
  next: RequestInFlight | null = null;
  previous: RequestInFlight | null = null;
  stage = FIRST_STAGE;
  variants: Variants | null = null;
  isLookedUp = false;

  readonly #thread: ExchangeThread;
  readonly #client: ClientStream;
  readonly #context = new RequestContext();
  #version: RuleVersion | null = null;
  #plan: RoutePlan | null = null;
  #upstreamPath = '';
  /** Lines of request id and trace, for the service. */
  #idLines = '';
  /** Of the caller, where traces are recorded. */
  #parentSpanId = '';
  #call: UpstreamCall | null = null;
  /** Null when there is none. */
  #requestBody: RequestBody | null = null;
  /** Null while the body goes on as it comes. */
  #outgoingBody: OutgoingBody | null = null;
  /** Null unless the route opens WebSockets, and the rules have let this one through. */
  #tunnel: Tunnel | null = null;
  /** Null unless it is a call to a model that has been shaped. */
  #toModel: CallToModel | null = null;
  /** Null unless rules let the answer be kept. */
  #keeping: AnswerKeeping | null = null;
  #ended = false;
  /** Null: it has not waited for anything. */
  #waits: RequestWaits | null = null;
  #readDeadlineMs = Number.POSITIVE_INFINITY;
  #totalDeadlineMs = Number.POSITIVE_INFINITY;
  /** Null where the route does not say what a request costs. */
  #cost: RequestCost | null = null;
  readonly #account = new Account();
  readonly #answer: ClientAnswer;

  constructor(thread: ExchangeThread, client: ClientStream) {
    this.#thread = thread;
    this.#client = client;
    this.#answer = new ClientAnswer(thread, client, this.#context, this.#account, this);
  }

  /** The head has been read: runs all phases that need no waiting, in this turn. */
  begin(received: ReceivedRequest): void {
    const thread = this.#thread;
    const context = this.#context;
    context.arrivedMonotonicMs = context.nowMonotonicMs = thread.clock.monotonicMs();
    context.arrivedWallMs = context.nowWallMs = thread.clock.wallMs();
    context.method = received.method;
    context.path = context.receivedPath = received.path;
    context.query = received.query;
    context.headers = received.fields;
    context.client = this.#client;
    this.#idLines = thread.identifiers.next();
    this.#answer.requestId = requestIdIn(this.#idLines);
    context.idHigh = thread.identifiers.high;
    context.idLow = thread.identifiers.low;
    this.#client.attach(this);
    thread.enter(this);
    this.#version = thread.versions.enter();
    const refused = this.#receive();
    if (refused === null) this.#advance();
    else this.#refuse(refused);
  }

  /** A request that waited is judged anew: its key may have been revoked, a calendar closed (language-rules #9). */
  wake(): boolean {
    // Answered by a deadline, while the wake-up was on its way.
    if (this.#ended || this.#answer.begun) return false;
    this.stage = FIRST_STAGE;
    this.isLookedUp = false;
    // rules that shape may say something else by now, and there may be room for the call as it was asked for
    this.variants?.reset(this.#context);
    this.variants = null;
    // Said of the try before; its warnings are kept, each once.
    this.#context.alsoDenied = null;
    this.#goOn();
    return this.#context.reservation !== null || this.#account.dispatchedUs >= 0;
  }

  #goOn(): void {
    const { clock, limits, facts } = this.#thread;
    const context = this.#context;
    context.nowMonotonicMs = clock.monotonicMs();
    context.nowWallMs = clock.wallMs();
    if (this.#waits !== null) this.#endWaiting(this.#waits, context.nowMonotonicMs);
    // The thread's facts are of another request by now.
    checkFront(context.method, context.headers, limits, facts);
    const refused =
      this.stage > PHASE.identify ? identifyAgain(context, this.#plan!, facts, this.#thread) : null;
    if (refused === null) this.#advance();
    else if ('code' in refused) this.#refuse(refused);
    else this.#wait(refused);
  }

  /** Meanwhile nothing of the body was read: that is not the client's doing. */
  #endWaiting(waits: RequestWaits, nowMs: number): void {
    this.#readDeadlineMs += waits.end(nowMs);
  }

  checkDeadlines(nowMs: number): void {
    if (nowMs >= this.#totalDeadlineMs) this.#outOfTime();
    else if (this.#waits?.areOn) return;
    else if (this.#tunnel !== null) this.#tunnel.checkIdle(nowMs);
    else if (this.#requestBody === null || this.#requestBody.complete) return;
    else if (nowMs >= this.#readDeadlineMs) this.#fail(problem('request_timeout'));
    else this.#client.keepReading();
  }

  // -- deciding ------------------------------------------------------------------------------------------------

  #receive(): Problem | null {
    const thread = this.#thread;
    const { facts } = thread;
    const refused = receive(this.#context, thread);
    if (facts.doubtful) this.#client.contain();
    if (thread.tracedShare !== null) this.#trace(facts.traceparent, thread.tracedShare);
    else if (facts.traceparent !== '') this.#idLines = linesWithin(this.#idLines, facts.traceparent);
    const version = this.#version;
    if (version === null) return refused ?? problem('not_ready');
    const plan = refused ?? this.#route(version);
    if ('code' in plan) {
      this.#answer.dialect = dialectOfUntaken(this.#context, version, plan);
      return plan;
    }
    this.#answer.dialect = plan.dialect;
    const unfit = checkAgainstRoute(this.#context, plan);
    if (unfit !== null) return unfit;
    this.#plan = plan;
    const { cost } = plan.program.route;
    if (cost !== null) this.#cost = new RequestCost(cost, thread);
    if (plan.pipeline.alertsReadAddress) this.#context.rememberAddress();
    this.#upstreamPath =
      plan.template === null
        ? this.#context.path
        : fillTemplate(plan.template, version.matcher.result.parameters);
    if (plan.program.route.websocket !== null && !this.#client.canUpgrade) return problem('upgrade_required');
    this.#totalDeadlineMs = this.#context.arrivedMonotonicMs + totalMsOf(plan);
    if (facts.bodyBytes !== 0) {
      this.#readDeadlineMs = this.#context.arrivedMonotonicMs + thread.limits.requestReadMs;
      this.#requestBody = new RequestBody(this.#client, thread, plan.maxBodyBytes, this);
    }
    return null;
  }

  #route(version: RuleVersion): RoutePlan | Problem {
    const { overload, inFlight } = this.#thread;
    if (overload.shedsAll(inFlight)) return overload.isClosed ? goingAway(-1) : overloaded();
    return findRoute(this.#context, version);
  }

  /** The caller says whether its trace is recorded; of those that begin here a share is. */
  #trace(traceparent: string, share: number): void {
    this.#parentSpanId = parentSpanIdOf(traceparent);
    this.#idLines = tracedLines(this.#idLines, traceparent, drawsTrace(share, this.#context.idLow));
  }

  #advance(): void {
    const stop = decide(this, this.#context, this.#plan!, this.#thread);
    if (this.#thread.crossings.any) this.#nameCrossings();
    if (stop === null) this.#dispatch();
    else if (stop === NEEDS_BODY) this.#needBody();
    else if (stop === NEEDS_SIGNED_BODY) this.#needSignedBody();
    else if (stop === NEEDS_SHAPING) this.#shapeCall();
    else if (stop === NEEDS_LOOKUP) this.#lookUp();
    else if (stop === NEEDS_VARIANT) this.#nextVariant();
    else if (stop === NEEDS_COUNT) this.#countPrompt();
    else if ('code' in stop) this.#refuse(stop);
    else this.#wait(stop);
  }

  /** All rules that don't read the body have been asked: only now is it read, and held. */
  #needBody(): void {
    const refused = unreadableBody(this.#context, this.#plan!);
    if (refused !== null) this.#refuse(refused);
    else if (this.#requestBody === null) this.requestBodyCollected(NOTHING);
    else this.#requestBody.collect(this.#context.headers);
  }

  /** What was signed is all of it, as it came: nothing of it leaves before it is known to be right. */
  #needSignedBody(): void {
    if (this.#requestBody === null) this.requestBodyWhole(NOTHING);
    else this.#requestBody.awaitWhole();
  }

  requestBodyWhole(bytes: Uint8Array): void {
    if (this.#ended || this.#answer.begun) return;
    const { signed } = this.#context;
    if (!signed!.isSigned!(bytes)) {
      this.#refuse(problem('digest_mismatch'));
      return;
    }
    // What is left of the check: who signed it.
    this.#context.signed = { ...signed!, isSigned: null };
    this.#goOn();
  }

  requestBodyCollected(text: Uint8Array): void {
    if (this.#ended || this.#answer.begun) return;
    const refused = readWholeBody(this.#context, this.#plan!, text);
    if (refused !== null) {
      this.#refuse(refused);
      return;
    }
    // a call to a model is sent by its service, as often as it takes
    if (this.#requestBody !== null && this.#plan!.models === null)
      this.#outgoingBody = new OutgoingBody(this.#requestBody, text);
    this.#goOn();
  }

  #shapeCall(): void {
    this.#toModel ??= new CallToModel(this.#plan!);
    const tried = this.variants?.areTried === true ? 'other' : 'asked';
    const refused = this.#toModel.shape(this.#context, tried, this.#thread.limits.bodyHoldBackBytes);
    if (refused === null) this.#advance();
    else this.#refuseVariant(refused);
  }

  /** The request waits for that, and holds nothing meanwhile. */
  #countPrompt(): void {
    const tokens = this.#toModel!.count(this.#context, this.#thread.counts);
    if (tokens === null) this.#advance();
    else this.#wait({ kind: 'wait-for-count', tokens });
  }

  /** The call can't be had as it is: that ends it, unless it is one that limits sent to another model. */
  #refuseVariant(why: Problem): void {
    if (this.variants?.areTried) this.#nextVariant();
    else this.#refuse(why);
  }

  /** The same call to the next model that limits without room name; as it was asked for where there is none. */
  #nextVariant(): void {
    const plan = this.#plan!;
    if (this.variants!.next(this.#context, plan.models!)) {
      this.stage = BODY;
      this.isLookedUp = false;
      this.#advance();
      return;
    }
    const end = this.variants!.giveUp(this.#context);
    if (end.kind === 'wait') this.#wait(end);
    else this.#refuse(ruleProblem(end.refusal, plan));
  }

  /** Before anything is taken from limits: an answer at hand takes nothing of tokens and money (language-rules #31). */
  #lookUp(): void {
    const thread = this.#thread;
    const context = this.#context;
    const plan = this.#plan!;
    this.isLookedUp = true;
    this.#keeping = this.#answer.keeping = null;
    const forMs = plan.program.route.websocket === null ? plan.pipeline.cacheForMs!(context) : 0;
    const wishes = forMs > 0 ? wishesOf(context, plan.models) : null;
    const request = wishes === null ? null : this.#outgoing(plan);
    if (request !== null && 'code' in request) {
      this.#refuseVariant(request);
      return;
    }
    if (forMs > 0) {
      const targets = this.#toModel === null ? null : this.#toModel.targets;
      const asked = { context, route: plan.program.route.name, targets };
      const keeping =
        wishes === null || request === null
          ? null
          : keepingOf(asked, { request, edits: thread.requestEdits, wishes, forMs });
      this.#keeping = this.#answer.keeping = new AnswerKeeping(thread, this.#version!.epoch, keeping);
      this.#keeping.find(targets);
    }
    context.cached = this.#kept !== null;
    this.#advance();
  }

  /** The answer, where it is at hand. */
  get #kept(): StoredAnswer | null {
    return this.#keeping === null ? null : this.#keeping.found;
  }

  #wait(waiting: Waiting): void {
    this.#requestBody?.pause();
    if (waiting.kind === 'wait' || waiting.kind === 'wait-for-grant')
      this.#totalDeadlineMs = this.#deadlineMs();
    this.#waits ??= new RequestWaits(this.#thread, this, this.#context);
    const refusal = this.#waits.begin(waiting, this.#totalDeadlineMs);
    if (refusal === null) return;
    if (this.#thread.turns.isClosed) this.#refuse(goingAway(refusal.retryAfterS));
    else this.refuse(refusal);
  }

  /** By route and rules, once all that they ask about is known. */
  #deadlineMs(): number {
    const plan = this.#plan!;
    const totalMs = Math.min(totalMsOf(plan), plan.pipeline.totalTimeoutMs(this.#context));
    return this.#context.arrivedMonotonicMs + totalMs;
  }

  /** There was no room in time, or too many wait. */
  refuse(refusal: Refusal): void {
    if (!this.#ended && !this.#answer.begun) this.#refuse(ruleProblem(refusal, this.#plan!));
  }

  // -- to the service ------------------------------------------------------------------------------------------

  #dispatch(): void {
    const thread = this.#thread;
    const context = this.#context;
    const plan = this.#plan!;
    this.#totalDeadlineMs = this.#deadlineMs();
    // said of what is let through alone: limits may refuse an answer at hand
    if (this.#keeping !== null) this.#account.cache = this.#keeping.outcome;
    const kept = this.#kept;
    if (kept !== null) {
      this.#replay(kept);
      return;
    }
    if (plan.program.route.websocket !== null) {
      thread.requestEdits.clear();
      plan.pipeline.shapeRequest(context, thread.requestEdits);
      this.#openTunnel(plan, plan.program.route.websocket);
      return;
    }
    const request = this.#outgoing(plan);
    if ('code' in request) {
      this.#refuse(request);
      return;
    }
    this.#account.decidedUs = this.#elapsedUs();
    this.#cost?.dispatched();
    const call =
      plan.models === null
        ? plan.service.dispatch(request, this)
        : this.#toModel!.send(context, request, this);
    this.#call = call;
    this.#account.dispatchedUs = this.#elapsedUs();
    if (plan.models !== null) return;
    if (this.#outgoingBody !== null) this.#outgoingBody.send(context, call);
    else this.#requestBody?.sendTo(call);
  }

  /** As rules and route shape it, and as it leaves. */
  #outgoing(plan: RoutePlan): UpstreamRequest | Problem {
    const thread = this.#thread;
    const context = this.#context;
    thread.requestEdits.clear();
    plan.pipeline.shapeRequest(context, thread.requestEdits);
    askReadableAnswer(plan, thread.requestEdits);
    const refused = plan.models === null ? this.#prepareBody(plan.pipeline) : null;
    if (refused !== null) return refused;
    const bodyBytes = this.#outgoingBody === null ? context.bodyBytes : this.#outgoingBody.bytes(context);
    return outgoingRequest(context, plan, thread, this.#upstreamPath, this.#idLines, bodyBytes);
  }

  #replay(kept: StoredAnswer): void {
    this.#account.decidedUs = this.#elapsedUs();
    const replayed = new ReplayedAnswer(kept, this);
    this.#call = replayed;
    replayed.begin();
  }

  // -- a WebSocket ---------------------------------------------------------------------------------------------

  #openTunnel(plan: RoutePlan, settings: WebSocketSettings): void {
    const thread = this.#thread;
    const context = this.#context;
    withoutHandshake(thread.requestEdits);
    const request = outgoingRequest(context, plan, thread, this.#upstreamPath, this.#idLines, 0);
    if ('code' in request) {
      this.#refuse(request);
      return;
    }
    this.#account.decidedUs = this.#elapsedUs();
    this.#cost?.dispatched();
    this.#tunnel = openTunnel(this, plan.service, request, context.headers, settings, thread);
    this.#account.dispatchedUs = this.#elapsedUs();
  }

  tunnelAccepted(opened: TunnelOpened): boolean {
    const head = acceptedHead(opened);
    this.#account.firstByteUs = this.#elapsedUs();
    this.#account.attempts = head.attempts;
    this.#cost?.head(head);
    return this.#answer.upgrade(this.#plan!, head, opened.protocol, this.#tunnel!);
  }

  tunnelFailed(error: UpstreamError): void {
    this.#tunnel = null;
    this.onError(error);
  }

  tunnelEnded(code: TunnelCode, fault: string): void {
    if (this.#ended) return;
    if (code === 'client_aborted') this.#account.clientAborted = true;
    if (fault !== '') this.#account.fault = fault;
    if (code !== '') this.#endedBy(code, NO_RULE);
    this.#finish();
  }

  /** The thread is to end: a WebSocket would outlast every patience, and who waits for room would be cut off without an answer. */
  goAway(): void {
    if (this.#tunnel?.isOpen) this.#tunnel.end('going_away');
    else if (this.#waits?.inVain) this.#refuse(goingAway(this.#waits.inVain.retryAfterS));
  }

  get isWorkedOn(): boolean {
    if (this.#tunnel?.unsent === false) return true;
    return this.#call?.unsent === false && this.#toModel?.isWaiting !== true;
  }

  /** Of what is complete the client takes the rest in the time that is left. */
  breakOff(): void {
    if (this.#answer.complete) return;
    if (this.#tunnel?.isOpen) this.#tunnel.end('going_away');
    else if (this.isWorkedOn) this.#endNow(CUT_OFF);
    else {
      if (this.#toModel !== null) giveBack(this.#context, this.#version!.binding);
      this.#endNow(goingAway(-1));
    }
  }

  #outOfTime(): void {
    if (this.#tunnel?.isOpen) this.#tunnel.end('total_timeout');
    else if (this.#waits?.inVain) this.refuse(this.#waits.inVain);
    else this.#endNow(OUT_OF_TIME);
  }

  #endNow(why: Problem): void {
    if (!this.#endsStream(why)) this.#fail(why);
  }

  /** A stream of a model has words for why it ends: its caller need not take it for whole, nor for a broken connection. */
  #endsStream(why: Problem): boolean {
    if (this.#toModel === null || !this.#answer.begun || this.#answer.complete) return false;
    this.#endedBy(why.code, why.ruleIndex);
    return this.#toModel.breakOff(why);
  }

  /** Makes the fields say what leaves. */
  #prepareBody(pipeline: RoutePipeline): Problem | null {
    if (this.#requestBody === null) return null;
    if (pipeline.requestTransform !== null) this.#outgoingBody ??= new OutgoingBody(this.#requestBody, null);
    if (this.#outgoingBody === null) return null;
    const { requestEdits, limits } = this.#thread;
    return this.#outgoingBody.prepare(this.#context, pipeline, requestEdits, limits.bodyHoldBackBytes);
  }

  onBody(chunk: Uint8Array, last: boolean): void {
    if (this.#ended || this.#answer.complete) return;
    this.#requestBody!.receive(chunk, last);
  }

  requestBodyFailed(why: Problem): void {
    if (!this.#ended && !this.#answer.complete) this.#fail(why);
  }

  onDrain(): void {
    if (!this.#ended) this.#requestBody?.onRoom();
  }

  // -- to the client -------------------------------------------------------------------------------------------

  onHead(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    if (this.#ended) return;
    // no service has been waited for
    if (!this.#context.cached) this.#account.firstByteUs = this.#elapsedUs();
    this.#account.attempts = head.attempts;
    this.#keeping?.head(head, chunk, last);
    if (this.#thread.answers.size > 0 && changes(this.#context, head))
      this.#thread.answers.forget(placeOf(this.#context));
    if (this.#context.call !== null) this.#forgetCallBody();
    this.#cost?.head(head);
    this.#cost?.data(chunk, last || !head.hasBody);
    this.#answer.head(this.#plan!, head, chunk, last, this.#call!);
  }

  #forgetCallBody(): void {
    this.variants?.forgetBody();
    this.#toModel!.forgetBody(this.#context);
    this.#requestBody?.stop();
  }

  onData(chunk: Uint8Array, last: boolean): void {
    if (this.#ended || this.#answer.complete) return;
    this.#cost?.data(chunk, last);
    this.#keeping?.data(chunk, last);
    if (last) this.serviceDone();
    this.#answer.data(chunk, last);
  }

  serviceDone(): void {
    this.#call = null;
  }

  answerComplete(gone: boolean): void {
    if (gone) this.#finish();
    else this.#stopBodies();
  }

  answerFailed(why: Problem): void {
    this.#fail(why);
  }

  onWritable(): void {
    if (this.#ended) return;
    if (this.#answer.complete) this.#finish();
    else this.#answer.onWritable();
  }

  // -- endings -------------------------------------------------------------------------------------------------

  onError(error: UpstreamError): void {
    if (this.#ended || this.#answer.complete) return;
    this.#call = null;
    this.#account.attempts = error.attempts;
    if (error.unprocessed) this.#cost?.spare();
    this.#cost?.answered(error.refusedStatus);
    this.#account.fault = error.detail;
    if (error.unprocessed && WANT_OF_ROOM.has(error.code)) giveBack(this.#context, this.#version!.binding);
    this.#fail(this.#problemOf(error));
  }

  #problemOf(error: UpstreamError): Problem {
    return this.#toModel === null
      ? fromUpstream(error.code, error.sentence, error.retryAfterS)
      : this.#toModel.problem(this.#context, error);
  }

  onAborted(): void {
    if (this.#ended) return;
    this.#account.clientAborted = true;
    // 499 is nginx's number for it; no client ever sees it.
    if (!this.#answer.begun) this.#account.status = 499;
    this.#endedBy('client_aborted', NO_RULE);
    this.#giveUp();
    this.#finish();
  }

  /** What no service can have costs nothing: a request that waits for a connection above all. */
  #giveUp(): void {
    if (this.#call?.unsent === true || this.#tunnel?.unsent === true) this.#cost?.spare();
    if (!this.#answer.complete) this.#call?.abort();
    this.#tunnel?.abort();
  }

  /** The gateway or the service failed: a problem when nothing was sent yet, else the connection breaks. */
  #fail(why: Problem): void {
    this.#giveUp();
    this.#call = null;
    if (!this.#answer.begun) {
      // What is sent now is the problem, and the record counts its bytes.
      this.#tunnel = null;
      this.#refuse(why);
      return;
    }
    this.#endedBy(why.code, why.ruleIndex);
    this.#finish();
    this.#client.abort();
  }

  #refuse(why: Problem): void {
    if (this.#waits !== null) this.#endWaiting(this.#waits, this.#thread.clock.monotonicMs());
    // A long body that nobody wants is not read to its end just to keep the connection.
    if (this.#unreadBytes() > UNREAD_BYTES_MAX) this.#client.contain();
    this.#endedBy(why.code, why.ruleIndex);
    if (this.#account.decidedUs < 0) this.#account.decidedUs = this.#elapsedUs();
    this.#answer.problem(why, this.#plan);
  }

  /** The permit that held before is not why it ended so: the record names no rule, or the one that refused. */
  #endedBy(code: string, ruleIndex: number): void {
    this.#account.code = code;
    this.#context.decidingRule = ruleIndex;
  }

  #unreadBytes(): number {
    const { bodyBytes } = this.#context;
    if (bodyBytes <= 0) return bodyBytes < 0 ? Number.POSITIVE_INFINITY : 0;
    return this.#requestBody === null ? bodyBytes : bodyBytes - this.#requestBody.bytes;
  }

  #stopBodies(): void {
    this.#requestBody?.stop();
    this.#keeping?.stop();
    this.#answer.stop();
  }

  #finish(): void {
    this.#ended = true;
    this.#stopBodies();
    this.#waits?.stop();
    const { heldSlots, shapedCall } = this.#context;
    if (shapedCall !== null && shapedCall.use.brokenOff !== '' && this.#account.code === '')
      this.#endedBy(shapedCall.use.brokenOff, NO_RULE);
    settle(this.#context, this.#version === null ? null : this.#version.binding, this.#cost, this.#account);
    if (this.#plan !== null && this.#thread.crossings.any) this.#nameCrossings();
    this.#account.finishedUs = this.#elapsedUs();
    if (this.#plan !== null && this.#plan.pipeline.alerts !== null)
      tellAlerts(this.#context, this.#plan.pipeline, this.#thread, this.#account, this.stage);
    this.#record();
    if (heldSlots !== null) this.#thread.turns.slotsFreed(heldSlots);
    this.#thread.leave(this);
    if (this.#version !== null) this.#thread.versions.leave(this.#version);
  }

  /** Counters know keys, requests know names. */
  #nameCrossings(): void {
    this.#thread.crossings.name(this.#context, this.#plan!.program.route.name);
  }

  #record(): void {
    const { record, records } = this.#thread;
    const account = this.#account;
    recordRequest(record, this.#context, this.#version === null ? null : this.#version.rules);
    recordRoute(record, this.#plan === null ? null : this.#plan.program.route);
    record.requestId = this.#answer.requestId;
    const traceparent = traceparentIn(this.#idLines);
    record.traceId = traceIdOf(traceparent);
    record.parentSpanId = this.#parentSpanId;
    record.traceSampled = this.#thread.tracedShare !== null && isSampled(traceparent);
    record.requestBytes = this.#requestBody === null ? 0 : this.#requestBody.bytes;
    if (this.#tunnel !== null) {
      record.requestBytes = this.#tunnel.fromClientBytes;
      account.responseBytes = this.#tunnel.toClientBytes;
    }
    recordAccount(record, account);
    records.write(record);
  }

  #elapsedUs(): number {
    return Math.round((this.#thread.clock.monotonicMs() - this.#context.arrivedMonotonicMs) * 1000);
  }
}

/** A WebSocket has its own: it lives long. */
function totalMsOf({ program, timeouts }: RoutePlan): number {
  return program.route.websocket?.totalMs ?? timeouts.totalMs;
}

const NO_RULE = -1;
const WANT_OF_ROOM: ReadonlySet<UpstreamErrorCode> = new Set<UpstreamErrorCode>([
  'keys_exhausted',
  'request_exceeds_keys',
]);
const OUT_OF_TIME = problem('total_timeout');
/** It may have been worked on: nobody is told to ask again. */
const CUT_OFF = problem('going_away', 'The gateway is being stopped, and the answer had not ended by then.');
const NOTHING = new Uint8Array(0);
/** What is left of a refused body is read and dropped up to here, so that an ordinary 401 or 429 keeps its connection. */
const UNREAD_BYTES_MAX = 65_536;
