/** Why the data folder can't be used: operating errors, so values. Shown by `start` and by the admin API. */
import { err } from '../base/result.ts';

/**
 * - `store_held`: another gateway runs on the same data folder
 * - `store_unusable`: the folder can't be made, read or locked
 * - `store_foreign`: there is something that Portunus has not made
 * - `store_newer`: made by a later version of Portunus
 * - `store_damaged`: a record or the file itself is not as it was written
 * - `store_write_failed`: a change could not be made durable; nothing of it is kept
 * - `store_fenced`: a later process holds the store: what this one leases counts no more
 * - `secrets_key_unusable`: the key of stored secrets is missing, or is none
 * - `secret_sealed`: a stored secret was sealed with another key
 * - `store_not_put_back`: nothing of such a change was to be kept, but the disk did not let go of it until the end of the process
 */
export type StoreProblemCode =
  | 'store_held'
  | 'store_unusable'
  | 'store_foreign'
  | 'store_newer'
  | 'store_damaged'
  | 'store_write_failed'
  | 'store_fenced'
  | 'store_not_put_back'
  | 'secrets_key_unusable'
  | 'secret_sealed';

export interface StoreProblem {
  readonly code: StoreProblemCode;
  /** One sentence in plain words. */
  readonly message: string;
  /** Path of the file or folder. */
  readonly place: string;
  /** What a person can do about it. */
  readonly remedy: string;
}

/** For a store that can't be read. */
export const RESTORE_REMEDY =
  'Nothing was changed. "portunus start --recover" goes back to the newest sound backup; or set `data:` to an empty folder to begin anew.';

export function problem(
  code: StoreProblemCode,
  place: string,
  message: string,
  remedy: string,
): { readonly ok: false; readonly error: StoreProblem } {
  return err({ code, message, place, remedy });
}

/** What a thrown value of the file system or of LMDB says. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
