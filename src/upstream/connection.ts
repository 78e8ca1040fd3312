import type net from 'node:net';
import { ANSWER_FAULTS, SIZE_FAULTS } from './answer-faults.ts';
import type { Call } from './call.ts';
import { NO_DEADLINE, type Watched } from './deadlines.ts';
import { openSocket } from './open-socket.ts';
import type { EndpointPool } from './pool.ts';
import { FAULT, HEAD, LAST, PENDING, ResponseParser } from './response-parser.ts';
import type { AttemptFailure, FailureKind } from './retry.ts';
import type { UpstreamThread } from './thread.ts';

export type ConnectionState = 'connecting' | 'idle' | 'busy' | 'closed';

/**
 * One connection to an endpoint and the exchange on it: connecting → busy ⇄ idle → closed. It owns the socket and the
 * deadline; what a failure means for the request is decided by the service.
 */
export class Connection implements Watched {
  watchIndex = -1;
  state: ConnectionState = 'connecting';
  /** Exchanges finished on this connection. */
  exchanges = 0;
  /** Whether bytes of the current request were handed to the kernel. */
  wrote = false;
  /** The exchange under way, or the one waiting for the connection to open. */
  call: Call | null = null;
  /** When the exchange before ended; for the pool. */
  idleSinceMs = 0;
  readonly parser: ResponseParser;

  readonly #thread: UpstreamThread;
  readonly #pool: EndpointPool;
  readonly #socket: net.Socket;
  readonly #buffer: Buffer;
  #tcpOpen = false;
  #paused = false;
  #corks = 0;
  #stalled = false;

  constructor(thread: UpstreamThread, pool: EndpointPool) {
    this.#thread = thread;
    this.#pool = pool;
    this.#buffer = thread.readBuffer;
    this.parser = new ResponseParser(thread.headReader, thread.limits.responseHeaderBytes);
    const socket = openSocket(pool.target, thread.readBuffer, (bytes) => this.#read(bytes));
    this.#socket = socket;
    socket.once('connect', () => {
      this.#tcpOpen = true;
    });
    socket.once(pool.target.tls === null ? 'connect' : 'secureConnect', () => this.#opened());
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.#ended());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    socket.on('close', () => this.#lose('closed', 'the connection was closed'));
    thread.deadlines.watch(this, NO_DEADLINE);
  }

  /** Takes a call; when the connection is open the call may write at once. */
  assign(call: Call): void {
    this.call = call;
    this.wrote = false;
    if (this.state === 'connecting') {
      this.#thread.deadlines.set(this, this.#thread.deadlines.after(call.request.connectMs));
      return;
    }
    this.#begin(call);
  }

  #opened(): void {
    if (this.state !== 'connecting') return;
    if (this.call === null) {
      this.state = 'idle';
      this.#pool.released(this);
      return;
    }
    this.#begin(this.call);
  }

  #begin(call: Call): void {
    this.state = 'busy';
    this.parser.begin(call.request.method);
    this.#thread.deadlines.set(this, NO_DEADLINE);
    call.connectionReady(this);
  }

  // -- writing -------------------------------------------------------------------------------------------------

  /** Text of which every character is one byte. False asks to wait for the drain. */
  writeText(text: string): boolean {
    this.#thread.beforeWrites();
    return this.#written(this.#socket.write(text, 'latin1'));
  }

  /** The bytes must stay as they are: hand over a copy. */
  writeBytes(bytes: Uint8Array): boolean {
    this.#thread.beforeWrites();
    return this.#written(this.#socket.write(bytes));
  }

  /** Writes up to the matching {@link uncork} leave together. */
  cork(): void {
    this.#corks++;
    this.#socket.cork();
  }

  uncork(): void {
    this.#corks--;
    this.#socket.uncork();
    this.#noteWrite();
  }

  /** The socket holds bytes that the kernel has not taken. */
  get isStalled(): boolean {
    return this.#stalled;
  }

