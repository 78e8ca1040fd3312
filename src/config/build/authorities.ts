import type { Authority, AuthorityScope } from '../../model/world.ts';
import type { AuthorityDocument, PortunusDocument, RoutesDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { checkReference, type KnownNames } from './names.ts';
import type { Checked, Files } from './sources.ts';

/** What an authority may name. */
export type AuthorityNames = Readonly<Record<'tenants' | 'routes' | 'services' | 'tags', KnownNames>>;

/** In order of their folders. */
export function buildAuthorities(
  { file, document }: Checked<PortunusDocument>,
  names: AuthorityNames,
  report: Report,
): readonly Authority[] {
  const folders = Object.entries(document.authorities).sort(([a], [b]) => (a < b ? -1 : 1));
  return folders.map(([folder, authority]) => {
    const here = below({ file, path: [] }, 'authorities', folder);
    checkNames(authority, names, here, report);
    return { folder, scope: scopeOf(authority, here, report), place: file.placeOf(here.path) };
  });
}

/** With the tags of all routes, gathered when the first is asked about: most projects have no authorities. */
export function namesForAuthorities(
  names: Omit<AuthorityNames, 'tags'>,
  files: Files<RoutesDocument>,
): AuthorityNames {
  let tags: KnownNames | undefined;
  return {
    ...names,
    get tags() {
      tags ??= tagsOf(files);
      return tags;
    },
  };
}

function tagsOf(files: Files<RoutesDocument>): KnownNames {
  const routes = files.checked.flatMap(({ document }) => Object.values(document.routes));
  return { what: 'tag', names: new Set(routes.flatMap(({ tags }) => tags)), complete: files.complete };
}

const LISTS = ['tenants', 'routes', 'services', 'tags'] as const;

function checkNames(document: AuthorityDocument, names: AuthorityNames, here: Here, report: Report): void {
  for (const list of LISTS) {
    document[list]?.forEach((name, index) => {
      checkReference(name, names[list], valueAt(below(here, list, index)), report);
    });
  }
}

function scopeOf(document: AuthorityDocument, here: Here, report: Report): AuthorityScope | null {
  const { tenants = null, routes = [], services = [], tags = [] } = document;
  const hasOwned = routes.length + services.length + tags.length > 0;
  if (!document.everything) return { tenants, owned: hasOwned ? { routes, services, tags } : null };
  if (tenants !== null || hasOwned) {
    report({
      code: 'PT3207',
      message: 'This folder may govern everything, and also only some of it.',
      target: valueAt(below(here, 'everything')),
      help: 'Remove "everything", or the lists beside it.',
    });
  }
  return null;
}
