/** Runs a body through a transform on its way to an output, and holds it to its bounds. */

import type { BodyOutput } from '../pipeline/body-output.ts';
import type { BodyFault, BodyTransform } from '../pipeline/body-transform.ts';

export class TransformedBody implements BodyOutput {
  readonly #transform: BodyTransform;
  readonly #output: BodyOutput;
  readonly #heldBytesMax: number;
  readonly #fail: (fault: BodyFault) => void;
  #failed = false;

  constructor(
    transform: BodyTransform,
    output: BodyOutput,
    heldBytesMax: number,
    fail: (fault: BodyFault) => void,
  ) {
    this.#transform = transform;
    this.#output = output;
    this.#heldBytesMax = heldBytesMax;
    this.#fail = fail;
  }

  write(chunk: Uint8Array): boolean {
    return this.#push(chunk, false);
  }

  end(): void {
    this.#push(NOTHING, true);
    if (!this.#failed) this.#output.end();
  }

  stop(): void {
    this.#transform.stop?.();
  }

  #push(chunk: Uint8Array, last: boolean): boolean {
    if (this.#failed) return true;
    const changed = transformed(this.#transform, chunk, last, this.#heldBytesMax);
    if (changed instanceof Uint8Array) return changed.length === 0 || this.#output.write(changed);
    this.#failed = true;
    this.#fail(changed);
    return true;
  }
}

/** One piece through a transform that may hold back so much. */
export function transformed(
  transform: BodyTransform,
  chunk: Uint8Array,
  last: boolean,
  heldBytesMax: number,
): Uint8Array | BodyFault {
  const changed = transform.push(chunk, last);
  return transform.heldBytes > heldBytesMax ? HELD_TOO_MUCH : changed;
}

const HELD_TOO_MUCH: BodyFault = {
  status: 500,
  code: 'body_held_back_too_long',
  detail: 'A rule about the body would have to hold back more of it than the gateway keeps.',
};
const NOTHING = new Uint8Array(0);
