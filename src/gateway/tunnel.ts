/**
 * A WebSocket between client and service: two connections, two handshakes, messages handed on whole. Text stays text, binary stays
 * binary, subprotocol and close codes are passed on; pings are answered on each side by itself. The service is read no faster than
 * the client takes; a client whose messages the service does not take is let go at a bound, because uWebSockets.js can't stop
 * reading.
 */
import type { LimitValues } from '../base/limits.ts';
import type {
  TunnelHandler,
  TunnelOpened,
  TunnelRequest,
  UpstreamError,
  UpstreamService,
  UpstreamTunnel,
} from '../pipeline/upstream.ts';
import type { ClientTunnel, ClientTunnelHandler } from './client-tunnel.ts';

/** The exchange, as its tunnel speaks to it. */
export interface TunnelHost {
  /** The service has accepted: the client is to be answered. False when that can't be done. */
  tunnelAccepted(opened: TunnelOpened): boolean;
  tunnelFailed(error: UpstreamError): void;
  /** Both sides are closed. `code` is '' for an end as it should be, and `fault` what was seen otherwise. */
  tunnelEnded(code: TunnelCode, fault: string): void;
}

/** How a tunnel ended, in the access record. */
export type TunnelCode =
  | ''
  | 'client_aborted'
  | 'upstream_closed_in_answer'
  | 'websocket_idle'
  | 'websocket_client_too_fast'
  | 'websocket_client_too_slow'
  | 'total_timeout'
  | 'going_away';

/** What each end is told when the gateway ends it: a close code (RFC 6455, 7.4.1) and words. */
const FAREWELLS = {
  websocket_idle: [1001, 'nothing was said for too long'],
  websocket_client_too_fast: [1013, 'the service does not take messages that fast'],
  websocket_client_too_slow: [1008, 'what was sent is not read'],
  total_timeout: [1001, 'the time of this connection is over'],
  going_away: [1001, 'the gateway goes away'],
} as const satisfies Partial<Record<TunnelCode, readonly [number, string]>>;

/** What one read of a service's connection brings at most. */
const READ_BYTES_MAX = 131_072;

export class Tunnel implements TunnelHandler, ClientTunnelHandler {
  fromClientBytes = 0;
  toClientBytes = 0;
  readonly #host: TunnelHost;
  readonly #bufferedMax: number;
  readonly #unreadMax: number;
  readonly #idleMs: number;
  readonly #nowMs: () => number;
  readonly #service: UpstreamTunnel;
  #client: ClientTunnel | null = null;
  #paused = false;
  #lastMs: number;
  #ended = false;

  constructor(
    host: TunnelHost,
    service: UpstreamService,
    request: TunnelRequest,
    {
      limits,
      idleMs,
      nowMs,
    }: { readonly limits: LimitValues; readonly idleMs: number; readonly nowMs: () => number },
  ) {
    this.#host = host;
    this.#bufferedMax = limits.websocketBufferedBytes;
    // Messages alone may come to the bound, one more, and the rest of what was read with it.
    this.#unreadMax = limits.websocketBufferedBytes + 2 * limits.websocketMessageBytes + READ_BYTES_MAX;
    this.#idleMs = idleMs;
    this.#nowMs = nowMs;
    this.#lastMs = nowMs();
    this.#service = service.tunnel(request, this);
  }

  /** No service can have the handshake. */
  get unsent(): boolean {
    return this.#service.unsent;
  }

  get isOpen(): boolean {
    return this.#client !== null;
  }

  // -- opening -------------------------------------------------------------------------------------------------

  onOpen(opened: TunnelOpened): void {
    if (this.#ended) return;
    if (!this.#host.tunnelAccepted(opened)) this.abort();
  }

  onTunnelError(error: UpstreamError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.tunnelFailed(error);
  }

  onClientOpen(client: ClientTunnel): void {
    this.#client = client;
    this.#lastMs = this.#nowMs();
  }

  // -- messages ------------------------------------------------------------------------------------------------

  onClientMessage(payload: Uint8Array, kind: 'text' | 'binary'): void {
    if (this.#ended) return;
    this.#lastMs = this.#nowMs();
    this.fromClientBytes += payload.length;
    if (this.#service.buffered + payload.length > this.#bufferedMax) this.end('websocket_client_too_fast');
    else this.#service.send(payload, kind);
  }

  onServiceMessage(payload: Uint8Array, kind: 'text' | 'binary'): void {
    if (this.#ended || this.#client === null) return;
    this.#lastMs = this.#nowMs();
    this.toClientBytes += payload.length;
    this.#client.send(payload, kind);
    if (this.#paused || this.#client.buffered <= this.#bufferedMax) return;
    this.#paused = true;
    this.#service.pause();
  }

  onClientDrain(): void {
    if (this.#ended || !this.#paused || this.#client!.buffered > this.#bufferedMax / 2) return;
    this.#paused = false;
    this.#service.resume();
  }

  /** What the service takes late is bounded where it comes in. */
  onServiceDrain(): void {}

  onClientActivity(): void {
    if (this.#ended) return;
    this.#lastMs = this.#nowMs();
    // uWebSockets.js answers pings by itself, and holds what the client does not read.
    if (this.#client !== null && this.#client.buffered > this.#unreadMax)
      this.end('websocket_client_too_slow');
  }

  onServiceActivity(): void {
    this.#lastMs = this.#nowMs();
  }

  // -- endings -------------------------------------------------------------------------------------------------

  checkIdle(nowMs: number): void {
    if (!this.#ended && this.#client !== null && nowMs - this.#lastMs >= this.#idleMs)
      this.end('websocket_idle');
  }

  onClientClosed(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#service.close(code === LOST ? GOING_AWAY : code, reason);
    this.#host.tunnelEnded(code === LOST ? 'client_aborted' : '', '');
  }

  onServiceClosed(code: number, reason: string, fault: string): void {
    if (this.#ended) return;
    this.#ended = true;
    // 1014: "bad gateway" in the registry of IANA.
    this.#client?.close(code === LOST ? BAD_GATEWAY : code === NO_CODE ? NORMAL : code, reason);
    this.#host.tunnelEnded(code === LOST ? 'upstream_closed_in_answer' : '', fault);
  }

  /** The gateway ends it. */
  end(why: keyof typeof FAREWELLS): void {
    if (this.#ended) return;
    this.#ended = true;
    const [code, words] = FAREWELLS[why];
    this.#client?.close(code, words);
    this.#service.close(code, words);
    this.#host.tunnelEnded(why, '');
  }

  /** Before the client has been answered. */
  abort(): void {
    this.#ended = true;
    this.#service.abort();
  }
}

const NORMAL = 1000;
const GOING_AWAY = 1001;
const NO_CODE = 1005;
const LOST = 1006;
const BAD_GATEWAY = 1014;
