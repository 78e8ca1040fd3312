import type { Clock } from '../../base/ports.ts';
import type { CrossingCaller, NamedCrossing } from '../../gateway/threshold-crossings.ts';
import { counterKeys, counterLabel, counterMeasure } from '../../language/canonical.ts';
import { moneyText } from '../../model/money.ts';
import type { AlertBus, AlertIdentity } from '../../observe/alert-bus.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';

export interface ThresholdAlertsOptions {
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** Counters of the running rules. */
  readonly counters: () => readonly CounterSpec[];
  /** What money is counted in. */
  readonly currency: () => string;
}

const LOST = { kind: 'thresholds-lost', subject: '' } as const;
/** How long nothing has to be lost for that alert to be over. */
const LOST_FOR_MS = 60_000;

type ToldCounter = Pick<NamedCrossing, 'identity' | 'percent'>;

interface OpenThreshold {
  readonly identity: AlertIdentity;
  /** Null where it is of no counter. */
  readonly counter: ToldCounter | null;
  /** When it is over, in Unix ms. */
  readonly untilMs: number;
}

interface KnownThresholds {
  readonly counters: readonly CounterSpec[];
  readonly thresholds: ReadonlyMap<string, readonly number[]>;
}

/**
 * `alert at 80%` of limits: raised when a data thread tells of it, over when the counter begins anew, or no rule asks for it any more.
 */
export class ThresholdAlerts {
  readonly #options: ThresholdAlertsOptions;
  readonly #open = new Map<string, OpenThreshold>();

  constructor(options: ThresholdAlertsOptions) {
    this.#options = options;
  }

  crossed(crossings: readonly NamedCrossing[], lost: number): void {
    for (const crossing of crossings) this.#raise(crossing);
    if (lost > 0) this.#lose(lost);
  }

  /** To be called about once a second. */
  resolveEnded(): void {
    const nowMs = this.#options.clock.wallMs();
    for (const [key, { identity, counter, untilMs }] of this.#open) {
      if (nowMs < untilMs && (counter === null || this.#isTold(counter))) continue;
      this.#open.delete(key);
      this.#options.alerts.resolve(identity);
    }
  }

  /** Whether the running rules still ask for it. They are looked through once for each version. */
  #isTold({ identity, percent }: ToldCounter): boolean {
    const counters = this.#options.counters();
    if (this.#known.counters !== counters) {
      const thresholds = counters.map((spec) => [spec.identity, spec.thresholdsPercent] as const);
      this.#known = { counters, thresholds: new Map(thresholds) };
    }
    return this.#known.thresholds.get(identity)?.includes(percent) === true;
  }
  #known: KnownThresholds = { counters: [], thresholds: new Map() };

  #raise(crossing: NamedCrossing): void {
    // A rule that is gone by now has nothing left to say.
    const spec = this.#options.counters().find(({ identity }) => identity === crossing.identity);
    if (spec === undefined) return;
    const { percent, resetsWallMs } = crossing;
    const who = whose(crossing);
    const subject = `${counterLabel(spec.identity)} ${percent}%${who}`;
    const identity = { kind: 'limit-threshold', subject } as const;
    const isExhausted = percent >= 100;
    const isOpen = this.#options.alerts.raise({
      ...identity,
      askedBy: 'policy',
      notify: spec.notify ?? null,
      severity: isExhausted ? 'warning' : 'notice',
      message: this.#message(crossing, spec, who),
      remedy: isExhausted
        ? `${consequence(spec)} Raise the amount in the policy if they should not be.`
        : 'Nothing is refused yet. Raise the amount in the policy if it will not last.',
    });
    if (isOpen) this.#open.set(identity.subject, { identity, counter: crossing, untilMs: resetsWallMs });
  }

  #message(crossing: NamedCrossing, { window, withoutRoom }: CounterSpec, who: string) {
    const { identity, percent, used, resetsWallMs } = crossing;
    const currency = counterMeasure(identity) === 'money' ? this.#options.currency() : null;
    const amount = (value: number) => (currency === null ? String(value) : moneyText(value, currency));
    const capacity = window.kind === 'pace' ? window.burst : window.amount;
    const said =
      percent >= 100
        ? `${withoutRoom === undefined ? 'has refused its first request' : 'has had no room for a request for the first time'}; its amount is ${amount(capacity)}`
        : `has reached ${percent}% of ${amount(capacity)}: ${amount(used)} is used`;
    return `${counterLabel(identity)}${who} ${said}. It resets ${new Date(resetsWallMs).toISOString()}.`;
  }

  #lose(lost: number): void {
    const untilMs = this.#options.clock.wallMs() + LOST_FOR_MS;
    const isOpen = this.#options.alerts.raise({
      ...LOST,
      severity: 'warning',
      message: `${lost} crossed thresholds of limits were not told: too many were crossed at once.`,
      remedy: 'Take `alert at` from limits that count for each of very many keys.',
    });
    if (isOpen) this.#open.set('', { identity: LOST, counter: null, untilMs });
  }
}

/** Of requests without room, as one limit alone knows it. */
function consequence({ withoutRoom }: CounterSpec): string {
  if (withoutRoom === undefined) return 'Requests are refused until then.';
  const { models, waits } = withoutRoom;
  const named = models.map((model) => `"${model}"`).join(' or ');
  const sent = models.length === 0 ? '' : `Until then calls go to model ${named}`;
  if (sent === '') return 'Requests wait for room until then, and those that find none in time are refused.';
  return `${sent}${waits ? ', or wait for room' : ''}; those that find none there${waits ? ' or in time' : ''} are refused.`;
}

/** ` of consumer "web", tenant "acme"`: what the counter's key is made of; '' for one counter of all. */
function whose({ identity, isShared, caller, keyHigh, keyLow }: NamedCrossing): string {
  if (isShared) return ' of the callers that share a counter';
  const keys = counterKeys(identity);
  if (keys.length === 0) return '';
  const names = keys.map((key) => NAMES[key]?.(caller) ?? null);
  // a fact that has no name here: a header, an attribute
  if (names.some((name) => name === null)) return ` of key ${hex(keyHigh)}${hex(keyLow)}`;
  return ` of ${names.join(', ')}`;
}

const NAMES: Readonly<Record<string, (caller: CrossingCaller) => string | null>> = {
  tenant: ({ tenant }) => named('tenant', tenant),
  team: ({ team, tenant }) => named('team', team, tenant),
  consumer: ({ consumer, tenant }) => named('consumer', consumer, tenant),
  credential: ({ credential, consumer, tenant }) => named('credential', credential, consumer, tenant),
  'request.ip': ({ ip }) => `address ${ip}`,
  route: ({ route }) => `route "${route}"`,
};

function named(what: string, ...names: readonly (string | null)[]): string | null {
  const known = names.filter((name) => name !== null);
  return known.length < names.length ? null : `${what} "${known.toReversed().join('/')}"`;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
