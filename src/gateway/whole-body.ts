/** Holds a body until it is whole, for a transform that can't work on pieces of it. */
import type { BodyFault, BodyTransform } from '../pipeline/body-transform.ts';
import { BodyBuffer, type BufferedBytes } from './body-buffer.ts';

export class WholeBody implements BodyTransform {
  /** What is held here counts among the bodies that the thread holds, not as held back. */
  readonly heldBytes = 0;
  readonly #transform: BodyTransform;
  readonly #bytesMax: number;
  readonly #held: BodyBuffer;

  constructor(transform: BodyTransform, all: BufferedBytes, bytesMax: number) {
    this.#transform = transform;
    this.#bytesMax = bytesMax;
    this.#held = new BodyBuffer(all);
  }

  push(chunk: Uint8Array, last: boolean): Uint8Array | BodyFault {
    if (this.#held.length + chunk.length > this.#bytesMax) return this.#end(TOO_LARGE);
    if (last && this.#held.length === 0) return this.#transform.push(chunk, true);
    if (!this.#held.append(chunk)) return this.#end(NO_ROOM);
    return last ? this.#end(this.#transform.push(this.#held.view(), true)) : NOTHING;
  }

  stop(): void {
    this.#held.free();
  }

  /** What the transform answers may be a view of what was held, whose memory lives as long as that. */
  #end(outcome: Uint8Array | BodyFault): Uint8Array | BodyFault {
    this.#held.free();
    return outcome;
  }
}

const NOTHING = new Uint8Array(0);
const TOO_LARGE: BodyFault = {
  status: 502,
  code: 'answer_too_large_to_mask',
  detail: 'A rule removes personal data from this answer, and it is too large to be read for that.',
};
const NO_ROOM: BodyFault = {
  status: 503,
  code: 'overloaded',
  detail: 'The gateway is handling as much as it may at the moment.',
};
