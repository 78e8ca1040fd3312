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
      const keyId = text.slice(first + 1, second);
      visit({
        tenant,
        consumer,
        name: text.slice(at, first),
        keyId,
        hash: `${HASH_PREFIX}${keyId}:${text.slice(second + 1, third)}`,
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
