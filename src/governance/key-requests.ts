/** What can be asked for about keys, and what is wrong with a wish for a new one. */
import { isEnvironment } from './consumer-key.ts';
import { type KeyProblem, tooFar } from './key-problems.ts';
import type { KeyName } from './key-store.ts';
import { MOMENT_MAX_MS } from './key-table.ts';

export interface IssueRequest {
  readonly tenant: string;
  readonly consumer: string;
  /** Null: the first free one of `consumer-1`, `consumer-2` … */
  readonly name: string | null;
  readonly environment: string;
  readonly expiresMs: number | null;
}

export interface RotateRequest extends KeyName {
  readonly environment: string;
  /** How long the old key counts beside the new one. */
  readonly overlapMs: number;
  /** Of the new key; `same` gives it as long a life as the old one was given. */
  readonly expiresMs: number | null | 'same';
}

export interface ListRequest {
  readonly tenant: string | null;
  readonly consumer: string | null;
  /** Only what comes behind it, in order of tenant, consumer and name. */
  readonly after: KeyName | null;
  readonly count: number;
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;

/** Why no key can be issued so; null where nothing is wrong with it. */
export function refusal(
  { tenant, consumer, name, environment, expiresMs }: IssueRequest,
  hasConsumer: (tenant: string, consumer: string) => boolean,
  nowMs: number,
): KeyProblem | null {
  if (!hasConsumer(tenant, consumer)) {
    return {
      code: 'consumer_not_found',
      message: `There is no consumer "${consumer}" in a tenant "${tenant}".`,
      remedy: 'Add it to tenants/*.yaml, or make it through the admin API.',
    };
  }
  if (name !== null && !NAME.test(name)) {
    return {
      code: 'malformed_name',
      message: `"${name}" can't be the name of a key.`,
      remedy: 'Use lower-case letters and digits, with - _ . between them.',
    };
  }
  if (!isEnvironment(environment)) {
    return {
      code: 'malformed_name',
      message: `"${environment}" can't be the environment of a key.`,
      remedy: 'Use a word of at most 16 lower-case letters and digits, such as live or test.',
    };
  }
  if (expiresMs !== null && expiresMs <= nowMs) {
    return {
      code: 'expiry_passed',
      message: 'The key would have expired before it is issued.',
      remedy: 'Give it a moment that is to come.',
    };
  }
  if (expiresMs !== null && expiresMs > MOMENT_MAX_MS) return tooFar();
  return null;
}
