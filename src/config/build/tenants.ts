import { sameValue } from '../../base/same-value.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { Accounting } from '../../model/money.ts';
import type { Consumer, Directory, Team, Tenant } from '../../model/world.ts';
import type { FileMemory } from '../check-files.ts';
import type { ConsumerDocument, TenantDocument, TenantsDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { alternatives, didYouMean } from '../show.ts';
import { readAttributes } from './attribute-values.ts';
import type { Attributes } from './attributes.ts';
import { type Hashes, readCredentials } from './credentials.ts';
import { count } from './literals.ts';
import { checkReference, definitionsOf, type KnownNames, type NameTable } from './names.ts';
import type { Checked, Files } from './sources.ts';

export interface TenantContext {
  readonly attributes: Attributes;
  /** Null while it is not known. */
  readonly accounting: Accounting | null;
  readonly routes: KnownNames;
  /** Whether portunus.yaml names who may vouch for names in certificates; `unknown` where it can't be read, or does not matter. */
  readonly authorities: 'named' | 'none' | 'unknown';
  readonly projectFolder: string;
  readonly report: Report;
  readonly memory: FileMemory;
}

/** What was made of files in which nothing was found, and of what else. */
export interface DirectoryMemory {
  readonly files: readonly Checked<TenantsDocument>[];
  readonly attributes: Attributes;
  readonly accounting: Accounting | null;
  readonly authorities: TenantContext['authorities'];
  /** Names of routes that consumers are subscribed to. */
  readonly subscriptions: ReadonlySet<string>;
  readonly directory: Directory;
}

export function buildDirectory(
  files: Files<TenantsDocument>,
  names: NameTable,
  context: TenantContext,
): Directory {
  const known = stillTrue(files, context);
  if (known !== null) return known;
  let findings = 0;
  const report: Report = (finding) => {
    findings++;
    context.report(finding);
  };
  const directory = build(files, names, { ...context, report });
  const { attributes, accounting, authorities, memory } = context;
  const consumers = [...directory.tenants.values()].flatMap((tenant) => [...tenant.consumers.values()]);
  const subscriptions = new Set(consumers.flatMap((consumer) => consumer.subscriptions));
  const isWhole = findings === 0 && names.complete && context.routes.complete;
  memory.directory = isWhole
    ? { files: files.checked, attributes, accounting, authorities, subscriptions, directory }
    : null;
  return directory;
}

function stillTrue(
  { checked, complete }: Files<TenantsDocument>,
  { attributes, accounting, authorities, routes, memory }: TenantContext,
): Directory | null {
  const known = memory.directory;
  if (known === null || !complete || !sameValue(known.accounting, accounting)) return null;
  if (known.authorities !== authorities) return null;
  if (known.files.length !== checked.length || known.files.some((file, at) => file !== checked[at]))
    return null;
  if (!sameValue(known.attributes, attributes)) return null;
  for (const name of known.subscriptions) if (!routes.names.has(name)) return null;
  return known.directory;
}

function build(files: Files<TenantsDocument>, names: NameTable, context: TenantContext): Directory {
  const tenants = new Map<string, Tenant>();
  const hashes: Hashes = new Map();
  for (const { name, here, definition, sound } of definitionsOf(files, 'tenants', names)) {
    tenants.set(name, buildTenant(name, definition, here, { ...context, hashes, sound }));
  }
  const all = [...tenants.values()];
  return {
    tenants,
    plans: new Set([...(context.attributes.plans ?? []), ...all.map((tenant) => tenant.plan)]),
    roles: new Set(all.flatMap((tenant) => [...tenant.consumers.values()].flatMap(({ roles }) => roles))),
  };
}

interface Context extends TenantContext {
  readonly sound: Checked<unknown>['sound'];
  readonly hashes: Hashes;
}

function buildTenant(name: string, document: TenantDocument, here: Here, context: Context): Tenant {
  checkPlan(document.plan, here, context);
  const teams = new Map<string, Team>();
  for (const [team, { attributes }] of Object.entries(document.teams)) {
    const at = below(here, 'teams', team);
    teams.set(team, {
      name: team,
      attributes: readAttributes('team', attributes, context.attributes, { ...context, here: at }),
    });
  }
  const consumers = new Map<string, Consumer>();
  const knownTeams: KnownNames = {
    what: `team of "${name}" named`,
    names: teams,
    complete: context.sound(below(here, 'teams').path),
  };
  for (const [consumer, definition] of Object.entries(document.consumers)) {
    const at = below(here, 'consumers', consumer);
    consumers.set(
      consumer,
      buildConsumer({ tenant: name, name: consumer }, definition, at, knownTeams, context),
    );
  }
  return {
    name,
    plan: document.plan,
    priority: document.priority,
    share: count(document.share),
    attributes: readAttributes('tenant', document.attributes, context.attributes, { ...context, here }),
    teams,
    consumers,
    place: here.file.placeOf(here.path),
  };
}

function buildConsumer(
  holder: { readonly tenant: string; readonly name: string },
  document: ConsumerDocument,
  here: Here,
  teams: KnownNames,
  context: Context,
): Consumer {
  const { report } = context;
  if (document.team !== undefined) {
    checkReference(document.team, teams, valueAt(below(here, 'team')), report);
  }
  for (const [index, route] of document.subscriptions.entries()) {
    checkReference(route, context.routes, valueAt(below(here, 'subscriptions', index)), report);
  }
  return {
    name: holder.name,
    team: document.team ?? null,
    roles: document.roles,
    subscriptions: document.subscriptions,
    attributes: readAttributes('consumer', document.attributes, context.attributes, { ...context, here }),
    credentials: readCredentials(document.credentials, below(here, 'credentials'), holder, context),
    place: here.file.placeOf(here.path),
  };
}

function checkPlan(plan: string, here: Here, { attributes, report }: Context): void {
  const { plans } = attributes;
  if (plans === null || plans.includes(plan)) return;
  report({
    code: 'PT3201',
    message: `There is no plan "${plan}".`,
    target: valueAt(below(here, 'plan')),
    help: didYouMean(
      nearest(plan, plans),
      `Write ${alternatives(plans)}, or add it in portunus.yaml to attributes.tenant.plan.`,
    ),
  });
}
