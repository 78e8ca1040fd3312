import type { Clock } from '../../base/ports.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { CounterSpec, LeaseAsk } from '../../pipeline/counters.ts';
import { regionSignature } from '../../state/counter-layout.ts';
import type { CounterRegistry } from '../../state/counter-registry.ts';
import { carryMarks } from '../../state/quota-carry.ts';
import { createQuotaLeases, type OpenSlice, type QuotaLeases } from '../../state/quota-leases.ts';
import type { QuotaMarks } from '../../state/quota-marks.ts';
import type { StoreProblem } from '../../state/store-problem.ts';
import { editedLimits, goesOnFrom } from './edited-limits.ts';

export interface QuotaKeeperOptions {
  readonly registry: CounterRegistry;
  readonly marks: QuotaMarks;
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** Makes requests that wait for leases take anew. */
  readonly tellGrants: () => void;
}

const AWAY = { kind: 'quotas-not-kept', subject: '' } as const;
const UNTIDY = { kind: 'quotas-not-kept', subject: 'past periods' } as const;

/** Callers who never come back would otherwise be kept as long as the process runs. */
const TIDY_EVERY_MS = 24 * 3_600_000;
const TIDY_RETRY_MS = 60_000;

/** Leases quotas to the data threads, and says so where it can't: each limit then does what its `on failure` says. */
export class QuotaKeeper {
  readonly #leases: QuotaLeases;
  readonly #options: QuotaKeeperOptions;
  /** Signatures before and after. Done when durable; until then the policy still says `was`. */
  #tidyAtMs = 0;
  #renames: { readonly from: string; readonly to: string }[] = [];

  constructor(options: QuotaKeeperOptions) {
    const { registry, marks, clock, alerts } = options;
    this.#options = options;
    this.#leases = createQuotaLeases({
      registry,
      marks,
      clock,
      onAway: (problem) => this.#away(problem),
      onBack: () => alerts.resolve(AWAY),
    });
    this.#tidy();
  }

  asked(asks: readonly LeaseAsk[]): void {
    this.#leases.grant(asks);
    this.#options.tellGrants();
  }

  /** To be called about once a second. */
  retry(): void {
    if (this.#options.clock.monotonicMs() >= this.#tidyAtMs) this.#tidy();
    this.#rename();
    if (this.#leases.retry() === 'tried') this.#options.tellGrants();
  }

  /** A rule set is live: what was counted under former names belongs to the new ones. In the turn that it went live. */
  renamed(specs: readonly CounterSpec[]): void {
    for (const { formerIdentity, ...spec } of specs) {
      if (formerIdentity === undefined || spec.window.kind !== 'calendar') continue;
      const from = regionSignature({ ...spec, identity: formerIdentity });
      this.#renames.push({ from, to: regionSignature(spec) });
    }
    this.#rename();
  }

  /**
   * Before a rule set goes live: quotas whose period was edited go on from what was counted. Until {@link QuotaKeeper.wentOn} the old
   * ones are granted nothing more, which would be counted by neither.
   */
  goOn(before: readonly CounterSpec[], after: readonly CounterSpec[]): void {
    const { marks, clock } = this.#options;
    const carries = editedLimits(before, after).flatMap((edited) => {
      const from = goesOnFrom(edited);
      return from === null ? [] : [{ from, edited }];
    });
    this.#leases.hold(new Set(carries.map(({ from }) => regionSignature(from))));
    for (const { from, edited } of carries) {
      const carried = carryMarks(marks, from, edited.now, clock.wallMs());
      if (!carried.ok) this.#away(carried.error);
    }
  }

  /** The rule set is live, or will not be. */
  wentOn(): void {
    this.#leases.hold(new Set());
    if (this.#leases.retry() === 'tried') this.#options.tellGrants();
  }

  openSlices(): readonly OpenSlice[] {
    return this.#leases.openSlices();
  }

  /** Once no thread takes any more. What can't be given back is lost, as in a crash. */
  giveBack(): void {
    const given = this.#leases.giveBack();
    if (!given.ok) this.#away(given.error);
  }

  #tidy(): void {
    const forgotten = this.#leases.forgetEnded();
    this.#tidyAtMs = this.#options.clock.monotonicMs() + (forgotten.ok ? TIDY_EVERY_MS : TIDY_RETRY_MS);
    if (forgotten.ok) this.#options.alerts.resolve(UNTIDY);
    else {
      const { message, remedy } = forgotten.error;
      this.#options.alerts.raise({
        ...UNTIDY,
        severity: 'warning',
        message: `What is kept of past periods of quotas can't be cleared away: ${message}`,
        remedy,
      });
    }
  }

  #rename(): void {
    this.#renames = this.#renames.filter(({ from, to }) => !this.#leases.rename(from, to).ok);
  }

  #away({ message, remedy }: StoreProblem): void {
    this.#options.alerts.raise({
      ...AWAY,
      severity: 'critical',
      message: `Quotas can't be kept: ${message} Each quota that needs more of its amount now does what its "on failure" says.`,
      remedy,
    });
  }
}
