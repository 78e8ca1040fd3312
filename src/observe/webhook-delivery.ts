/**
 * Delivers alerts, and ends of the audit log, to a webhook: one notice after the other, in order, tried again with growing pauses until it is taken or
 * given up. Never waits in `deliver`; what the bounded queue has no room for is counted and lost.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { AlertDelivery, AlertNotice, AskedBy } from './alert-bus.ts';
import { signatureFields } from './webhook-signature.ts';

export interface WebhookOptions {
  readonly name: string;
  readonly clock: Clock;
  /** Half of it is kept for alerts of the gateway itself: those of policies may be many at once. */
  readonly queueMax: number;
  readonly attemptsMax: number;
  /** Sends a body; answers the status, or why nobody answered. Never rejects. */
  readonly post: (fields: Readonly<Record<string, string>>, body: string) => Promise<Result<number, string>>;
  /** Read anew for each attempt, so that a secret can be replaced while the gateway runs. */
  readonly secret: () => Result<Uint8Array, string>;
  /** Runs something later; answers how to call that off. */
  readonly later: (delayMs: number, run: () => void) => () => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Told when a notice was given up, and when one is taken after that. */
  readonly onFailing: (why: string) => void;
  readonly onWorking: () => void;
}

export interface WebhookDelivery extends AlertDelivery {
  /** Needs no room of the queue: one that still waits is replaced, as the newest vouches for all before it. */
  anchor(anchor: AnchorNotice): void;
  inspect(): WebhookStatus;
  /** Tries what waits once more, without pauses; resolves when nothing waits, or all of it failed. */
  stop(): Promise<void>;
  /** The same for a delivery that is taken away: what was said of its failing is over, and nothing more is said. */
  retire(): Promise<void>;
}

/** The signed end of the audit log. */
export interface AnchorNotice {
  readonly atMs: number;
  readonly sequence: number;
  readonly hash: string;
  readonly mac: string;
}

export interface WebhookStatus {
  readonly name: string;
  readonly queued: number;
  readonly delivered: number;
  readonly failedAttempts: number;
  /** After too many attempts. */
  readonly givenUp: number;
  /** Never tried, or not again: for want of room, or because the delivery ended. */
  readonly dropped: number;
  /** How long the first of the queue has waited; 0 where none does. */
  readonly oldestAgeMs: number;
  /** Of the last attempt that failed; null when the last one succeeded. */
  readonly lastError: string | null;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly about: About;
  readonly queuedMs: number;
}

/** Who asked for an alert, or the audit log. */
type About = AskedBy | 'audit';
const NOTHING_QUEUED: Readonly<Record<About, number>> = { gateway: 0, policy: 0, audit: 0 };

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** What waits is tried once more when the gateway stops, one after the other: a receiver that never answers must not hold it up. */
const STOP_MS = 5_000;

export function createWebhookDelivery(options: WebhookOptions): WebhookDelivery {
  return new Webhook(options);
}

/** Doubles from one second up to a minute, less up to a half by lot: many gateways don't come back in step. */
export function pauseMs(failedAttempts: number, random: number): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failedAttempts - 1, 16));
  return Math.round(whole * (1 - random / 2));
}

class Webhook implements WebhookDelivery {
  readonly name: string;
  readonly #options: WebhookOptions;
  #queue: Message[] = [];
  #queued: Record<About, number> = { ...NOTHING_QUEUED };
  /** Of the first in the queue. */
  #attempts = 0;
  #sending: Promise<void> | null = null;
  #callOff: (() => void) | null = null;
  #stopping = false;
  #stopByMs = Number.POSITIVE_INFINITY;
  #delivered = 0;
  #failedAttempts = 0;
  #givenUp = 0;
  #dropped = 0;
  #lastError: string | null = null;
  #failing = false;
  #isRetired = false;

  constructor(options: WebhookOptions) {
    this.name = options.name;
    this.#options = options;
  }

  deliver(notice: AlertNotice): Result<void, string> {
    const { askedBy } = notice.alert;
    const full = this.#fullFor(askedBy);
    if (full !== null) {
      this.#dropped++;
      return err(full);
    }
    this.#push(this.#message(bodyOf(notice), askedBy));
    return ok(undefined);
  }

  anchor(anchor: AnchorNotice): void {
    const message = this.#message(bodyOfAnchor(anchor), 'audit');
    // The first of the queue may be on its way: all attempts at it say the same.
    const waiting = this.#queue.findIndex(({ about }, at) => at > 0 && about === 'audit');
    if (waiting > 0) this.#queue[waiting] = message;
    else this.#push(message);
  }

  #message(body: string, about: About): Message {
    return { id: `msg_${randomUUID()}`, body, about, queuedMs: this.#options.clock.monotonicMs() };
  }

