import type { ErrorObject } from 'ajv/dist/2020.js';
import type { DocumentPath } from '../finding.ts';
import type { FileKind } from '../kinds.ts';
import { pathOf } from './pointer.ts';
import { validate } from './validators.ts';

type Container = Record<string, unknown>;

/**
 * Takes out of a wrong document what does not fit its schema, so that the rest can be looked at in the same run: a
 * route with a misspelt field still has its references checked. Nothing of it is ever served. Answers whether a
 * document remained.
 */
export function prune(kind: FileKind, root: Container): boolean {
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const paths = validate(kind, root).flatMap(removalOf);
    if (paths.length === 0) return true;
    for (const path of paths) remove(root, path);
  }
  return false;
}

/** An entry that loses a field it needs goes in the next pass; schemas are nested less deeply than this. */
const PASSES_MAX = 10;

function removalOf(error: ErrorObject): readonly DocumentPath[] {
  if (error.keyword === 'propertyNames' || error.schemaPath.includes('/oneOf/')) return [];
  const path = pathOf(error.instancePath);
  const name =
    error.propertyName ?? (error.params as { readonly additionalProperty?: string }).additionalProperty;
  if (name !== undefined) return [[...path, name]];
  // The one field that a file itself must have says which format it is in; nothing is built from it.
  return path.length === 0 ? [] : [path];
}

/** Removes the map entry at a path or, for what lies in a list, the entry of the list: indexes must stay true. */
function remove(root: Container, path: DocumentPath): void {
  let container = root;
  for (const [index, name] of path.entries()) {
    const value = Object.hasOwn(container, name) ? container[name] : undefined;
    if (index === path.length - 1 || Array.isArray(value)) {
      delete container[name];
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    container = value as Container;
  }
}
