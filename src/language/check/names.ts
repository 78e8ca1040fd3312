import type { Span } from '../../diagnostics/source.ts';
import { meant, nearest } from '../../diagnostics/suggest.ts';
import { routesNamed, writtenName } from '../../model/route-lines.ts';
import type { ReferenceKind } from '../../model/types.ts';
import type { Place, World } from '../../model/world.ts';
import { type Suggestion, unknownName } from '../problems/names.ts';
import { pathParameters } from '../static-value.ts';
import { type NameKind, noteName } from './asked.ts';
import type { CheckContext, ProjectNames } from './context.ts';
import { routeIndexOf } from './route-index.ts';

/** Whether a name stands for something in the configuration; reports it when not. */
export function checkName(
  context: CheckContext,
  to: ReferenceKind | 'model tag',
  name: string,
  span: Span,
): boolean {
  const known = knownNames(context.project, to);
  const found = known.has(name);
  const stoodFor = to === 'route' && found ? routesNamed(context.project.world.routes, name) : [name];
  for (const each of stoodFor) noteName(context.asked, to, each, found);
  if (found) return true;
  const suggest = CREATED_AT_RUN_TIME.has(to) ? nearest : meant;
  const near = suggest(name, known.keys());
  if (CREATED_AT_RUN_TIME.has(to) && (near === null || differInDigitsOnly(near, name))) return true;
  const suggestion: Suggestion | null = near === null ? null : { name: near, place: known.get(near) ?? null };
  context.report(unknownName(span, to, name, suggestion, [...known.keys()].sort()));
  return false;
}

/** Names that the admin API can add later: an unknown one is a mistake only when it looks like a slip of the pen. */
const CREATED_AT_RUN_TIME: ReadonlySet<NameKind> = new Set(['tenant', 'team', 'consumer', 'credential']);

/** `shop-1` and `shop-2` are two things, not one of them misspelt. */
function differInDigitsOnly(a: string, b: string): boolean {
  return a.replaceAll(/\d+/g, '') === b.replaceAll(/\d+/g, '');
}

/** Names, and where they are defined. */
export interface KnownNames extends Pick<ReadonlyMap<string, Place | null>, 'has' | 'get' | 'size'> {
  keys(): Iterable<string>;
}

/** Made once for a project: ten thousand routes are not listed anew for each name that is asked about. */
export function knownNames(project: ProjectNames, to: NameKind): KnownNames {
  const known = project.names.get(to) ?? KNOWN_NAMES[to](project);
  project.names.set(to, known);
  return known;
}

const KNOWN_NAMES: Readonly<Record<NameKind, (project: ProjectNames) => KnownNames>> = {
  route: ({ world }) => new RouteNames(world.routes),
  service: ({ world }) => places(world.services.values()),
  tag: ({ world }) => unplaced([...routeIndexOf(world).tags].sort()),
  plan: ({ world }) => unplaced(world.directory.plans),
  role: ({ world }) => unplaced(world.directory.roles),
  model: ({ world }) => places(world.models.models.values()),
  'model tag': ({ world }) =>
    unplaced(new Set([...world.models.models.values()].flatMap(({ tags }) => tags))),
  tenant: ({ world }) => places(tenantsOf(world)),
  team: ({ world }) =>
    new Map(tenantsOf(world).flatMap(({ teams, place }) => [...teams.keys()].map((name) => [name, place]))),
  consumer: ({ world }) => places(tenantsOf(world).flatMap(({ consumers }) => [...consumers.values()])),
  credential: ({ world }) =>
    new Map(
      tenantsOf(world).flatMap(({ consumers }) =>
        [...consumers.values()].flatMap(({ credentials, place }) =>
          credentials.map(({ name }): [string, Place] => [name, place]),
        ),
      ),
    ),
  'path parameter': ({ world }) =>
    new Map(
      [...world.routes.values()].flatMap((route) =>
        pathParameters(route).map((parameter): [string, Place] => [parameter, route.place]),
      ),
    ),
};

/** Routes, and lines of several. Looks through to what the world has: ten thousand routes are not listed anew for each change of one. */
class RouteNames implements KnownNames {
  readonly #routes: World['routes'];

  constructor(routes: World['routes']) {
    this.#routes = routes;
  }
  get size(): number {
    return this.#routes.size;
  }
  has(name: string): boolean {
    return routesNamed(this.#routes, name).length > 0;
  }
  get(name: string): Place | undefined {
    const [first] = routesNamed(this.#routes, name);
    return first === undefined ? undefined : this.#routes.get(first)!.place;
  }
  *keys(): Iterable<string> {
    let line = '';
    for (const name of this.#routes.keys()) {
      const written = writtenName(name);
      if (written !== name && written !== line) yield written;
      line = written;
      yield name;
    }
  }
}

function tenantsOf(world: World) {
  return [...world.directory.tenants.values()];
}

function places(named: Iterable<{ readonly name: string; readonly place: Place }>): KnownNames {
  return new Map(Array.from(named, ({ name, place }) => [name, place]));
}

function unplaced(names: Iterable<string>): KnownNames {
  return new Map(Array.from(names, (name) => [name, null]));
}
