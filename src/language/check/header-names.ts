/** Names of header fields: what is one, and which of them rules may not touch. */

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
