import type { Consumer, Credential, Directory, Tenant } from '../model/world.ts';
import type { DirectorySnapshot, SnapshotConsumer, SnapshotTenant } from '../pipeline/identity.ts';
import { parseHash } from './consumer-key.ts';

/** A credential that is kept in the store and not in a file: made at first start, or by the portal. */
export interface ExtraCredential {
  readonly tenant: string;
  readonly consumer: string;
  readonly credential: Credential;
}

/**
 * The directory as data threads receive it: what the files say, with the credentials of the store beside them. Stored
 * credentials of a consumer that the files no longer have are left out: removing a consumer ends its keys.
 * Ask {@link directoryProblems} first.
 */
export function snapshotOf(
  directory: Directory,
  extraCredentials: readonly ExtraCredential[],
  pepper: Uint8Array,
  epoch: number,
): DirectorySnapshot {
  const extra = byConsumer(extraCredentials);
  const tenants = [...directory.tenants.values()].map((tenant) => snapshotTenant(tenant, extra));
  return { epoch, pepper, tenants };
}

/** What keeps a directory from being used. */
export interface DirectoryProblem {
  readonly kind: 'malformed-hash' | 'duplicate-key-id' | 'duplicate-name';
  readonly tenant: string;
  readonly consumer: string;
  readonly credential: string;
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
}

/** Everything about the credentials that would make a snapshot unusable; empty when it is fine. */
export function directoryProblems(
  directory: Directory,
  extraCredentials: readonly ExtraCredential[],
): readonly DirectoryProblem[] {
  const extra = byConsumer(extraCredentials);
  const problems: DirectoryProblem[] = [];
  const holders = new Map<string, string>();
  for (const tenant of directory.tenants.values()) {
    for (const consumer of tenant.consumers.values()) {
      const names = new Set<string>();
      for (const credential of credentialsOf(tenant, consumer, extra)) {
        const found = credentialProblem(credential, names, holders);
        if (found === null) continue;
        problems.push({
          ...found,
          tenant: tenant.name,
          consumer: consumer.name,
          credential: credential.name,
        });
      }
    }
  }
  return problems;
}

type ExtraByConsumer = ReadonlyMap<string, readonly Credential[]>;

function byConsumer(extraCredentials: readonly ExtraCredential[]): ExtraByConsumer {
  const grouped = new Map<string, Credential[]>();
  for (const { tenant, consumer, credential } of extraCredentials) {
    const key = consumerKey(tenant, consumer);
    const credentials = grouped.get(key);
    if (credentials === undefined) grouped.set(key, [credential]);
    else credentials.push(credential);
  }
  return grouped;
}

function consumerKey(tenant: string, consumer: string): string {
  return `${tenant}\0${consumer}`;
}

function credentialsOf(tenant: Tenant, consumer: Consumer, extra: ExtraByConsumer): readonly Credential[] {
  return [...consumer.credentials, ...(extra.get(consumerKey(tenant.name, consumer.name)) ?? [])];
}

function snapshotTenant(tenant: Tenant, extra: ExtraByConsumer): SnapshotTenant {
  return {
    name: tenant.name,
    plan: tenant.plan,
    attributes: tenant.attributes,
    teams: [...tenant.teams.values()].map(({ name, attributes }) => ({ name, attributes })),
    consumers: [...tenant.consumers.values()].map((consumer) => snapshotConsumer(tenant, consumer, extra)),
  };
}

function snapshotConsumer(tenant: Tenant, consumer: Consumer, extra: ExtraByConsumer): SnapshotConsumer {
  const { name, team, roles, subscriptions, attributes } = consumer;
  return {
    name,
    team,
    roles,
    subscriptions,
    attributes,
    credentials: credentialsOf(tenant, consumer, extra),
  };
}

/** Notes the credential in `names` (of its consumer) and `holders` (key id → name), and says what is wrong with it. */
function credentialProblem(
  credential: Credential,
  names: Set<string>,
  holders: Map<string, string>,
): Pick<DirectoryProblem, 'kind' | 'message'> | null {
  const { name, keyId, hash } = credential;
  if (parseHash(hash)?.keyId !== keyId) {
    const message = `The hash of credential "${name}" is not one: issue the key anew.`;
    return { kind: 'malformed-hash', message };
  }
  const holder = holders.get(keyId);
  if (holder !== undefined) {
    const message = `Credentials "${holder}" and "${name}" hold the same key ${keyId}: issue one of them anew.`;
    return { kind: 'duplicate-key-id', message };
  }
  holders.set(keyId, name);
  if (names.has(name)) {
    const message = `The consumer has two credentials "${name}", in a file or in the store: rename one.`;
    return { kind: 'duplicate-name', message };
  }
  names.add(name);
  return null;
}
