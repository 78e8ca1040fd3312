import type { LimitValues } from '../base/limits.ts';
import type { Clock, Random } from '../base/ports.ts';
import { Deadlines, type Ticker } from './deadlines.ts';
import type { EndpointMemory } from './endpoint-memory.ts';
import { ResponseHeadReader } from './response-head.ts';

/** What all connections of one data thread share. */
export class UpstreamThread {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LimitValues;
  readonly deadlines: Deadlines;
  readonly endpoints: EndpointMemory;
  /** To be called before anything is handed to a socket: what permitted it is written down by then. */
  readonly beforeWrites: () => void;
  readonly headReader = new ResponseHeadReader();
  /**
   * Every socket of the thread reads into this one buffer: nothing may keep a view of it after the read callback. It saves
   * an allocation per read (runtime.md, 1). 64 KiB is what libuv reads at once.
   */
  readonly readBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  /** Requests that found the queue of their service full. */
  refused = 0;
  #later: (() => void)[] = [];
  #heads: HeadWriter[] = [];
  readonly #writeHeads = (): void => {
    const heads = this.#heads;
    this.#heads = [];
    for (const call of heads) call.writeHead();
  };

  constructor(
    clock: Clock,
    random: Random,
    limits: LimitValues,
    endpoints: EndpointMemory,
    ticker: Ticker,
    beforeWrites: () => void,
  ) {
    this.beforeWrites = beforeWrites;
    this.clock = clock;
    this.random = random;
    this.limits = limits;
    this.endpoints = endpoints;
    this.deadlines = new Deadlines(clock, ticker);
  }

  /** Runs `action` in a later turn. One immediate serves all of a turn. */
  later(action: () => void): void {
    if (this.#later.length === 0) setImmediate(() => this.#runLater());
    this.#later.push(action);
  }

  /** One immediate serves all heads of a turn, and no closure is made for any. */
  headLater(call: HeadWriter): void {
    if (this.#heads.length === 0) setImmediate(this.#writeHeads);
    this.#heads.push(call);
  }

  #runLater(): void {
    const actions = this.#later;
    this.#later = [];
    for (const action of actions) action();
  }
}

interface HeadWriter {
  writeHead(): void;
}

const READ_BUFFER_BYTES = 65_536;
