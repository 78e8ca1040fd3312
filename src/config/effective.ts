import type { LimitValues } from '../base/limits.ts';
import { placeOf, type SourceText } from '../diagnostics/source.ts';
import type { Place } from '../model/world.ts';
import type { DocumentPath, Located } from './finding.ts';
import { type FileKind, kindOf } from './kinds.ts';
import { checkShape } from './shape/check-shape.ts';
import { fillFromShipped } from './shape/shipped.ts';
import { readYaml } from './text/read.ts';

/** One value of the configuration in force, and where it came from. */
export interface EffectiveValue {
  readonly file: string;
  /** `routes.list-orders.auth`. */
  readonly path: string;
  /** As JSON. */
  readonly value: string;
  /** A shipped description, where it says so; null: nothing does, so the default holds. */
  readonly place: Place | null;
}

/** Every value of every file, those that the schemas fill in too, in the order of the files. For files without errors. */
export function effectiveConfiguration(
  files: readonly SourceText[],
  limits: LimitValues,
): readonly EffectiveValue[] {
  return files.flatMap((source) => {
    const kind = kindOf(source.path);
    return kind === null ? [] : effectiveFile(kind, source, limits);
  });
}

function effectiveFile(kind: FileKind, source: SourceText, limits: LimitValues): EffectiveValue[] {
  const { file, value } = readYaml(source, limits);
  const filled = value ?? {};
  const written = structuredClone(filled);
  const extended = structuredClone(filled);
  fillFromShipped(kind, extended);
  checkShape(kind, filled, file, 1);
  return valuesOf({ filled, extended, written }, { file, path: [], description: null });
}

interface Walk {
  readonly file: Located;
  readonly path: DocumentPath;
  /** The shipped one that the provider here extends. */
  readonly description: string | null;
}

/** A value in force, and what is said at the same place by the file with what it extends, and by the file alone; undefined for nothing. */
interface Said {
  readonly filled: unknown;
  readonly extended: unknown;
  readonly written: unknown;
}

function valuesOf({ filled, extended, written }: Said, walk: Walk): EffectiveValue[] {
  const { file, path } = walk;
  const extending = path.length === 2 ? memberOf(filled, 'extends') : undefined;
  const description = typeof extending === 'string' ? extending : walk.description;
  if (typeof filled === 'object' && filled !== null && !isListOfScalars(filled)) {
    const entries = Object.entries(filled);
    if (entries.length > 0) {
      return entries.flatMap(([name, value]) =>
        valuesOf(
          { filled: value, extended: memberOf(extended, name), written: memberOf(written, name) },
          { file, path: [...path, name], description },
        ),
      );
    }
  }
  const place =
    written !== undefined ? placeOf(file.locate(path, 'value')) : extended === undefined ? null : description;
  return [{ file: file.source.path, path: path.join('.'), value: JSON.stringify(filled), place }];
}

function isListOfScalars(value: object): boolean {
  return Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
