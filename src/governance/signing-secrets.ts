/** Secrets that callers sign with, read from where the files say: the store never has them. */
import { err, ok, type Result } from '../base/result.ts';
import type { Consumer, Directory, SecretReference, Tenant } from '../model/world.ts';
import type { ConsumerSecrets } from './directory-records.ts';

/** The error says what is wrong, without subject: `no such file`. */
export type ReadSecret = (reference: SecretReference) => Result<Uint8Array, string>;

/** By tenant and consumer, see {@link secretsOf}; only of those who have some. */
export type SigningSecrets = ReadonlyMap<string, ConsumerSecrets>;

/** RFC 2104, 3: a shorter secret is weaker than the hash. */
const SECRET_BYTES_MIN = 32;
const SECRET_BYTES_MAX = 4_096;

/** The error is one sentence. */
export function readSigningSecrets(directory: Directory, read: ReadSecret): Result<SigningSecrets, string> {
  const secrets = new Map<string, ConsumerSecrets>();
  for (const tenant of directory.tenants.values()) {
    for (const consumer of signers(tenant)) {
      const own: Record<string, string[]> = {};
      for (const { name, secrets: references } of consumer.credentials) {
        const texts: string[] = [];
        for (const reference of references) {
          const secret = readOne(reference, read);
          if (!secret.ok)
            return err(
              `The secret of credential "${name}" of "${consumer.name}" of "${tenant.name}" can't be used: ${secret.error}.`,
            );
          texts.push(Buffer.from(secret.value).toString('base64'));
        }
        if (texts.length > 0) own[name] = texts;
      }
      secrets.set(spell(tenant.name, consumer.name), own);
    }
  }
  return ok(secrets);
}

export function secretsOf(secrets: SigningSecrets, tenant: string, consumer: string): ConsumerSecrets | null {
  return secrets.get(spell(tenant, consumer)) ?? null;
}

/** Whether all are the same. */
export function sameSecrets(one: SigningSecrets, other: SigningSecrets): boolean {
  return JSON.stringify([...one]) === JSON.stringify([...other]);
}

/** Tenants that stay the same are the same objects: each is looked through once. */
const SIGNERS = new WeakMap<Tenant, readonly Consumer[]>();

function signers(tenant: Tenant): readonly Consumer[] {
  let found = SIGNERS.get(tenant);
  if (found === undefined) {
    found = [...tenant.consumers.values()].filter(({ credentials }) =>
      credentials.some(({ secrets }) => secrets.length > 0),
    );
    SIGNERS.set(tenant, found);
  }
  return found;
}

function readOne(reference: SecretReference, read: ReadSecret): Result<Uint8Array, string> {
  const place = reference.in === 'file' ? reference.path : `the variable ${reference.name}`;
  const secret = read(reference);
  if (!secret.ok) return err(`${place}: ${secret.error}`);
  const { length } = secret.value;
  if (length < SECRET_BYTES_MIN) return err(`${place} has fewer than ${SECRET_BYTES_MIN} bytes`);
  return length > SECRET_BYTES_MAX ? err(`${place} has more than ${SECRET_BYTES_MAX} bytes`) : secret;
}

function spell(tenant: string, consumer: string): string {
  return `${tenant}/${consumer}`;
}
