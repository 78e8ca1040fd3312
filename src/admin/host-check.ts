import { isIP } from 'node:net';

/**
 * Whether a Host field names this gateway: by address, as `localhost`, or by a name of its certificate. A page of another site
 * whose name was made to point here (DNS rebinding) sends its own name, and is refused; the port is free, because it may be
 * forwarded.
 */
export function namesThisGateway(host: string, certificateNames: readonly string[]): boolean {
  const name = hostName(host);
  if (name === '') return false;
  return name === 'localhost' || isIP(name) !== 0 || certificateNames.some((known) => covers(known, name));
}

/** RFC 9525, 6.3: a leading `*.` stands for one label. */
function covers(known: string, name: string): boolean {
  if (!known.startsWith('*.')) return known === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === known.slice(1);
}

/** Without port and without the brackets of an IPv6 address; '' when it can't be read. */
function hostName(host: string): string {
  if (host.startsWith('[')) {
    const end = host.indexOf(']');
    const name = host.slice(1, end);
    return end !== -1 && isPort(host.slice(end + 1)) && isIP(name) === 6 ? name : '';
  }
  const colon = host.indexOf(':');
  if (colon === -1) return host.toLowerCase();
  return isPort(host.slice(colon)) ? host.slice(0, colon).toLowerCase() : '';
}

/** Nothing, or a colon and digits. */
function isPort(text: string): boolean {
  return text === '' || /^:\d{1,5}$/.test(text);
}
