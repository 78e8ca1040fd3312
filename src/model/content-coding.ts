/** Content codings (RFC 9110, 8.4) that bodies can be read through, and the fields that no longer hold for a changed body. */

export type ContentCoding = 'identity' | 'gzip' | 'deflate' | 'br';

/** The coding of a body by its header section; null for one that can't be undone here, or several on top of each other. */
export function contentCoding(fields: readonly string[]): ContentCoding | null {
  let coding: ContentCoding = 'identity';
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== 'content-encoding') continue;
    for (const name of fields[index + 1]!.split(',')) {
      const known = CODINGS.get(name.trim().toLowerCase());
      if (known === undefined) return null;
      if (known === 'identity') continue;
      if (coding !== 'identity') return null;
      coding = known;
    }
  }
  return coding;
}

const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
]);

/** For `Accept-Encoding` (RFC 9110, 12.5.3). */
export const READABLE_CODINGS = 'gzip, deflate, br';

/** Of a request whose body was decoded or changed: its coding, and digests of what it was (RFC 9530). */
export const STALE_REQUEST_FIELDS: readonly string[] = [
  'content-encoding',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
];

/** The same of an answer, with the validators and ranges of the body that the client never sees. */
export const STALE_RESPONSE_FIELDS: readonly string[] = [
  ...STALE_REQUEST_FIELDS,
  'etag',
  'last-modified',
  'accept-ranges',
];

/** What a client may ask of an answer that is going to be changed: whole, and in a coding that costs nothing to undo. */
export const UNTRANSFORMABLE_ASKS: readonly string[] = ['accept-encoding', 'range', 'if-range'];
