import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { err, ok, type Result } from '../base/result.ts';
import type { AdminAccess } from './access-file.ts';
import type { AdminStatus, LoadReport } from './actions.ts';
import { openProven } from './proven-connection.ts';

/** Why the running gateway could not be asked. `message` is one or two sentences for a person. */
export interface AdminClientError {
  readonly kind: /** Nothing listens there. */
    | 'not-running'
    /** It doesn't accept the token. */
    | 'refused'
    /** No answer in time, or none that can be understood. */
    | 'failed';
  readonly message: string;
}

const STATUS_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 30_000;
/** A reload of a large project takes seconds, and waits for one that is under way. */
export const RELOAD_TIMEOUT_MS = 120_000;
const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;

export function requestStatus(access: AdminAccess): Promise<Result<AdminStatus, AdminClientError>> {
  return callAdmin(access, { method: 'GET', path: '/v1/status', timeoutMs: STATUS_TIMEOUT_MS });
}

/** A configuration that was refused is an answer too: see `LoadReport.outcome`. */
export function requestReload(access: AdminAccess): Promise<Result<LoadReport, AdminClientError>> {
  return callAdmin(access, {
    method: 'POST',
    path: '/v1/reload',
    timeoutMs: RELOAD_TIMEOUT_MS,
    alsoExpected: 422,
  });
}

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: object;
  readonly timeoutMs?: number;
  /** A status beside 200, 201 and 204 whose body is an answer of the operation. */
  readonly alsoExpected?: number;
}

/** One operation of the admin API; `Body` is what its answer holds, `{}` where it has none. */
export async function callAdmin<Body>(
  access: AdminAccess,
  asked: AdminRequest,
): Promise<Result<Body, AdminClientError>> {
  const answer = await exchange(access, asked);
  return answer.ok ? understand<Body>(answer.value, asked.alsoExpected) : answer;
}

/** The same where success is answered with a text. */
export async function callAdminForText(
  access: AdminAccess,
  asked: AdminRequest,
): Promise<Result<string, AdminClientError>> {
  const answer = await exchange(access, asked);
  if (!answer.ok) return answer;
  return answer.value.status === 200 ? ok(answer.value.text) : understand<never>(answer.value, undefined);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function exchange(access: AdminAccess, asked: AdminRequest): Promise<Result<Answer, AdminClientError>> {
  const { listen, tls } = access;
  const { timeoutMs = CALL_TIMEOUT_MS } = asked;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const at = { host: connectAddress(listen.address), port: listen.port };
    // The token leaves only once the other side has shown who it is.
    const socket = tls === null ? null : await openProven(at, tls, signal);
    return ok(await answerTo(send(at, access.token, asked, socket, signal)));
  } catch (error) {
    return err(transportError(access, error as NodeJS.ErrnoException, timeoutMs));
  }
}

function send(
  at: { readonly host: string; readonly port: number },
  token: string,
  { method, path, body }: AdminRequest,
  socket: Socket | null,
  signal: AbortSignal,
): ClientRequest {
  const text = body === undefined ? null : JSON.stringify(body);
  const sent = request({
    ...at,
    method,
    path,
    // With an agent of its own, node:http would not use the connection, and send the token in the clear.
    ...(socket === null ? { agent: false } : { createConnection: () => socket }),
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(text === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
    signal,
  });
  sent.end(text ?? '');
  return sent;
}

function answerTo(sent: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      readText(response).then(
        (text) => resolve({ status, type: headers['content-type'] ?? '', text }),
        reject,
      );
    });
  });
}

/** A gateway that listens on every address is reached on the loopback one. */
function connectAddress(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function transportError(
  { listen: { address, port }, startedBy }: AdminAccess,
  error: NodeJS.ErrnoException,
  timeoutMs: number,
): AdminClientError {
  if (error.code === 'ECONNREFUSED') {
    const start = startedBy === undefined ? '' : ` Start it with "${startedBy}".`;
    const message = `No gateway is running: nothing listens on ${address}:${port}.${start}`;
    return { kind: 'not-running', message };
  }
  const why =
    error.name === 'TimeoutError' || error.name === 'AbortError'
      ? `no answer within ${timeoutMs} ms`
      : error.message;
  return { kind: 'failed', message: `The gateway on ${address}:${port} could not be asked: ${why}.` };
}

function understand<Body>(
  { status, type, text }: Answer,
  alsoExpected: number | undefined,
): Result<Body, AdminClientError> {
  if (status === 401) {
    const message =
      'The gateway refused the admin token: it ended, was revoked, or is of another gateway or data folder.';
    return err({ kind: 'refused', message });
  }
  if (status === 204) return ok({} as Body);
  const body = parseObject(text);
  if (body !== null && type.startsWith('application/problem+json'))
    return err({ kind: 'refused', message: `The gateway refused (${status}): ${problemText(body)}` });
  if (body !== null && [200, 201, alsoExpected].includes(status)) return ok(body as Body);
  const message = `The gateway answered ${status} with something this command does not understand. Are both of one version?`;
  return err({ kind: 'failed', message });
}

/** In one line, with each place in the request that is wrong. */
function problemText(body: object): string {
  const { detail, errors } = body as {
    readonly detail?: unknown;
    readonly errors?: readonly { readonly place: string; readonly why: string }[];
  };
  const places = (errors ?? []).map(({ place, why }) => `${place} ${why}`).join('; ');
  return places === '' ? String(detail) : `${places}.`;
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
