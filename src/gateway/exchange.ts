/**
 * One request from its head to its record: the PHASES in order (`pipeline/phases.ts`). Knows no socket: the client is a
 * `ClientStream`, the service an `UpstreamService`. Every ending goes through `#finish`, once.
 */
import { RequestContext } from '../pipeline/context.ts';
import type { Outcome } from '../pipeline/outcome.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import { PHASE } from '../pipeline/phases.ts';
import type { ResponseHead, UpstreamCall, UpstreamError, UpstreamHandler } from '../pipeline/upstream.ts';
import { UPSTREAM_ERRORS } from '../pipeline/upstream.ts';
import { recordRequest, ruleName } from './access-record.ts';
import type { ClientHandler, ClientStream, ReceivedRequest } from './client-stream.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { checkFront } from './front-checks.ts';
import { findRoute, identify, receive } from './intake.ts';
import { fillTemplate } from './path-template.ts';
import type { Problem } from './problem.ts';
import { fromRefusal, fromUpstream, overloaded, problem, problemBody, problemFields } from './problem.ts';
import { requestFieldLines } from './request-fields.ts';
import { ownFieldLines, responseFieldLines } from './response-fields.ts';
import type { RoutePlan, RuleVersion } from './rule-version.ts';
import { isRepeatable } from './rule-version.ts';
import { traceIdOf } from './trace-context.ts';

export class Exchange implements ClientHandler, UpstreamHandler {
  /** Neighbours in the thread's list of requests in flight. */
  next: Exchange | null = null;
  previous: Exchange | null = null;

  readonly #thread: ExchangeThread;
  readonly #client: ClientStream;
  readonly #context = new RequestContext();
  #version: RuleVersion | null = null;
  #plan: RoutePlan | null = null;
  #upstreamPath = '';
  #requestId = '';
  #traceparent = '';
  #stage = MATCH_RULES;
  #variant = 0;
  #call: UpstreamCall | null = null;
  /** Body that came before there was a call to give it to. */
  #held: Uint8Array[] | null = null;
  #bodyComplete = true;
  /** The head of the answer has been given to the client. */
  #answered = false;
  /** Nothing of the answer is missing, but the client may not have taken all of it yet. */
  #answerComplete = false;
  #clientFull = false;
  #ended = false;
  #readDeadlineMs = Number.POSITIVE_INFINITY;
  #totalDeadlineMs = Number.POSITIVE_INFINITY;

  // -- for the record ------------------------------------------------------------------------------------------
  #status = 0;
  #code = '';
  #requestBytes = 0;
  #responseBytes = 0;
  #attempts = 0;
  #decidedUs = -1;
  #dispatchedUs = -1;
  #firstByteUs = -1;
  #clientAborted = false;

  constructor(thread: ExchangeThread, client: ClientStream) {
    this.#thread = thread;
    this.#client = client;
  }

  /** The head has been read: runs all phases that need no waiting, in this turn. */
  begin(received: ReceivedRequest): void {
    const thread = this.#thread;
    const context = this.#context;
    context.arrivedMonotonicMs = thread.clock.monotonicMs();
    context.arrivedWallMs = thread.clock.wallMs();
    context.method = received.method;
    context.path = received.path;
    context.query = received.query;
    context.headers = received.fields;
    context.client = this.#client;
    this.#requestId = thread.identifiers.requestId();
    this.#client.attach(this);
    thread.enter(this);
    this.#version = thread.versions.enter();
    const refused = this.#receive();
    if (refused === null) this.#advance();
    else this.#refuse(refused);
  }

