import type { Clock } from '../../base/ports.ts';
import { LOCK_BOUNDS } from '../../base/shared-lock.ts';
import { counterLabel } from '../../language/canonical.ts';
import type { AlertBus, AlertIdentity, AlertRaised } from '../../observe/alert-bus.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';

export type CountedLimit = Pick<
  CounterUsage,
  'region' | 'identity' | 'keysMax' | 'keysWanted' | 'overflowTakes' | 'lockTimeouts' | 'whenNotKept'
>;

export interface LimitAlertsOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly limits: () => readonly CountedLimit[];
}

/** How long it must not happen again for an alert to be over. */
const OVER_AFTER_MS = 60_000;
/** How long a thread tries to get the lock of a counter. */
const LOCK_WAIT_MS = LOCK_BOUNDS.waits * LOCK_BOUNDS.waitMs;

type Happened = Pick<CountedLimit, 'overflowTakes' | 'lockTimeouts'>;
const NOTHING: Happened = { overflowTakes: 0, lockTimeouts: 0 };

interface OpenAlert {
  readonly identity: AlertIdentity;
  /** Of the limit. */
  readonly counter: string;
  readonly lastMs: number;
}

/** Limits that don't count each key for itself, or not at all, for want of memory or of its lock: for as long as it goes on, and a minute longer. */
export class LimitAlerts {
  readonly #options: LimitAlertsOptions;
  /** By region: what had happened when it was looked at last. Those that nothing ever happened to are not in it. */
  #seen: ReadonlyMap<number, Happened> = new Map();
  readonly #open = new Map<string, OpenAlert>();

  constructor(options: LimitAlertsOptions) {
    this.#options = options;
  }

  /** To be called about once a second. */
  look(): void {
    const limits = this.#options.limits();
    const seen = new Map<number, Happened>();
    for (const limit of limits) {
      const { region, overflowTakes, lockTimeouts } = limit;
      if (overflowTakes === 0 && lockTimeouts === 0) continue;
      const before = this.#seen.get(region) ?? NOTHING;
      seen.set(region, { overflowTakes, lockTimeouts });
      // Counts begin anew behind 2^32.
      this.#tell(limit, keysFull, (overflowTakes - before.overflowTakes) >>> 0);
      this.#tell(limit, unavailable, (lockTimeouts - before.lockTimeouts) >>> 0);
    }
    this.#seen = seen;
    if (this.#open.size > 0) this.#resolveEnded(new Set(limits.map(({ identity }) => identity)));
  }

  #tell(limit: CountedLimit, alertOf: (limit: CountedLimit) => AlertRaised, times: number): void {
    if (times === 0) return;
    const { alerts, clock } = this.#options;
    const alert = alertOf(limit);
    const { kind, subject } = alert;
    if (!alerts.raise(alert, times)) return;
    const open = { identity: { kind, subject }, counter: limit.identity, lastMs: clock.monotonicMs() };
    this.#open.set(`${kind} ${subject}`, open);
  }

  /** `inForce`: a limit that is gone by now has nothing left to say. */
  #resolveEnded(inForce: ReadonlySet<string>): void {
    const endedMs = this.#options.clock.monotonicMs() - OVER_AFTER_MS;
    for (const [key, { identity, counter, lastMs }] of this.#open) {
      if (lastMs > endedMs && inForce.has(counter)) continue;
      this.#open.delete(key);
      this.#options.alerts.resolve(identity);
    }
  }
}

function keysFull({ identity, keysMax, keysWanted }: CountedLimit): AlertRaised {
  const label = counterLabel(identity);
  return {
    kind: 'limit-keys-full',
    subject: label,
    severity: 'warning',
    message: `${label} keeps ${keysMax.toLocaleString('en')} keys apart, and all are in use: further ones share one counter of the same size, so one caller can use up what another had.`,
    remedy:
      keysWanted > keysMax
        ? `Start the gateway anew: from then on it keeps ${keysWanted.toLocaleString('en')} keys apart.`
        : 'Raise its `max keys` (limits.counterKeys where it says none) and start the gateway anew, or count for each of something that callers can not make up.',
  };
}

function unavailable({ identity, whenNotKept }: CountedLimit): AlertRaised {
  const label = counterLabel(identity);
  return {
    kind: 'limit-unavailable',
    subject: label,
    severity: 'warning',
    message: `${label} could not be counted, as its memory was in use for over ${LOCK_WAIT_MS} ms. Such requests were ${whenNotKept === 'refused' ? 'refused (503 limit_unavailable)' : 'let in uncounted'}.`,
    remedy:
      'A thread was held up while it counted: see that other processes leave the gateway a processor for each of its threads.',
  };
}
