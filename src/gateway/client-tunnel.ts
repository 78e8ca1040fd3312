/** The client's side of a WebSocket, as a port: `uws-tunnel.ts` implements it over uWebSockets.js. */
export interface ClientTunnel {
  /** Bytes that the socket has not taken yet. */
  readonly buffered: number;
  /** Copied before it returns. */
  send(payload: Uint8Array, kind: 'text' | 'binary'): void;
  /** Says goodbye and ends; the handler is told nothing more. */
  close(code: number, reason: string): void;
}

export interface ClientTunnelHandler {
  /** In the turn in which the answer to the handshake is written. */
  onClientOpen(client: ClientTunnel): void;
  /** One whole message: a view that dies with the call. */
  onClientMessage(payload: Uint8Array, kind: 'text' | 'binary'): void;
  /** A ping or pong; pings have been answered. */
  onClientActivity(): void;
  onClientDrain(): void;
  /** The last call: closed by the client, or lost (1006). */
  onClientClosed(code: number, reason: string): void;
}
