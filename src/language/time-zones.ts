import { nearest } from '../diagnostics/suggest.ts';

/** The zone that was probably meant. */
export function nearestTimeZone(name: string): string | null {
  return nearest(name, Intl.supportedValuesOf('timeZone'));
}

/** `Berlin`: the only zone of that city. */
export function zoneOfCity(city: string): string | null {
  const zones = Intl.supportedValuesOf('timeZone').filter((zone) => zone.endsWith(`/${city}`));
  return zones.length === 1 ? zones[0]! : null;
}
