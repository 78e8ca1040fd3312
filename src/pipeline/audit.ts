/** The audit log as a port: what every change leaves behind, and who asks for it to be kept. */
import type { Result } from '../base/result.ts';

/** Who made a change. */
export type AuditActor =
  /** A caller of the admin API, by its token; commands on this machine use the one named `local`. */
  | { readonly kind: 'token'; readonly id: string; readonly name: string }
  /** An account of this machine that ran a command while no gateway ran. */
  | { readonly kind: 'account'; readonly name: string }
  /** The gateway by itself; the cause is what made it: `file change`, `SIGHUP` … */
  | { readonly kind: 'gateway'; readonly cause: string };

/** One change. Never a secret nor a whole key: identifiers and hashes only. */
export interface AuditEntry {
  readonly actor: AuditActor;
  /** What was changed and how: `keys.issue`, `configuration.load`. */
  readonly action: `${string}.${string}`;
  /** Which one, in words: `consumer acme/web, key web-1`. */
  readonly target: string;
  /** Plain data as it was, and as it is now; null where there was or is nothing. */
  readonly before: unknown;
  readonly after: unknown;
}

/** As it is kept: in its place, and chained to the record before it. */
export interface AuditRecord extends AuditEntry {
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly timeMs: number;
  /** Hash of the record before, in hex; {@link AUDIT_GENESIS} before the first. */
  readonly previous: string;
  /** SHA-256 over all of the above, in hex. */
  readonly hash: string;
}

export const AUDIT_GENESIS = '0'.repeat(64);

/** Why a change could not be recorded; then it must not be made. */
export interface AuditProblem {
  readonly code: string;
  readonly message: string;
  readonly place: string;
  readonly remedy: string;
}

export interface AuditPort {
  /** Durable when it resolves: only then may the change be answered. */
  append(entry: AuditEntry): Promise<Result<AuditRecord, AuditProblem>>;
}
