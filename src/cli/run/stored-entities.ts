import { ok } from '../../base/result.ts';
import { readStoredTenant } from '../../config/stored-tenants.ts';
import type { DirectoryWorld } from '../../governance/live-directory.ts';
import type { BuiltEntity, ReadEntity, StoredEntity } from '../../governance/stored-directory.ts';
import { writtenName } from '../../model/route-lines.ts';
import type { Tenant } from '../../model/world.ts';

/** Reads what was made at run time as the world of one version would; each once, as long as it stays the same. */
export function storedEntityReader(world: DirectoryWorld): ReadEntity {
  const { attributes, routes, currency, rates, limits } = world;
  const accounting = { currency, rates };
  const names = () => new Set(Array.from(routes.keys(), writtenName));
  const known = new WeakMap<StoredEntity, BuiltEntity>();
  return (entity, directory, as) => {
    const before = known.get(entity);
    if (before !== undefined) return ok(before);
    const context = { attributes, routes: as === 'new' ? names() : null, accounting, limits, directory };
    const read = readStoredTenant(entity, context);
    if (!read.ok) return read;
    const built = partOf(entity, read.value);
    known.set(entity, built);
    return ok(built);
  };
}

function partOf({ kind, name }: StoredEntity, tenant: Tenant): BuiltEntity {
  switch (kind) {
    case 'tenant':
      return { kind, tenant: { ...tenant, place: MADE_HERE } };
    case 'team':
      return { kind, team: tenant.teams.get(name)! };
    case 'consumer':
      return { kind, consumer: { ...tenant.consumers.get(name)!, place: MADE_HERE } };
  }
}

const MADE_HERE = 'the store';
