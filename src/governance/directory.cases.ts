import type { Consumer, Credential, Directory, Tenant } from '../model/world.ts';
import { issueKey } from './consumer-key.ts';
import { seededRandom } from './seeded-random.cases.ts';

export const PEPPER = new Uint8Array(32).fill(9);

export function issued(seed: number, name: string, expiresMs: number | null = null) {
  const { key, keyId, hash } = issueKey({ random: seededRandom(seed), environment: 'test', pepper: PEPPER });
  const credential: Credential = {
    name,
    kind: 'key',
    keyId,
    hash,
    createdMs: 1_000,
    expiresMs,
    secrets: [],
  };
  return { key, credential };
}

export function consumer(
  name: string,
  credentials: readonly Credential[],
  changes: Partial<Consumer> = {},
): Consumer {
  const place = 'tenants/acme.yaml:1:1';
  return { name, team: null, roles: [], subscriptions: [], attributes: {}, credentials, place, ...changes };
}

export function tenant(name: string, consumers: readonly Consumer[], changes: Partial<Tenant> = {}): Tenant {
  return {
    name,
    plan: 'free',
    priority: 'normal',
    share: 1,
    attributes: {},
    teams: new Map(),
    consumers: new Map(consumers.map((each) => [each.name, each])),
    place: 'tenants/acme.yaml:1:1',
    ...changes,
  };
}

export function directory(...tenants: readonly Tenant[]): Directory {
  return {
    tenants: new Map(tenants.map((each) => [each.name, each])),
    plans: new Set(['free']),
    roles: new Set(),
  };
}
