/** The body of an answer on its way to the client, where it comes in pieces or is changed. */

import type { ContentCoding } from '../model/content-coding.ts';
import type { BodyOutput } from '../pipeline/body-output.ts';
import type { BodyTransform } from '../pipeline/body-transform.ts';
import type { UpstreamCall } from '../pipeline/upstream.ts';
import type { ClientStream } from './client-stream.ts';
import type { DecodedBody } from './decoded-body.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { Problem } from './problem.ts';
import { badUpstream, fromFault, overloaded } from './problem.ts';
import { TransformedBody } from './transformed-body.ts';

/** How the pieces of an answer get to the client, once its head is known. */
export interface ResponseBody extends BodyOutput {
  /** The client has room again. */
  onWritable(): void;
  stop(): void;
}

/** What the exchange is told. */
export interface ResponseBodyHost {
  /** The first piece is going to be sent: the head must go before it. */
  responseBegins(): void;
  responsePassed(bytes: number): void;
  /** Nothing of the answer is missing; `gone` as of `ClientStream.end`. */
  responseComplete(gone: boolean): void;
  responseFailed(why: Problem): void;
}

/** Passes pieces on as they come; the head has gone before. */
export class StreamedBody implements ResponseBody {
  readonly #client: ClientStream;
  readonly #call: UpstreamCall;
  readonly #host: ResponseBodyHost;
  #clientFull = false;

  constructor(client: ClientStream, call: UpstreamCall, host: ResponseBodyHost) {
    this.#client = client;
    this.#call = call;
    this.#host = host;
  }

  write(chunk: Uint8Array): boolean {
    this.#host.responsePassed(chunk.length);
    if (chunk.length === 0 || this.#client.write(chunk)) return true;
    if (!this.#clientFull) this.#call.pause();
    this.#clientFull = true;
    return false;
  }

  end(): void {
    this.#host.responseComplete(this.#client.end());
  }

  onWritable(): void {
    if (!this.#clientFull) return;
    this.#clientFull = false;
    this.#call.resume();
  }

  stop(): void {}
}

/**
 * Passes on what a transform makes of the text. The head waits for the first piece, so that an answer that can't be read
 * from its beginning is still refused as a whole.
 */
export class ChangedBody implements ResponseBody {
  readonly #client: ClientStream;
  readonly #call: UpstreamCall;
  readonly #host: ResponseBodyHost;
  /** Undoes the coding; null for none. */
  readonly #decoded: DecodedBody | null;
  readonly #entry: BodyOutput;
  readonly #changed: TransformedBody;
  #begun = false;
  #received = false;
  #paused = false;

  constructor(
    client: ClientStream,
    call: UpstreamCall,
    host: ResponseBodyHost,
    transform: BodyTransform,
    coding: ContentCoding,
    thread: Pick<ExchangeThread, 'limits' | 'decoders'>,
  ) {
    this.#client = client;
    this.#call = call;
    this.#host = host;
    const { bodyHoldBackBytes, responseBodyDecodedBytes } = thread.limits;
    const exit = { write: (chunk: Uint8Array) => this.#pass(chunk), end: () => this.#finish() };
    const changed = new TransformedBody(transform, exit, bodyHoldBackBytes, (fault) =>
      host.responseFailed(fromFault(fault)),
    );
    this.#decoded =
      coding === 'identity'
        ? null
        : thread.decoders.decode(coding, responseBodyDecodedBytes, changed, {
            resume: () => this.#resume(),
            failed: (why) => host.responseFailed(UNREADABLE[why]),
          });
    if (coding !== 'identity' && this.#decoded === null) host.responseFailed(overloaded());
    this.#changed = changed;
    this.#entry = this.#decoded ?? changed;
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.length === 0 || this.#entry.write(chunk)) return true;
    this.#pause();
    return false;
  }

  end(): void {
    this.#received = true;
    this.#entry.end();
  }

  onWritable(): void {
    if (this.#decoded === null) this.#resume();
    else this.#decoded.onRoom();
  }

  stop(): void {
    this.#decoded?.stop();
    this.#changed.stop();
  }

  #pass(chunk: Uint8Array): boolean {
    this.#begin();
    this.#host.responsePassed(chunk.length);
    return this.#client.write(chunk);
  }

  #finish(): void {
    this.#begin();
    this.#host.responseComplete(this.#client.end());
  }

  #begin(): void {
    if (!this.#begun) this.#host.responseBegins();
    this.#begun = true;
  }

  /** Once everything has been received, the call is over: there is nothing to pause. */
  #pause(): void {
    if (this.#paused || this.#received) return;
    this.#paused = true;
    this.#call.pause();
  }

  #resume(): void {
    if (!this.#paused || this.#received) return;
    this.#paused = false;
    this.#call.resume();
  }
}

const UNREADABLE = {
  damaged: badUpstream(502, 'The content coding of the answer is damaged.', 'upstream_unreadable_body'),
  'too-large': badUpstream(502, 'The answer decodes to more than it may.', 'upstream_body_too_large'),
} as const;
