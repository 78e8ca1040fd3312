import type { ServerResponse } from 'node:http';
import { entityTag, namesTag } from './entity-tag.ts';
import { ADMIN_PROBLEMS } from './problems.ts';
import { type AdminAnswer, type AdminRefusal, isRefusal } from './route.ts';

export interface SendOptions {
  /** With an ETag; answers 304 where the caller has it already. */
  readonly tagged?: true;
  readonly ifNoneMatch?: string;
}

export function send(response: ServerResponse, answer: AdminAnswer, options: SendOptions): void {
  if (isRefusal(answer)) sendRefusal(response, answer);
  else if ('text' in answer) write(response, answer.status, answer.contentType, answer.text, {});
  else if (!('body' in answer)) response.writeHead(answer.status, COMMON_FIELDS).end();
  else sendJson(response, answer, options);
}

function sendJson(
  response: ServerResponse,
  { status, body, headers = {} }: Extract<AdminAnswer, { readonly body: object }>,
  { tagged, ifNoneMatch = '' }: SendOptions,
): void {
  const text = JSON.stringify(body);
  if (tagged === undefined || status !== 200) {
    write(response, status, 'application/json', `${text}\n`, headers);
    return;
  }
  const tag = entityTag(text);
  if (ifNoneMatch !== '' && namesTag(ifNoneMatch.replaceAll('W/', ''), tag)) {
    response.writeHead(304, { ...COMMON_FIELDS, ETag: tag }).end();
    return;
  }
  write(response, status, 'application/json', `${text}\n`, { ...headers, ETag: tag });
}

export function sendRefusal(
  response: ServerResponse,
  { problem: code, detail, errors }: AdminRefusal,
  allow: readonly string[] = [],
): void {
  const problem = ADMIN_PROBLEMS[code];
  const fields: Record<string, string> = {
    // What follows on the connection may be a body that nobody reads.
    Connection: 'close',
    ...(code === 'unauthenticated' ? { 'WWW-Authenticate': 'Bearer realm="portunus admin"' } : {}),
    ...(code === 'method_not_allowed' ? { Allow: allow.join(', ') } : {}),
  };
  const body = {
    type: 'about:blank',
    ...problem,
    ...(detail === undefined ? {} : { detail }),
    code,
    ...(errors === undefined ? {} : { errors }),
  };
  write(response, problem.status, 'application/problem+json', `${JSON.stringify(body)}\n`, fields);
}

const COMMON_FIELDS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const;

function write(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  fields: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(text),
    ...COMMON_FIELDS,
    ...fields,
  });
  response.end(text);
}
