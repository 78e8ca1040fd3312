/**
 * `ClientStream` over a uWebSockets.js response. What this build does, seen on the wire, and what follows from it:
 *
 * - Its parser reads on in the same turn, and runs what stands behind a chunked body as a request, unless an answer is
 *   pending: then it drops the connection. So a contained request is answered in a later turn, and reading is paused
 *   first, so that nothing can come between the answer and the end of the connection.
 * - It answers 505 to a request line that a read cuts within target or version (uWebSockets issue 1776; builds that mend it need
 *   a newer glibc than Debian 12 has). A target beyond one packet, some 1,400 bytes on most networks, can meet that.
 * - It reads a chunk extension as part of the chunk's size, cuts bytes above 0x7F off the end of a value, and waits in vain
 *   on names with other characters than letters, digits and hyphens. None of it can be seen from here: whoever needs
 *   RFC 9112 to the letter for chunked bodies sets `refuseChunkedRequests`.
 * - `end(body, true)` after the head has gone writes "Connection: close" into the body. So a streamed answer that ends
 *   its connection says so in its head, and leaves the paused connection to the 10 s idle timer or to the client.
 * - `end` keeps what a full socket doesn't take, and reads the next request: a client that sends and never reads could fill
 *   the memory. `tryEnd` leaves the response pending until the socket has all of it, at the same cost.
 * - `endWithoutBody` with a length leaves the response pending for ever: the next request drops the connection. So the
 *   length of a HEAD's answer is written as a field.
 * - Without `cork` each call is a system call (4.8 times the cost); a cork calls back at once, so one bound function serves all.
 */
