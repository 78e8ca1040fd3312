/** The directives of Cache-Control (RFC 9111, 5.2). */

/** By lower-case name; '' for those without an argument. One that stands twice is the stricter: see {@link seconds}. */
export type Directives = ReadonlyMap<string, readonly string[]>;

/** `fields`: lower-case name, value, … */
export function directivesIn(fields: readonly string[]): Directives {
  const found = new Map<string, string[]>();
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== 'cache-control') continue;
    for (const [, name, quoted, plain] of fields[index + 1]!.matchAll(DIRECTIVE)) {
      const values = found.get(name!.toLowerCase()) ?? [];
      values.push(quoted ?? plain ?? '');
      found.set(name!.toLowerCase(), values);
    }
  }
  return found;
}

/** Of a directive that takes seconds; undefined where it is not there. What is malformed, or said in two ways, is the least. */
export function seconds(directives: Directives, name: string): number | undefined {
  const values = directives.get(name);
  if (values === undefined) return undefined;
  return Math.min(...values.map((value) => (DELTA.test(value) ? Number(value) : 0)));
}

const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;
const DELTA = /^[0-9]{1,15}$/;
