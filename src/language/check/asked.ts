import type { ReferenceKind } from '../../model/types.ts';

export type NameKind = ReferenceKind | 'path parameter' | 'model tag';

/**
 * What the check of a file has asked of the world, beside the routes that its policies apply to. While the answers stay
 * the same, so does what was found.
 */
export interface Asked {
  /** By kind: names that are there. */
  readonly names: Map<NameKind, Set<string>>;
  /** Kinds of which a name was looked for and is not there. */
  readonly missing: Set<NameKind>;
  /** Routes that need not be among those of the policy. */
  otherRoutes: boolean;
}

export function nothingAsked(): Asked {
  return { names: new Map(), missing: new Set(), otherRoutes: false };
}

export function noteName({ names, missing }: Asked, kind: NameKind, name: string, isThere: boolean): void {
  if (!isThere) missing.add(kind);
  else names.set(kind, (names.get(kind) ?? new Set()).add(name));
}
