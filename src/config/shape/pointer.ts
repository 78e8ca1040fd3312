import type { DocumentPath } from '../finding.ts';

/** A JSON pointer (RFC 6901) as names. Indexes of lists stay texts; who follows a path knows what it is in. */
export function pathOf(pointer: string): DocumentPath {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}
