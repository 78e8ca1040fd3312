/** A WebSocket to a service: our own handshake (RFC 6455, 4.1) and frames over a connection of its own. */
import { createHash, randomBytes } from 'node:crypto';
import type net from 'node:net';
import type {
  TunnelHandler,
  TunnelRequest,
  UpstreamErrorCode,
  UpstreamTunnel,
} from '../pipeline/upstream.ts';
import { NO_DEADLINE, type Watched } from './deadlines.ts';
import { openSocket } from './open-socket.ts';
import type { EndpointPool } from './pool.ts';
import type { UpstreamThread } from './thread.ts';
import { clientFrame, closePayload, type MessageKind, OPCODE, ServerFrames } from './websocket-frames.ts';
import { acceptsHandshake } from './websocket-handshake.ts';

/** The service, as a tunnel speaks to it. */
export interface TunnelOwner {
  /** Another endpoint for a tunnel of which nothing was sent; null when it is not tried again. */
  next(tunnel: Tunnel): EndpointPool | null;
}

type TunnelState = 'connecting' | 'handshake' | 'open' | 'closing' | 'closed';

export class Tunnel implements UpstreamTunnel, Watched {
  watchIndex = -1;
  attempts = 0;
  readonly #thread: UpstreamThread;
  readonly #owner: TunnelOwner;
  readonly #request: TunnelRequest;
  readonly #handler: TunnelHandler;
  readonly #frames: ServerFrames;
  readonly #key = randomBytes(16).toString('base64');
  #state: TunnelState = 'connecting';
  #pool: EndpointPool | null = null;
  #isProbe = false;
  /** The handshake has left: before that, no service can have it. */
  #wasSent = false;
  #isOpened = false;
  #socket: net.Socket | null = null;
  #head = '';
  #tcpOpen = false;
  #paused = false;

