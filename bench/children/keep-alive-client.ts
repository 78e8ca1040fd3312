import { Connection } from './connection.ts';
import type { Ledger } from './ledger.ts';

export interface PlannedRequest {
  readonly id: number;
  /** On the scale of performance.now(). */
  readonly dueMs: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
}

/** The counting upstream's answer; see `upstream.ts`. */
interface CountedAnswer {
  readonly id: number;
  readonly seen: number;
  readonly version: string;
  readonly bodyBytes: number;
}

const ANSWER_WITHIN_MS = 10_000;

/** One keep-alive client: a request at a time, each answer checked. Hands itself back when it is free. */
export class KeepAliveClient {
  readonly #connection: Connection;
  readonly #fields: string;
  readonly #ledger: Ledger;
  readonly #onFree: (client: KeepAliveClient) => void;
  #request: PlannedRequest | null = null;
  #status = 0;
  #body = '';
  #timer: NodeJS.Timeout;

  constructor(port: number, fields: string, ledger: Ledger, onFree: (client: KeepAliveClient) => void) {
    this.#fields = fields;
    this.#ledger = ledger;
    this.#onFree = onFree;
    this.#connection = new Connection(port, {
      status: (status) => {
        this.#status = status;
      },
      body: (part) => {
        this.#body += part.toString('latin1');
      },
      end: () => this.#answered(),
      broken: (why) => this.#done(why),
    });
    // One timer for all requests of this client, started anew for each: cheaper than one per request.
    this.#timer = setTimeout(() => this.#timedOut(), ANSWER_WITHIN_MS);
    this.#timer.unref();
  }

  send(request: PlannedRequest): void {
    this.#request = request;
    this.#body = '';
    this.#timer.refresh();
    this.#connection.send(this.#text(request));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  #text({ id, method, path, body }: PlannedRequest): string {
    const length = method === 'POST' ? `content-length: ${body.length}\r\n` : '';
    return `${method} ${path}?id=${id} HTTP/1.1\r\n${this.#fields}${length}\r\n${body}`;
  }

  #answered(): void {
    if (this.#request === null) return;
    if (this.#status !== 200) {
      this.#done(`status ${this.#status}: ${this.#body.slice(0, 200)}`);
      return;
    }
    const answer = parseAnswer(this.#body);
    const mistake = mistakeOf(answer, this.#request);
    if (mistake === null)
      this.#ledger.answered(performance.now() - this.#request.dueMs, answer?.version ?? '');
    this.#done(mistake);
  }

  #timedOut(): void {
    if (this.#request === null) return;
    this.#connection.close();
    this.#done(`no answer in ${ANSWER_WITHIN_MS} ms`);
  }

  #done(mistake: string | null): void {
    this.#request = null;
    if (mistake !== null) this.#ledger.failed(mistake);
    this.#onFree(this);
  }
}

function parseAnswer(text: string): CountedAnswer | null {
  try {
    return JSON.parse(text) as CountedAnswer;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function mistakeOf(answer: CountedAnswer | null, request: PlannedRequest): string | null {
  if (answer === null) return 'answer that did not come from the upstream';
  if (answer.id !== request.id) return 'answer to another request';
  if (answer.seen !== 1) return 'request came upstream more than once';
  if (answer.bodyBytes !== request.body.length) return 'request body of another length upstream';
  return null;
}
