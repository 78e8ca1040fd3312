import type { Clock } from '../base/ports.ts';
import type { PoolAlertSpec, PoolAlertTest, PoolSubject } from '../pipeline/pool-rules.ts';
import type { AlertBus, AlertIdentity } from './alert-bus.ts';

export interface PoolAlertsOptions {
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  /** The limit `alertQuietMs`. */
  readonly quietMs: number;
}

/** What is known of one alert rule about pools. */
export interface PoolAlertView {
  readonly policy: string;
  readonly rule: string;
  readonly mode: PoolAlertSpec['mode'];
  /** How often it began to hold of a pool or key, since it is in force. */
  readonly begun: number;
  /** Of how many it holds at present, or did a moment ago. */
  readonly holding: number;
}

/**
 * `alert when pool.headroom < 15%`: one alert for each pool, or key, of which the rule holds; raised when it begins to, over when it has
 * not for a while, so that what goes up and down around a bound is told once. A policy in shadow is counted and nobody told; one in
 * warn tells the log alone.
 */
export class PoolAlerts {
  readonly #options: PoolAlertsOptions;
  #rules = new Map<string, RuleState>();

  constructor(options: PoolAlertsOptions) {
    this.#options = options;
  }

  /** The rules in force from now on. What was told of a rule that is gone, or says something else, is over. */
  use(tests: readonly PoolAlertTest[]): void {
    const before = this.#rules;
    this.#rules = new Map();
    for (const test of tests) {
      const name = JSON.stringify(test.spec);
      this.#rules.set(name, before.get(name) ?? { test, begun: 0, subjects: new Map() });
      before.delete(name);
    }
    for (const rule of before.values()) for (const subject of rule.subjects.values()) this.#end(subject);
  }

  /** All pools and keys as they are. To be called about once a second. */
  look(subjects: readonly PoolSubject[]): void {
    const { clock } = this.#options;
    const [nowMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    for (const rule of this.#rules.values()) {
      for (const subject of subjects) {
        const isOfRule = (subject.key === null) === (rule.test.spec.of === 'pool');
        if (isOfRule && rule.test.holds(subject, wallMs)) this.#hold(rule, subject, nowMs, wallMs);
      }
      for (const [name, state] of rule.subjects) {
        if (nowMs - state.heldMs < this.#options.quietMs) continue;
        this.#end(state);
        rule.subjects.delete(name);
      }
    }
  }

  inspect(): readonly PoolAlertView[] {
    return [...this.#rules.values()].map(({ test: { spec }, begun, subjects }) => ({
      policy: spec.policy,
      rule: spec.rule,
      mode: spec.mode,
      begun,
      holding: subjects.size,
    }));
  }

  #hold(rule: RuleState, subject: PoolSubject, nowMs: number, wallMs: number): void {
    const { test } = rule;
    const { spec } = test;
    const label = labelOf(subject);
    let state = rule.subjects.get(label);
    if (state === undefined) {
      state = { heldMs: nowMs, open: null, message: '' };
      rule.subjects.set(label, state);
      rule.begun++;
    }
    state.heldMs = nowMs;
    if (spec.mode === 'shadow') return;
    if (state.open === null)
      state.message = `${spec.policy}/${spec.rule} for ${label}: ${test.text(subject, wallMs)}`;
    const identity = { kind: 'policy-alert', subject: `${spec.policy}/${spec.rule} for ${label}` } as const;
    const isOpen = this.#options.alerts.raise({
      ...identity,
      askedBy: 'policy',
      reach: spec.mode === 'warn' ? 'log' : 'everybody',
      notify: spec.notify,
      severity: 'warning',
      message: state.message,
      remedy:
        'Look at its keys with `portunus keys pools`; give the pool more of them, or change the rule if it asks for too much.',
    });
    state.open = isOpen ? identity : null;
  }

  #end(state: SubjectState): void {
    if (state.open !== null) this.#options.alerts.resolve(state.open);
    state.open = null;
  }
}

interface RuleState {
  readonly test: PoolAlertTest;
  begun: number;
  /** Of which it holds, by their labels. */
  readonly subjects: Map<string, SubjectState>;
}

interface SubjectState {
  /** When it last held, by the monotonic clock. */
  heldMs: number;
  open: AlertIdentity | null;
  message: string;
}

function labelOf({ pool, key }: PoolSubject): string {
  return key === null ? `pool "${pool}"` : `key "${key}" of pool "${pool}"`;
}
