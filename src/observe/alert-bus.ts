import type { Clock } from '../base/ports.ts';
import type { Result } from '../base/result.ts';
import type { AlertKind } from './alert-kinds.ts';

/**
 * Alerts of the control thread. An alert is a condition that lasts: it is raised once, counted while it goes on, and
 * resolved when it has passed. Deliveries (log, webhook …) hear of the first and of the end, not of every repetition.
 */
export interface AlertBus {
  /** `times`: how often it has happened since it was raised last. False: not opened, for want of room. */
  raise(alert: AlertRaised, times?: number): boolean;
  /** Without effect when no such alert is open. */
  resolve(identity: AlertIdentity): void;
  /** Open alerts, oldest first. */
  open(): readonly OpenAlert[];
  readonly counts: AlertBusCounts;
}

/** What makes two alerts the same: `{ kind: 'service-down', subject: 'orders' }`. */
export interface AlertIdentity {
  readonly kind: AlertKind;
  /** What it is about, by name; '' for the gateway itself. */
  readonly subject: string;
}

/** Ascending. */
export const ALERT_SEVERITIES = ['notice', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

export interface AlertCondition extends AlertIdentity {
  readonly severity: AlertSeverity;
  /** One sentence: what is the matter. */
  readonly message: string;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** The delivery that a policy names for it; null for those that take all. */
  readonly notify: string | null;
  /** Who asked to be told: keys of policies may be many, and must not take the room of what ails the gateway. */
  readonly askedBy: AskedBy;
  /** `log`: no delivery is told of it. */
  readonly reach: 'everybody' | 'log';
}
export const ASKED_BY = ['gateway', 'policy'] as const;
export type AskedBy = (typeof ASKED_BY)[number];

/** As it is raised: mostly by the gateway, for all. */
export type AlertRaised = Omit<AlertCondition, Usual> & Partial<Pick<AlertCondition, Usual>>;
type Usual = 'notify' | 'askedBy' | 'reach';

export interface OpenAlert extends AlertCondition {
  readonly sinceMs: number;
  readonly lastMs: number;
  /** How often it was raised, the first time included. */
  readonly times: number;
}

export interface AlertNotice {
  readonly event: 'raised' | 'worsened' | 'resolved';
  readonly atMs: number;
  readonly alert: OpenAlert;
}

/** A way to tell people. Returns at once: a delivery that waits keeps a bounded queue of its own. */
export interface AlertDelivery {
  readonly name: string;
  /** The error is one sentence. */
  deliver(notice: AlertNotice): Result<void, string>;
}

export interface AlertBusCounts {
  readonly raised: number;
  readonly resolved: number;
  /** At present. */
  readonly open: Readonly<Record<AskedBy, number>>;
  /** Conditions that were not opened because too many alerts are open. */
  readonly overflowed: Readonly<Record<AskedBy, number>>;
  readonly failedDeliveries: number;
  /** `delivery: why`, of the last one that failed. */
  readonly lastFailure: string | null;
}

export interface AlertBusOptions {
  readonly clock: Clock;
  /** Of a notice: whom to tell. */
  readonly deliveries: (notice: AlertNotice) => readonly AlertDelivery[];
  /** The limits `openAlerts` and `openPolicyAlerts`. */
  readonly openAlertsMax: Readonly<Record<AskedBy, number>>;
}

export function createAlertBus(options: AlertBusOptions): AlertBus {
  return new Bus(options);
}

class Bus implements AlertBus {
  readonly #options: AlertBusOptions;
  /** In the order they were raised. */
  readonly #open = new Map<string, OpenAlert>();
  #raised = 0;
  #resolved = 0;
  readonly #overflowed = { gateway: 0, policy: 0 };
  readonly #openOf = { gateway: 0, policy: 0 };
  #failedDeliveries = 0;
  #lastFailure: string | null = null;

  constructor(options: AlertBusOptions) {
    this.#options = options;
  }

  raise(raised: AlertRaised, times = 1): boolean {
    const condition: AlertCondition = { ...USUAL, ...raised };
    const { askedBy } = condition;
    const atMs = this.#options.clock.wallMs();
    const key = keyOf(condition);
    const known = this.#open.get(key);
    if (known === undefined && this.#openOf[askedBy] >= this.#options.openAlertsMax[askedBy]) {
      this.#overflowed[askedBy]++;
      return false;
    }
    const alert: OpenAlert = {
      ...condition,
      sinceMs: known?.sinceMs ?? atMs,
      lastMs: atMs,
      times: (known?.times ?? 0) + times,
    };
    this.#open.set(key, alert);
    if (known === undefined) {
      this.#raised++;
      this.#openOf[askedBy]++;
      this.#deliver({ event: 'raised', atMs, alert });
    } else if (rank(condition.severity) > rank(known.severity)) {
      this.#deliver({ event: 'worsened', atMs, alert });
    }
    return true;
  }

  resolve(identity: AlertIdentity): void {
    const key = keyOf(identity);
    const alert = this.#open.get(key);
    if (alert === undefined) return;
    this.#open.delete(key);
    this.#openOf[alert.askedBy]--;
    this.#resolved++;
    this.#deliver({ event: 'resolved', atMs: this.#options.clock.wallMs(), alert });
  }

  open(): readonly OpenAlert[] {
    return [...this.#open.values()];
  }

  get counts(): AlertBusCounts {
    return {
      raised: this.#raised,
      resolved: this.#resolved,
      open: { ...this.#openOf },
      overflowed: { ...this.#overflowed },
      failedDeliveries: this.#failedDeliveries,
      lastFailure: this.#lastFailure,
    };
  }

  #deliver(notice: AlertNotice): void {
    for (const delivery of this.#options.deliveries(notice)) {
      const delivered = delivery.deliver(notice);
      if (delivered.ok) continue;
      this.#failedDeliveries++;
      this.#lastFailure = `${delivery.name}: ${delivered.error}`;
    }
  }
}

const USUAL: Pick<AlertCondition, Usual> = { notify: null, askedBy: 'gateway', reach: 'everybody' };

function keyOf(identity: AlertIdentity): string {
  return `${identity.kind}\0${identity.subject}`;
}

function rank(severity: AlertSeverity): number {
  return ALERT_SEVERITIES.indexOf(severity);
}