  constructor(thread: UpstreamThread, owner: TunnelOwner, request: TunnelRequest, handler: TunnelHandler) {
    this.#thread = thread;
    this.#owner = owner;
    this.#request = request;
    this.#handler = handler;
    this.#frames = new ServerFrames(request.messageBytesMax, {
      onMessage: (payload, kind) => handler.onServiceMessage(payload, kind),
      onPing: (payload) => {
        handler.onServiceActivity();
        // RFC 6455, 5.5.3: not each ping needs a pong, and a service that does not read gets none.
        if (this.buffered <= PONGS_BUFFERED_BYTES_MAX) this.#send(OPCODE.pong, payload);
      },
      onPong: () => handler.onServiceActivity(),
      onClose: (code, reason) => this.#serviceCloses(code, reason),
    });
    thread.deadlines.watch(this, NO_DEADLINE);
  }

  get unsent(): boolean {
    return !this.#wasSent;
  }

  get pool(): EndpointPool | null {
    return this.#pool;
  }

  /** Begins an attempt. */
  connect(pool: EndpointPool): void {
    const { deadlines, readBuffer } = this.#thread;
    this.attempts++;
    this.#pool = pool;
    this.#tcpOpen = false;
    pool.lend();
    this.#isProbe = pool.health.attemptBegins(deadlines.nowMs);
    deadlines.set(this, deadlines.after(this.#request.connectMs));
    const socket = openSocket(pool.target, readBuffer, (bytes) => this.#read(readBuffer.subarray(0, bytes)));
    this.#socket = socket;
    socket.once('connect', () => {
      this.#tcpOpen = true;
    });
    socket.once(pool.target.tls === null ? 'connect' : 'secureConnect', () => this.#connected());
    socket.on('drain', () => this.#handler.onServiceDrain());
    socket.on('end', () => this.#lost('the connection was closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(error.message));
    socket.on('close', () => this.#lost('the connection was closed'));
  }

  /** Without an attempt; called from a later turn. */
  refuse(detail: string): void {
    if (this.#state !== 'closed') this.#over('upstream_none_available', detail);
  }

  // -- the caller's side ---------------------------------------------------------------------------------------

  get buffered(): number {
    return this.#socket?.writableLength ?? 0;
  }

  send(payload: Uint8Array, kind: MessageKind): void {
    if (this.#state === 'open') this.#send(kind === 'text' ? OPCODE.text : OPCODE.binary, payload);
  }

  pause(): void {
    if (this.#paused || this.#state !== 'open') return;
    this.#paused = true;
    this.#socket!.pause();
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return;
    this.#paused = false;
    this.#socket!.resume();
  }

  /** Says goodbye; the handler is not called any more. */
  close(code: number, reason: string): void {
    if (this.#state !== 'open') {
      this.abort();
      return;
    }
    this.#state = 'closing';
    this.#send(OPCODE.close, closePayload(code, reason));
    this.resume();
    // 7.1.1: the server closes the connection first; some never do.
    this.#thread.deadlines.set(this, this.#thread.deadlines.after(CLOSE_WAIT_MS));
  }

  abort(): void {
    if (this.#state === 'closed') return;
    const isOpen = this.#state === 'open' || this.#state === 'closing';
    this.#end(isOpen ? 'answered' : 'unknown');
  }

  // -- the service's side --------------------------------------------------------------------------------------

  #connected(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'handshake';
    this.#wasSent = true;
    const { target, protocols, fieldLines, idLines, firstByteMs } = this.#request;
    const { basePath, hostLine } = this.#pool!.head;
    const offered = protocols === '' ? '' : `sec-websocket-protocol: ${protocols}\r\n`;
    this.#thread.deadlines.set(this, this.#thread.deadlines.after(firstByteMs));
    this.#thread.beforeWrites();
    this.#socket!.write(
      `GET ${basePath}${target}${hostLine}${fieldLines}${idLines}connection: Upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: ${this.#key}\r\n${offered}\r\n`,
      'latin1',
    );
  }

  #read(bytes: Buffer): boolean {
    if (this.#state === 'handshake') this.#readHead(bytes);
    else if (this.#state === 'open' || this.#state === 'closing') this.#readFrames(bytes);
    return !this.#paused;
  }

  #readHead(bytes: Buffer): void {
    this.#head += bytes.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#head.length > this.#thread.limits.responseHeaderBytes)
        this.#failed('upstream_header_too_large', 'the answer to the handshake is too large');
      return;
    }
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    const accept = createHash('sha1')
      .update(this.#key + ACCEPT_SUFFIX)
      .digest('base64');
    const answer = acceptsHandshake(this.#head.slice(0, end), accept, this.#request.protocols);
    this.#head = '';
    if ('fault' in answer) {
      this.#failed('upstream_refused_websocket', answer.fault, answer.refusedStatus);
      return;
    }
    this.#state = 'open';
    // The handshake decides about a half-open endpoint: what follows may last for a day.
    this.#pool!.health.attemptEnds('answered', this.#isProbe, this.#thread.deadlines.nowMs);
    this.#isProbe = false;
    this.#isOpened = true;
    this.#thread.deadlines.set(this, NO_DEADLINE);
    this.#handler.onOpen({
      fields: answer.fields,
      protocol: answer.protocol,
      endpoint: this.#pool!.index,
      attempts: this.attempts,
    });
    if (rest.length > 0 && this.#isLive()) this.#readFrames(rest);
  }

  #isLive(): boolean {
    return this.#state === 'open' || this.#state === 'closing';
  }

  #readFrames(bytes: Uint8Array): void {
    if (this.#frames.read(bytes)) return;
    const { fault } = this.#frames;
    if (fault === null || this.#state !== 'open') return;
    this.close(fault.code, fault.words);
    this.#handler.onServiceClosed(LOST, '', fault.words);
  }

  #serviceCloses(code: number, reason: string): void {
    const isFirst = this.#state === 'open';
    if (isFirst) this.#send(OPCODE.close, closePayload(code, ''));
    this.#socket!.end();
    this.#end('answered', 'gently');
    if (isFirst) this.#handler.onServiceClosed(code, reason, '');
  }

  #send(opcode: number, payload: Uint8Array): void {
    this.#thread.beforeWrites();
    this.#socket!.write(clientFrame(opcode, payload, this.#thread.random.uint32()));
  }

  expire(): void {
    if (this.#state === 'connecting')
      this.#retryOr('upstream_connect_timeout', `no connection within ${this.#request.connectMs} ms`);
    else if (this.#state === 'handshake')
      this.#failed('upstream_first_byte_timeout', `no answer within ${this.#request.firstByteMs} ms`);
    else this.#end('answered');
  }

  #lost(detail: string): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'connecting') {
      this.#retryOr(this.#tcpOpen ? 'upstream_tls_failed' : 'upstream_connect_failed', detail);
    } else if (this.#state === 'handshake') {
      this.#failed('upstream_closed_before_answer', detail);
    } else {
      const isOpen = this.#state === 'open';
      this.#end(isOpen ? 'broken' : 'answered');
      if (isOpen) this.#handler.onServiceClosed(LOST, '', detail);
    }
  }

  /** Nothing was sent: another endpoint may do. */
  #retryOr(code: UpstreamErrorCode, detail: string): void {
    this.#letGo('connect-failed');
    const pool = this.#owner.next(this);
    if (pool !== null) this.connect(pool);
    else this.#over(code, detail);
  }

  #failed(code: UpstreamErrorCode, detail: string, refusedStatus = 0): void {
    this.#letGo(code === 'upstream_refused_websocket' ? 'answered' : 'broken');
    this.#over(code, detail, refusedStatus);
  }

  #over(code: UpstreamErrorCode, detail: string, refusedStatus = 0): void {
    this.#state = 'closed';
    this.#thread.deadlines.unwatch(this);
    const endpoint = this.#pool?.index ?? -1;
    this.#handler.onTunnelError({
      code,
      detail,
      endpoint,
      attempts: this.attempts,
      unprocessed: !this.#wasSent,
      refusedStatus,
    });
  }

  #end(outcome: 'answered' | 'broken' | 'unknown', how: 'gently' | 'at once' = 'at once'): void {
    this.#state = 'closed';
    this.#thread.deadlines.unwatch(this);
    this.#letGo(outcome, how);
  }

  #letGo(
    outcome: Parameters<EndpointPool['health']['attemptEnds']>[0],
    how: 'gently' | 'at once' = 'at once',
  ): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.removeAllListeners();
    socket.on('error', () => {});
    if (how === 'gently') socket.destroySoon();
    else socket.destroy();
    this.#pool!.giveBack();
    if (outcome === 'connect-failed' || outcome === 'broken') this.#pool!.health.count('failedAttempts');
    const isTold = this.#isOpened && outcome === 'answered';
    this.#pool!.health.attemptEnds(isTold ? 'unknown' : outcome, this.#isProbe, this.#thread.deadlines.nowMs);
  }
}

/** RFC 6455, 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE_WAIT_MS = 2_000;
const PONGS_BUFFERED_BYTES_MAX = 65_536;
/** 7.1.5: the connection ended without a close. */
const LOST = 1006;
