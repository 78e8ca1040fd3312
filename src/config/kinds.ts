import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import { nearest } from '../diagnostics/suggest.ts';
import { diagnosticAt } from './finding.ts';
import { alternatives, didYouMean } from './show.ts';

/** Folders of a project that hold configuration; anything else in it is the user's own. */
export const CONFIGURATION_FOLDERS: readonly string[] = [
  'routes',
  'schemas',
  'tenants',
  'policies',
  'providers',
];

export type FileKind = 'portunus' | 'routes' | 'tenants' | 'providers' | 'enforcement';

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
  { kind: 'providers', place: 'folder', name: 'providers' },
];
const EXTENSION = '.yaml';
const POLICY_EXTENSION = '.policy';

/** The kind of a file by its path relative to the project folder; null when it belongs to none. */
export function kindOf(path: string): FileKind | null {
  const found = KINDS.find(({ place, name }) =>
    place === 'file' ? path === name : path.startsWith(`${name}/`) && path.endsWith(EXTENSION),
  );
  return found?.kind ?? null;
}

/** In the project folder itself, or in one that holds configuration: nothing else decides. */
export function isPolicyFile(path: string): boolean {
  if (!path.endsWith(POLICY_EXTENSION)) return false;
  const slash = path.indexOf('/');
  return slash < 0 || CONFIGURATION_FOLDERS.includes(path.slice(0, slash));
}

/** Whether a file of this name is read where configuration lies: by its ending, or by one that was meant to be it. */
export function hasConfigurationEnding(name: string): boolean {
  return /\.(ya?ml|policy|schema\.json)$/i.test(name) || meantEnding(name) !== null;
}

/** The folder of configuration that a folder of another name was meant to be, or null: passed over, its policies would decide nothing. */
export function meantFolder(name: string): string | null {
  return name === 'policy' ? 'policies' : nearest(name, CONFIGURATION_FOLDERS);
}

function meantEnding(name: string): string | null {
  const ending = /\.[^.]+$/.exec(name)?.[0];
  return ending === undefined ? null : nearest(ending, [EXTENSION, POLICY_EXTENSION]);
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
  const ending = /\.yml$/i.test(path) ? EXTENSION : meantEnding(path);
  if (ending !== null && !path.endsWith(ending)) {
    return `Did you mean "${path.replace(/\.[^.]+$/, ending)}"?`;
  }
  const [folder = '', ...rest] = path.split('/');
  const folders = namesOf('folder').map((name) => `${name}/`);
  const otherwise = `Move it to ${alternatives(folders)}, or remove it.`;
  if (rest.length === 0) return didYouMean(nearest(folder, namesOf('file')), otherwise);
  const near = CONFIGURATION_FOLDERS.includes(folder)
    ? nearest(folder, namesOf('folder'))
    : meantFolder(folder);
  return didYouMean(near === null ? null : [near, ...rest].join('/'), otherwise);
}

function namesOf(place: 'file' | 'folder'): readonly string[] {
  return KINDS.filter((kind) => kind.place === place).map(({ name }) => name);
}
