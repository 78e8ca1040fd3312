import type { Random } from '../base/ports.ts';

/**
 * Ids of requests and traces: unique, not secret. A request's id is also the span id of its trace, so one draw of 64
 * bits serves both. xorshift128 (Marsaglia 2003, doi:10.18637/jss.v008.i14), seeded from the Random port: asking the
 * system for bytes at each request costs more than all that is done with them.
 */
export class Identifiers {
  readonly #state = new Uint32Array(4);
  readonly #tracePrefix: string;

  constructor(random: Random) {
    // All zero is the one state the generator never leaves.
    for (let index = 0; index < 4; index++) this.#state[index] = random.uint32() | 1;
    this.#tracePrefix = this.#hex32() + this.#hex32();
  }

  /** 16 hex digits, never all zero (a span id must not be). */
  requestId(): string {
    const id = this.#hex32() + this.#hex32();
    return id === '0000000000000000' ? this.requestId() : id;
  }

  /** `traceparent` of a trace that begins here, not sampled: nobody asked for it to be recorded. */
  traceparent(requestId: string): string {
    return `00-${this.#tracePrefix}${requestId}-${requestId}-00`;
  }

  #hex32(): string {
    const state = this.#state;
    let word = state[3]!;
    word ^= word << 11;
    word ^= word >>> 8;
    state[3] = state[2]!;
    state[2] = state[1]!;
    const first = state[0]!;
    state[1] = first;
    state[0] = word ^ first ^ (first >>> 19);
    const bits = state[0]!;
    return HEX[bits >>> 24]! + HEX[(bits >>> 16) & 0xff]! + HEX[(bits >>> 8) & 0xff]! + HEX[bits & 0xff]!;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
