/** An answer that was kept, as if its service gave it: in pieces as far as the client takes them, so that streams stream. */
import type { ResponseHead, UpstreamCall, UpstreamHandler } from '../pipeline/upstream.ts';
import type { StoredAnswer } from './answer-cache.ts';

export class ReplayedAnswer implements UpstreamCall {
  readonly #answer: StoredAnswer;
  readonly #handler: Pick<UpstreamHandler, 'onHead' | 'onData'>;
  #at = 0;
  #state: 'flows' | 'waits' | 'over' = 'flows';

  constructor(answer: StoredAnswer, handler: Pick<UpstreamHandler, 'onHead' | 'onData'>) {
    this.#answer = answer;
    this.#handler = handler;
  }

  /** No service gets anything of it. */
  get unsent(): boolean {
    return true;
  }

  /** Once, when the handler knows of the call. */
  begin(): void {
    const { fields, bodyBytes, hasBody, body } = this.#answer;
    const head: ResponseHead = {
      ...{ status: 200, fields, bodyBytes, hasBody, untilClose: false, endpoint: 0, attempts: 0 },
    };
    // One whose length nobody had told is a stream to its client, however short.
    const isWhole = !hasBody || (bodyBytes >= 0 && body.length <= PIECE_BYTES);
    if (isWhole) this.#state = 'over';
    this.#handler.onHead(head, isWhole ? body : NOTHING, isWhole);
    this.#flow();
  }

  #flow(): void {
    const { body } = this.#answer;
    while (this.#state === 'flows') {
      const piece = body.subarray(this.#at, this.#at + PIECE_BYTES);
      this.#at += piece.length;
      const last = this.#at === body.length;
      if (last) this.#state = 'over';
      this.#handler.onData(piece, last);
    }
  }

  write(): never {
    throw new Error('nothing is written to an answer that was kept');
  }

  end(): void {}

  abort(): void {
    this.#state = 'over';
  }

  pause(): void {
    if (this.#state === 'flows') this.#state = 'waits';
  }

  resume(): void {
    if (this.#state !== 'waits') return;
    this.#state = 'flows';
    this.#flow();
  }
}

const PIECE_BYTES = 65_536;
const NOTHING = new Uint8Array(0);
