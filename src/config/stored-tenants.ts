/** Tenants, teams and consumers that were made at run time, read as tenants/*.yaml is read: the same rules, the same words. */

import type { LimitValues } from '../base/limits.ts';
import { err, ok, type Result } from '../base/result.ts';
import { SourceText } from '../diagnostics/source.ts';
import type { Accounting } from '../model/money.ts';
import type { Directory, Tenant, World } from '../model/world.ts';
import { collectNames } from './build/names.ts';
import { buildDirectory } from './build/tenants.ts';
import { checkTenants, FileMemory } from './check-files.ts';
import type { DocumentPath, Finding } from './finding.ts';
import { Ledger } from './ledger.ts';

export interface StoredTenantContext {
  readonly attributes: World['attributes'];
  /** Null: subscriptions are not held against them. */
  readonly routes: ReadonlyMap<string, unknown> | ReadonlySet<string> | null;
  readonly accounting: Accounting;
  readonly limits: LimitValues;
  /** With the plans that tenants may have, and who is there already. */
  readonly directory: Directory;
}

export interface StoredDocument {
  readonly kind: 'tenant' | 'team' | 'consumer';
  readonly tenant: string;
  readonly name: string;
  readonly document: object;
}

export interface StoredFault {
  /** JSON pointer into the document. */
  readonly place: string;
  readonly why: string;
}

/** A tenant that holds what the document says, and nothing else of use. */
export function readStoredTenant(
  stored: StoredDocument,
  context: StoredTenantContext,
): Result<Tenant, readonly StoredFault[]> {
  const path = pathOf(stored);
  const text = JSON.stringify({ tenants: { [stored.tenant]: tenantAround(stored, context.directory) } });
  const ledger = new Ledger();
  const findings: Finding[] = [];
  const source = new SourceText('tenants/store.yaml', text);
  const { files, reading } = checkTenants(source, context.limits, ledger);
  findings.push(...reading);
  const { attributes, routes, accounting, directory } = context;
  const plans = directory.plans.size === 0 ? null : [...directory.plans];
  const report = (finding: Finding): void => void findings.push(finding);
  const built = buildDirectory(files, collectNames('tenant', files, 'tenants', report), {
    attributes: { declared: attributes, plans, complete: true },
    accounting,
    routes: { what: 'route', names: routes ?? new Map(), complete: routes !== null },
    authorities: 'unknown',
    projectFolder: '/',
    report,
    memory: new FileMemory(),
  });
  const unreadable = ledger.diagnostics(context.limits.diagnosticsPerFile);
  const own = findings.filter(({ target }) => path.every((step, at) => target.path[at] === step));
  const faults = [
    ...unreadable.map(({ message, help }) => ({ place: '', why: `${message} ${help}` })),
    ...own.map((finding) => faultOf(finding, path.length)),
  ];
  const tenant = built.tenants.get(stored.tenant);
  if (faults.length > 0) return err(faults);
  return tenant === undefined ? err([{ place: '', why: 'It can not be read.' }]) : ok(tenant);
}

/** Of the tenant around a team or consumer only names matter; what it lacks is not told. */
function tenantAround({ kind, tenant, name, document }: StoredDocument, directory: Directory): object {
  if (kind === 'tenant') return document;
  const known = directory.tenants.get(tenant);
  const plan = known?.plan ?? 'none';
  if (kind === 'team') return { plan, teams: { [name]: document } };
  const teams = Object.fromEntries([...(known?.teams.keys() ?? [])].map((team) => [team, {}]));
  return { plan, teams, consumers: { [name]: document } };
}

function pathOf({ kind, tenant, name }: StoredDocument): DocumentPath {
  if (kind === 'tenant') return ['tenants', tenant];
  return ['tenants', tenant, kind === 'team' ? 'teams' : 'consumers', name];
}

function faultOf({ message, help, target }: Finding, depth: number): StoredFault {
  const pointer = target.path.slice(depth).map((step) => `/${step}`);
  return { place: pointer.join(''), why: `${message} ${help}` };
}
