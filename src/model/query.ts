/**
 * Reads a query string as `application/x-www-form-urlencoded` (WHATWG URL, 5.1): pairs divided by `&`, `+` is a blank,
 * percent-encoding is decoded, and what is not valid is kept as it stands. Everything that looks at a query uses this
 * one reading, so that no two parts of the gateway see different values (language-rules #4).
 */

/** The first value of a name; undefined when there is none. `query` is without its '?'. */
export function queryValue(query: string, name: string): string | undefined {
  let found: string | undefined;
  eachPair(query, (nameText, valueText) => {
    if (decodeQueryText(nameText) !== name) return 'go-on';
    found = decodeQueryText(valueText);
    return 'stop';
  });
  return found;
}

/** How often a name occurs. */
export function queryCount(query: string, name: string): number {
  let count = 0;
  eachPair(query, (nameText) => {
    if (decodeQueryText(nameText) === name) count++;
    return 'go-on';
  });
  return count;
}

function eachPair(query: string, visit: (name: string, value: string) => 'go-on' | 'stop'): void {
  let start = 0;
  while (start < query.length) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const split = equals === -1 || equals > end ? end : equals;
    if (
      end > start &&
      visit(query.slice(start, split), query.slice(split + 1, Math.max(split + 1, end))) === 'stop'
    )
      return;
    start = end + 1;
  }
}

export function decodeQueryText(text: string): string {
  const blanks = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!blanks.includes('%')) return blanks;
  return blanks.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
