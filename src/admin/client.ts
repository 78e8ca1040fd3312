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
/** A reload of a large project takes seconds, and waits for one that is under way. */
const RELOAD_TIMEOUT_MS = 120_000;
const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;

export async function requestStatus(access: AdminAccess): Promise<Result<AdminStatus, AdminClientError>> {
  const answer = await exchange(access, 'GET', '/v1/status', STATUS_TIMEOUT_MS);
  return answer.ok ? understand<AdminStatus>(answer.value, [200]) : answer;
}

/** A configuration that was refused is an answer too: see `LoadReport.outcome`. */
export async function requestReload(access: AdminAccess): Promise<Result<LoadReport, AdminClientError>> {
  const answer = await exchange(access, 'POST', '/v1/reload', RELOAD_TIMEOUT_MS);
  return answer.ok ? understand<LoadReport>(answer.value, [200, 422]) : answer;
}

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: object;
}

const CALL_TIMEOUT_MS = 30_000;
const NO_CONTENT = 204;

/** Any other operation; `Body` is what its route says of the answers of success. */
export async function callAdmin<Body>(
  access: AdminAccess,
  { method, path, body }: AdminRequest,
): Promise<Result<Body, AdminClientError>> {
  const answer = await exchange(access, method, path, CALL_TIMEOUT_MS, body);
  if (!answer.ok) return answer;
  return answer.value.status === NO_CONTENT ? ok({} as Body) : understand<Body>(answer.value, [200, 201]);
}

/** The same where success is answered with a text. */
export async function callAdminForText(
  access: AdminAccess,
  { method, path }: AdminRequest,
): Promise<Result<string, AdminClientError>> {
  const answer = await exchange(access, method, path, CALL_TIMEOUT_MS);
  if (!answer.ok) return answer;
  return answer.value.status === 200 ? ok(answer.value.text) : understand<never>(answer.value, []);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function exchange(
  { listen, token }: AdminAccess,
  method: string,
  path: string,
  timeoutMs: number,
  body?: object,
): Promise<Result<Answer, AdminClientError>> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const content = text === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const sent = request({
      host: connectAddress(listen.address),
      port: listen.port,
      method,
      path,
      agent: false,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...content },
      signal: AbortSignal.timeout(timeoutMs),
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve(err(transportError(listen, error, timeoutMs))),
    );
    sent.on('response', (response) => {
      readText(response).then(
        (text) => resolve(ok({ status: response.statusCode ?? 0, text })),
        (error: Error) => resolve(err(transportError(listen, error, timeoutMs))),
      );
    });
    sent.end(text);
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
  { status, text }: Answer,
  expected: readonly number[],
): Result<Body, AdminClientError> {
  if (status === 401) {
    const message =
      'The gateway refused the admin token. Another gateway may be running there, or the data folder is not its own.';
    return err({ kind: 'refused', message });
  }
  const body = parseObject(text);
  if (body !== null && expected.includes(status)) return ok(body as Body);
  if (body !== null && 'detail' in body && typeof body.detail === 'string')
    return err({ kind: 'refused', message: `The gateway refused (${status}): ${body.detail}` });
  const message = `The gateway answered ${status} with something this command does not understand. Are both of one version?`;
  return err({ kind: 'failed', message });
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
