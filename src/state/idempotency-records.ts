/** Attempts of operations that callers of the admin API may repeat; see `admin/idempotency`, which says what is kept. */
import type { Clock } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { StoreProblem } from './store-problem.ts';
import type { StoreTables } from './store-tables.ts';

export interface IdempotencyTable {
  find(name: string): KeptAttempt | null;
  begin(name: string, digest: string, bounds: IdempotencyBounds): Result<void, 'full' | 'not-durable'>;
  finish(name: string, sealedAnswer: string): void;
  forget(name: string): void;
  /** Attempts that are kept now. */
  readonly count: number;
}

export interface IdempotencyBounds {
  readonly keysMax: number;
  /** For so long an attempt is kept. */
  readonly keepMs: number;
}

export interface KeptAttempt {
  readonly digest: string;
  readonly untilMs: number;
  readonly sealedAnswer: string | null;
}

const ATTEMPTS = 'idempotency';

interface AttemptRecord extends KeptAttempt {
  readonly name: string;
}

export function openIdempotencyTable(
  tables: StoreTables,
  clock: Pick<Clock, 'wallMs'>,
): Result<IdempotencyTable, StoreProblem> {
  const stored = tables.list<AttemptRecord>(ATTEMPTS);
  if (!stored.ok) return stored;
  const attempts = new Map(stored.value.map((attempt) => [attempt.name, attempt]));
  const expired = (): string[] => {
    const nowMs = clock.wallMs();
    return [...attempts.values()].filter(({ untilMs }) => untilMs <= nowMs).map(({ name }) => name);
  };
  return ok({
    get count() {
      return attempts.size;
    },
    find(name) {
      const attempt = attempts.get(name);
      return attempt !== undefined && clock.wallMs() < attempt.untilMs ? attempt : null;
    },
    begin(name, digest, { keysMax, keepMs }) {
      const gone = expired();
      if (attempts.size - gone.length >= keysMax) return err('full');
      const attempt = { name, digest, untilMs: clock.wallMs() + keepMs, sealedAnswer: null };
      const written = tables.change((change) => {
        for (const old of gone) change.remove([ATTEMPTS, old]);
        change.put([ATTEMPTS, name], attempt);
      });
      if (!written.ok) return err('not-durable');
      for (const old of gone) attempts.delete(old);
      attempts.set(name, attempt);
      return ok(undefined);
    },
    // Where the disk has no room for an answer, whoever repeats is told that the outcome is not known: which is true.
    finish(name, sealedAnswer) {
      const begun = attempts.get(name);
      if (begun === undefined) return;
      const attempt = { ...begun, sealedAnswer };
      if (tables.change((change) => change.put([ATTEMPTS, name], attempt)).ok) attempts.set(name, attempt);
    },
    forget(name) {
      if (tables.change((change) => change.remove([ATTEMPTS, name])).ok) attempts.delete(name);
    },
  });
}
