import { nearest } from '../../diagnostics/suggest.ts';

/** RFC 9110, 5.6.2: a token. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name);
}

/**
 * Fields that frame the message (RFC 9112, 6), belong to one connection (RFC 9110, 7.6.1) or are written by the
 * gateway itself. Changing them would let what the gateway reads differ from what the next hop reads.
 */
export function isGatewayHeader(lowerCaseName: string): boolean {
  return GATEWAY_HEADERS.has(lowerCaseName) || lowerCaseName.startsWith('proxy-');
}

const GATEWAY_HEADERS: ReadonlySet<string> = new Set([
  ...[
    'content-length',
    'transfer-encoding',
    'trailer',
    'te',
    'connection',
    'keep-alive',
    'upgrade',
    'host',
    'date',
  ],
]);

/** RFC 9110, 5.5, without the obsolete text: visible ASCII, blanks and tabs. */
export function isHeaderText(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

/**
 * The common header that a name is one slip away from, or null. Any name is allowed, so only what is all but one of these
 * is asked about.
 */
export function commonHeaderMeant(lowerCaseName: string): string | null {
  if (lowerCaseName.length < SLIP_CHARACTERS_MIN || COMMON_HEADERS.has(lowerCaseName)) return null;
  return nearest(lowerCaseName, COMMON_HEADERS, 1);
}

const SLIP_CHARACTERS_MIN = 6;

/** Request fields of RFC 9110, 9111, 6265, 6454 and 7239, of Fetch, and others that everybody knows. */
const COMMON_HEADERS: ReadonlySet<string> = new Set(
  (
    'accept accept-charset accept-encoding accept-language authorization cache-control content-encoding ' +
    'content-language content-location content-type cookie forwarded if-match if-modified-since if-none-match if-range ' +
    'if-unmodified-since idempotency-key origin pragma prefer range referer sec-fetch-dest sec-fetch-mode ' +
    'sec-fetch-site traceparent tracestate user-agent x-api-key x-correlation-id x-forwarded-for x-forwarded-host ' +
    'x-forwarded-proto x-request-id x-requested-with'
  ).split(' '),
);
