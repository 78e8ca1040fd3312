import type { Clock } from '../../base/ports.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';

export interface SignatureRoomOptions {
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** How many signed requests have been refused for want of room; begins anew behind 2^32. */
  readonly refused: () => number;
  readonly signaturesMax: number;
}

const FULL = { kind: 'signatures-full', subject: '' } as const;
/** How long nobody has to be refused for it to be over. */
const OVER_AFTER_MS = 60_000;

/** Tells that signed requests are refused because no further signature can be remembered: accepted unseen, each could be used again. */
export class SignatureRoomAlert {
  readonly #options: SignatureRoomOptions;
  #refused = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: SignatureRoomOptions) {
    this.#options = options;
  }

  /** To be called about once a second. */
  look(): void {
    const { clock, alerts, refused, signaturesMax } = this.#options;
    const nowMs = clock.monotonicMs();
    const total = refused();
    const further = (total - this.#refused) >>> 0;
    this.#refused = total;
    if (further === 0) {
      if (nowMs - this.#lastMs >= OVER_AFTER_MS) alerts.resolve(FULL);
      return;
    }
    this.#lastMs = nowMs;
    const alert = {
      ...FULL,
      severity: 'critical',
      message: `Signed requests are refused (503 signatures_full): there is no room to remember more signatures than limits.signaturesRemembered (${signaturesMax.toLocaleString('en')}).`,
      remedy:
        'Raise limits.signaturesRemembered, or lower signatures.maxAge, in portunus.yaml, and start the gateway anew.',
    } as const;
    alerts.raise(alert, further);
  }
}
