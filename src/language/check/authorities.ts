import { assert } from '../../base/assert.ts';
import type { Span } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import { routesNamed } from '../../model/route-lines.ts';
import type { AuthorityScope, OwnedRoutes } from '../../model/world.ts';
import type { TypedExpression } from '../typed.ts';
import type { ProjectNames } from './context.ts';
import { referenceTo } from './type-names.ts';

/** What the policies of a file may govern (language-rules #36). */
export interface FileAuthority {
  /** The folder that says so. */
  readonly folder: string;
  readonly scopes: readonly AuthorityScope[];
}

/** Of a folder that is not named. */
export const EVERYTHING: FileAuthority = { folder: '', scopes: [] };

/** A folder without authority although one beside it has one, and the folder that its name may stand for. */
export interface FolderWithout {
  readonly folder: string;
  readonly suggestion: string | null;
}

/**
 * All folders around a file that are named in `portunus.yaml` count together, so a folder in a folder is never freer than
 * that. A folder that is not named may govern everything; unless one beside it is named, because then its own line is
 * missing or misspelt.
 */
export function authorityOf({ world }: ProjectNames, path: string): FileAuthority | FolderWithout {
  const around = foldersAround(path);
  const named = world.authorities.filter(({ folder }) => around.includes(folder));
  const innermost = named.at(-1)?.folder ?? '';
  const without = around.findLast(
    (folder) =>
      folder.length > innermost.length &&
      world.authorities.some((one) => one.folder !== folder && parentOf(one.folder) === parentOf(folder)) &&
      !world.authorities.some((one) => one.folder === folder),
  );
  if (without !== undefined) {
    const folders = world.authorities.map(({ folder }) => folder);
    return { folder: without, suggestion: nearest(without, folders) };
  }
  return { folder: innermost, scopes: named.flatMap(({ scope }) => (scope === null ? [] : [scope])) };
}

/** From the outermost: `policies/a/b.policy` lies in `policies` and `policies/a`. */
function foldersAround(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function parentOf(folder: string): string {
  return folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
}

/** Whether permits of the file count anywhere. */
export function ownsRoutes({ scopes }: FileAuthority): boolean {
  return scopes.every(({ owned }) => owned !== null);
}

/** The authority as a condition that stands before the policy's own scope; null: everything. */
export function withinAuthority(
  project: ProjectNames,
  { scopes }: FileAuthority,
  span: Span,
): TypedExpression | null {
  const parts = scopes.flatMap(({ tenants, owned }) => [
    ...(owned === null ? [] : [isOwned(project, owned, span)]),
    ...(tenants === null ? [] : isOfTenants(project, tenants, span)),
  ]);
  if (parts.length === 0) return null;
  return parts.length === 1 ? parts[0]! : { kind: 'and', operands: parts, span };
}

/** Only the routes; null: every route. */
export function withinOwned(project: ProjectNames, { scopes }: FileAuthority, span: Span): TypedExpression[] {
  return scopes.flatMap(({ owned }) => (owned === null ? [] : [isOwned(project, owned, span)]));
}

function isOwned(
  project: ProjectNames,
  { routes, services, tags }: OwnedRoutes,
  span: Span,
): TypedExpression {
  const element = (name: string) =>
    ({ kind: 'literal', value: name, type: referenceTo('tag'), span }) as const;
  const operands: TypedExpression[] = [
    ...(routes.length === 0 ? [] : [isOneOf(project, 'route', 'route', everyRouteOf(project, routes), span)]),
    ...(services.length === 0 ? [] : [isOneOf(project, 'route.service', 'service', services, span)]),
    ...tags.map(
      (tag): TypedExpression => ({
        kind: 'in',
        element: element(tag),
        list: factOf(project, 'route.tags', span),
        negated: false,
        span,
      }),
    ),
  ];
  return operands.length === 1 ? operands[0]! : { kind: 'or', operands, span };
}

/** A name may be that of a line of several routes. */
function everyRouteOf({ world }: ProjectNames, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => routesNamed(world.routes, name));
}

/** Routes by whose names the scopes are made. */
export function routesOwned(project: ProjectNames, { scopes }: FileAuthority): readonly string[] {
  return scopes.flatMap(({ owned }) => (owned === null ? [] : everyRouteOf(project, owned.routes)));
}

/** A caller without identity is of no tenant. */
function isOfTenants(project: ProjectNames, tenants: readonly string[], span: Span): TypedExpression[] {
  return [
    { kind: 'present', fact: factOf(project, 'tenant', span), negated: false, span },
    isOneOf(project, 'tenant', 'tenant', tenants, span),
  ];
}

function isOneOf(
  project: ProjectNames,
  path: string,
  to: 'route' | 'service' | 'tenant',
  names: readonly string[],
  span: Span,
): TypedExpression {
  const fact = factOf(project, path, span);
  const items = names.map((value) => ({ kind: 'literal', value, type: referenceTo(to), span }) as const);
  if (items.length === 1) return { kind: 'compare', operator: 'is', left: fact, right: items[0]!, span };
  const type = { kind: 'list', of: referenceTo(to) } as const;
  return { kind: 'in', element: fact, list: { kind: 'list', items, type, span }, negated: false, span };
}

function factOf(project: ProjectNames, path: string, span: Span) {
  const definition = project.facts.get(path);
  assert(definition !== undefined, `${path} is built in`);
  return { kind: 'fact', definition, parameter: null, type: definition.type, span } as const;
}