  /** A request that waited goes on. */
  wake(): void {
    if (this.#ended) return;
    const { method, headers } = this.#context;
    // The thread's facts are of another request by now.
    checkFront(method, headers, this.#thread.limits, this.#thread.facts);
    this.#advance();
  }

  checkDeadlines(nowMs: number): void {
    if (nowMs >= this.#totalDeadlineMs) this.#fail(problem('total_timeout'));
    else if (this.#bodyComplete) return;
    else if (nowMs >= this.#readDeadlineMs) this.#fail(problem('request_timeout'));
    else this.#client.keepReading();
  }

  // -- deciding ------------------------------------------------------------------------------------------------

  #receive(): Problem | null {
    const thread = this.#thread;
    const { facts } = thread;
    const refused = receive(this.#context, thread);
    if (facts.doubtful) this.#client.contain();
    this.#bodyComplete = facts.bodyBytes === 0;
    this.#traceparent =
      facts.traceparent === '' ? thread.identifiers.traceparent(this.#requestId) : facts.traceparent;
    if (refused !== null) return refused;
    if (thread.inFlight > thread.limits.exchangesPerThread) return overloaded();
    const version = this.#version;
    if (version === null) return problem('not_ready');
    const plan = findRoute(this.#context, version);
    if ('code' in plan) return plan;
    this.#plan = plan;
    this.#upstreamPath =
      plan.template === null
        ? this.#context.path
        : fillTemplate(plan.template, version.matcher.result.parameters);
    this.#totalDeadlineMs = this.#context.arrivedMonotonicMs + plan.timeouts.totalMs;
    if (!this.#bodyComplete) {
      this.#readDeadlineMs = this.#context.arrivedMonotonicMs + thread.limits.requestReadMs;
      this.#client.readBody();
    }
    return null;
  }

  #advance(): void {
    while (this.#stage !== DISPATCH) {
      if (this.#stage === IDENTIFY) {
        const refused = identify(this.#context, this.#plan!, this.#thread.facts, this.#thread.identities);
        if (refused !== null) {
          this.#refuse(refused);
          return;
        }
      } else {
        const outcome = this.#decide();
        if (outcome !== CONTINUE && !this.#goesOn(outcome)) return;
        if (outcome !== CONTINUE) continue;
      }
      this.#stage++;
    }
    this.#dispatch();
  }

  #decide(): Outcome {
    const { pipeline } = this.#plan!;
    if (this.#stage === MATCH_RULES) return pipeline.match(this.#context);
    if (this.#stage === AUTHORISE) return pipeline.authorise(this.#context);
    return pipeline.admit(this.#context);
  }

  /** True when the phases go on at once; all other ways out of the loop have been taken here. */
  #goesOn(outcome: Outcome): boolean {
    switch (outcome.kind) {
      case 'continue':
        return true;
      case 'wait': {
        if (!this.#bodyComplete) this.#client.pauseBody();
        const delayMs = outcome.atMonotonicMs - this.#thread.clock.monotonicMs();
        this.#thread.wakeLater(this, Math.max(0, delayMs));
        return false;
      }
      case 'next-variant':
        this.#variant++;
        this.#stage = AUTHORISE;
        if (this.#variant < VARIANTS) return true;
        this.#refuse(this.#ruleProblem(outcome.refusal));
        return false;
      case 'respond':
      case 'fail':
        this.#refuse(this.#ruleProblem(outcome.refusal));
        return false;
    }
  }

  #ruleProblem(refusal: Extract<Outcome, { kind: 'respond' }>['refusal']): Problem {
    const isLimit = refusal.rateLimitPolicy !== '' || refusal.status === 429;
    return fromRefusal(refusal, isLimit ? ruleName(this.#version!.bundle, refusal.ruleIndex) : '');
  }

  // -- to the service ------------------------------------------------------------------------------------------

  #dispatch(): void {
    const thread = this.#thread;
    const context = this.#context;
    const plan = this.#plan!;
    const { route } = plan.program;
    const limitMs = Math.min(plan.timeouts.totalMs, plan.pipeline.totalTimeoutMs(context));
    this.#totalDeadlineMs = context.arrivedMonotonicMs + limitMs;
    thread.requestEdits.clear();
    plan.pipeline.shapeRequest(context, thread.requestEdits);
    const fieldLines = requestFieldLines(context.headers, thread.facts, thread.requestEdits, {
      forwardedFields: thread.forwardedFields,
      ip: thread.forwardedFields === 'none' ? '' : context.ip,
      requestId: this.#requestId,
      traceparent: this.#traceparent,
      keys: route.auth === 'none' ? 'passed' : 'consumed',
    });
    if (fieldLines === null) {
      this.#refuse(problem('malformed_field', 'A rule sets a field to a value with a control character.'));
      return;
    }
    this.#decidedUs = this.#elapsedUs();
    const { connectMs, firstByteMs, idleMs } = plan.timeouts;
    this.#call = plan.service.dispatch(
      {
        method: context.method,
        target: context.query === '' ? this.#upstreamPath : `${this.#upstreamPath}?${context.query}`,
        fieldLines,
        host: null,
        bodyBytes: context.bodyBytes,
        repeatable: isRepeatable(context.method, route),
        connectMs,
        firstByteMs,
        idleMs,
      },
      this,
    );
    this.#dispatchedUs = this.#elapsedUs();
    if (this.#held !== null) this.#sendHeld(this.#held);
    if (!this.#bodyComplete) this.#client.resumeBody();
  }

  #sendHeld(held: readonly Uint8Array[]): void {
    this.#held = null;
    for (const chunk of held) this.#call!.write(chunk);
    if (this.#bodyComplete) this.#call!.end();
  }

  onBody(chunk: Uint8Array, last: boolean): void {
    if (this.#ended || this.#answerComplete) return;
    this.#requestBytes += chunk.length;
    this.#bodyComplete = last;
    if (this.#requestBytes > this.#plan!.program.route.maxBodyBytes) this.#fail(problem('body_too_large'));
    else if (this.#call === null) this.#hold(chunk);
    else this.#forward(chunk, last, this.#call);
  }

  #forward(chunk: Uint8Array, last: boolean, call: UpstreamCall): void {
    if (chunk.length > 0 && !call.write(chunk) && !last) this.#client.pauseBody();
    if (last) call.end();
  }

  /** Reading is paused, but what had been read already still comes: bounded all the same. */
  #hold(chunk: Uint8Array): void {
    if (this.#requestBytes > this.#thread.limits.requestBodyBufferedBytes) {
      this.#refuse(overloaded());
      return;
    }
    this.#held ??= [];
    this.#held.push(Uint8Array.from(chunk));
  }

  onDrain(): void {
    if (!this.#ended && !this.#bodyComplete) this.#client.resumeBody();
  }

  // -- to the client -------------------------------------------------------------------------------------------

  onHead(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    if (this.#ended) return;
    this.#firstByteUs = this.#elapsedUs();
    this.#attempts = head.attempts;
    const lines = this.#shapeResponse(head);
    if (lines === null) {
      this.#fail(
        fromUpstream(502, 'upstream_malformed_answer', 'A header field of the answer is malformed.'),
      );
      return;
    }
    this.#status = head.status;
    this.#answered = true;
    this.#responseBytes = chunk.length;
    if (!head.hasBody) {
      const declared = this.#context.method === 'HEAD' ? head.bodyBytes : -1;
      this.#complete(this.#client.answerWithoutBody(head.status, lines, declared));
    } else if (last || head.bodyBytes === 0) {
      this.#complete(this.#client.answer(head.status, lines, chunk));
    } else {
      this.#client.begin(head.status, lines, head.bodyBytes);
      if (chunk.length > 0) this.#relay(chunk);
    }
  }

  onData(chunk: Uint8Array, last: boolean): void {
    if (this.#ended || this.#answerComplete) return;
    this.#responseBytes += chunk.length;
    if (chunk.length > 0) this.#relay(chunk);
    if (last) this.#complete(this.#client.end());
  }

  #relay(chunk: Uint8Array): void {
    if (this.#client.write(chunk) || this.#clientFull) return;
    this.#clientFull = true;
    this.#call!.pause();
  }

  onWritable(): void {
    if (this.#ended) return;
    if (this.#answerComplete) {
      this.#finish();
    } else if (this.#clientFull) {
      this.#clientFull = false;
      this.#call!.resume();
    }
  }

  #shapeResponse(head: ResponseHead): string | Uint8Array | null {
    const edits = this.#thread.responseEdits;
    edits.clear();
    this.#plan!.pipeline.shapeResponse(this.#context, edits);
    return responseFieldLines(
      head.fields,
      edits,
      ownFieldLines(this.#requestId, this.#context, this.#version!.bundle),
    );
  }

  // -- endings -------------------------------------------------------------------------------------------------

  onError(error: UpstreamError): void {
    if (this.#ended || this.#answerComplete) return;
    this.#call = null;
    this.#attempts = error.attempts;
    this.#fail(fromUpstream(UPSTREAM_ERRORS[error.code], error.code, error.detail));
  }

  onAborted(): void {
    if (this.#ended) return;
    this.#clientAborted = true;
    // 499 is nginx's number for it; no client ever sees it.
    if (!this.#answered) this.#status = 499;
    this.#code = 'client_aborted';
    if (!this.#answerComplete) this.#call?.abort();
    this.#finish();
  }

  /** The gateway or the service failed: a problem when nothing was sent yet, else the connection breaks. */
  #fail(why: Problem): void {
    if (!this.#answerComplete) this.#call?.abort();
    this.#call = null;
    if (!this.#answered) {
      this.#refuse(why);
      return;
    }
    this.#code = why.code;
    this.#finish();
    this.#client.abort();
  }

  #refuse(why: Problem): void {
    const { bodyBytes, method } = this.#context;
    // A long body that nobody wants is not read to its end just to keep the connection.
    if (!this.#bodyComplete && (bodyBytes < 0 || bodyBytes - this.#requestBytes > UNREAD_BYTES_MAX))
      this.#client.contain();
    const lines = ownFieldLines(this.#requestId, null, null) + problemFields(why);
    const body = problemBody(why, this.#requestId);
    this.#status = why.status;
    this.#code = why.code;
    this.#answered = true;
    if (this.#decidedUs < 0) this.#decidedUs = this.#elapsedUs();
    if (method === 'HEAD') {
      this.#complete(this.#client.answerWithoutBody(why.status, lines, Buffer.byteLength(body)));
    } else {
      this.#responseBytes = body.length;
      this.#complete(this.#client.answer(why.status, lines, body));
    }
  }

  #complete(gone: boolean): void {
    this.#answerComplete = true;
    if (gone) this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    this.#releaseReservations();
    this.#record();
    this.#thread.leave(this);
    if (this.#version !== null) this.#thread.versions.leave(this.#version);
  }

  #releaseReservations(): void {
    const { reservation, observedReservations } = this.#context;
    if (reservation !== null) this.#version!.binding.release(reservation);
    this.#context.reservation = null;
    if (observedReservations === null) return;
    for (const observed of observedReservations) this.#version!.binding.release(observed);
    this.#context.observedReservations = null;
  }

  #record(): void {
    const { record } = this.#thread;
    recordRequest(record, this.#context, this.#version === null ? null : this.#version.bundle);
    const route = this.#plan === null ? null : this.#plan.program.route;
    record.requestId = this.#requestId;
    record.traceId = traceIdOf(this.#traceparent);
    record.route = route === null ? '' : route.name;
    record.routeVersion = route === null || route.version === null ? '' : route.version;
    record.status = this.#status;
    record.code = this.#code;
    record.requestBytes = this.#requestBytes;
    record.responseBytes = this.#responseBytes;
    record.decidedUs = this.#decidedUs;
    record.dispatchedUs = this.#dispatchedUs;
    record.firstByteUs = this.#firstByteUs;
    record.finishedUs = this.#elapsedUs();
    record.attempts = this.#attempts;
    record.clientAborted = this.#clientAborted;
    this.#thread.records.write(record);
  }

  #elapsedUs(): number {
    return Math.round((this.#thread.clock.monotonicMs() - this.#context.arrivedMonotonicMs) * 1000);
  }
}

/** Phases that decide, in the order they run; a request that waits goes on at the phase that told it to. */
const MATCH_RULES = PHASE.match;
const IDENTIFY = PHASE.identify;
const AUTHORISE = PHASE.authorise;
/** Request shaping and dispatch are one step: nothing can wait between them. */
const DISPATCH = PHASE['shape-request'];

/** One (the service) today, models and targets later: the loop over them is here from the start. */
const VARIANTS = 1;

/** What is left of a refused body is read and dropped up to here, so that an ordinary 401 or 429 keeps its connection. */
const UNREAD_BYTES_MAX = 65_536;
