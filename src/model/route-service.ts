import type { Route } from './world.ts';

/** The fact `route.service`. AI routes have no service: a text that no name is equals none that a rule can write. */
export function serviceFact({ service }: Pick<Route, 'service'>): string {
  return service ?? '';
}
