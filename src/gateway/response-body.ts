/** The body of an answer that streams, on its way to the client. Made only for answers that come in more than one piece. */
import type { UpstreamCall } from '../pipeline/upstream.ts';
import type { ClientStream } from './client-stream.ts';

export class ResponseBody {
  readonly #client: ClientStream;
  readonly #call: UpstreamCall;
  #clientFull = false;

  constructor(client: ClientStream, call: UpstreamCall) {
    this.#client = client;
    this.#call = call;
  }

  write(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#client.write(chunk) || this.#clientFull) return;
    this.#clientFull = true;
    this.#call.pause();
  }

  onWritable(): void {
    if (!this.#clientFull) return;
    this.#clientFull = false;
    this.#call.resume();
  }
}
