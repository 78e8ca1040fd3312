import { nearest } from '../diagnostics/suggest.ts';

/** The zone that was probably meant. */
export function nearestTimeZone(name: string): string | null {
  return nearest(name, Intl.supportedValuesOf('timeZone'));
}
