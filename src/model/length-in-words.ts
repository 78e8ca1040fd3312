import { DURATION_UNITS } from './literals.ts';

/** `90s`, `2m`, `121d`: in the largest unit that divides it. */
export function lengthInWords(ms: number): string {
  const units = Object.entries(DURATION_UNITS).filter(([unit]) => unit !== 'w');
  const [unit, size] = units.reverse().find(([, each]) => ms !== 0 && ms % each === 0) ?? ['ms', 1];
  return `${Math.round(ms / size)}${unit}`;
}
