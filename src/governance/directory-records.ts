/** What lies in the memory of the directory: records as JSON, and the names that numbers are found by. */
import type { Value } from '../model/types.ts';
import type { Priority } from '../model/world.ts';

export interface TenantRecord {
  readonly name: string;
  readonly plan: string;
  readonly priority: Priority;
  readonly share: number;
  readonly attributes: Readonly<Record<string, Value>>;
}

export interface TeamRecord {
  readonly name: string;
  readonly attributes: Readonly<Record<string, Value>>;
}

export interface ConsumerRecord {
  readonly name: string;
  /** Number of the tenant. */
  readonly tenant: number;
  readonly team: number | null;
  readonly roles: readonly string[];
  /** Names of routes. */
  readonly subscriptions: readonly string[];
  readonly attributes: Readonly<Record<string, Value>>;
  /** What it signs with, in base64, by the names of the credentials; left out where there is none, as for a million others. */
  readonly secrets?: ConsumerSecrets;
}
export type ConsumerSecrets = Readonly<Record<string, readonly string[]>>;

/** NUL can't be part of a name, and each kind begins with a letter of its own: no two names read alike. */
export function tenantName(tenant: string): string {
  return `t\0${tenant}`;
}
export function teamName(tenant: string, team: string): string {
  return `m\0${tenant}\0${team}`;
}
export function consumerName(tenant: string, consumer: string): string {
  return `c\0${tenant}\0${consumer}`;
}
/** One for all credentials of that name: rotation uses few of them again and again. */
export function credentialName(name: string): string {
  return `${CREDENTIAL_PREFIX}${name}`;
}
export const CREDENTIAL_PREFIX = 'k\0';
export function credentialOf(text: string): string {
  return text.slice(CREDENTIAL_PREFIX.length);
}
