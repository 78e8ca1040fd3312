import { isIPv4 } from 'node:net';

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const HOST_LENGTH_MAX = 253;

/**
 * A host name (RFC 1123, 2.1, and the underscores that container networks use) or an IPv4 address. A name whose last
 * label is a number is no name: some readers would take `127.1` for an address (WHATWG URL, 3.5).
 */
export function isHost(text: string): boolean {
  if (isIPv4(text)) return true;
  const labels = text.split('.');
  return (
    text.length <= HOST_LENGTH_MAX && labels.every((label) => LABEL.test(label)) && !isNumeric(labels.at(-1)!)
  );
}

/** `api.example.com`, or `*.example.com` for all names below. */
export function isHostPattern(text: string): boolean {
  if (!text.startsWith('*.')) return isHost(text);
  return isHost(text.slice(2)) && !isIPv4(text.slice(2));
}

function isNumeric(label: string): boolean {
  return /^(?:\d+|0x[0-9a-f]*)$/i.test(label);
}