import type { HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { addressText } from './address-text.ts';
import type { ClientHandler, ClientStream, FieldLines } from './client-stream.ts';
import type { ClientTunnelHandler } from './client-tunnel.ts';
import { statusLine } from './status-text.ts';
import { type TunnelData, UwsTunnel } from './uws-tunnel.ts';

/** What the streams of one thread share. */
export class StreamPort {
  /** Set when the thread drains: each answer ends its connection. */
  closing = false;
  #current: UwsStream | null = null;
  readonly #flush = (): void => this.#current!.flush();

  open(response: HttpResponse, handshake: Handshake | null = null): UwsStream {
    return new UwsStream(this, response, handshake);
  }

  /** Runs `stream.flush` inside one cork. */
  cork(stream: UwsStream, response: HttpResponse): void {
    this.#current = stream;
    response.cork(this.#flush);
  }
}

export class UwsStream implements ClientStream {
  readonly #port: StreamPort;
  readonly #response: HttpResponse;
  readonly #handshake: Handshake | null;
  #tunnel: UwsTunnel | null = null;
  #protocol = '';
  #handler: ClientHandler | null = null;
  #contained = false;
  #body: 'unread' | 'reading' | 'complete' = 'unread';
  #bodyPaused = false;
  #sweeps = 0;
  /** The response object may no longer be touched. */
  #gone = false;

  // -- the call that runs inside the cork ----------------------------------------------------------------------
  #step: Step = ANSWER;
  #status = 0;
  #lines: FieldLines = '';
  #chunk: Uint8Array | string = '';
  #declaredBytes = -1;

  // -- a streamed answer ---------------------------------------------------------------------------------------
  #headSent = false;
  /** -1: chunked. */
  #totalBytes = -1;
  /** Bytes of a body of known length that the socket has not taken yet. */
  #rest: Uint8Array | null = null;
  #full = false;
  #endAsked = false;
  #watching = false;

  constructor(port: StreamPort, response: HttpResponse, handshake: Handshake | null) {
    this.#port = port;
    this.#handshake = handshake;
    this.#response = response;
  }

  attach(handler: ClientHandler): void {
    this.#handler = handler;
  }

  address(): string {
    return this.#gone ? '' : addressText(this.#response.getRemoteAddress());
  }

  contain(): void {
    this.#contained = true;
  }

  /** The turn of the head ends: without an abort handler uWebSockets.js ends the process. */
  afterHead(): void {
    if (this.#gone) return;
    this.#response.onAborted(() => {
      const handler = this.#gone ? null : this.#handler;
      this.#gone = true;
      handler?.onAborted();
    });
  }

  // -- body of the request -------------------------------------------------------------------------------------

  readBody(): void {
    this.#body = 'reading';
    this.#response.onData((chunk, last) => {
      if (last) this.#body = 'complete';
      this.#handler!.onBody(new Uint8Array(chunk), last);
    });
  }

  pauseBody(): void {
    if (this.#gone || this.#bodyPaused) return;
    this.#bodyPaused = true;
    this.#response.pause();
  }

  resumeBody(): void {
    if (this.#gone || !this.#bodyPaused) return;
    this.#bodyPaused = false;
    this.#response.resume();
  }

  /** uWebSockets.js drops uploads below 16 KiB/s as idle; `resume` begins its 10 s anew. */
  keepReading(): void {
    if (this.#gone || this.#bodyPaused || this.#body !== 'reading') return;
    if (++this.#sweeps % SWEEPS_PER_REARM !== 0) return;
    this.#response.pause();
    this.#response.resume();
  }

  // -- answer --------------------------------------------------------------------------------------------------

  answer(status: number, fieldLines: FieldLines, body: Uint8Array | string): boolean {
    if (!this.#closes() || body.length > CLOSING_BYTES_MAX) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      this.begin(status, fieldLines, bytes.length);
      this.write(bytes);
      return this.end();
    }
    this.#setHead(status, fieldLines);
    this.#chunk = body;
    return this.#finishWith(ANSWER);
  }

  answerWithoutBody(status: number, fieldLines: FieldLines, declaredBytes: number): boolean {
    this.#setHead(status, fieldLines);
    this.#declaredBytes = declaredBytes;
    return this.#finishWith(ANSWER_WITHOUT_BODY);
  }

  begin(status: number, fieldLines: FieldLines, bodyBytes: number): void {
    this.#setHead(status, fieldLines);
    // A body of known length ends with its last byte, in whatever turn that is; a contained one must not.
    this.#totalBytes = this.#contained ? -1 : bodyBytes;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#gone) return true;
    if (this.#rest !== null) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      return false;
    }
    this.#chunk = chunk;
    this.#cork(this.#totalBytes < 0 ? WRITE_CHUNKED : WRITE_SIZED);
    return !this.#full;
  }

  end(): boolean {
    if (this.#gone) return true;
    if (!this.#full) return this.#totalBytes < 0 ? this.#finishWith(END_CHUNKED) : this.#cutShort();
    this.#endAsked = true;
    return false;
  }

  // -- a WebSocket ---------------------------------------------------------------------------------------------

  get canUpgrade(): boolean {
    return this.#handshake !== null;
  }

  upgrade(fieldLines: FieldLines, protocol: string, handler: ClientTunnelHandler): void {
    if (this.#gone) return;
    this.#setHead(SWITCHING_PROTOCOLS, fieldLines);
    this.#protocol = protocol;
    this.#tunnel = new UwsTunnel(handler);
    this.#cork(UPGRADE);
  }

  abort(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#response.close();
  }

  /** Runs inside the cork. */
  flush(): void {
    switch (this.#step) {
      case ANSWER:
        this.#flushAnswer();
        return;
      case ANSWER_WITHOUT_BODY:
        this.#flushAnswerWithoutBody();
        return;
      case WRITE_CHUNKED:
        this.#writeHead();
        if (!this.#response.write(this.#chunk)) this.#watchRoom();
        return;
      case WRITE_SIZED:
        this.#writeHead();
        this.#writeSized(this.#chunk as Uint8Array);
        return;
      case UPGRADE:
        this.#writeHead();
        this.#gone = true;
        this.#response.upgrade<TunnelData>(
          { tunnel: this.#tunnel! },
          this.#handshake!.key,
          this.#protocol,
          // No extensions, and so no compression.
          '',
          this.#handshake!.context,
        );
        return;
      case END_CHUNKED:
        this.#writeHead();
        this.#beforeLast();
        this.#gone = true;
        this.#response.end();
        return;
    }
  }

  #setHead(status: number, fieldLines: FieldLines): void {
    this.#status = status;
    this.#lines = fieldLines;
  }

  #cork(step: Step): void {
    this.#step = step;
    this.#port.cork(this, this.#response);
  }

  /** The last call of an answer: at once, or in a later turn when the request is contained. */
  #finishWith(step: Step): boolean {
    if (this.#gone) return true;
    if (!this.#contained) {
      this.#cork(step);
      return true;
    }
    // The view dies with the call.
    if (typeof this.#chunk !== 'string') this.#chunk = Uint8Array.from(this.#chunk);
    setImmediate(() => {
      if (this.#gone) return;
      this.#cork(step);
      this.#handler!.onWritable();
    });
    return false;
  }

  #flushAnswer(): void {
    this.#writeHead();
    this.#beforeLast();
    this.#gone = true;
    this.#response.end(this.#chunk, this.#closes());
  }

  #flushAnswerWithoutBody(): void {
    this.#writeHead();
    this.#beforeLast();
    this.#gone = true;
    if (this.#closes()) this.#response.writeHeader('connection', 'close');
    if (this.#declaredBytes >= 0) this.#response.writeHeader('content-length', `${this.#declaredBytes}`);
    this.#response.endWithoutBody();
  }

  #closes(): boolean {
    return this.#contained || this.#port.closing;
  }

  /** One call for all lines: uWebSockets.js does not look into a value, and each call into it costs. */
  #writeHead(): void {
    if (this.#headSent) return;
    this.#headSent = true;
    const response = this.#response;
    const lines = this.#lines;
    // Left out, it is 200: one call into uWebSockets.js less for most answers.
    if (this.#status !== 200) response.writeStatus(statusLine(this.#status));
    if (typeof lines === 'string') {
      const colon = lines.indexOf(':');
      response.writeHeader(lines.slice(0, colon), lines.slice(colon + 2, -2));
    } else {
      const colon = lines.indexOf(COLON);
      response.writeHeader(lines.subarray(0, colon), lines.subarray(colon + 2, -2));
    }
    const streams = this.#step !== ANSWER && this.#step !== ANSWER_WITHOUT_BODY && this.#step !== UPGRADE;
    if (streams && this.#closes()) response.writeHeader('connection', 'close');
    this.#lines = '';
  }

  /** Before the call that ends the response: what comes next on the connection is read, or never is. */
  #beforeLast(): void {
    if (this.#contained) this.#response.pause();
    else this.resumeBody();
  }

  #writeSized(chunk: Uint8Array): void {
    const before = this.#response.getWriteOffset();
    if (before + chunk.length >= this.#totalBytes) this.#beforeLast();
    const [taken, complete] = this.#response.tryEnd(chunk, this.#totalBytes);
    if (complete) {
      this.#gone = true;
      this.#rest = null;
      this.#full = false;
      return;
    }
    if (taken) return;
    const written = this.#response.getWriteOffset() - before;
    this.#rest = written < chunk.length ? Uint8Array.from(chunk.subarray(written)) : null;
    this.#watchRoom();
  }

  #watchRoom(): void {
    this.#full = true;
    if (this.#watching) return;
    this.#watching = true;
    this.#response.onWritable(() => this.#onRoom());
  }

  #onRoom(): boolean {
    this.#full = false;
    if (this.#rest !== null) {
      const rest = this.#rest;
      this.#rest = null;
      this.#writeSized(rest);
      if (this.#full) return false;
    }
    if (!this.#endAsked) {
      this.#handler!.onWritable();
    } else if (this.#gone || this.#finishWith(END_CHUNKED)) {
      this.#handler!.onWritable();
    }
    return true;
  }

  /** Fewer bytes than were announced: the client can see that only when the connection breaks. */
  #cutShort(): boolean {
    this.abort();
    return true;
  }
}

/** What uWebSockets.js needs to answer one. */
export interface Handshake {
  readonly key: string;
  readonly context: us_socket_context_t;
}

const SWITCHING_PROTOCOLS = 101;

type Step = 0 | 1 | 2 | 3 | 4 | 5;
const ANSWER = 0;
const ANSWER_WITHOUT_BODY = 1;
const WRITE_CHUNKED = 2;
const WRITE_SIZED = 3;
const END_CHUNKED = 4;
const UPGRADE = 5;

/** Up to here, an answer that ends its connection is given away whole; above, what the socket doesn't take is watched. */
const CLOSING_BYTES_MAX = 16 * 1024;
/** Sweeps run four times a second: every 4 s, well within the 10 s. */
const SWEEPS_PER_REARM = 16;
const COLON = 0x3a;
