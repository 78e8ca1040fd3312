import { SIZE_UNITS } from '../model/literals.ts';

/** Abbreviations of units that are written in another way here. */
const UNITS_MEANT: ReadonlyMap<string, string> = new Map([
  ...Object.keys(SIZE_UNITS).map((unit): [string, string] => [unit.toLowerCase(), unit]),
  ['ms', 'ms'],
  ...['s', 'sec', 'secs', 'second', 'seconds'].map((unit): [string, string] => [unit, 's']),
  ...['min', 'mins', 'minute', 'minutes'].map((unit): [string, string] => [unit, 'm']),
  ...['h', 'hr', 'hrs', 'hour', 'hours'].map((unit): [string, string] => [unit, 'h']),
  ...['d', 'day', 'days'].map((unit): [string, string] => [unit, 'd']),
  ...['w', 'week', 'weeks'].map((unit): [string, string] => [unit, 'w']),
]);

/** How a unit is written here: `secs` is `s`, `mib` is `MiB`. */
export function unitMeant(written: string): string | undefined {
  return UNITS_MEANT.get(written.toLowerCase());
}
