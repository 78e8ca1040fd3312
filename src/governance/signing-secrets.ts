/** Secrets that callers sign with, read from where the files say: the store never has them. */
import { err, type Result } from '../base/result.ts';
import { spellSecretPlace } from '../model/secret-place.ts';
import type { Consumer, Directory, SecretReference, Tenant } from '../model/world.ts';
import type { ConsumerSecrets } from './directory-records.ts';

/** The error says what is wrong, without subject: `no such file`. */
export type ReadSecret = (reference: SecretReference) => Result<Uint8Array, string>;

/** By tenant and consumer, see {@link secretsOf}; only of those who have some. */
export type SigningSecrets = ReadonlyMap<string, ConsumerSecrets>;

/** Texts in base64, by where they lie. */
type ReadTexts = ReadonlyMap<string, string>;

export interface SecretsRead {
  readonly secrets: SigningSecrets;
  /** One for each secret that could not be read and each credential that needs it. */
  readonly faults: readonly SecretFault[];
  readonly texts: ReadTexts;
}

export interface SecretFault {
  /** `tenant/consumer/credential`, as in `keyid`. */
  readonly credential: string;
  /** `/run/secrets/bot`, `the variable SECRET`. */
  readonly place: string;
  /** One sentence. */
  readonly message: string;
  /** One sentence. */
  readonly remedy: string;
}

/** RFC 2104, 3: a shorter secret is weaker than the hash. */
const SECRET_BYTES_MIN = 32;
const SECRET_BYTES_MAX = 4_096;

export const NO_SECRETS: SecretsRead = { secrets: new Map(), faults: [], texts: new Map() };

/** `before`: what was read from there the last time stays where nothing can be read now, or one lost file would hold up all others. */
export function readSigningSecrets(
  directory: Directory,
  read: ReadSecret,
  before: ReadTexts = NO_SECRETS.texts,
): SecretsRead {
  const secrets = new Map<string, ConsumerSecrets>();
  const faults: SecretFault[] = [];
  const texts = new Map<string, string>();
  for (const tenant of directory.tenants.values()) {
    for (const consumer of signers(tenant)) {
      const own: Record<string, string[]> = {};
      for (const { name, secrets: references } of consumer.credentials) {
        for (const reference of references) {
          const place = spellSecretPlace(reference);
          const secret = readOne(reference, read);
          if (!secret.ok)
            faults.push({
              credential: `${spell(tenant.name, consumer.name)}/${name}`,
              place,
              message: `The secret of credential "${name}" of "${consumer.name}" of "${tenant.name}" can't be used: ${place}${secret.error}.`,
              remedy: REMEDIES[reference.in],
            });
          const text = secret.ok ? Buffer.from(secret.value).toString('base64') : before.get(place);
          if (text === undefined) continue;
          texts.set(place, text);
          own[name] = [...(own[name] ?? []), text];
        }
      }
      secrets.set(spell(tenant.name, consumer.name), own);
    }
  }
  return { secrets, faults, texts };
}

const REMEDIES: Readonly<Record<SecretReference['in'], string>> = {
  file: 'Write a secret of 32 to 4096 bytes there that the gateway may read; files are read again every two seconds.',
  environment:
    'Set the variable to 32 to 4096 bytes and start the gateway anew: no process sees another environment.',
  store: 'Set it to 32 to 4096 bytes with "portunus secrets set"; it counts at once.',
};

/** What a version is refused for; null where all secrets could be read. */
export function faultSentence(faults: readonly SecretFault[]): string | null {
  const [first, ...others] = faults;
  if (first === undefined) return null;
  if (others.length === 0) return first.message;
  const further = others.map(({ credential, place }) => `${credential} (${place})`);
  return `${first.message} So it is with ${further.slice(0, FURTHER_MAX).join(', ')}${further.length > FURTHER_MAX ? ' and others' : ''}.`;
}

const FURTHER_MAX = 5;

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

/** The error continues a sentence behind the place. */
function readOne(reference: SecretReference, read: ReadSecret): Result<Uint8Array, string> {
  const secret = read(reference);
  if (!secret.ok) return err(`: ${secret.error}`);
  const { length } = secret.value;
  if (length < SECRET_BYTES_MIN) return err(` has fewer than ${SECRET_BYTES_MIN} bytes`);
  return length > SECRET_BYTES_MAX ? err(` has more than ${SECRET_BYTES_MAX} bytes`) : secret;
}

function spell(tenant: string, consumer: string): string {
  return `${tenant}/${consumer}`;
}
