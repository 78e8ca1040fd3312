/** The body of one request on its way to the service: counted, bounded, and held while there is no call to give it to. */

import { contentCoding } from '../model/content-coding.ts';
import type { BodyOutput } from '../pipeline/body-output.ts';
import type { BodyFault, BodyTransform } from '../pipeline/body-transform.ts';
import type { UpstreamCall } from '../pipeline/upstream.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { ClientStream } from './client-stream.ts';
import type { DecodedBody } from './decoded-body.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { Problem } from './problem.ts';
import { fromFault, overloaded, problem } from './problem.ts';
import { TransformedBody } from './transformed-body.ts';

export type RequestBodyThread = Pick<ExchangeThread, 'limits' | 'buffered' | 'decoders'>;

export interface RequestBodyHost {
  /** Ends the exchange, or what is left of it. */
  requestBodyFailed(why: Problem): void;
  /** The whole text, without content coding: a view that holds as long as the body is not stopped. */
  requestBodyCollected(text: Uint8Array): void;
  /** All of it as it came, held until there is somebody to give it to: a view for this call. */
  requestBodyWhole(bytes: Uint8Array): void;
}

/** Made only for requests that have a body. */
export class RequestBody {
  /** Read so far. */
  bytes = 0;
  complete = false;
  readonly #client: ClientStream;
  readonly #thread: RequestBodyThread;
  readonly #bytesMax: number;
  readonly #host: RequestBodyHost;
  #output: BodyOutput | null = null;
  /** What came before there was an output. */
  #held: BodyBuffer | null = null;
  /** All of it is asked for before any of it goes on. */
  #wholeAsked = false;
  #decoded: DecodedBody | null = null;
  #collected: BodyBuffer | null = null;

  /** Within the turn of the head: the body is asked for then, or never. */
  constructor(client: ClientStream, thread: RequestBodyThread, bytesMax: number, host: RequestBodyHost) {
    this.#client = client;
    this.#thread = thread;
    this.#bytesMax = bytesMax;
    this.#host = host;
    client.readBody();
  }

  receive(chunk: Uint8Array, last: boolean): void {
    this.bytes += chunk.length;
    this.complete = last;
    const output = this.#output;
    if (this.bytes > this.#bytesMax) this.#host.requestBodyFailed(problem('body_too_large'));
    else if (output === null) {
      if (this.#hold(chunk) && last) this.#tellWhole();
    } else {
      if (chunk.length > 0 && !output.write(chunk) && !last) this.#client.pauseBody();
      if (last) output.end();
    }
  }

  /** Reading is paused, but what had been read already still comes: bounded all the same. */
  #hold(chunk: Uint8Array): boolean {
    this.#held ??= new BodyBuffer(this.#thread.buffered);
    const bytesMax = this.#wholeAsked ? this.#bytesMax : this.#thread.limits.requestBodyBufferedBytes;
    if (this.bytes <= bytesMax && this.#held.append(chunk)) return true;
    this.#host.requestBodyFailed(overloaded());
    return false;
  }

  /** Before it is given to anybody: see `requestBodyWhole`. */
  awaitWhole(): void {
    this.#wholeAsked = true;
    if (this.complete) this.#tellWhole();
    else this.resume();
  }

  #tellWhole(): void {
    if (!this.#wholeAsked) return;
    this.#wholeAsked = false;
    this.#host.requestBodyWhole(this.#held === null ? NOTHING : this.#held.view());
  }

  /** There is a call now: it gets what was held, and all that comes. */
  sendTo(call: UpstreamCall): void {
    this.#flow(call);
  }

  /** The call gets what the transform makes of it. The body must be of a coding that `contentCoding` knows. */
  sendThrough(transform: BodyTransform, fields: readonly string[], call: UpstreamCall): void {
    const { bodyHoldBackBytes } = this.#thread.limits;
    const fail = (fault: BodyFault) => this.#host.requestBodyFailed(fromFault(fault));
    this.#flowDecoded(fields, new TransformedBody(transform, call, bodyHoldBackBytes, fail));
  }

  /** Reads all of it before anything is sent. The body must be of a coding that `contentCoding` knows. */
  collect(fields: readonly string[]): void {
    const text = new BodyBuffer(this.#thread.buffered);
    this.#collected = text;
    this.#flowDecoded(fields, {
      write: (chunk) => {
        if (text.length + chunk.length > this.#bytesMax)
          this.#host.requestBodyFailed(problem('body_too_large'));
        else if (!text.append(chunk)) this.#host.requestBodyFailed(overloaded());
        return true;
      },
      end: () => this.#host.requestBodyCollected(text.view()),
    });
  }

  #flowDecoded(fields: readonly string[], output: BodyOutput): void {
    const coding = contentCoding(fields);
    if (coding === 'identity' || coding === null) {
      this.#flow(output);
      return;
    }
    this.#decoded = this.#thread.decoders.decode(coding, this.#bytesMax, output, {
      resume: () => this.resume(),
      failed: (why) =>
        this.#host.requestBodyFailed(problem(why === 'too-large' ? 'body_too_large' : 'undecodable_body')),
    });
    if (this.#decoded === null) this.#host.requestBodyFailed(overloaded());
    else this.#flow(this.#decoded);
  }

  #flow(output: BodyOutput): void {
    this.#output = output;
    if (this.#held !== null) {
      const held = this.#held.view();
      if (held.length > 0) output.write(held);
      this.#held.free();
      if (this.complete) output.end();
    }
    this.resume();
  }

  pause(): void {
    if (!this.complete) this.#client.pauseBody();
  }

  resume(): void {
    if (!this.complete) this.#client.resumeBody();
  }

  /** The call has room again. */
  onRoom(): void {
    if (this.#decoded === null) this.resume();
    else this.#decoded.onRoom();
  }

  /** Nothing of it goes anywhere any more. */
  stop(): void {
    this.#held?.free();
    this.#collected?.free();
    this.#decoded?.stop();
  }
}

const NOTHING = new Uint8Array(0);
