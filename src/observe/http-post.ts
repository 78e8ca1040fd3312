import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { err, ok, type Result } from '../base/result.ts';

/** Bytes of an answer that are read and dropped; of a longer one the connection is closed. */
const ANSWER_BYTES_MAX = 65_536;

export interface PostBounds {
  readonly timeoutMs: number;
  /** Of the answer. */
  readonly bytesMax: number;
}

/** One POST over a connection of its own: status, or why there is none. Follows no redirect; certificates are verified. */
export async function post(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
): Promise<Result<number, string>> {
  return await new Promise((resolve) => {
    const sent = open(url, fields, body, timeoutMs, (why) => resolve(err(why)));
    sent.on('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) sent.destroy();
      });
      response.on('error', () => {});
      resolve(ok(response.statusCode!));
    });
  });
}

/** The same, with what is answered. */
export async function postForText(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  { timeoutMs, bytesMax }: PostBounds,
): Promise<Result<{ readonly status: number; readonly text: string }, string>> {
  return await new Promise((resolve) => {
    const sent = open(url, fields, body, timeoutMs, (why) => resolve(err(why)));
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes <= bytesMax) return;
        resolve(err(`its answer is longer than ${bytesMax} bytes`));
        sent.destroy();
      });
      response.on('error', ({ message }) => resolve(err(message)));
      response.on('end', () =>
        resolve(ok({ status: response.statusCode!, text: Buffer.concat(chunks).toString('utf8') })),
      );
    });
  });
}

/** `failed` is told why there is no answer, also after it was begun. */
function open(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
  failed: (why: string) => void,
): ClientRequest {
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  const headers = { ...fields, 'content-length': String(Buffer.byteLength(body)) };
  const sent = send(url, { method: 'POST', headers, agent: false });
  const deadline = setTimeout(() => {
    failed(`no answer within ${timeoutMs} ms`);
    sent.destroy();
  }, timeoutMs);
  sent.on('error', ({ message }) => failed(message));
  sent.on('close', () => {
    clearTimeout(deadline);
    failed('the connection ended without an answer');
  });
  sent.end(body);
  return sent;
}
