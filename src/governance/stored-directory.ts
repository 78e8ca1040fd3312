/**
 * Tenants, teams and consumers that were made at run time, beside those of the files. A name belongs to whoever had it first:
 * what a file defines is changed in the file. Where a file comes to define a name that was made here, the file holds.
 */
import { err, ok, type Result } from '../base/result.ts';
import type { Consumer, Directory, Team, Tenant } from '../model/world.ts';
import type { AuditActor, AuditEntry } from '../pipeline/audit.ts';
import type { KeyChange, StoreFault } from './key-store.ts';

export interface EntityName {
  readonly kind: 'tenant' | 'team' | 'consumer';
  readonly tenant: string;
  /** Of the team or consumer; '' for a tenant. */
  readonly name: string;
}
export interface StoredEntity extends EntityName {
  /** As a file would say it. */
  readonly document: object;
}

/** Where they are kept; every change is durable, and in the audit log, when it returns. */
export interface EntityStore {
  all(): Result<readonly StoredEntity[], StoreFault>;
  change(
    change: {
      readonly put?: readonly StoredEntity[];
      readonly remove?: readonly EntityName[];
      readonly keys?: KeyChange;
    },
    entries: readonly AuditEntry[],
  ): Result<void, StoreFault>;
}

/**
 * Reads a document as the file of a tenant is read: with the same rules, and the same words where they are broken. One that is
 * kept already may be subscribed to routes that are gone.
 */
export type ReadEntity = (
  entity: StoredEntity,
  directory: Directory,
  as: 'new' | 'kept',
) => Result<BuiltEntity, readonly EntityFault[]>;

/** What a document means: a tenant without its teams and consumers, one of its teams, or one of its consumers. */
export type BuiltEntity =
  | { readonly kind: 'tenant'; readonly tenant: Tenant }
  | { readonly kind: 'team'; readonly team: Team }
  | { readonly kind: 'consumer'; readonly consumer: Consumer };

export interface EntityFault {
  /** JSON pointer into the document. */
  readonly place: string;
  readonly why: string;
}

export type EntityProblemCode =
  | 'entity_not_found'
  | 'tenant_not_found'
  | 'defined_in_file'
  | 'still_used'
  | 'malformed'
  | 'directory_full'
  | 'not_saved';
export interface EntityProblem {
  readonly code: EntityProblemCode;
  readonly message: string;
  readonly remedy: string;
  readonly faults?: readonly EntityFault[];
}

/** One that can't be used as the project is now: it is left out until it fits again. */
export interface LeftOut {
  readonly entity: EntityName;
  readonly faults: readonly EntityFault[];
}

/** What the files say with what was made here beside it; in force once it is taken up. */
export interface MergedDirectory {
  readonly directory: Directory;
  readonly leftOut: readonly LeftOut[];
  /** What it was read by. */
  readonly read: ReadEntity;
}

export class StoredDirectory {
  readonly #store: EntityStore;
  /** Of the version that is in force, as is `leftOut`. */
  #read: ReadEntity = () => err([]);
  readonly #entitiesMax: number;
  #entities = new Map<string, StoredEntity>();
  leftOut: readonly LeftOut[] = [];

  constructor(store: EntityStore, entitiesMax: number) {
    this.#store = store;
    this.#entitiesMax = entitiesMax;
  }

  load(): Result<void, string> {
    const all = this.#store.all();
    if (!all.ok) return err(all.error.message);
    this.#entities = new Map(all.value.map((entity) => [spell(entity), entity]));
    return ok(undefined);
  }

  get(name: EntityName): StoredEntity | null {
    return this.#entities.get(spell(name)) ?? null;
  }

  get count(): number {
    return this.#entities.size;
  }

