import type { DirectoryActions, EntityView } from '../../admin/routes/directory.ts';
import { err, ok } from '../../base/result.ts';
import { exportDirectory } from '../../config/export-directory.ts';
import type { LiveDirectory } from '../../governance/live-directory.ts';
import { type EntityName, inWords } from '../../governance/stored-directory.ts';
import type { ProjectFiles } from './project-files.ts';

/** What the admin API asks of the directory. */
export function createDirectoryDesk(
  directory: LiveDirectory,
  files: () => ProjectFiles['texts'],
): DirectoryActions {
  return {
    get: (name) => viewOf(directory, name),
    async put(entity, actor) {
      const done = await directory.put(entity, actor);
      return done.ok ? ok({ view: viewOf(directory, entity)!, was: done.value }) : done;
    },
    remove: (name, actor) => directory.remove(name, actor),
    leftOut: () =>
      directory.made.leftOut.map(({ entity, faults }) => ({
        what: inWords(entity),
        why: faults.map(({ place, why }) => (place === '' ? why : `${place}: ${why}`)).join(' '),
      })),
    exported() {
      const skipped = new Set(directory.made.leftOut.map(({ entity }) => entity));
      const made = directory.made.all().filter((entity) => !skipped.has(entity));
      const text = exportDirectory(files(), made);
      return text === null ? err('The files that are in force can not be read.') : ok(text);
    },
  };
}

function viewOf(directory: LiveDirectory, { kind, tenant: of, name }: EntityName): EntityView | null {
  const tenant = directory.whole.tenants.get(of);
  if (tenant === undefined) return null;
  if (kind === 'tenant') {
    const { plan, priority, share, attributes, teams, consumers, place } = tenant;
    const members = { teams: [...teams.keys()], consumers: [...consumers.keys()] };
    return { kind, tenant: of, name: '', in: where(place), plan, priority, share, attributes, ...members };
  }
  if (kind === 'team') {
    const team = tenant.teams.get(name);
    if (team === undefined) return null;
    const made = directory.made.get({ kind, tenant: of, name }) !== null;
    return { kind, tenant: of, name, in: made ? 'store' : 'file', attributes: team.attributes };
  }
  const consumer = tenant.consumers.get(name);
  if (consumer === undefined) return null;
  const { team, roles, subscriptions, attributes, place } = consumer;
  return { kind, tenant: of, name, in: where(place), team, roles, subscriptions, attributes };
}

/** What was made here has no place in a file. */
function where(place: string): 'file' | 'store' {
  return place === 'the store' ? 'store' : 'file';
}
