/**
 * `ClientTunnel` over a uWebSockets.js WebSocket. That module reads and checks the client's frames, puts messages together, answers pings
 * and closes; it ends a connection whose message is too large or not UTF-8 (1006 here, without a close frame). It can't stop
 * reading: see `tunnel.ts` for what follows from that.
 */
import type { WebSocket, WebSocketBehavior } from 'uWebSockets.js';
import type { LimitValues } from '../base/limits.ts';
import type { ClientTunnel, ClientTunnelHandler } from './client-tunnel.ts';

/** uWebSockets.js copies the own members of what it is given onto its socket, and nothing else. */
export interface TunnelData {
  readonly tunnel: UwsTunnel;
}

export class UwsTunnel implements ClientTunnel {
  readonly #handler: ClientTunnelHandler;
  #socket: WebSocket<TunnelData> | null = null;

  constructor(handler: ClientTunnelHandler) {
    this.#handler = handler;
  }

  get buffered(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send(payload: Uint8Array, kind: 'text' | 'binary'): void {
    this.#socket?.send(payload, kind === 'binary', false);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    // `end` calls the close handler before it returns.
    this.#socket = null;
    socket?.end(code, reason);
  }

  opened(socket: WebSocket<TunnelData>): void {
    this.#socket = socket;
    this.#handler.onClientOpen(this);
  }

  received(message: ArrayBuffer, isBinary: boolean): void {
    if (this.#socket !== null)
      this.#handler.onClientMessage(new Uint8Array(message), isBinary ? 'binary' : 'text');
  }

  active(): void {
    if (this.#socket !== null) this.#handler.onClientActivity();
  }

  drained(): void {
    if (this.#socket !== null) this.#handler.onClientDrain();
  }

  closed(code: number, reason: ArrayBuffer): void {
    if (this.#socket === null) return;
    this.#socket = null;
    this.#handler.onClientClosed(code, code === LOST ? '' : Buffer.from(reason).toString());
  }
}

/** No compression: it costs memory for each connection, and hides what passes. `onEnded`: a connection is gone. */
export function tunnelBehaviour(limits: LimitValues, onEnded: () => void): WebSocketBehavior<TunnelData> {
  return {
    maxPayloadLength: limits.websocketMessageBytes,
    // We look at what is buffered ourselves: a message that it drops would be lost without a word.
    maxBackpressure: 0,
    // Finds clients that are gone; how long a tunnel may be silent is said by its route.
    idleTimeout: 120,
    sendPingsAutomatically: true,
    open: (socket) => socket.getUserData().tunnel.opened(socket),
    message: (socket, message, isBinary) => socket.getUserData().tunnel.received(message, isBinary),
    ping: (socket) => socket.getUserData().tunnel.active(),
    pong: (socket) => socket.getUserData().tunnel.active(),
    drain: (socket) => socket.getUserData().tunnel.drained(),
    close: (socket, code, reason) => {
      onEnded();
      socket.getUserData().tunnel.closed(code, reason);
    },
  };
}

const LOST = 1006;