  all(): readonly StoredEntity[] {
    return [...this.#entities.values()];
  }

  /** What the files say, with what was made here beside it. */
  beside(written: Directory, read: ReadEntity): MergedDirectory {
    return merge(written, this.#entities, read, null);
  }

  takeUp({ leftOut, read }: MergedDirectory): void {
    this.leftOut = leftOut;
    this.#read = read;
  }

  /** The directory as it will be with this one; nothing is changed yet. */
  with(entity: StoredEntity, written: Directory): Result<MergedDirectory, EntityProblem> {
    const refused = this.#refusal(entity, written);
    if (refused !== null) return err(refused);
    const entities = new Map(this.#entities).set(spell(entity), entity);
    if (entities.size > this.#entitiesMax) return err(full());
    const merged = merge(written, entities, this.#read, entity);
    const own = merged.leftOut.find((each) => spell(each.entity) === spell(entity));
    return own === undefined ? ok(merged) : err(malformed(own));
  }

  without(name: EntityName, written: Directory): Result<MergedDirectory, EntityProblem> {
    const refused = this.#refusal(name, written);
    if (refused !== null) return err(refused);
    if (!this.#entities.has(spell(name))) return err(notFound(name));
    const user = this.#userOf(name);
    if (user !== null) return err(stillUsed(name, user));
    const entities = new Map(this.#entities);
    entities.delete(spell(name));
    return ok(merge(written, entities, this.#read, null));
  }

  keep(entity: StoredEntity, actor: AuditActor): Result<void, StoreFault> {
    const before = this.get(entity)?.document ?? null;
    const entry = entryOf(actor, 'put', entity, before, entity.document);
    const saved = this.#store.change({ put: [entity] }, [entry]);
    if (saved.ok) this.#entities.set(spell(entity), entity);
    return saved;
  }

  remove(name: EntityName, keys: KeyChange, actor: AuditActor): Result<void, StoreFault> {
    const before = this.get(name)?.document ?? null;
    const saved = this.#store.change({ remove: [name], keys }, [
      entryOf(actor, 'delete', name, before, null),
    ]);
    if (saved.ok) this.#entities.delete(spell(name));
    return saved;
  }

  #refusal(name: EntityName, written: Directory): EntityProblem | null {
    const tenant = written.tenants.get(name.tenant);
    if (name.kind !== 'tenant' && tenant === undefined && this.get(tenantOf(name)) === null)
      return {
        code: 'tenant_not_found',
        message: `There is no tenant "${name.tenant}".`,
        remedy: 'Make it first, or write it in tenants/*.yaml.',
      };
    const place = placeIn(tenant, name);
    if (place === null) return null;
    return {
      code: 'defined_in_file',
      message: `The ${inWords(name)} is defined in ${place}.`,
      remedy: 'Change it there.',
    };
  }

  /** What was made here and would be left without the tenant or team. */
  #userOf(name: EntityName): EntityName | null {
    for (const entity of this.#entities.values()) {
      if (entity.tenant !== name.tenant || entity.kind === 'tenant') continue;
      if (name.kind === 'tenant') return entity;
      const { team } = entity.document as { readonly team?: string };
      if (name.kind === 'team' && entity.kind === 'consumer' && team === name.name) return entity;
    }
    return null;
  }
}

function merge(
  written: Directory,
  entities: ReadonlyMap<string, StoredEntity>,
  read: ReadEntity,
  fresh: StoredEntity | null,
): MergedDirectory {
  const tenants = new Map(written.tenants);
  const open = new Map<string, OpenTenant>();
  const leftOut: LeftOut[] = [];
  // Tenants before teams, teams before consumers: each is read with the others at hand.
  for (const kind of ['tenant', 'team', 'consumer'] as const) {
    for (const entity of entities.values()) {
      if (entity.kind !== kind || placeIn(written.tenants.get(entity.tenant), entity) !== null) continue;
      if (kind !== 'tenant' && !tenants.has(entity.tenant)) continue;
      const built = read(entity, { ...written, tenants }, entity === fresh ? 'new' : 'kept');
      const faults = built.ok ? enter(built.value, entity.tenant, tenants, open) : built.error;
      if (faults !== null) leftOut.push({ entity, faults });
    }
  }
  return { directory: { ...written, tenants }, leftOut, read };
}

/** A tenant with maps of its own: those of files are not changed. */
interface OpenTenant extends Tenant {
  readonly teams: Map<string, Team>;
  readonly consumers: Map<string, Consumer>;
}

/** Null, or why it does not fit. */
function enter(
  built: BuiltEntity,
  name: string,
  tenants: Map<string, Tenant>,
  open: Map<string, OpenTenant>,
): readonly EntityFault[] | null {
  const known = built.kind === 'tenant' ? built.tenant : tenants.get(name)!;
  const tenant = open.get(name) ?? {
    ...known,
    teams: new Map(known.teams),
    consumers: new Map(known.consumers),
  };
  open.set(name, tenant);
  tenants.set(name, tenant);
  if (built.kind === 'team') tenant.teams.set(built.team.name, built.team);
  if (built.kind !== 'consumer') return null;
  const { team } = built.consumer;
  if (team !== null && !tenant.teams.has(team))
    return [{ place: '/team', why: `There is no team "${team}" of "${name}".` }];
  tenant.consumers.set(built.consumer.name, built.consumer);
  return null;
}

/** Where a file defines it, or null. */
function placeIn(tenant: Tenant | undefined, { kind, name }: EntityName): string | null {
  if (tenant === undefined) return null;
  if (kind === 'tenant') return tenant.place;
  if (kind === 'team') return tenant.teams.has(name) ? tenant.place : null;
  return tenant.consumers.get(name)?.place ?? null;
}

function tenantOf({ tenant }: EntityName): EntityName {
  return { kind: 'tenant', tenant, name: '' };
}

function spell({ kind, tenant, name }: EntityName): string {
  return `${kind}\0${tenant}\0${name}`;
}

export function inWords({ kind, tenant, name }: EntityName): string {
  return kind === 'tenant' ? `tenant "${tenant}"` : `${kind} "${name}" of "${tenant}"`;
}

function entryOf(
  actor: AuditActor,
  verb: 'put' | 'delete',
  name: EntityName,
  before: object | null,
  after: object | null,
): AuditEntry {
  const target =
    name.kind === 'tenant' ? `tenant ${name.tenant}` : `${name.kind} ${name.tenant}/${name.name}`;
  return { actor, action: `directory.${verb}-${name.kind}`, target, before, after };
}

function malformed({ entity, faults }: LeftOut): EntityProblem {
  const message = `The ${inWords(entity)} is not as it should be.`;
  return { code: 'malformed', message, remedy: 'See what is said of each place.', faults };
}

function notFound(name: EntityName): EntityProblem {
  const message = `There is no ${inWords(name)}.`;
  return { code: 'entity_not_found', message, remedy: 'GET /v1/directory shows all of them.' };
}

function stillUsed(name: EntityName, user: EntityName): EntityProblem {
  const message = `The ${inWords(name)} still has the ${inWords(user)}.`;
  return { code: 'still_used', message, remedy: 'Delete that first, or move it.' };
}

function full(): EntityProblem {
  return {
    code: 'directory_full',
    message: 'There is no room for another: limits.storedEntities is reached.',
    remedy: 'Delete what is not used, or raise limits.storedEntities in portunus.yaml and start anew.',
  };
}
