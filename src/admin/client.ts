import { type IncomingMessage, request } from 'node:http';
import { err, ok, type Result } from '../base/result.ts';
import type { AdminAccess } from './access-file.ts';
import type { AdminStatus, LoadReport } from './actions.ts';

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

function exchange(
  { listen, token }: AdminAccess,
  { method, path, body, timeoutMs = CALL_TIMEOUT_MS }: AdminRequest,
): Promise<Result<Answer, AdminClientError>> {
  const text = body === undefined ? null : JSON.stringify(body);
  return new Promise((resolve) => {
    const sent = request({
      host: connectAddress(listen.address),
      port: listen.port,
      method,
      path,
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(text === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve(err(transportError(listen, error, timeoutMs))),
    );
    sent.on('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      readText(response).then(
        (answered) => resolve(ok({ status, type: headers['content-type'] ?? '', text: answered })),
        (error: Error) => resolve(err(transportError(listen, error, timeoutMs))),
      );
    });
    sent.end(text ?? '');
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
  { address, port }: AdminAccess['listen'],
  error: NodeJS.ErrnoException,
  timeoutMs: number,
): AdminClientError {
  if (error.code === 'ECONNREFUSED') {
    return { kind: 'not-running', message: `No gateway is running: nothing listens on ${address}:${port}.` };
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
      'The gateway refused the admin token. Another gateway may be running there, or the data folder is not its own.';
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
