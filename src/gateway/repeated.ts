/** Language-rules #4: what a rule reads must be given once, or rule and service could read different ones. */
import { decodeSegment } from './target.ts';

export function repeatsField(fields: readonly string[], names: readonly string[]): boolean {
  for (const name of names) {
    let count = 0;
    for (let index = 0; index < fields.length; index += 2)
      if (fields[index] === name && ++count > 1) return true;
  }
  return false;
}

/** Names are compared decoded, as rules read them. */
export function repeatsQueryParameter(query: string, names: readonly string[]): boolean {
  if (names.length === 0 || query === '') return false;
  const seen = new Set<string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = decodeName(equals === -1 ? pair : pair.slice(0, equals));
    if (!names.includes(name)) continue;
    if (seen.has(name)) return true;
    seen.add(name);
  }
  return false;
}

function decodeName(raw: string): string {
  // Forms write a blank as "+" (WHATWG URL, application/x-www-form-urlencoded).
  return decodeSegment(raw.replaceAll('+', ' ')) ?? raw;
}
