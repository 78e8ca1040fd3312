/**
 * Keys that follow each other in order of tenant, consumer and name, as one text: `@tenant consumer` begins those of a consumer,
 * then `name keyId digest created expires` for each. One record each would take a million records twenty times as long to read.
 */
export interface StoredCredential extends CredentialName {
  readonly keyId: string;
  /** As `governance/` makes it; never the key. */
  readonly hash: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

export interface CredentialName {
  readonly tenant: string;
  readonly consumer: string;
  readonly name: string;
}

const HASH_PREFIX = 'ptnh1:';
const NEVER = '-';

/** Texts of names have neither of these. */
const LINE_END = ';';
const PART_END = ' ';
const CONSUMER = '@';

export function writeBlock(credentials: readonly StoredCredential[]): string {
  let text = '';
  let tenant = '';
  let consumer = '';
  for (const each of credentials) {
    if (each.tenant !== tenant || each.consumer !== consumer) {
      ({ tenant, consumer } = each);
      text += `${CONSUMER}${tenant} ${consumer};`;
    }
    const digest = each.hash.slice(HASH_PREFIX.length + each.keyId.length + 1);
    text += `${each.name} ${each.keyId} ${digest} ${each.createdMs} ${each.expiresMs ?? NEVER};`;
  }
  return text;
}

export function readBlock(text: string, visit: (credential: StoredCredential) => void): void {
  scanBlock(text, ({ tenant, consumer, name, keyId, digest, createdMs, expiresMs }) =>
    visit({ tenant, consumer, name, keyId, hash: `${HASH_PREFIX}${keyId}:${digest}`, createdMs, expiresMs }),
  );
}

/** One key of a block, its hash in parts: putting them together a million times takes a second. */
export interface ScannedCredential extends CredentialName {
  readonly keyId: string;
  /** What stands in the hash behind the key id. */
  readonly digest: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

export function scanBlock(text: string, visit: (credential: ScannedCredential) => void): void {
  let tenant = '';
  let consumer = '';
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(LINE_END, at);
    const first = text.indexOf(PART_END, at);
    if (text[at] === CONSUMER) {
      tenant = text.slice(at + 1, first);
      consumer = text.slice(first + 1, end);
    } else {
      const second = text.indexOf(PART_END, first + 1);
      const third = text.indexOf(PART_END, second + 1);
      const fourth = text.indexOf(PART_END, third + 1);
      visit({
        tenant,
        consumer,
        name: text.slice(at, first),
        keyId: text.slice(first + 1, second),
        digest: text.slice(second + 1, third),
        createdMs: Number(text.slice(third + 1, fourth)),
        expiresMs: text[fourth + 1] === NEVER ? null : Number(text.slice(fourth + 1, end)),
      });
    }
    at = end + 1;
  }
}

/** In the order of the store: by code units, part by part. */
export function compareNames(one: CredentialName, other: CredentialName): number {
  return (
    compare(one.tenant, other.tenant) ||
    compare(one.consumer, other.consumer) ||
    compare(one.name, other.name)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
