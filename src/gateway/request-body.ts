/** The body of one request on its way to the service: counted, bounded, and held while there is no call to give it to. */
import type { LimitValues } from '../base/limits.ts';
import type { UpstreamCall } from '../pipeline/upstream.ts';
import type { ClientStream } from './client-stream.ts';
import type { Problem } from './problem.ts';
import { overloaded, problem } from './problem.ts';

/** Made only for requests that have a body. */
export class RequestBody {
  /** Read so far. */
  bytes = 0;
  complete = false;
  readonly #client: ClientStream;
  readonly #heldBytesMax: number;
  readonly #bytesMax: number;
  #call: UpstreamCall | null = null;
  /** What came before there was a call. */
  #held: Uint8Array[] | null = null;

  /** Within the turn of the head: the body is asked for then, or never. */
  constructor(client: ClientStream, limits: LimitValues, bytesMax: number) {
    this.#client = client;
    this.#heldBytesMax = limits.requestBodyBufferedBytes;
    this.#bytesMax = bytesMax;
    client.readBody();
  }

  /** A problem when it is more than may be; the exchange is over then. */
  receive(chunk: Uint8Array, last: boolean): Problem | null {
    this.bytes += chunk.length;
    this.complete = last;
    if (this.bytes > this.#bytesMax) return problem('body_too_large');
    if (this.#call === null) return this.#hold(chunk);
    if (chunk.length > 0 && !this.#call.write(chunk) && !last) this.#client.pauseBody();
    if (last) this.#call.end();
    return null;
  }

  /** Reading is paused, but what had been read already still comes: bounded all the same. */
  #hold(chunk: Uint8Array): Problem | null {
    if (this.bytes > this.#heldBytesMax) return overloaded();
    this.#held ??= [];
    this.#held.push(Uint8Array.from(chunk));
    return null;
  }

  /** There is a call now: it gets what was held, and all that comes. */
  sendTo(call: UpstreamCall): void {
    this.#call = call;
    const held = this.#held;
    if (held !== null) {
      this.#held = null;
      for (const chunk of held) call.write(chunk);
      if (this.complete) call.end();
    }
    this.resume();
  }

  pause(): void {
    if (!this.complete) this.#client.pauseBody();
  }

  resume(): void {
    if (!this.complete) this.#client.resumeBody();
  }
}
