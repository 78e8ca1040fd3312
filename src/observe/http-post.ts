import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { err, ok, type Result } from '../base/result.ts';

/** Bytes of an answer that are read and dropped; of a longer one the connection is closed. */
const ANSWER_BYTES_MAX = 65_536;

/** One POST over a connection of its own: status, or why there is none. Follows no redirect; certificates are verified. */
export function post(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  timeoutMs: number,
): Promise<Result<number, string>> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const headers = { ...fields, 'content-length': String(Buffer.byteLength(body)) };
    const sent = send(url, { method: 'POST', headers, agent: false });
    const deadline = setTimeout(() => {
      resolve(err(`no answer within ${timeoutMs} ms`));
      sent.destroy();
    }, timeoutMs);
    sent.on('error', ({ message }) => resolve(err(message)));
    sent.on('close', () => {
      clearTimeout(deadline);
      resolve(err('the connection ended without an answer'));
    });
    sent.on('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) sent.destroy();
      });
      response.on('error', () => {});
      resolve(ok(response.statusCode!));
    });
    sent.end(body);
  });
}
