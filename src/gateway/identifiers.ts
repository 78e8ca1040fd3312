import type { Random } from '../base/ports.ts';

/**
 * Ids of requests and traces: unique, not secret. A request's id is also the span id of its trace, so one draw of 64
 * bits serves both. xorshift128 (Marsaglia 2003, doi:10.18637/jss.v008.i14), seeded from the Random port: asking the
 * system for bytes at each request costs more than all that is done with them.
 *
 * Both are made as the field lines that carry them to the service: one text from one piece of memory, of which id and trace
 * are slices. Put together from pieces, each reader would have to flatten it again.
 */
export class Identifiers {
  /** The last id, as two signed 32-bit integers. */
  high = 0;
  low = 0;
  readonly #state = new Uint32Array(4);
  readonly #lines = Buffer.from(
    `${ID_FIELD}${'0'.repeat(ID_UNITS)}${TRACE_FIELD}00-${'0'.repeat(32)}-${'0'.repeat(ID_UNITS)}-00\r\n`,
  );

  constructor(random: Random) {
    // All zero is the one state the generator never leaves.
    for (let index = 0; index < 4; index++) this.#state[index] = random.uint32() | 1;
    for (const at of [TRACE_START + 3, TRACE_START + 11]) this.#putHex(this.#draw(), at);
  }

  /**
   * Lines of `x-request-id` and of a `traceparent` that begins here, not sampled: nobody asked for it to be recorded. A new
   * id each time: 16 hex digits, never all zero (a span id must not be).
   */
  next(): string {
    let high = this.#draw();
    let low = this.#draw();
    while (high === 0 && low === 0) {
      high = this.#draw();
      low = this.#draw();
    }
    this.high = high | 0;
    this.low = low | 0;
    for (const start of ID_STARTS) {
      this.#putHex(high, start);
      this.#putHex(low, start + 8);
    }
    return this.#lines.toString('latin1');
  }

  #draw(): number {
    const state = this.#state;
    let word = state[3]!;
    word ^= word << 11;
    word ^= word >>> 8;
    state[3] = state[2]!;
    state[2] = state[1]!;
    const first = state[0]!;
    state[1] = first;
    state[0] = word ^ first ^ (first >>> 19);
    return state[0]!;
  }

  #putHex(word: number, at: number): void {
    const lines = this.#lines;
    for (let digit = 0; digit < 8; digit++) {
      const value = (word >>> (28 - 4 * digit)) & 0xf;
      lines[at + digit] = value < 10 ? 0x30 + value : 0x57 + value;
    }
  }
}

export function requestIdIn(lines: string): string {
  return lines.slice(ID_START, ID_START + ID_UNITS);
}

export function traceparentIn(lines: string): string {
  return lines.slice(TRACE_START, TRACE_START + TRACE_UNITS);
}

/** The lines of a request whose trace was begun elsewhere. */
export function linesWithin(lines: string, traceparent: string): string {
  return `${lines.slice(0, TRACE_START)}${traceparent}\r\n`;
}

/** The lines of a request whose trace is recorded, or might be: the service's spans are children of the gateway's. */
export function tracedLines(lines: string, traceparent: string, begunHereSampled: boolean): string {
  if (traceparent !== '')
    return linesWithin(lines, `${traceparent.slice(0, 36)}${requestIdIn(lines)}${traceparent.slice(52)}`);
  return begunHereSampled ? linesWithin(lines, `${traceparentIn(lines).slice(0, 53)}01`) : lines;
}

const ID_FIELD = 'x-request-id: ';
const ID_UNITS = 16;
const TRACE_FIELD = '\r\ntraceparent: ';
const TRACE_UNITS = 55;
const ID_START = ID_FIELD.length;
const TRACE_START = ID_START + ID_UNITS + TRACE_FIELD.length;
/** The request's own, the second half of its trace's, its span's. */
const ID_STARTS = [ID_START, TRACE_START + 19, TRACE_START + 36];
