import type { AlertBus } from '../../observe/alert-bus.ts';

/** Token issuers whose keys can't be had. Each data thread asks for itself: over when none has trouble any more. */
export class IssuerAlerts {
  readonly #alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly #inTrouble = new Map<string, Set<number>>();

  constructor(alerts: Pick<AlertBus, 'raise' | 'resolve'>) {
    this.#alerts = alerts;
  }

  told(thread: number, issuer: string, why: string | null): void {
    const threads = this.#inTrouble.get(issuer) ?? new Set();
    this.#inTrouble.set(issuer, threads);
    const identity = { kind: 'issuer-keys-missing', subject: issuer } as const;
    if (why === null) {
      threads.delete(thread);
      if (threads.size === 0) this.#alerts.resolve(identity);
      return;
    }
    threads.add(thread);
    this.#alerts.raise({
      ...identity,
      severity: 'warning',
      message: `The keys of the token issuer "${issuer}" can't be had: ${why}. Tokens signed with keys that are not known yet are answered with 503.`,
      remedy: 'See that the issuer answers, and that its address in tokenIssuers of portunus.yaml is right.',
    });
  }
}
