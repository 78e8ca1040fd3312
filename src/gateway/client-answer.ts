/** What the client is answered: what its service says, as it comes or changed, or what the gateway has to say itself. */

import { contentCoding, STALE_RESPONSE_FIELDS } from '../model/content-coding.ts';
import type { Dialect } from '../model/pools.ts';
import type { BodyTransform, TransformResponseBody } from '../pipeline/body-transform.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { ResponseHead, UpstreamCall } from '../pipeline/upstream.ts';
import type { Account } from './access-record.ts';
import type { AnswerKeeping } from './answer-keeping.ts';
import type { ClientStream, FieldLines } from './client-stream.ts';
import type { ClientTunnelHandler } from './client-tunnel.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { Problem } from './problem.ts';
import { badUpstream, fromFault, problemBody, problemFields } from './problem.ts';
import type { ResponseBody, ResponseBodyHost } from './response-body.ts';
import { ChangedBody, StreamedBody } from './response-body.ts';
import { costLine, limitFieldLines, ownFieldLines, responseFieldLines } from './response-fields.ts';
import type { RoutePlan } from './rule-version.ts';
import { transformed } from './transformed-body.ts';
import { WholeBody } from './whole-body.ts';

/** The exchange, as its answer speaks to it. */
export interface AnswerHost {
  /** Nothing of the answer is missing; `gone`: and the client has taken all of it. */
  answerComplete(gone: boolean): void;
  /** What the service sent can't be passed on. */
  answerFailed(why: Problem): void;
  /** The call to the service is over, and only a transform still holds something of it. */
  serviceDone(): void;
}

export class ClientAnswer implements ResponseBodyHost {
  requestId = '';
  /** In whose words errors are told: of a route to models, once it is found. */
  dialect: Dialect | null = null;
  /** What it says of the cache; null where no rule lets answers be kept. */
  keeping: Pick<AnswerKeeping, 'fields'> | null = null;
  /** The head has been given to the client. */
  begun = false;
  /** Nothing is missing, but the client may not have taken all of it yet. */
  complete = false;
  readonly #thread: ExchangeThread;
  readonly #client: ClientStream;
  readonly #context: RequestContext;
  readonly #account: Account;
  readonly #host: AnswerHost;
  /** Null unless the answer streams. */
  #body: ResponseBody | null = null;
  /** Of an answer whose head waits for the first piece of a changed body. */
  #lines: FieldLines = '';
  #stopped = false;

  constructor(
    thread: ExchangeThread,
    client: ClientStream,
    context: RequestContext,
    account: Account,
    host: AnswerHost,
  ) {
    this.#thread = thread;
    this.#client = client;
    this.#context = context;
    this.#account = account;
    this.#host = host;
  }

  // -- of the service ------------------------------------------------------------------------------------------

  head(plan: RoutePlan, head: ResponseHead, chunk: Uint8Array, last: boolean, call: UpstreamCall): void {
    const { responseTransform } = plan.pipeline;
    const transform = responseTransform === null ? null : this.#transformOf(responseTransform, head);
    const lines = this.#shape(plan, head, transform === null ? NONE : STALE_RESPONSE_FIELDS);
    if (lines === null) this.#host.answerFailed(MALFORMED_ANSWER);
    else if (transform === null) this.#pass(head, lines, chunk, last, call);
    else this.#change(head, lines, transform, chunk, last, call);
  }

  #transformOf(of: TransformResponseBody, head: ResponseHead): BodyTransform | null {
    const transform = of(this.#context, head);
    if (transform?.takesWhole !== true) return transform;
    const { buffered, limits } = this.#thread;
    return new WholeBody(transform, buffered, limits.maskedAnswerBytes);
  }

