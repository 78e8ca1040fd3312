import type { Observation } from './run.ts';

const NO_PERMIT = -1;

/**
 * Where no body can make a permit hold, as in `it.a is absent and it.a is present`, the compiler may see that and refuse before the body
 * is read. How far it got is no part of the meaning; what alert rules tell of it is, and is compared.
 */
export function refusedAsSoon(interpreted: Observation, compiled: Observation | undefined): Observation {
  const isSooner = compiled?.decision === 'refused' && compiled.known < interpreted.known;
  return isSooner && interpreted.refusal?.ruleIndex === NO_PERMIT
    ? { ...interpreted, known: compiled.known }
    : interpreted;
}
