/**
 * Reads HTTP/1.1 messages (RFC 9112) from a socket, piece by piece, for the bench's own clients and upstream. It
 * knows what these exchange: a length or chunks, no trailers, no 1xx answers. Anything else is an error, because it
 * would be the gateway's mistake.
 */
export interface HttpReaderEvents {
  /** Start line and header section; every field begins with CRLF, the last one has none after it. */
  readonly head: (startLine: string, fields: string) => void;
  /** A part of the body. It lies in the socket's buffer: copy what is kept. */
  readonly body: (part: Buffer) => void;
  readonly end: () => void;
}

type State = 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'last-end';

const HEAD_END = Buffer.from('\r\n\r\n');
const CRLF = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);
const HEAD_BYTES_MAX = 64 * 1_024;

const LENGTH_FIELD = fieldPattern('content-length');
const CODING_FIELD = fieldPattern('transfer-encoding');

/** Matches a field in the text that `head` gives; group 1 is its value. */
export function fieldPattern(name: string): RegExp {
  return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*?)[ \\t]*(?=\\r|$)`, 'i');
}

/** What came is not HTTP/1.1 as described above. */
export class HttpFramingError extends Error {
  override readonly name = 'HttpFramingError';
}

export class HttpReader {
  readonly #events: HttpReaderEvents;
  #state: State = 'head';
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #rest: Buffer = NOTHING;

  constructor(events: HttpReaderEvents) {
    this.#events = events;
  }

  /** True between two messages: a connection that closes now has lost nothing. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#rest.length === 0;
  }

  /** Takes what the socket gave. Throws HttpFramingError. */
  push(piece: Buffer): void {
    const data = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (at < data.length) {
      const next = this.#step(data, at);
      if (next === at) break;
      at = next;
    }
    this.#rest = at === data.length ? NOTHING : Buffer.from(data.subarray(at));
  }

  /** Consumes what it can from `at` and returns where it stopped; `at` itself when more bytes are needed. */
  #step(data: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(data, at);
      case 'length':
        return this.#readBody(data, at, 'head');
      case 'chunk-size':
        return this.#readChunkSize(data, at);
      case 'chunk-data':
        return this.#readBody(data, at, 'chunk-end');
      case 'chunk-end':
        return this.#readCrlf(data, at, 'chunk-size');
      case 'last-end':
        return this.#readCrlf(data, at, 'head');
    }
  }

  #readHead(data: Buffer, at: number): number {
    const end = data.indexOf(HEAD_END, at);
    if (end === -1) {
      if (data.length - at > HEAD_BYTES_MAX) throw new HttpFramingError('header section without end');
      return at;
    }
    const text = data.toString('latin1', at, end);
    const lineEnd = text.indexOf('\r\n');
    const startLine = lineEnd === -1 ? text : text.slice(0, lineEnd);
    const fields = lineEnd === -1 ? '' : text.slice(lineEnd);
    this.#events.head(startLine, fields);
    this.#chooseFraming(startLine, fields);
    return end + HEAD_END.length;
  }

  #chooseFraming(startLine: string, fields: string): void {
    const coding = CODING_FIELD.exec(fields)?.[1];
    const length = LENGTH_FIELD.exec(fields)?.[1];
    if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined)
        throw new HttpFramingError(`framing: ${fields}`);
      this.#state = 'chunk-size';
      return;
    }
    if (length === undefined && startLine.startsWith('HTTP/'))
      throw new HttpFramingError(`answer without framing: ${fields}`);
    this.#left = Number(length ?? 0);
    if (this.#left === 0) this.#events.end();
    else this.#state = 'length';
  }

  #readBody(data: Buffer, at: number, next: 'head' | 'chunk-end'): number {
    const end = Math.min(data.length, at + this.#left);
    this.#left -= end - at;
    this.#events.body(data.subarray(at, end));
    if (this.#left === 0) {
      this.#state = next;
      if (next === 'head') this.#events.end();
    }
    return end;
  }

  #readChunkSize(data: Buffer, at: number): number {
    const end = data.indexOf(CRLF, at);
    if (end === -1) return at;
    const text = data.toString('latin1', at, end);
    if (!/^[0-9a-fA-F]{1,12}$/.test(text)) throw new HttpFramingError(`chunk size: ${JSON.stringify(text)}`);
    this.#left = Number.parseInt(text, 16);
    this.#state = this.#left === 0 ? 'last-end' : 'chunk-data';
    return end + CRLF.length;
  }

  #readCrlf(data: Buffer, at: number, next: 'chunk-size' | 'head'): number {
    if (data.length - at < CRLF.length) return at;
    if (data[at] !== CRLF[0] || data[at + 1] !== CRLF[1])
      throw new HttpFramingError('chunk does not end with CRLF');
    this.#state = next;
    if (next === 'head') this.#events.end();
    return at + CRLF.length;
  }
}
