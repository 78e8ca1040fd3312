import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BenchProject,
  generatedPath,
  type ProjectOptions,
  writePolicy,
  writeProject,
} from '../projects.ts';
import { type FilledStore, fillStore } from './store.ts';

export interface ScaleSize {
  readonly routes: number;
  readonly consumers: number;
  readonly keys: number;
}

/** A project whose consumers have their keys in the store. */
export interface ScaleProject {
  readonly project: BenchProject;
  readonly size: ScaleSize;
  /** Some of all its keys, drawn evenly. */
  readonly keys: FilledStore['sample'];
}

/** What the load asks for; the bound of wrk's memory is far above it. */
const KEYS_SAMPLED = 20_000;
const TENANTS = 10;

export async function makeScaleProject(
  options: Pick<ProjectOptions, 'folder' | 'upstreamPort' | 'port' | 'adminPort'>,
  size: ScaleSize,
): Promise<ScaleProject> {
  const project = writeProject({
    ...options,
    rules: 'governed',
    dataThreads: 'auto',
    generatedRoutes: size.routes,
  });
  const consumers = consumersOf(size);
  writeFileSync(join(project.folder, 'tenants', 'acme.yaml'), tenantsOf(consumers));
  writePolicy(project.folder, policyOf('0'));
  const filled = await fillStore(project.dataFolder, consumers, {
    keysPerConsumer: size.keys / size.consumers,
    sampled: Math.min(KEYS_SAMPLED, size.keys),
  });
  return { project, size, keys: filled.sample };
}

/** `asked` paths, evenly over all routes. */
export function pathsOf({ routes }: ScaleSize, asked: number): readonly string[] {
  return Array.from({ length: asked }, (_, index) => generatedPath(Math.floor((index * routes) / asked)));
}

export interface ScaleConsumer {
  readonly tenant: string;
  readonly name: string;
}

function consumersOf({ consumers }: ScaleSize): readonly ScaleConsumer[] {
  const perTenant = Math.ceil(consumers / TENANTS);
  return Array.from({ length: consumers }, (_, index) => ({
    tenant: `tenant-${Math.floor(index / perTenant)}`,
    name: `app-${String(index).padStart(6, '0')}`,
  }));
}

function tenantsOf(consumers: readonly ScaleConsumer[]): string {
  let text = 'tenants:\n';
  let tenant = '';
  for (const each of consumers) {
    if (each.tenant !== tenant) {
      tenant = each.tenant;
      text += `  ${tenant}:\n    plan: team\n    consumers:\n`;
    }
    text += `      ${each.name}: { roles: [buyer] }\n`;
  }
  return text;
}

/**
 * Governed as everywhere in bench/ (`governedPolicy`), but for the plan of a tenant: a thousand consumers subscribed to a hundred
 * thousand routes would be a measurement of subscriptions. Its header lets an edit be seen live.
 */
export const policyOf = (version: string): string => `language 1
zone UTC

policy "bench" "Consumers of paying tenants with a fresh key may call"
    owner "bench@portunus.example"
{
    permit "paying" when tenant.plan is "team"
    forbid "old-key" when credential.age > 400 days
    limit "window" at most 1_000_000_000 requests in any 1h  for each consumer
    quota "month" 2_000_000_000 requests per month  for each tenant
    set header "x-bench-version" to "${version}" in response
}
`;
