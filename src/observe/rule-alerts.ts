import type { Clock } from '../base/ports.ts';
import { RecentCount } from '../base/recent-count.ts';
import type { AlertSpec } from '../pipeline/alerts.ts';
import type { AlertBus, AlertIdentity } from './alert-bus.ts';

/** Requests that fitted an alert rule on a data thread, of one key. */
export interface RuleMatch {
  readonly identity: string;
  /** Of the rules that were in force for these requests. */
  readonly epoch: number;
  readonly key: readonly string[];
  /** The same as people may see it; null: as it is. */
  readonly shownKey: readonly string[] | null;
  readonly requests: number;
  readonly text: string | null;
}

/** What is known of one alert rule since it was first in force. */
export interface RuleMatches {
  readonly policy: string;
  readonly rule: string;
  readonly mode: AlertSpec['mode'];
  /** Requests that fitted. */
  readonly matched: number;
  /** Those of them that shared an alert, because too many keys are kept apart. */
  readonly shared: number;
  readonly keys: number;
  readonly open: number;
}

export interface RuleAlertsOptions {
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** The limit `alertQuietMs`. */
  readonly quietMs: number;
}

/**
 * `alert when`: one alert for each rule and key, raised as soon as enough requests have fitted, over when none has for a
 * while. A policy in shadow has its requests counted and nobody told; one in warn has it told to the log alone.
 */
export class RuleAlerts {
  readonly #options: RuleAlertsOptions;
  #rules = new Map<string, RuleState>();

  constructor(options: RuleAlertsOptions) {
    this.#options = options;
  }

  /** The rules in force from this epoch on. What was told of a rule that is gone, or watches from now on, is over. */
  use(specs: readonly AlertSpec[], epoch: number): void {
    const before = this.#rules;
    this.#rules = new Map();
    for (const spec of specs) {
      const known = before.get(spec.identity);
      if (known !== undefined && isCountedAlike(known.spec, spec)) {
        this.#rules.set(spec.identity, Object.assign(known, { spec }));
        before.delete(spec.identity);
      } else {
        const { matched = 0, shared = 0 } = known ?? {};
        const begun = { spec, sinceEpoch: epoch, matched, shared, keysMasked: 0, keys: new Map() };
        this.#rules.set(spec.identity, begun);
      }
    }
    for (const { keys } of before.values()) for (const key of keys.values()) this.#end(key);
  }

  /** `atMs`: when a data thread said so, by the monotonic clock. */
  matched(matches: readonly RuleMatch[], atMs: number): void {
    for (const match of matches) {
      const rule = this.#rules.get(match.identity);
      // A rule that is gone by now has nothing left to say.
      if (rule === undefined) continue;
      rule.matched += match.requests;
      // Of rules that said otherwise: their keys may be of other facts, and are in none of the alerts of these.
      const isOfThese = match.epoch >= rule.sinceEpoch;
      if (isOfThese && rule.spec.mode !== 'shadow') this.#count(rule, match, atMs);
    }
  }

