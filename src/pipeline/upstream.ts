import type { Priority, Service } from '../model/world.ts';
import type { KeyHash } from './identity.ts';
import type { Refusal } from './outcome.ts';

/** The upstream port: sends one request to an endpoint of a service. Implemented by `upstream/`. */
export interface Upstream {
  /**
   * Opens (or, when all is unchanged, keeps) the pools of a service. `slots` are those of its endpoints in the shared memory of
   * endpoints.
   */
  service(service: Service, slots: readonly number[]): UpstreamService;
  /** The names of some endpoints have other addresses, for services that are open and those that will be. */
  resolved(changes: readonly ResolvedEndpoint[]): void;
  /** What the thread has open, and what waits. */
  load(): UpstreamLoad;
  /** Ends idle connections at once and the others when their exchange ends. */
  close(): void;
}

export interface UpstreamLoad {
  /** Requests that wait for a connection, in all and for the one service that has most. */
  readonly waiting: number;
  readonly waitingMost: number;
  /** To the one address that has most. */
  readonly connectionsMost: number;
  /** Requests that could not even wait, since the start. */
  readonly refused: number;
}

export interface ResolvedEndpoint {
  /** Of which service, which endpoint: see `endpointKey`. */
  readonly key: string;
  /** Empty: the endpoint is gone, forget it. */
  readonly addresses: readonly ResolvedAddress[];
}

export interface ResolvedAddress {
  readonly address: string;
  /** In the shared memory of endpoints. */
  readonly slot: number;
}

export interface UpstreamService {
  /**
   * Sends a request. The handler is called from later turns only, and the last call it gets is either one with `last` set
   * or `onError`. `repeatable` says whether the request may be sent again after the first byte has left (idempotent
   * method or the route allows it); what provably was not processed is repeated in any case, within the budget.
   */
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
  /** Opens a WebSocket to an endpoint. The handler is called from later turns only. */
  tunnel(request: TunnelRequest, handler: TunnelHandler): UpstreamTunnel;
  /**
   * Milliseconds until it takes requests again where every endpoint is left alone; 0: it does now. Infinity: nobody knows. Until then
   * {@link dispatch} refuses what it is given.
   */
  outForMs(): number;
  /** The service is no longer part of the configuration: its pools end when their exchanges have. */
  retire(): void;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Origin-form target: path and query. */
  readonly target: string;
  /**
   * Field lines, each ended by CRLF, names and values already checked. Without Host, Content-Length,
   * Transfer-Encoding, Connection and other hop-by-hop fields: framing is always made afresh.
   */
  readonly fieldLines: string;
  /** More of them, behind those: ids, which differ from request to request, where `fieldLines` often is the same text. */
  readonly idLines: string;
  /** Value of Host; null for the endpoint's own authority. */
  readonly host: string | null;
  /** 0: none; ≥ 1: exactly that many bytes will be written; -1: length unknown, sent chunked. */
  readonly bodyBytes: number;
  readonly repeatable: boolean;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Whose turn it is where requests wait for one another in shares: null for a caller without tenant. */
  readonly tenant: KeyHash | null;
  /** How much of what is shared the tenant gets, relative to others. */
  readonly share: number;
  readonly priority: Priority;
}

export interface TunnelRequest
  extends Pick<UpstreamRequest, 'target' | 'fieldLines' | 'idLines' | 'connectMs' | 'firstByteMs'> {
  /** Value of Sec-WebSocket-Protocol as the client sent it; '' for none. */
  readonly protocols: string;
  readonly messageBytesMax: number;
}

/** A WebSocket to a service, from its handshake on. No method has an effect after the end. */
export interface UpstreamTunnel {
  /** Nothing of the handshake has left, and nothing will once it is aborted: no service can have it. */
  readonly unsent: boolean;
  /** Bytes that the connection has not taken yet. */
  readonly buffered: number;
  /** Masked into a copy before it returns. */
  send(payload: Uint8Array, kind: 'text' | 'binary'): void;
  /** Stops and resumes reading. */
  pause(): void;
  resume(): void;
  /** Says goodbye and ends; the handler is not called any more. */
  close(code: number, reason: string): void;
  /** Ends at once; the handler is not called any more. */
  abort(): void;
}

export interface TunnelHandler {
  /** The service has accepted. */
  onOpen(opened: TunnelOpened): void;
  /** It has not, or could not be reached: nothing else is told. */
  onTunnelError(error: UpstreamError): void;
  /** One whole message: a view that dies with the call. */
  onServiceMessage(payload: Uint8Array, kind: 'text' | 'binary'): void;
  /** A ping or pong, which has been answered. */
  onServiceActivity(): void;
  onServiceDrain(): void;
  /** The last call. 1006: the connection was lost, or what came was not WebSocket; `fault` says what was seen. */
  onServiceClosed(code: number, reason: string, fault: string): void;
}

