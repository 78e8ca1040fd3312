import type { OpenLoopSpec } from '../open-loop.ts';
import { Connection } from './connection.ts';
import type { Ledger } from './ledger.ts';

/** One streaming client: reads event streams one after the other and checks that every event comes, once, in order. */
export class StreamClient {
  readonly #spec: OpenLoopSpec;
  readonly #fields: string;
  readonly #ledger: Ledger;
  readonly #takeId: () => number;
  readonly #connection: Connection;
  readonly #expected: string;
  #status = 0;
  #text = '';
  #onEnd: (() => void) | null = null;
  #isReading = false;
  #isWanted = true;

  constructor(spec: OpenLoopSpec, fields: string, ledger: Ledger, takeId: () => number) {
    this.#spec = spec;
    this.#fields = fields;
    this.#ledger = ledger;
    this.#takeId = takeId;
    this.#expected = Array.from({ length: spec.eventsPerStream }, (_, index) => `data: ${index}\n\n`).join(
      '',
    );
    this.#connection = new Connection(spec.port, {
      status: (status) => {
        this.#status = status;
      },
      body: (part) => {
        this.#text += part.toString('latin1');
      },
      end: () => this.#ended(),
      broken: (why) => this.#failed(`stream: ${why}`),
    });
  }

  begin(): void {
    if (!this.#isWanted) return;
    const { streamPath, eventsPerStream, eventEveryMs } = this.#spec;
    this.#text = '';
    this.#isReading = true;
    const query = `id=${this.#takeId()}&events=${eventsPerStream}&everyMs=${eventEveryMs}`;
    this.#connection.send(`GET ${streamPath}?${query} HTTP/1.1\r\n${this.#fields}\r\n`);
  }

  /** Reads the open stream to its end and begins no other. */
  async finish(withinMs: number): Promise<void> {
    this.#isWanted = false;
    if (!this.#isReading) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#failed(`stream: no end in ${withinMs} ms`), withinMs);
      this.#onEnd = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#connection.close();
  }

  #ended(): void {
    if (this.#status !== 200) this.#failed(`stream: status ${this.#status}: ${this.#text.slice(0, 200)}`);
    else if (this.#text !== this.#expected) this.#failed('stream: events missing, doubled or out of order');
    else {
      this.#ledger.streamRead();
      this.#goOn();
    }
  }

  #failed(why: string): void {
    this.#ledger.failed(why);
    this.#connection.close();
    this.#goOn();
  }

  /** In a later turn: the connection is still handling the end of the last answer. */
  #goOn(): void {
    this.#isReading = false;
    if (this.#onEnd === null) setImmediate(() => this.begin());
    else this.#onEnd();
  }
}
