/**
 * Leases on quotas, on the control thread: a slice of a quota may be used once a mark above it is durable, and one sync grants
 * the slices of all that asked. After `kill -9` a counter goes on at its mark: never more than the quota, and at most
 * the open slice less. Slices follow the rate at which they are used.
 */
import { threadId } from 'node:worker_threads';
import type { Clock } from '../base/ports.ts';
import { ok, type Result } from '../base/result.ts';
import { LockSet, lockOwner } from '../base/shared-lock.ts';
import type { LeaseAsk } from '../pipeline/counters.ts';
import { Moment } from './counter-kind.ts';
import { HEADER } from './counter-layout.ts';
import type { CounterRegistry, QuotaRegion } from './counter-registry.ts';
import { markOf, type PlannedLease, planLease } from './lease-plan.ts';
import { type LeaseView, openLeases, readLeaseOf, setLeaseOf } from './lease-records.ts';
import { adoptMarks, countMarks, latest, runsOutOfKeys } from './mark-adoption.ts';
import type { MarkedKey, QuotaMark, QuotaMarks } from './quota-marks.ts';
import type { StoreProblem } from './store-problem.ts';

export interface QuotaLeases {
  /**
   * Makes marks durable and grants what was asked for: whoever waits should take anew. While the store is away they are answered
   * as `on failure` says, and the asks wait for {@link QuotaLeases.retry}.
   */
  grant(asks: readonly LeaseAsk[]): void;
  /** To be called about once a second: tries to grant what is waiting. `tried`: whoever waits should take anew. */
  retry(): 'tried' | 'nothing';
  /** What each quota would lose if the process were killed now. */
  openSlices(): readonly OpenSlice[];
  /** Gives back what was granted and not used: once no thread takes any more. */
  giveBack(): Result<void, StoreProblem>;
  /**
   * Grants nothing to counters of these signatures, until it is called again: whoever asks waits. For the time in which what they
   * have counted is carried elsewhere.
   */
  hold(signatures: ReadonlySet<string>): void;
  /** The counter of one signature goes on under another from now on. */
  rename(from: string, to: string): Result<void, StoreProblem>;
  /** Forgets what is known of periods that are long over. */
  forgetEnded(): Result<number, StoreProblem>;
}

export interface OpenSlice {
  readonly identity: string;
  /** Over all keys of the quota, in its own unit. */
  readonly amount: number;
  /** Of what was used: reserved by requests in flight, which would count as spent. */
  readonly reserved: number;
}

export interface QuotaLeasesOptions {
  readonly registry: Pick<CounterRegistry, 'quota' | 'quotas'>;
  readonly marks: QuotaMarks;
  readonly clock: Clock;
  /** Marks can't be written, with each failed try; and when they can be again. */
  readonly onAway: (problem: StoreProblem) => void;
  readonly onBack: () => void;
}

/** Asks that wait for the store. Of more, the rest asks again. */
export const LEASE_ASKS_WAITING_MAX = 10_000;
/** How long the end of a period lies back before its marks are forgotten: a clock may be set back. */
const FORGET_AFTER_MS = 2 * 24 * 3_600_000;

export function createQuotaLeases(options: QuotaLeasesOptions): QuotaLeases {
  return new Leases(options);
}

class Leases implements QuotaLeases {
  readonly #options: QuotaLeasesOptions;
  readonly #locks = new LockSet(lockOwner(threadId));
  readonly #moment = new Moment();
  #waiting = new Map<string, LeaseAsk>();
  #held: ReadonlySet<string> = new Set();
  /** Of each region: marks of earlier processes. `adopted`: they are in memory, or part of the shared counter. */
  readonly #marksKept = new Map<number, number | 'adopted'>();
  #away = false;

  constructor(options: QuotaLeasesOptions) {
    this.#options = options;
  }

