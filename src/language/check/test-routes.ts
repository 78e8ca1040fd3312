import { nearest } from '../../diagnostics/suggest.ts';
import type { Route, World } from '../../model/world.ts';

/** Routes that a request of a test can be for, as far as method and path say it; the gateway's matcher decides later. */
export function candidates(world: World, method: string, path: string): readonly Route[] {
  return matching(world, method, path).filter(isServed);
}

/** A route that would match but is not served, being a draft. */
export function unserved(world: World, method: string, path: string): Route | null {
  return matching(world, method, path).find((route) => !isServed(route)) ?? null;
}

/** The served route whose method and path look most like it. */
export function nearestTarget(world: World, method: string, path: string): Route | null {
  const served = [...world.routes.values()].filter(isServed);
  const samePath = served.find((route) => fitsPath(route.match.path, path));
  if (samePath !== undefined) return samePath;
  const withMethod = served.filter((route) => fitsMethod(route, method));
  const near = nearest(
    path,
    withMethod.map((route) => route.match.path),
  );
  return withMethod.find((route) => route.match.path === near) ?? null;
}

function matching(world: World, method: string, path: string): Route[] {
  return [...world.routes.values()].filter(
    (route) => fitsMethod(route, method) && fitsPath(route.match.path, path),
  );
}

function isServed({ state }: Route): boolean {
  return state !== 'draft';
}

function fitsMethod({ match }: Route, method: string): boolean {
  return match.methods.length === 0 || match.methods.includes(method);
}

function fitsPath(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  const rest = wanted.at(-1)?.endsWith('...}') === true;
  if (rest ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((segment, at) => segment.startsWith('{') || segment === given[at]);
}
