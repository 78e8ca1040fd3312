import { assert } from '../base/assert.ts';
import type { Endpoint } from '../model/world.ts';
import type { UpstreamRequest } from '../pipeline/upstream.ts';
import { CR, LF, SP, TOKEN_LOWER } from './characters.ts';

/** The parts of a request head that are the same for every request to an endpoint. */
export interface EndpointHead {
  readonly basePath: string;
  readonly hostLine: string;
  readonly authority: string;
}

export function endpointHead(endpoint: Endpoint): EndpointHead {
  const standardPort = endpoint.protocol === 'https' ? 443 : 80;
  const host =
    endpoint.host.includes(':') && !endpoint.host.startsWith('[') ? `[${endpoint.host}]` : endpoint.host;
  const authority = endpoint.port === standardPort ? host : `${host}:${endpoint.port}`;
  return { basePath: endpoint.basePath, hostLine: ` HTTP/1.1\r\nhost: ${authority}\r\n`, authority };
}

/**
 * Request line and fields up to and with the empty line. The framing is made here, never taken from the caller
 * (RFC 9112, 6); a persistent connection needs no Connection field in HTTP/1.1 (RFC 9112, 9.3).
 */
export function requestHead(request: UpstreamRequest, endpoint: EndpointHead): string {
  const hostLine = request.host === null ? endpoint.hostLine : ` HTTP/1.1\r\nhost: ${request.host}\r\n`;
  return `${request.method} ${endpoint.basePath}${request.target}${hostLine}${request.fieldLines}${request.idLines}${framing(request)}`;
}

/**
 * Request smuggling ends here: whoever calls has checked all of this, so that a failure is a programmer error. Characters
 * above U+00FF count too: written as latin1, U+010A would become a line feed.
 */
export function assertRequest(request: UpstreamRequest): void {
  const { method, target, host, fieldLines, idLines } = request;
  assert(KNOWN_METHODS.has(method) || isToken(method), 'the method is not a token (RFC 9110, 9.1)');
  assert(method !== 'CONNECT', 'CONNECT is not forwarded (RFC 9110, 9.3.6)');
  assert(
    target.charCodeAt(0) === SLASH && isVisible(target),
    'the target is not in origin-form (RFC 9112, 3.2.1)',
  );
  assert(
    host === null || (host.length > 0 && isVisible(host)),
    'the Host value is malformed (RFC 9112, 3.2)',
  );
  assert(
    areKnownLines(fieldLines) && areLines(idLines),
    'field lines end with CRLF and hold nothing above U+00FF (RFC 9112, 5)',
  );
}

/**
 * Found sound by the last calls: a few, as calls to models go with one of several keys. Comparing a text with itself costs nothing, and
 * looking at 300 characters 1 µs.
 */
const CHECKED: string[] = ['', '', '', ''];
let checkedNext = 0;

function areKnownLines(lines: string): boolean {
  for (let index = 0; index < CHECKED.length; index++) if (CHECKED[index] === lines) return true;
  if (!areLines(lines)) return false;
  CHECKED[checkedNext] = lines;
  checkedNext = (checkedNext + 1) % CHECKED.length;
  return true;
}

function framing(request: UpstreamRequest): string {
  if (request.bodyBytes > 0) return `content-length: ${request.bodyBytes}\r\n\r\n`;
  if (request.bodyBytes < 0) return 'transfer-encoding: chunked\r\n\r\n';
  return METHODS_WITH_CONTENT.has(request.method) ? 'content-length: 0\r\n\r\n' : '\r\n';
}

const SLASH = 0x2f;
const DEL = 0x7f;
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);

/** RFC 9110, 8.6: with these, the absence of content is said. */
const METHODS_WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || TOKEN_LOWER[code] === 0) return false;
  }
  return text.length > 0;
}

function isVisible(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= SP || code >= DEL) return false;
  }
  return true;
}

/** The caller vouches for names and values; here it is made sure that lines stay lines: no empty one, no bare CR or LF. */
function areLines(text: string): boolean {
  let lineStart = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || code === 0 || code === LF) return false;
    if (code !== CR) continue;
    if (at === lineStart || text.charCodeAt(++at) !== LF) return false;
    lineStart = at + 1;
  }
  return lineStart === text.length;
}
