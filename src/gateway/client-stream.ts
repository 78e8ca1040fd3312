import type { ClientTunnelHandler } from './client-tunnel.ts';

/**
 * The client's side of one request, as a port: `server.ts` implements it over uWebSockets.js, tests simulate it. The
 * exchange knows nothing else of the connection.
 */
export interface ClientStream {
  /** Who is told of body, room and abort; set once, before the call that hands the request over returns. */
  attach(handler: ClientHandler): void;
  /** The client's address as text, '' once the connection has ended. */
  address(): string;
  /**
   * The framing of this request can't be trusted to end where the parser thinks (chunked body, contradicting lengths):
   * answer in a later turn only, end the connection, handle nothing that follows on it.
   */
  contain(): void;
  /** The body is wanted: asked for in the turn of the head, or never. */
  readBody(): void;
  /** A whole answer: head and body in one write. False: not all has gone yet, `onWritable` says when it has. */
  answer(status: number, fieldLines: FieldLines, body: Uint8Array | string): boolean;
  /** An answer without a body (HEAD, 204, 304). `declaredBytes` ≥ 0 is told as Content-Length, -1 is not. */
  answerWithoutBody(status: number, fieldLines: FieldLines, declaredBytes: number): boolean;
  /** The head of an answer that streams; `bodyBytes` -1 when the length isn't known. Goes out with the first byte of body. */
  begin(status: number, fieldLines: FieldLines, bodyBytes: number): void;
  /** Copies what can't be sent at once; false asks to wait for `onWritable`. */
  write(chunk: Uint8Array): boolean;
  /** No more body; false as with `answer`. */
  end(): boolean;
  /** The client asks for a WebSocket, as it should. */
  readonly canUpgrade: boolean;
  /** Answers the handshake; from then on only the handler is spoken to. `protocol` is the subprotocol, or ''. */
  upgrade(fieldLines: FieldLines, protocol: string, handler: ClientTunnelHandler): void;
  pauseBody(): void;
  resumeBody(): void;
  /** A slow but live upload: keeps the connection from being dropped as idle. */
  keepReading(): void;
  /** Breaks the connection off: the client must see that the answer is not complete. */
  abort(): void;
}

/** Checked lines, each ended by CRLF: text when all of it is ASCII, else bytes. */
export type FieldLines = string | Uint8Array;

export interface ClientHandler {
  /** A view that dies with the call. */
  onBody(chunk: Uint8Array, last: boolean): void;
  /** Everything written so far has gone. */
  onWritable(): void;
  /** The connection is gone; no method of the stream may be called any more. */
  onAborted(): void;
}

/** A request head as it was read. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path as received, without the query. */
  readonly path: string;
  /** Without '?'; '' when there is none. */
  readonly query: string;
  /** Lower-case name, value, … in the order received; the exchange keeps the array. */
  readonly fields: string[];
}
