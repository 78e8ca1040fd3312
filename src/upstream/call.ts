import { assert } from '../base/assert.ts';
import type {
  ResponseHead,
  UpstreamCall,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
} from '../pipeline/upstream.ts';
import type { Connection } from './connection.ts';
import type { AttemptOutcome } from './health.ts';
import type { EndpointPool } from './pool.ts';
import { requestHead } from './request-head.ts';
import { HEAD, LAST, type ResponseParser } from './response-parser.ts';
import type { AttemptFailure } from './retry.ts';

/** The service, as a call speaks to it. */
export interface CallOwner {
  attemptEnded(call: Call, outcome: AttemptOutcome): void;
  /** The head of an answer decides about a half-open endpoint: what follows may last for hours. */
  probeAnswered(call: Call, outcome: AttemptOutcome): void;
  attemptFailed(call: Call, failure: AttemptFailure): void;
  /** The call is given up while it waits for a connection. */
  withdrawn(call: Call): void;
  /** Calls `writeHead` at the end of this turn. */
  headLater(call: Call): void;
}

/** One request from dispatch to the end of its answer, over up to three attempts. */
export class Call implements UpstreamCall {
  readonly request: UpstreamRequest;
  connection: Connection | null = null;
  /** Where the last attempt went. */
  pool: EndpointPool | null = null;
  /** The attempt decides whether its endpoint is back. */
  isProbe = false;
  attempts = 0;
  /** The final head has arrived. */
  hasHead = false;
  /** Bytes of it were written in some attempt: it may have been processed. */
  wasWritten = false;
  /** Deadline in the wait queue. */
  waitUntilMs = 0;

  readonly #owner: CallOwner;
  readonly #handler: UpstreamHandler;
  #head: ResponseHead | null = null;
  #over = false;
  #headSent = false;
  /** Body bytes still to come; stays -1 when the length is unknown. */
  #bodyLeft: number;
  #bodyEnded: boolean;
  /** Body pieces handed over and not yet written, or kept to be written again. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Pieces of `#held` already written in this attempt. */
  #heldWritten = 0;
  /** The first piece of the body, one character a byte: it leaves with the head, at the end of the turn. */
  #withHead: string | null = null;
  /** Body bytes were written that are not held any more. */
  #bodyGone = false;
  #toldToWait = false;

  constructor(owner: CallOwner, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#owner = owner;
    this.request = request;
    this.#handler = handler;
    this.#bodyLeft = request.bodyBytes;
    this.#bodyEnded = request.bodyBytes === 0;
  }

  /** Index of the endpoint of the last attempt, in the service; -1 before the first. */
  get endpoint(): number {
    return this.pool === null ? -1 : this.pool.index;
  }

