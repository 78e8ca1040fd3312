import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { nearest } from '../diagnostics/suggest.ts';
import { diagnosticAt } from './finding.ts';
import { didYouMean } from './show.ts';

export type FileKind = 'portunus' | 'routes' | 'tenants' | 'enforcement';

/** A kind is known by the place of the file: one file in the project folder, or all files of one folder. */
const KINDS: readonly {
  readonly kind: FileKind;
  readonly place: 'file' | 'folder';
  readonly name: string;
}[] = [
  { kind: 'portunus', place: 'file', name: 'portunus.yaml' },
  { kind: 'enforcement', place: 'file', name: 'enforcement.yaml' },
  { kind: 'routes', place: 'folder', name: 'routes' },
  { kind: 'tenants', place: 'folder', name: 'tenants' },
];
const EXTENSION = '.yaml';

/** The kind of a file by its path relative to the project folder; null when it belongs to none. */
export function kindOf(path: string): FileKind | null {
  const found = KINDS.find(({ place, name }) =>
    place === 'file' ? path === name : path.startsWith(`${name}/`) && path.endsWith(EXTENSION),
  );
  return found?.kind ?? null;
}

/** Read only where a route names it. */
export function isSchemaFile(path: string): boolean {
  return /^(?:routes|schemas)\/(?:.*\/)?[^/]+\.schema\.json$/.test(path);
}

export function unknownKind(source: SourceText): Diagnostic {
  const { path } = source;
  const message = `${path} belongs to no kind of configuration file, so nothing would read it.`;
  return diagnosticAt({ source, start: 0, end: 0 }, 'PT3110', message, suggestion(path));
}

function suggestion(path: string): string {
  if (/\.yml$/i.test(path) || (/\.yaml$/i.test(path) && !path.endsWith(EXTENSION))) {
    return `Did you mean "${path.replace(/\.ya?ml$/i, EXTENSION)}"?`;
  }
  const [folder = '', ...rest] = path.split('/');
  const otherwise = `Move it to ${KINDS.filter(({ place }) => place === 'folder')
    .map(({ name }) => `${name}/`)
    .join(' or ')}, or remove it.`;
  if (rest.length === 0) return didYouMean(nearest(folder, namesOf('file')), otherwise);
  const near = nearest(folder, namesOf('folder'));
  return didYouMean(near === null ? null : [near, ...rest].join('/'), otherwise);
}

function namesOf(place: 'file' | 'folder'): readonly string[] {
  return KINDS.filter((kind) => kind.place === place).map(({ name }) => name);
}
