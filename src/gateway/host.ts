/** The authority of a Host field (RFC 9110, 7.2; RFC 3986, 3.2.2). */
import { isIPv6 } from 'node:net';

/**
 * The host in lower case, without the port and without the dot that ends a fully qualified name (RFC 1034, 3.1): rules and
 * routes must see one spelling. Null when the field is malformed.
 */
export function parseAuthority(authority: string): string | null {
  const host = authority.startsWith('[') ? bracketed(authority) : named(authority);
  if (host === null) return null;
  const port = authority.slice(host.length);
  if (port !== '' && !isPort(port)) return null;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return name === '' ? null : name.toLowerCase();
}

function bracketed(authority: string): string | null {
  const end = authority.indexOf(']');
  if (end === -1) return null;
  for (let index = 1; index < end; index++)
    if (!'0123456789abcdefABCDEF:.'.includes(authority[index]!)) return null;
  return isIPv6(authority.slice(1, end)) ? authority.slice(0, end + 1) : null;
}

function named(authority: string): string | null {
  const colon = authority.indexOf(':');
  const host = colon === -1 ? authority : authority.slice(0, colon);
  if (host === '' || host.length > 255 || host.startsWith('.') || host.includes('..')) return null;
  for (let index = 0; index < host.length; index++) {
    const code = host.charCodeAt(index);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    const digit = code >= 0x30 && code <= 0x39;
    // Dot, hyphen, underscore: what host names consist of. Other characters of `reg-name` name no host that can be routed to.
    if (!letter && !digit && code !== 0x2e && code !== 0x2d && code !== 0x5f) return null;
  }
  return host;
}

function isPort(text: string): boolean {
  if (text.charCodeAt(0) !== 0x3a || text.length > 6) return false;
  for (let index = 1; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return false;
  }
  return Number(text.slice(1)) <= 65_535;
}
