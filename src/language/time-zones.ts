import { nearest } from '../diagnostics/suggest.ts';

/** Whether `name` is a time zone of the IANA database, as this Node's ICU data know it. */
export function isTimeZone(name: string): boolean {
  let known = KNOWN.get(name);
  if (known === undefined) {
    known = ask(name);
    KNOWN.set(name, known);
  }
  return known;
}

export function nearestTimeZone(name: string): string | null {
  return nearest(name, Intl.supportedValuesOf('timeZone'));
}

/** Asking costs some 30 µs. Only names that the lexer takes for zones come here, and a project uses a handful. */
const KNOWN = new Map<string, boolean>();

function ask(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
