import { sameValue } from '../../base/same-value.ts';
import type { Route, World } from '../../model/world.ts';
import type { PolicyNode } from '../ast.ts';
import { staticValue } from '../static-value.ts';
import type { CheckedPolicy } from '../typed.ts';
import type { Asked, NameKind } from './asked.ts';
import type { ProjectNames } from './context.ts';
import { knownNames } from './names.ts';
import { indexWorldAfter, RouteIndex } from './route-index.ts';

/** How the world of the last check differs from this one, for policies. */
export class WorldChange {
  readonly #before: ProjectNames;
  readonly #now: ProjectNames;
  /** Both as they were and as they are. */
  readonly #routes: RouteIndex;
  readonly #routeNames: ReadonlySet<string>;
  readonly #kinds = new Map<NameKind, NamesChange>();

  private constructor(before: ProjectNames, now: ProjectNames) {
    this.#before = before;
    this.#now = now;
    const changed = changedRoutes(before.world.routes, now.world.routes);
    this.#routes = RouteIndex.of(changed);
    indexWorldAfter(before.world, now.world, changed);
    this.#routeNames = new Set(changed.map(({ name }) => name));
  }

  /** Null where more differs than routes and names. */
  static between(before: ProjectNames, now: ProjectNames): WorldChange | null {
    const isSame = OTHERS.every((field) => sameValue(before.world[field], now.world[field]));
    return isSame ? new WorldChange(before, now) : null;
  }

  /** Whether a policy without problems would be checked alike now. */
  keeps(policies: readonly CheckedPolicy[], asked: Asked): boolean {
    if (asked.otherRoutes && this.#routes.all.length > 0) return false;
    for (const kind of asked.missing) if (this.#change(kind) !== NO_CHANGE) return false;
    for (const [kind, names] of asked.names) {
      const { gone } = this.#change(kind);
      for (const name of names) {
        if (gone.has(name) || (kind === 'route' && this.#routeNames.has(name))) return false;
      }
    }
    return policies.every((policy) => this.#isAboutOthers(policy));
  }

  #isAboutOthers({ scope }: CheckedPolicy): boolean {
    const { all } = this.#routes;
    if (scope === null) return all.length === 0;
    return this.#routes.candidates(scope).every((route) => staticValue(scope, route) === false);
  }

  #change(kind: NameKind): NamesChange {
    let change = this.#kinds.get(kind);
    if (change === undefined) {
      const [before, now] = [knownNames(this.#before, kind), knownNames(this.#now, kind)];
      // names of routes differ only where routes do
      const asked = kind === 'route' ? this.#routeNames : before.keys();
      const gone = new Set([...asked].filter((name) => before.has(name) && !now.has(name)));
      change = gone.size === 0 && before.size === now.size ? NO_CHANGE : { gone };
      this.#kinds.set(kind, change);
    }
    return change;
  }
}

interface NamesChange {
  readonly gone: ReadonlySet<string>;
}
const NO_CHANGE: NamesChange = { gone: new Set() };

/** What policies are checked against, beside names and routes; small, and seldom changed. */
const OTHERS = [
  'server',
  'limits',
  'zone',
  'currency',
  'rates',
  'attributes',
  'deliveries',
  'models',
  'authorities',
  'models',
] as const satisfies (keyof World)[];

function changedRoutes(before: ReadonlyMap<string, Route>, now: ReadonlyMap<string, Route>): Route[] {
  const changed: Route[] = [];
  for (const [name, route] of before) if (now.get(name) !== route) changed.push(route);
  for (const [name, route] of now) if (before.get(name) !== route) changed.push(route);
  return changed;
}

/** The policies of a file when all could be checked; else null. */
export function allChecked(
  checked: readonly { readonly node: PolicyNode; readonly policy: CheckedPolicy | null }[],
): readonly CheckedPolicy[] | null {
  const policies = checked.flatMap(({ policy }) => (policy === null ? [] : [policy]));
  return policies.length === checked.length ? policies : null;
}