  data(chunk: Uint8Array, last: boolean): void {
    if (this.#stopped) return;
    this.#body!.write(chunk);
    if (last && !this.#stopped) this.#body!.end();
  }

  /** Accepts a WebSocket. False where the head can't be passed on. */
  upgrade(plan: RoutePlan, head: ResponseHead, protocol: string, tunnel: ClientTunnelHandler): boolean {
    const lines = this.#shape(plan, head, NONE);
    if (lines === null) {
      this.#host.answerFailed(MALFORMED_ANSWER);
      return false;
    }
    this.#account.status = head.status;
    this.begun = true;
    this.#client.upgrade(lines, protocol, tunnel);
    return true;
  }

  #pass(head: ResponseHead, lines: FieldLines, chunk: Uint8Array, last: boolean, call: UpstreamCall): void {
    this.#account.status = head.status;
    this.begun = true;
    if (!head.hasBody) {
      const declared = this.#context.method === 'HEAD' ? head.bodyBytes : -1;
      this.responseComplete(this.#client.answerWithoutBody(head.status, lines, declared));
    } else if (last || head.bodyBytes === 0) {
      this.#account.responseBytes = chunk.length;
      this.responseComplete(this.#client.answer(head.status, lines, chunk));
    } else {
      this.#client.begin(head.status, lines, head.bodyBytes);
      this.#body = new StreamedBody(this.#client, call, this);
      this.#body.write(chunk);
    }
  }

  #change(
    head: ResponseHead,
    lines: FieldLines,
    transform: BodyTransform,
    chunk: Uint8Array,
    last: boolean,
    call: UpstreamCall,
  ): void {
    const coding = contentCoding(head.fields);
    if (last) this.#host.serviceDone();
    if (!head.hasBody) {
      this.#pass({ ...head, bodyBytes: -1 }, lines, chunk, last, call);
    } else if (coding === null || head.status === PARTIAL_CONTENT) {
      this.#host.answerFailed(UNREADABLE_ANSWER);
    } else if (last && coding === 'identity') {
      const changed = transformed(transform, chunk, true, this.#thread.limits.bodyHoldBackBytes);
      if (changed instanceof Uint8Array) this.#pass(head, lines, changed, true, call);
      else this.#host.answerFailed(fromFault(changed));
    } else {
      this.#account.status = head.status;
      this.#lines = lines;
      this.#body = new ChangedBody(this.#client, call, this, transform, coding, this.#thread);
      this.data(chunk, last);
    }
  }

  #shape(plan: RoutePlan, head: ResponseHead, stale: readonly string[]): FieldLines | null {
    const context = this.#context;
    const edits = this.#thread.responseEdits;
    edits.clear();
    plan.pipeline.shapeResponse(context, edits);
    if (stale.length > 0) edits.removed.push(...stale);
    // behind what caches before this one say (RFC 9211, 2)
    if (this.keeping !== null) edits.added.push(...this.keeping.fields);
    const own = ownFieldLines(this.requestId, context, plan.rules);
    const cost = this.#thread.tellsCosts ? costLine(context) : '';
    return responseFieldLines(head.fields, edits, own + limitFieldLines(context) + cost);
  }

  // -- of the gateway ------------------------------------------------------------------------------------------

  /** `plan`: null where no route was found. */
  problem(why: Problem, plan: RoutePlan | null): void {
    const lines = ownFieldLines(this.requestId, this.#context, plan === null ? null : plan.rules);
    const fields = lines + problemFields(why, this.dialect);
    const body = problemBody(why, this.requestId, this.dialect);
    this.#account.status = why.status;
    this.begun = true;
    if (this.#context.method === 'HEAD') {
      this.responseComplete(this.#client.answerWithoutBody(why.status, fields, Buffer.byteLength(body)));
    } else {
      this.#account.responseBytes = body.length;
      this.responseComplete(this.#client.answer(why.status, fields, body));
    }
  }

  // -- its body ------------------------------------------------------------------------------------------------

  onWritable(): void {
    this.#body?.onWritable();
  }

  /** Decoders hold memory, and would go on giving. */
  stop(): void {
    this.#stopped = true;
    this.#body?.stop();
  }

  responseBegins(): void {
    this.begun = true;
    this.#client.begin(this.#account.status, this.#lines, -1);
    this.#lines = '';
  }

  responsePassed(bytes: number): void {
    this.#account.responseBytes += bytes;
  }

  responseComplete(gone: boolean): void {
    this.complete = true;
    this.#host.answerComplete(gone);
  }

  responseFailed(why: Problem): void {
    if (!this.#stopped) this.#host.answerFailed(why);
  }
}

const NONE: readonly string[] = [];
const PARTIAL_CONTENT = 206;
const MALFORMED_ANSWER = badUpstream(
  502,
  'A header field of the answer is malformed.',
  'upstream_malformed_answer',
);
/** A part of a body says nothing of the whole, and a coding that can't be undone hides it. */
const UNREADABLE_ANSWER = badUpstream(
  502,
  'Rules read the answer, and its content coding or range keeps it from being read.',
  'upstream_unreadable_body',
);
