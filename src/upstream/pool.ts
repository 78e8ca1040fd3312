import type { Service } from '../model/world.ts';
import type { Candidate } from './balancer.ts';
import type { Call } from './call.ts';
import { Connection } from './connection.ts';
import type { EndpointHealth } from './health.ts';
import { KeepAlive } from './keep-alive.ts';
import { type SocketTarget, tlsTarget } from './open-socket.ts';
import { type EndpointHead, endpointHead } from './request-head.ts';
import type { UpstreamThread } from './thread.ts';
import type { TlsTexts } from './tls-files.ts';

/** Told when a connection has become free to take, or room for a new one. */
export interface PoolOwner {
  connectionFree(pool: EndpointPool): void;
}

/** What a pool is of: one address of one endpoint. */
export interface PoolParts {
  readonly thread: UpstreamThread;
  readonly owner: PoolOwner;
  readonly service: Service;
  /** Of the endpoint, in the service. */
  readonly index: number;
  /** Null: its host, as the system resolves it for each connection. */
  readonly address: string | null;
  /** Part of the endpoint's weight, where it has several addresses. */
  readonly weight: number;
  readonly files: TlsTexts;
  readonly health: EndpointHealth;
}

/**
 * The connections of one thread to one address of an endpoint. Idle ones are reused last in, first out, so that the
 * surplus ages.
 */
export class EndpointPool implements Candidate {
  readonly index: number;
  readonly address: string | null;
  weight: number;
  readonly target: SocketTarget;
  readonly head: EndpointHead;
  readonly health: EndpointHealth;
  readonly keepAlive = new KeepAlive();
  outstanding = 0;

  readonly #thread: UpstreamThread;
  readonly #owner: PoolOwner;
  readonly #connectionsMax: number;
  readonly #idle: Connection[] = [];
  #open = 0;
  #retired = false;

  constructor({ thread, owner, service, index, address, weight, files, health }: PoolParts) {
    const endpoint = service.endpoints[index]!;
    this.#thread = thread;
    this.#owner = owner;
    this.#connectionsMax = thread.limits.upstreamConnectionsPerEndpoint;
    this.index = index;
    this.address = address;
    this.weight = weight;
    this.health = health;
    this.target = { endpoint, address, tls: tlsTarget(endpoint, service.tls, files) };
    this.head = endpointHead(endpoint);
  }

  /** Connections of this thread. */
  get open(): number {
    return this.#open;
  }

  get hasRoom(): boolean {
    return this.#idle.length > 0 || this.#open < this.#connectionsMax;
  }

  /** Gives the call an idle connection or a new one; there must be room. */
  serve(call: Call): void {
    const idle = this.#idle.pop();
    if (idle !== undefined) idle.assign(call);
    else this.#openFor(call);
  }

  /** As {@link serve}, for a call that has just met a stale connection: the other idle ones may be stale as well. */
  serveFresh(call: Call): void {
    if (this.#open >= this.#connectionsMax) this.#idle[0]?.close();
    this.#openFor(call);
  }

  /** A connection that is nobody's afterwards counts as one of this pool while it is open. */
  lend(): void {
    this.#opened(1);
    this.outstanding++;
  }

  giveBack(): void {
    this.#opened(-1);
    this.outstanding--;
    this.#owner.connectionFree(this);
  }

  #openFor(call: Call): void {
    this.#opened(1);
    const connection = new Connection(this.#thread, this);
    call.connection = connection;
    connection.assign(call);
  }

  #opened(change: 1 | -1): void {
    this.#open += change;
    this.health.count('connections', change);
  }

  /** A connection's exchange is over and it may carry another. */
  released(connection: Connection): void {
    const nowMs = this.#thread.deadlines.nowMs;
    const idleMs = this.keepAlive.idleMs(connection.parser.keepAliveMs, nowMs);
    if (this.#retired || idleMs <= 0) {
      connection.close();
      return;
    }
    connection.idleSinceMs = nowMs;
    this.#thread.deadlines.set(connection, nowMs + idleMs);
    this.#idle.push(connection);
    this.#owner.connectionFree(this);
  }

  closed(connection: Connection): void {
    this.#opened(-1);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#owner.connectionFree(this);
  }

  peerClosedIdle(connection: Connection): void {
    const nowMs = this.#thread.deadlines.nowMs;
    this.keepAlive.peerClosedAfter(nowMs - connection.idleSinceMs, nowMs);
  }

  /** Its address is lost. The control thread lets its slot rest for minutes, but an exchange may live for a day. */
  lost(): void {
    this.health.count('connections', -this.#open);
    this.health.detach();
    this.retire();
  }

  /** Ends idle connections now and the others with their exchange. */
  retire(): void {
    this.#retired = true;
    while (this.#idle.length > 0) this.#idle[this.#idle.length - 1]!.close();
  }
}
