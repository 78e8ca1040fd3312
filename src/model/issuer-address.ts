/** Addresses at which an issuer of tokens may be asked for its keys: nobody on the way may answer in its place. */

/** `localhost` and 127.0.0.0/8, ::1, as the URL standard writes them. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** https, or http on this machine; without credentials and without a fragment. */
export function isKeysAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

/** The same without a query: what discovery needs of an issuer (OpenID Connect Discovery 1.0, 3). */
export function isDiscoverableIssuer(text: string): boolean {
  return isKeysAddress(text) && !/[?#]/.test(text);
}