export interface TunnelOpened {
  /** Lower-case name, value, … beyond the handshake's own. */
  readonly fields: readonly string[];
  /** The subprotocol that the service chose, or ''. */
  readonly protocol: string;
  readonly endpoint: number;
  readonly attempts: number;
}

export interface UpstreamCall {
  /** Nothing of the request has left in any attempt, and nothing will once it is aborted: no service can have it. */
  readonly unsent: boolean;
  /**
   * Sends body bytes; copied before it returns. False asks the caller to wait for `onDrain`. Bytes beyond the declared
   * length are an assertion error.
   */
  write(chunk: Uint8Array): boolean;
  /** The body is complete. */
  end(): void;
  /** Stops the call; the handler is not called again. The connection is closed unless the exchange was over. */
  abort(): void;
  /** Stops and resumes reading the answer. */
  pause(): void;
  resume(): void;
}

export interface UpstreamHandler {
  /**
   * Final status and fields (1xx are consumed). `chunk` holds what of the body came in the same read and `last` says
   * whether that is all of it, so that a small answer is one call. Chunks are views of a buffer that the next read
   * overwrites: copy what must outlive the call.
   */
  onHead(head: ResponseHead, chunk: Uint8Array, last: boolean): void;
  onData(chunk: Uint8Array, last: boolean): void;
  /** The request body may be written again. */
  onDrain(): void;
  onError(error: UpstreamError): void;
}

export interface ResponseHead {
  readonly status: number;
  /** Lower-case name, value, … without framing and hop-by-hop fields and without Date. */
  readonly fields: readonly string[];
  /** Content-Length as declared, or -1 when the end is marked otherwise. For HEAD: what a GET would have. */
  readonly bodyBytes: number;
  /** False for HEAD, 204, 304: no body follows whatever the length says. */
  readonly hasBody: boolean;
  /** The body ends where the connection does: nobody can see whether it is whole. */
  readonly untilClose: boolean;
  /** Index into `Service.endpoints`. */
  readonly endpoint: number;
  readonly attempts: number;
}

/**
 * Why a call failed: stable codes, with the status and the sentence of the answer that callers get. More is for the log alone
 * ({@link UpstreamError.detail}): addresses of services are nothing that callers should learn.
 */
export const UPSTREAM_ERRORS = {
  upstream_connect_failed: [502, "The service can't be reached."],
  upstream_connect_timeout: [504, 'The service could not be reached in time.'],
  upstream_tls_failed: [502, 'No secure connection to the service could be made.'],
  upstream_first_byte_timeout: [504, 'The service did not begin its answer in time.'],
  upstream_idle_timeout: [504, 'The service fell silent.'],
  upstream_closed_before_answer: [502, 'The service closed the connection before it answered.'],
  upstream_closed_in_answer: [502, 'The service closed the connection within its answer.'],
  upstream_malformed_answer: [502, 'The answer of the service is not sound HTTP.'],
  upstream_unreadable_body: [502, 'The content coding of the answer can not be undone.'],
  upstream_body_too_large: [502, 'The answer decodes to more than it may.'],
  upstream_header_too_large: [502, "The header section of the service's answer is too large."],
  upstream_write_failed: [502, 'The request could not be sent to the service.'],
  upstream_refused_websocket: [502, 'The service did not accept the WebSocket.'],
  upstream_queue_full: [503, 'Too many requests wait for the service.'],
  upstream_queue_timeout: [503, 'No connection to the service became free in time.'],
  upstream_none_available: [503, 'No endpoint of the service is available.'],
  keys_exhausted: [429, 'No key of the model has room for this request now.'],
  no_key_available: [503, 'No key of the model can be used: the operators of the gateway have to see to it.'],
  request_exceeds_keys: [400, 'The request takes more than any key of the model ever has room for.'],
  model_not_found: [404, 'There is no such model here.'],
  no_pool_for_model: [403, 'The rules of the gateway leave this request no pool of the model.'],
  model_required: [400, 'The request names no model.'],
  previous_response_not_found: [404, 'There is no such answer or conversation here.'],
  background_not_offered: [400, 'Answers that are fetched later are not offered here.'],
  model_request_malformed: [400, 'The request is not what the API of models takes.'],
} as const satisfies Record<string, readonly [status: number, sentence: string]>;
export type UpstreamErrorCode = keyof typeof UPSTREAM_ERRORS;

export interface UpstreamError {
  readonly code: UpstreamErrorCode;
  /** What was seen, for the log: may name addresses. */
  readonly detail: string;
  readonly endpoint: number;
  readonly attempts: number;
  /** True when it is certain that no endpoint processed the request. */
  readonly unprocessed: boolean;
  /** What a service answered to a handshake instead of accepting it; 0 for anything else. */
  readonly refusedStatus: number;
  /** What callers are told in place of the sentence of the code. */
  readonly sentence?: string;
  /** When it is worth to try again; absent: nobody knows. */
  readonly retryAfterS?: number;
  /** Of a rule that had no room for it, in place of all that; absent: none. */
  readonly refusal?: Refusal;
}
