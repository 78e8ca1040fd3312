/** Language-rules #4: what a rule reads must be given once, or rule and service could read different ones. */
import { queryCount } from '../model/query.ts';

export function repeatsField(fields: readonly string[], names: readonly string[]): boolean {
  for (const name of names) {
    let count = 0;
    for (let index = 0; index < fields.length; index += 2)
      if (fields[index] === name && ++count > 1) return true;
  }
  return false;
}

export function repeatsQueryParameter(query: string, names: readonly string[]): boolean {
  if (query === '') return false;
  for (const name of names) if (queryCount(query, name) > 1) return true;
  return false;
}