  get unsent(): boolean {
    return !this.wasWritten && this.connection?.wrote !== true;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The whole request was handed to the connection. */
  get isSent(): boolean {
    return this.#bodyEnded && this.#headSent;
  }

  get bodyAtHand(): boolean {
    return !this.#bodyGone;
  }

  // -- the caller's side ---------------------------------------------------------------------------------------

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    const bytes = chunk.byteLength;
    if (bytes === 0) return !this.#toldToWait;
    assert(!this.#bodyEnded, 'body bytes after the end of the body');
    if (this.#bodyLeft >= 0) {
      assert(bytes <= this.#bodyLeft, 'more body bytes than declared');
      this.#bodyLeft -= bytes;
      if (this.#bodyLeft === 0) this.#bodyEnded = true;
    }
    const roomLeft = this.#take(chunk);
    if (!roomLeft) this.#toldToWait = true;
    return roomLeft;
  }

  end(): void {
    if (this.#over || this.#bodyEnded) return;
    assert(this.#bodyLeft < 0, 'the body ended before its declared length');
    this.#bodyEnded = true;
    const connection = this.#openConnection();
    if (connection === null || this.#withHead !== null) return;
    connection.writeText(`${this.#headOnce()}${LAST_CHUNK}`);
    connection.updateDeadline();
  }

  abort(): void {
    if (this.#over) return;
    const connection = this.connection;
    if (connection === null) {
      this.#over = true;
      this.#owner.withdrawn(this);
      return;
    }
    this.ended('unknown');
    connection.close();
  }

  pause(): void {
    if (!this.#over) this.#openConnection()?.pause();
  }

  resume(): void {
    if (!this.#over) this.#openConnection()?.resume();
  }

  // -- the connection's side -----------------------------------------------------------------------------------

  /** The connection is open and ours. */
  connectionReady(connection: Connection): void {
    this.connection = connection;
    if (this.#held.length > 0 || (this.#bodyEnded && this.request.bodyBytes < 0)) this.#writeHeld(connection);
    else this.#owner.headLater(this);
  }

  /**
   * The end of the turn. The heads of all requests of a turn leave one after the other, so that the service wakes once for
   * them and answers in bunches, which saves CPU under load (bench/RESULTS.md). The first piece of a body usually comes
   * in the same turn: it shares the head's system call.
   */
  writeHead(): void {
    const { connection } = this;
    if (this.#over || this.#headSent || connection === null || this.#openConnection() === null) return;
    if (this.#withHead === null) connection.writeText(this.#headOnce());
    else this.#writeWithHead(connection, this.#withHead);
    connection.updateDeadline();
  }

  headArrived(parser: ResponseParser): void {
    this.hasHead = true;
    if (this.isProbe) this.#owner.probeAnswered(this, parser.status >= 500 ? 'answered-error' : 'answered');
    this.#head = {
      status: parser.status,
      fields: parser.fields,
      bodyBytes: parser.bodyBytes,
      hasBody: parser.hasBody,
      untilClose: parser.untilClose,
      endpoint: this.endpoint,
      attempts: this.attempts,
    };
  }

  deliver(progress: number, chunk: Uint8Array): void {
    const last = (progress & LAST) !== 0;
    if ((progress & HEAD) !== 0) this.#handler.onHead(this.#head!, chunk, last);
    else this.#handler.onData(chunk, last);
  }

  drained(): void {
    if (!this.#toldToWait || this.#over) return;
    this.#toldToWait = false;
    if (!this.#bodyEnded) this.#handler.onDrain();
  }

  /** The exchange is over, or given up by the caller. */
  ended(outcome: AttemptOutcome): void {
    this.#over = true;
    if (this.connection?.wrote === true) this.wasWritten = true;
    this.connection = null;
    this.#dropHeld();
    this.#owner.attemptEnded(this, outcome);
  }

  attemptFailed(failure: AttemptFailure): void {
    this.connection = null;
    if (failure.wrote) this.wasWritten = true;
    if (this.#withHead !== null) this.#hold(bytesOf(this.#withHead));
    this.#withHead = null;
    this.#headSent = false;
    this.#heldWritten = 0;
    this.#owner.attemptFailed(this, failure);
  }

  /** The last word. Called from a later turn than the dispatch. */
  fail(code: UpstreamErrorCode, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#dropHeld();
    this.#handler.onError({
      code,
      detail,
      endpoint: this.endpoint,
      attempts: this.attempts,
      unprocessed: !this.wasWritten,
      refusedStatus: 0,
    });
  }

  // -- the body ------------------------------------------------------------------------------------------------

  #openConnection(): Connection | null {
    return this.connection !== null && this.connection.state === 'busy' ? this.connection : null;
  }

  /** The head, the first time in an attempt. */
  #headOnce(): string {
    if (this.#headSent) return '';
    this.#headSent = true;
    return requestHead(this.request, this.pool!.head);
  }

  #take(chunk: Uint8Array): boolean {
    const connection = this.#openConnection();
    if (connection === null) {
      this.#hold(chunk);
      return this.#heldBytes < HELD_BYTES_MAX;
    }
    if (!this.#headSent) {
      if (this.#withHead === null && chunk.byteLength <= TEXT_BYTES_MAX) {
        this.#withHead = latin1(chunk);
        return true;
      }
      this.writeHead();
    }
    const roomLeft = this.#writePiece(connection, chunk);
    if (!this.#bodyGone) this.#keepToRepeat(connection, chunk);
    if (this.#bodyEnded) connection.updateDeadline();
    return roomLeft;
  }

  #writeWithHead(connection: Connection, piece: string): void {
    this.#withHead = null;
    const isChunked = this.request.bodyBytes < 0;
    const end = isChunked && this.#bodyEnded ? LAST_CHUNK : '';
    const before = isChunked ? `${this.#headOnce()}${piece.length.toString(16)}\r\n` : this.#headOnce();
    if (!connection.writeText(before + piece + (isChunked ? `\r\n${end}` : ''))) this.#toldToWait = true;
    if (this.request.repeatable || !connection.wrote) this.#keepToRepeat(connection, bytesOf(piece));
    else this.#bodyGone = true;
  }

  /** Kept are a small body of a repeatable request, and what the kernel refused to take: nothing of it has left. */
  #keepToRepeat(connection: Connection, chunk: Uint8Array): void {
    const mayRepeat = this.request.repeatable && this.#heldBytes + chunk.byteLength <= REPEAT_BYTES_MAX;
    if (mayRepeat || !connection.wrote) {
      this.#hold(chunk);
      this.#heldWritten = this.#held.length;
      return;
    }
    this.#bodyGone = true;
    this.#dropHeld();
  }

  #hold(chunk: Uint8Array): void {
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.byteLength;
  }

  #dropHeld(): void {
    if (this.#held.length === 0) return;
    this.#held = [];
    this.#heldBytes = 0;
    this.#heldWritten = 0;
  }

  #writeHeld(connection: Connection): void {
    connection.cork();
    for (let at = this.#heldWritten; at < this.#held.length; at++)
      this.#writePiece(connection, this.#held[at]!);
    this.#heldWritten = this.#held.length;
    if (this.#bodyEnded && this.request.bodyBytes < 0)
      connection.writeText(`${this.#headOnce()}${LAST_CHUNK}`);
    connection.uncork();
    const isKept = this.request.repeatable && this.#heldBytes <= REPEAT_BYTES_MAX;
    if (!isKept && connection.wrote && this.#held.length > 0) {
      this.#bodyGone = true;
      this.#dropHeld();
    }
    connection.updateDeadline();
    if (!connection.isStalled) this.drained();
  }

  /** Small pieces go as text together with head and chunk framing: one string, one system call. */
  #writePiece(connection: Connection, chunk: Uint8Array): boolean {
    const isChunked = this.request.bodyBytes < 0;
    const before = isChunked ? `${this.#headOnce()}${chunk.byteLength.toString(16)}\r\n` : this.#headOnce();
    const after = isChunked ? '\r\n' : '';
    if (chunk.byteLength <= TEXT_BYTES_MAX) return connection.writeText(before + latin1(chunk) + after);
    connection.cork();
    if (before !== '') connection.writeText(before);
    let roomLeft = connection.writeBytes(Buffer.from(chunk));
    if (after !== '') roomLeft = connection.writeText(after);
    connection.uncork();
    return roomLeft;
  }
}

const LAST_CHUNK = '0\r\n\r\n';

/** What a caller may hand over before the connection is open. */
const HELD_BYTES_MAX = 65_536;
const REPEAT_BYTES_MAX = 16_384;

/** libuv takes strings up to 16 KiB from the stack, without an allocation (`StreamBase::WriteString`). */
const TEXT_BYTES_MAX = 8_192;

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
