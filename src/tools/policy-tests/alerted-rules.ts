import { RecentCount } from '../../base/recent-count.ts';
import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import type { EndedRequest } from '../../compiler/interpret.ts';
import { type AlertSink, type AlertSpec, alertIdentity } from '../../pipeline/alerts.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import type { RoutePipeline, RuleBundle } from '../../pipeline/program.ts';

/** Counts what fits alert rules, as the gateway does, but for the end of alerts: a test asks which rules speak at a request. */
export class AlertedRules implements AlertSink {
  readonly #specs: ReadonlyMap<string, AlertSpec>;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #recent = new Map<string, RecentCount>();
  #now = 0;
  #alerted: number[] = [];

  constructor({
    bundle,
    rules,
  }: {
    readonly bundle: RuleBundle;
    readonly rules: readonly PlacedRule[];
  }) {
    this.#specs = new Map(bundle.alerts.map((spec) => [spec.identity, spec]));
    this.#numbers = new Map(
      rules.map(({ policy, rule, index }) => [alertIdentity(policy, rule.key), index] as const),
    );
  }

  /** The rules that speak now that this request has ended. A policy in shadow tells nobody. */
  asked(
    { alerts }: RoutePipeline,
    context: RequestContext,
    answer: EndedRequest,
    nowMs: number,
  ): readonly number[] {
    this.#now = nowMs;
    this.#alerted = [];
    if (alerts === null) return [];
    context.answer = { ...answer };
    alerts(context);
    return this.#alerted;
  }

  matched(identity: string, key: readonly unknown[]): void {
    const spec = this.#specs.get(identity)!;
    const isEnough =
      spec.atLeast === null ||
      this.#recentOf(JSON.stringify([identity, ...key]), spec.atLeast.windowMs).add(1, this.#now) >=
        spec.atLeast.requests;
    if (isEnough && spec.mode !== 'shadow') this.#alerted.push(this.#numbers.get(identity)!);
  }

  #recentOf(name: string, windowMs: number): RecentCount {
    const known = this.#recent.get(name) ?? new RecentCount(windowMs);
    this.#recent.set(name, known);
    return known;
  }
}