  grant(asks: readonly LeaseAsk[]): void {
    for (const ask of asks) this.#keep(ask);
    if (this.#away) this.#sayAway(asks);
    else this.#grantWaiting();
  }

  retry(): 'tried' | 'nothing' {
    if (this.#grantable().length === 0) return 'nothing';
    this.#grantWaiting();
    return 'tried';
  }

  hold(signatures: ReadonlySet<string>): void {
    this.#held = signatures;
  }

  openSlices(): readonly OpenSlice[] {
    this.#setMoment();
    return this.#options.registry.quotas().map((region) => {
      const open = openLeases(region, this.#locks, this.#moment);
      return {
        identity: region.identity,
        amount: open.reduce((sum, { state }) => sum + Math.max(0, state.mark - state.used), 0),
        reserved: open.reduce((sum, { state }) => sum + state.reserved, 0),
      };
    });
  }

  giveBack(): Result<void, StoreProblem> {
    this.#setMoment();
    const used = this.#options.registry.quotas().flatMap((region) =>
      openLeases(region, this.#locks, this.#moment).map(({ key, state }) => ({
        counter: region.signature,
        key,
        ...markOf(region, state.periodMs, state.used, state.told),
      })),
    );
    return used.length === 0 ? ok(undefined) : this.#options.marks.write(used);
  }

  rename(from: string, to: string): Result<void, StoreProblem> {
    return this.#options.marks.rename(from, to);
  }

  forgetEnded(): Result<number, StoreProblem> {
    return this.#options.marks.forgetEndedBefore(this.#options.clock.wallMs() - FORGET_AFTER_MS);
  }

  /** The largest weight of several: whoever needs less is served, too. */
  #keep(ask: LeaseAsk): void {
    const name = `${ask.region}/${ask.keyHigh}/${ask.keyLow}`;
    const known = this.#waiting.get(name);
    if (known === undefined && this.#waiting.size >= LEASE_ASKS_WAITING_MAX) return;
    if (known === undefined || known.weight < ask.weight) this.#waiting.set(name, ask);
  }

  #grantWaiting(): void {
    this.#setMoment();
    const asks = this.#grantable();
    const durable = this.#makeDurable(asks);
    if (!durable.ok) {
      this.#storeAway(durable.error, asks);
      return;
    }
    const granted = new Set(asks);
    this.#waiting = new Map([...this.#waiting].filter(([, ask]) => !granted.has(ask)));
    const { planned, busy } = durable.value;
    for (const { region, ask, grant } of planned) {
      if (!setLeaseOf(region, ask, grant, this.#locks, this.#moment)) busy.push(ask);
    }
    for (const ask of busy) this.#keep(ask);
    this.#storeBack();
  }

  #grantable(): LeaseAsk[] {
    const asks = [...this.#waiting.values()];
    if (this.#held.size === 0) return asks;
    const { registry } = this.#options;
    return asks.filter(({ region }) => !this.#held.has(registry.quota(region)?.signature ?? ''));
  }

  #makeDurable(
    asks: readonly LeaseAsk[],
  ): Result<{ planned: PlannedLease[]; busy: LeaseAsk[] }, StoreProblem> {
    const planned: PlannedLease[] = [];
    const busy: LeaseAsk[] = [];
    for (const ask of asks) {
      const region = this.#options.registry.quota(ask.region);
      // The last rule set with this quota is gone, and so are the requests that asked.
      if (region === null) continue;
      const adopted = this.#adopt(region, ask, asks.length);
      if (!adopted.ok) return adopted;
      const view = adopted.value === 'busy' ? null : readLeaseOf(region, ask, this.#locks, this.#moment);
      if (view === null) {
        busy.push(ask);
        continue;
      }
      const stored = view.state.mark === 0 ? this.#stored(region, view) : ok(null);
      if (!stored.ok) return stored;
      planned.push(planLease(region, view, stored.value, ask, this.#moment.nowMs));
    }
    if (planned.length === 0) return ok({ planned, busy });
    const written = this.#options.marks.write(planned.map(({ name, mark }) => ({ ...name, ...mark })));
    return written.ok ? ok({ planned, busy }) : written;
  }

  /** Before a key may share a counter: see `mark-adoption.ts`. `asking`: at least as many as ask for keys of the region. */
  #adopt(region: QuotaRegion, ask: LeaseAsk, asking: number): Result<'adopted' | 'busy', StoreProblem> {
    const kept = this.#keptMarks(region, ask.region);
    if (!kept.ok) return kept;
    if (kept.value === 'adopted') return ok('adopted');
    const isDue =
      runsOutOfKeys(region, kept.value, asking) ||
      // The shard of the key may be full before.
      readLeaseOf(region, ask, this.#locks, this.#moment)?.key === 'shared';
    if (!isDue) return ok('adopted');
    const { marks } = this.#options;
    const adopted = adoptMarks(region, { marks, locks: this.#locks, now: this.#moment });
    if (adopted.ok && adopted.value === 'adopted') this.#marksKept.set(ask.region, 'adopted');
    return adopted;
  }

  #keptMarks(region: QuotaRegion, number: number): Result<number | 'adopted', StoreProblem> {
    const known = this.#marksKept.get(number);
    if (known !== undefined) return ok(known);
    const counted = countMarks(region, this.#options.marks);
    if (counted.ok) this.#marksKept.set(number, counted.value);
    return counted;
  }

  /** A key without a mark of its own may have been part of the shared counter. */
  #stored(region: QuotaRegion, { key }: LeaseView): Result<QuotaMark | null, StoreProblem> {
    const own = this.#latest(region, key);
    if (!own.ok || key === 'shared') return own;
    const shared = this.#latest(region, 'shared');
    if (!shared.ok || own.value === null) return shared;
    // A mark of its own from an earlier period says nothing of one that it spent from the shared counter.
    return shared.value !== null && shared.value.periodMs > own.value.periodMs ? shared : own;
  }

  #latest(
    { signature, formerSignature }: QuotaRegion,
    key: MarkedKey,
  ): Result<QuotaMark | null, StoreProblem> {
    const mark = this.#options.marks.read({ counter: signature, key });
    if (!mark.ok || formerSignature === null) return mark;
    const former = this.#options.marks.read({ counter: formerSignature, key });
    return former.ok ? ok(latest(former.value, mark.value)) : former;
  }

  #storeAway(problem: StoreProblem, asks: readonly LeaseAsk[]): void {
    this.#away = true;
    this.#sayAway(asks);
    this.#options.onAway(problem);
  }

  #sayAway(asks: readonly LeaseAsk[]): void {
    for (const region of new Set(asks.map((ask) => ask.region))) {
      const quota = this.#options.registry.quota(region);
      if (quota !== null) Atomics.store(quota.families[0]!.words, HEADER.storeAway, 1);
    }
  }

  #storeBack(): void {
    if (!this.#away) return;
    this.#away = false;
    for (const { families } of this.#options.registry.quotas())
      Atomics.store(families[0]!.words, HEADER.storeAway, 0);
    this.#options.onBack();
  }

  #setMoment(): void {
    const { clock } = this.#options;
    this.#moment.set(clock.monotonicMs(), clock.wallMs());
  }
}
