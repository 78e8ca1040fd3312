/** What can be wrong with a wish about a key, in words for whoever wished it. */
import type { CredentialKind } from '../model/world.ts';
import type { KeyName, StoreFault } from './key-store.ts';
import { MOMENT_MAX_MS } from './key-table.ts';
import type { DirectoryFull } from './shared-directory.ts';

export type KeyProblemCode =
  | 'consumer_not_found'
  | 'key_not_found'
  | 'key_name_taken'
  | 'key_ended'
  | 'not_a_key'
  | 'expiry_passed'
  | 'expiry_too_far'
  | 'malformed_name'
  | 'keys_full'
  | 'not_saved'
  | 'not_read';
export interface KeyProblem {
  readonly code: KeyProblemCode;
  /** One sentence. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}

export function tooFar(): KeyProblem {
  return {
    code: 'expiry_too_far',
    message: `The key would expire after ${new Date(MOMENT_MAX_MS).toISOString()}, the last moment there is.`,
    remedy: 'Give it an earlier moment, or none.',
  };
}

export function ended({ tenant, consumer, name }: KeyName): KeyProblem {
  return {
    code: 'key_ended',
    message: `Key "${name}" of consumer "${consumer}" of "${tenant}" counts no more.`,
    remedy: 'Issue a new one: `portunus keys issue`.',
  };
}

export function notAKey({ tenant, consumer, name }: KeyName, kind: CredentialKind): KeyProblem {
  return {
    code: 'not_a_key',
    message: `"${name}" of consumer "${consumer}" of "${tenant}" is no key, but a ${kind}.`,
    remedy: 'Replace it in its file; `portunus keys expire` and `revoke` end it.',
  };
}

export function notSaved({ message, remedy }: StoreFault, consequence: string): KeyProblem {
  return { code: 'not_saved', message: `${message} ${consequence}`, remedy };
}

export function unread({ message, remedy }: StoreFault): KeyProblem {
  return { code: 'not_read', message, remedy };
}

export function noRoom(limit: NonNullable<DirectoryFull>): KeyProblem {
  return {
    code: 'keys_full',
    message: `There is no room for another key: limits.${limit} is reached.`,
    remedy: `Revoke keys that are not used, or raise limits.${limit} in portunus.yaml and start anew.`,
  };
}
