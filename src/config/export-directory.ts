import tenantsSchema from '../../schemas/tenants.schema.json' with { type: 'json' };
import type { SourceText } from '../diagnostics/source.ts';
import { checkFiles } from './check-files.ts';
import { Ledger } from './ledger.ts';
import type { StoredDocument } from './stored-tenants.ts';
import { writeYaml } from './text/write.ts';

/**
 * The whole directory as one file for tenants/: what the files say, with what was made at run time in its place. Keys that were
 * issued are not in it: they stay in the store and belong to consumers by their names. Null when the files can't be read.
 */
export function exportDirectory(
  files: readonly SourceText[],
  stored: readonly StoredDocument[],
): string | null {
  const ledger = new Ledger();
  const { checked } = checkFiles(files, ledger);
  if (!checked.tenants.complete) return null;
  const tenants = new Map<string, OpenTenant>();
  for (const { document } of checked.tenants.checked)
    for (const [name, tenant] of Object.entries(document.tenants)) tenants.set(name, openTenant(tenant));
  for (const kind of ['tenant', 'team', 'consumer'] as const)
    for (const each of stored) if (each.kind === kind) enter(each, tenants);
  const whole = Object.fromEntries([...tenants].sort(byName).map(([name, tenant]) => [name, plain(tenant)]));
  return `# The directory as it was in force. It takes the place of all files in tenants/.\n${writeYaml({ tenants: whole })}`;
}

interface OpenTenant {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly teams: Map<string, unknown>;
  readonly consumers: Map<string, unknown>;
}

function openTenant(document: object): OpenTenant {
  const { teams = {}, consumers = {}, ...fields } = document as Readonly<Record<string, object>>;
  return { fields, teams: new Map(Object.entries(teams)), consumers: new Map(Object.entries(consumers)) };
}

/** What a file defines stands: it is in force in the place of what was made here under that name. */
function enter({ kind, tenant: of, name, document }: StoredDocument, tenants: Map<string, OpenTenant>): void {
  const tenant = tenants.get(of);
  if (kind === 'tenant') {
    if (tenant === undefined) tenants.set(of, openTenant(document));
    return;
  }
  const members = kind === 'team' ? tenant?.teams : tenant?.consumers;
  if (members?.has(name) === false) members.set(name, document);
}

function plain({ fields, teams, consumers }: OpenTenant): object {
  const members = {
    ...(teams.size === 0 ? {} : { teams: Object.fromEntries([...teams].sort(byName)) }),
    ...(consumers.size === 0 ? {} : { consumers: Object.fromEntries([...consumers].sort(byName)) }),
  };
  return withoutEmpty({ ...withoutDefaults(fields), ...members });
}

/** What was made at run time has no defaults, what files say had them filled in: both read alike. */
function withoutDefaults(fields: OpenTenant['fields']): OpenTenant['fields'] {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== DEFAULTS.get(name)));
}

const DEFAULTS: ReadonlyMap<string, unknown> = new Map(
  Object.entries(tenantsSchema.$defs.tenant.properties).flatMap(([name, property]) =>
    'default' in property ? [[name, property.default]] : [],
  ),
);

/** Nor do empty lists and maps. */
function withoutEmpty(value: unknown): object {
  const kept = Object.entries(value as object).filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(
    kept.map(([name, member]) => [name, isMap(member) ? withoutEmptyBelow(name, member) : member]),
  );
}

/** Members of these are named by people: an empty one is a team or consumer of which nothing more is said. */
function withoutEmptyBelow(name: string, members: object): object {
  if (name !== 'teams' && name !== 'consumers') return members;
  return Object.fromEntries(
    Object.entries(members).map(([each, document]) => [each, withoutEmpty(document)]),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