  #written(roomLeft: boolean): boolean {
    this.#noteWrite();
    if (!roomLeft && !this.#stalled) {
      this.#stalled = true;
      this.updateDeadline();
    }
    return roomLeft;
  }

  /** The first write on a plain socket is tried at once: when the kernel refuses it, nothing has left. */
  #noteWrite(): void {
    if (this.wrote || this.#corks > 0) return;
    this.wrote = this.#socket.errored === null || this.#pool.target.tls !== null;
  }

  #drained(): void {
    this.#stalled = false;
    this.updateDeadline();
    this.call?.drained();
  }

  // -- reading -------------------------------------------------------------------------------------------------

  /** The hot path: head and small body in one read are one call of the handler. False stops the socket's reading. */
  #read(bytes: number): boolean {
    const call = this.call;
    if (call === null || !this.wrote) {
      // RFC 9112, 9.2: bytes nobody asked for, however they look, are not the answer to a request that is yet to be sent.
      this.#lose('closed', 'bytes came that no request had asked for');
      return false;
    }
    const parser = this.parser;
    const progress = parser.read(this.#buffer, 0, bytes);
    if (progress === PENDING) return true;
    if ((progress & FAULT) !== 0) {
      this.#lose(SIZE_FAULTS.has(parser.fault) ? 'too-large' : 'malformed', ANSWER_FAULTS[parser.fault]);
      return false;
    }
    this.#deliver(call, progress);
    return !this.#paused;
  }

  #deliver(call: Call, progress: number): void {
    const parser = this.parser;
    const chunk =
      parser.bodyEnd > parser.bodyStart ? this.#buffer.subarray(parser.bodyStart, parser.bodyEnd) : NO_BYTES;
    const last = (progress & LAST) !== 0;
    if ((progress & HEAD) !== 0) call.headArrived(parser);
    if (last) this.#finish(call);
    else this.updateDeadline();
    call.deliver(progress, chunk);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    this.updateDeadline();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    this.updateDeadline();
  }

  #finish(call: Call): void {
    this.call = null;
    this.exchanges++;
    const reusable = this.parser.reusable && call.isSent && !this.#stalled;
    const outcome = this.parser.status >= SERVER_ERROR ? 'answered-error' : 'answered';
    if (this.#paused) this.resume();
    if (reusable) {
      this.state = 'idle';
      call.ended(outcome);
      this.#pool.released(this);
      return;
    }
    call.ended(outcome);
    this.close();
  }

  // -- deadlines -----------------------------------------------------------------------------------------------

  /**
   * What is waited for now: room to write, the final head (counted from the end of the request, not extended by 1xx or by
   * single bytes), or more of the body. Waiting for our own caller has no deadline here.
   */
  updateDeadline(): void {
    const call = this.call;
    if (call === null || this.state !== 'busy') return;
    const deadlines = this.#thread.deadlines;
    const { idleMs, firstByteMs } = call.request;
    if (this.#paused) deadlines.set(this, NO_DEADLINE);
    else if (this.#stalled) deadlines.set(this, deadlines.after(idleMs));
    else if (!call.isSent) deadlines.set(this, NO_DEADLINE);
    else deadlines.set(this, deadlines.after(call.hasHead ? idleMs : firstByteMs));
  }

  expire(): void {
    const call = this.call;
    if (this.state === 'idle') this.close();
    else if (this.state === 'connecting') {
      this.#lose('connect-timeout', `no connection within ${call?.request.connectMs ?? 0} ms`);
    } else if (call !== null) {
      if (this.#stalled) {
        this.#lose('idle-timeout', `no more of the request was taken for ${call.request.idleMs} ms`);
      } else if (call.hasHead) {
        this.#lose('idle-timeout', `no more of the answer came for ${call.request.idleMs} ms`);
      } else this.#lose('first-byte-timeout', `no answer within ${call.request.firstByteMs} ms`);
    }
  }

  // -- the end -------------------------------------------------------------------------------------------------

  /** Closes without telling the call. */
  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.call = null;
    this.#thread.deadlines.unwatch(this);
    this.#socket.destroy();
    this.#pool.closed(this);
  }

  #ended(): void {
    const call = this.call;
    if (this.state !== 'busy' || call === null) {
      if (this.state === 'idle') this.#pool.peerClosedIdle(this);
      this.#lose('closed', 'the connection was closed');
      return;
    }
    const progress = this.parser.end();
    if ((progress & LAST) !== 0) this.#deliver(call, progress);
    else if ((progress & FAULT) !== 0) this.#lose('malformed', ANSWER_FAULTS[this.parser.fault]);
    else this.#lose('closed', 'the connection was closed');
  }

  #failed(error: NodeJS.ErrnoException): void {
    const detail = describe(error);
    if (this.state === 'connecting') this.#lose(this.#tcpOpen ? 'tls-failed' : 'connect-failed', detail);
    else this.#lose(error.syscall === 'write' ? 'write-failed' : 'closed', detail);
  }

  #lose(kind: FailureKind, detail: string): void {
    if (this.state === 'closed') return;
    const call = this.call;
    const connecting = this.state === 'connecting';
    const failure: AttemptFailure | null =
      call === null
        ? null
        : {
            kind: connecting && kind === 'closed' ? (this.#tcpOpen ? 'tls-failed' : 'connect-failed') : kind,
            detail,
            wrote: this.wrote,
            answered: !connecting && this.parser.started,
            reused: this.exchanges > 0,
          };
    this.close();
    if (failure !== null) call!.attemptFailed(failure);
  }
}

/** Happy eyeballs (RFC 8305) fail with one error for all addresses, whose own message is empty. */
function describe(error: NodeJS.ErrnoException): string {
  const messages = error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
  return error.code === undefined || messages.includes(error.code) ? messages : `${error.code}: ${messages}`;
}

const SERVER_ERROR = 500;
const NO_BYTES: Buffer = Buffer.alloc(0);