  /** To be called about once a second. */
  resolveQuiet(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { keys } of this.#rules.values()) {
      for (const [name, key] of keys) {
        const isOver = key.open !== null && nowMs - key.enoughMs >= this.#options.quietMs;
        if (isOver) this.#end(key);
        const isIdle = key.recent === null || key.recent.within(nowMs) === 0;
        if (key.open === null && isIdle) keys.delete(name);
      }
    }
  }

  inspect(): readonly RuleMatches[] {
    return [...this.#rules.values()].map(({ spec: { policy, rule, mode }, matched, shared, keys }) => ({
      policy,
      rule,
      mode,
      matched,
      shared,
      keys: keys.size,
      open: [...keys.values()].filter(({ open }) => open !== null).length,
    }));
  }

  #count(rule: RuleState, match: RuleMatch, atMs: number): void {
    const { spec } = rule;
    const { requests, text } = match;
    const key = keyOf(rule, match);
    const recent = key.recent?.add(requests, atMs) ?? requests;
    const isEnough = spec.atLeast === null || recent >= spec.atLeast.requests;
    if (isEnough) key.enoughMs = Math.max(key.enoughMs, atMs);
    if (!isEnough && key.open === null) return;
    const isNew = key.open === null;
    if (isNew) key.message = messageOf(spec, key.label, text);
    const identity = { kind: 'policy-alert', subject: `${spec.policy}/${spec.rule}${key.label}` } as const;
    const isOpen = this.#options.alerts.raise(
      {
        ...identity,
        askedBy: 'policy',
        reach: spec.mode === 'warn' ? 'log' : 'everybody',
        notify: spec.notify,
        severity: 'warning',
        message: key.message,
        remedy: 'Look at these requests with `portunus log`; change the rule if it asks for too much.',
      },
      isNew ? recent : requests,
    );
    key.open = isOpen ? identity : null;
  }

  #end(key: KeyState): void {
    if (key.open !== null) this.#options.alerts.resolve(key.open);
    key.open = null;
  }
}

interface RuleState {
  readonly spec: AlertSpec;
  /** Since then what is counted under it means the same. */
  readonly sinceEpoch: number;
  matched: number;
  shared: number;
  /** Keys so far that people see only a part of: counted, so that their alerts are told apart. */
  keysMasked: number;
  readonly keys: Map<string, KeyState>;
}

interface KeyState {
  /** ` for tenant "acme"`; '' where there is one alert for all. */
  readonly label: string;
  /** Null where one request is enough. */
  readonly recent: RecentCount | null;
  open: AlertIdentity | null;
  message: string;
  /** When the rule last held, by the monotonic clock. */
  enoughMs: number;
}

/** Whether what was counted and told under one goes on under the other. */
function isCountedAlike(a: AlertSpec, b: AlertSpec): boolean {
  return (
    a.mode === b.mode &&
    a.notify === b.notify &&
    a.atLeast?.windowMs === b.atLeast?.windowMs &&
    JSON.stringify([a.keys, a.otherwise]) === JSON.stringify([b.keys, b.otherwise])
  );
}

const OTHERS = 'others';

/** Beyond the bound of keys all further ones share one. */
function keyOf(rule: RuleState, { key: values, shownKey, requests }: RuleMatch): KeyState {
  const { spec, keys } = rule;
  const isFull = keys.size >= spec.maxKeys && values.length > 0;
  const own = JSON.stringify(values);
  const isShared = values[0] === OTHERS || (isFull && !keys.has(own));
  if (isShared) rule.shared += requests;
  const name = isShared ? OTHERS : own;
  let key = keys.get(name);
  if (key === undefined) {
    key = {
      label: isShared
        ? ' for further keys'
        : shownKey === null
          ? labelOf(spec, values)
          : `${labelOf(spec, shownKey)} (${++rule.keysMasked})`,
      recent: spec.atLeast === null ? null : new RecentCount(spec.atLeast.windowMs),
      open: null,
      message: '',
      enoughMs: 0,
    };
    keys.set(name, key);
  }
  return key;
}

function labelOf({ keys, otherwise }: AlertSpec, [space, ...values]: readonly string[]): string {
  if (space === undefined) return '';
  if (space === 'missing') return ' for requests without a key';
  const names = space === 'otherwise' ? [otherwise] : keys;
  return ` for ${values.map((value, at) => `${names[at]} ${JSON.stringify(value)}`).join(', ')}`;
}

function messageOf({ policy, rule, atLeast }: AlertSpec, label: string, text: string | null): string {
  const often =
    atLeast === null
      ? 'a request fits it'
      : `at least ${atLeast.requests} requests have fitted it within ${atLeast.windowMs / 1_000} s`;
  return `${policy}/${rule}${label}: ${text ?? `${often}.`}`;
}