  #push(message: Message): void {
    this.#queue.push(message);
    this.#queued[message.about]++;
    if (this.#callOff === null) this.#send();
  }

  /** Why there is no room for a notice, or null. */
  #fullFor(askedBy: AskedBy): string | null {
    const { queueMax } = this.#options;
    if (this.#queue.length - this.#queued.audit >= queueMax)
      return `its queue of ${queueMax} notices is full`;
    const policyMax = Math.ceil(queueMax / 2);
    if (askedBy === 'gateway' || this.#queued.policy < policyMax) return null;
    return `the half of its queue that alerts of policies may fill is full: ${policyMax} of ${queueMax} notices`;
  }

  inspect(): WebhookStatus {
    const [first] = this.#queue;
    return {
      name: this.name,
      queued: this.#queue.length,
      delivered: this.#delivered,
      failedAttempts: this.#failedAttempts,
      givenUp: this.#givenUp,
      dropped: this.#dropped,
      oldestAgeMs: first === undefined ? 0 : this.#options.clock.monotonicMs() - first.queuedMs,
      lastError: this.#lastError,
    };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopByMs = this.#options.clock.monotonicMs() + STOP_MS;
    this.#callOff?.();
    this.#callOff = null;
    this.#send();
    await this.#sending;
    this.#dropped += this.#queue.length;
    this.#queue = [];
    this.#queued = { ...NOTHING_QUEUED };
  }

  retire(): Promise<void> {
    if (this.#failing) this.#options.onWorking();
    this.#failing = false;
    this.#isRetired = true;
    return this.stop();
  }

  #send(): void {
    if (this.#sending !== null || this.#queue.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0 && this.#options.clock.monotonicMs() < this.#stopByMs) {
      const failure = await this.#attempt(this.#queue[0]!);
      if (failure === null) this.#taken();
      else if (!this.#failed(failure)) return;
    }
  }

  /** Null when it was taken. */
  async #attempt({ id, body }: Message): Promise<string | null> {
    const secret = this.#options.secret();
    if (!secret.ok) return secret.error;
    const timestampS = Math.floor(this.#options.clock.wallMs() / 1_000);
    const fields = {
      'content-type': 'application/json',
      ...signatureFields(secret.value, { id, timestampS, body }),
    };
    const answered = await this.#options.post(fields, body);
    if (!answered.ok) return answered.error;
    return answered.value >= 200 && answered.value < 300 ? null : `it answered ${answered.value}`;
  }

  #taken(): void {
    this.#next();
    this.#delivered++;
    this.#lastError = null;
    if (!this.#failing) return;
    this.#failing = false;
    this.#options.onWorking();
  }

  /** Whether the next one may be tried at once. */
  #failed(why: string): boolean {
    this.#failedAttempts++;
    this.#lastError = why;
    if (++this.#attempts < this.#options.attemptsMax && !this.#stopping) {
      this.#sendAfter(pauseMs(this.#attempts, this.#options.random()));
      return false;
    }
    const unsent = this.#next();
    const comesAgain = unsent.about === 'audit' && !this.#stopping;
    if (!comesAgain) this.#givenUp++;
    if (this.#isRetired) return true;
    this.#failing = true;
    this.#options.onFailing(why);
    return comesAgain ? this.#keepAnchor(unsent) : true;
  }

  /** Nobody knows when there will be another end of the audit log: this one waits behind the rest, unless there is one. */
  #keepAnchor(unsent: Message): boolean {
    if (this.#queued.audit === 0) {
      this.#queue.push(unsent);
      this.#queued.audit++;
    }
    if (this.#queue.length > 1 || this.#queue[0] !== unsent) return true;
    this.#sendAfter(LONGEST_PAUSE_MS);
    return false;
  }

  #sendAfter(delayMs: number): void {
    this.#callOff = this.#options.later(delayMs, () => {
      this.#callOff = null;
      this.#send();
    });
  }

  #next(): Message {
    const gone = this.#queue.shift()!;
    this.#queued[gone.about]--;
    this.#attempts = 0;
    return gone;
  }
}

function bodyOfAnchor({ atMs, sequence, hash, mac }: AnchorNotice): string {
  return JSON.stringify({
    type: 'audit.anchor',
    timestamp: new Date(atMs).toISOString(),
    data: { sequence, hash, mac },
  });
}

/** Type, time and data at the top, as Standard Webhooks advise. */
function bodyOf({ event, atMs, alert }: AlertNotice): string {
  return JSON.stringify({
    type: `alert.${event}`,
    timestamp: new Date(atMs).toISOString(),
    data: {
      kind: alert.kind,
      subject: alert.subject,
      severity: alert.severity,
      message: alert.message,
      remedy: alert.remedy,
      since: new Date(alert.sinceMs).toISOString(),
      times: alert.times,
    },
  });
}
