/** Asks the hook of a pool for new secrets of keys that are due, one after another; what it answers is told to nobody. */
import type { Clock } from '../../base/ports.ts';
import { err, type Result } from '../../base/result.ts';
import type { RotationHook } from '../../model/pools.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { EventLog } from '../../observe/event-log.ts';
import type { DueKey } from './due-rotations.ts';

/** What a hook is told. */
export interface RotationAsked {
  readonly pool: string;
  readonly key: string;
  readonly account: string;
  readonly provider: string;
}

export interface RotationHooksParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly events: Pick<EventLog, 'write'>;
  /** The secret, or why there is none. */
  readonly call: (hook: RotationHook, asked: RotationAsked) => Promise<Result<string, string>>;
  /** Puts it in the place of the former one; the error is one sentence. */
  readonly replace: (due: DueKey, secret: string) => Promise<Result<void, string>>;
}

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

export class RotationHooks {
  readonly #parts: RotationHooksParts;
  /** Of keys whose hook failed, by `pool/key`. */
  readonly #failed = new Map<string, { readonly times: number; readonly nextMs: number }>();
  #running: Promise<void> | null = null;

  constructor(parts: RotationHooksParts) {
    this.#parts = parts;
  }

  /** All keys that are due. Resolves when nothing is under way any more; nobody need wait for it. */
  tend(due: readonly DueKey[]): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    const subjects = new Set(due.map(subjectOf));
    for (const subject of this.#failed.keys()) {
      if (subjects.has(subject)) continue;
      this.#failed.delete(subject);
      this.#parts.alerts.resolve({ kind: KIND, subject });
    }
    const next = due.find(
      (key) =>
        key.spec.mode === 'enforce' &&
        key.key.secret.in === 'store' &&
        key.pool.rotationHook !== null &&
        nowMs >= (this.#failed.get(subjectOf(key))?.nextMs ?? 0),
    );
    if (this.#running === null && next !== undefined)
      this.#running = this.#rotate(next, next.pool.rotationHook!).finally(() => {
        this.#running = null;
      });
    return this.#running ?? Promise.resolve();
  }

  async #rotate(due: DueKey, hook: RotationHook): Promise<void> {
    const { alerts, events, clock } = this.#parts;
    const { pool, key } = due;
    const asked = { pool: pool.name, key: key.name, account: key.account, provider: pool.provider };
    const done = await this.#replaced(due, hook, asked);
    const subject = subjectOf(due);
    if (done.ok) {
      this.#failed.delete(subject);
      alerts.resolve({ kind: KIND, subject });
      events.write('info', 'a hook has given a provider key another secret', {
        pool: pool.name,
        key: key.name,
      });
      return;
    }
    const times = (this.#failed.get(subject)?.times ?? 0) + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1));
    this.#failed.set(subject, { times, nextMs: clock.monotonicMs() + pauseMs });
    alerts.raise({
      kind: KIND,
      subject,
      severity: 'warning',
      message: `The hook of pool "${pool.name}" gave no new secret for key "${key.name}": ${done.error}.`,
      remedy: `Look at its ${hook.kind}; it is asked again after pauses of up to an hour. "portunus keys rotate ${subject}" does it by hand.`,
    });
  }

  async #replaced(due: DueKey, hook: RotationHook, asked: RotationAsked): Promise<Result<void, string>> {
    try {
      const answered = await this.#parts.call(hook, asked);
      return answered.ok ? await this.#parts.replace(due, answered.value) : answered;
    } catch (error) {
      // A program whose name no system takes, say: it must not end the gateway.
      return err((error as Error).message);
    }
  }
}

const KIND = 'key-rotation-hook-failed';

function subjectOf({ pool, key }: Pick<DueKey, 'pool' | 'key'>): string {
  return `${pool.name}/${key.name}`;
}
