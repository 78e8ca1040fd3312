/** Names of a consumer's keys: `web-1`, `web-2` …, and those that were given. None is given twice, or log and audit would mean two keys by it. */
import type { PastNames } from './key-store.ts';

export function hadName({ numbers, ended }: PastNames, name: string): boolean {
  const [, stem, number] = NUMBERED.exec(name) ?? [];
  if (stem === undefined) return ended.includes(name);
  return Object.hasOwn(numbers, stem) && Number(number) <= numbers[stem]!;
}

/** A stem may be called `constructor`, as objects have it. */
export function lastNumber(numbers: PastNames['numbers'], stem: string): number {
  return Object.hasOwn(numbers, stem) ? numbers[stem]! : 0;
}

export function withNames(past: PastNames, names: readonly string[]): PastNames {
  const numbers = { ...past.numbers };
  const ended = new Set(past.ended);
  for (const name of names) {
    const [, stem, number] = NUMBERED.exec(name) ?? [];
    if (stem === undefined) ended.add(name);
    else numbers[stem] = Math.max(lastNumber(numbers, stem), Number(number));
  }
  return { ...past, numbers, ended: [...ended] };
}

const NUMBERED = /^(.*)-(\d{1,15})$/;
