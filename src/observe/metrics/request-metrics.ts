import type { AccessRecord } from '../../pipeline/record.ts';
import type { RecordConsumer } from '../record-drain.ts';
import type { RecordFrame } from '../record-format.ts';
import { DECISION_NAMES, type DecisionNames, ROUTE_NAMES, type RouteNames } from '../record-names.ts';
import { DurationBuckets, OVERHEAD_BOUNDS, REQUEST_BOUNDS } from './duration-buckets.ts';
import type { MetricSamples } from './metric-samples.ts';
import type { LabelsOf, MetricName } from './metric-table.ts';
import { Series } from './series.ts';

/** Metrics of requests, counted on the control thread from their records: data threads do nothing for them. */
export interface RequestMetrics extends RecordConsumer {
  collect(samples: MetricSamples): void;
}

/** `seriesMax`: the limit `metricSeries`. */
export function createRequestMetrics(seriesMax: number): RequestMetrics {
  return new RecordedRequests(seriesMax);
}

class Counter {
  count = 0;
}

/** What is counted of a route, found once per group of names and not once per record. */
class RouteCounts {
  readonly requests = new Map<number, { readonly value: DurationBuckets; readonly kept: boolean }>();
  readonly upstream = new DurationBuckets(REQUEST_BOUNDS);
  readonly firstByte = new DurationBuckets(REQUEST_BOUNDS);
  requestBytes = 0;
  responseBytes = 0;
  attempts = 0;
  readonly cached = { hit: 0, miss: 0, bypass: 0 };
}

type RequestLabels = LabelsOf<'http_server_request_duration_seconds'>;
type DecisionLabels = LabelsOf<'portunus_decisions_total'>;

class RecordedRequests implements RequestMetrics {
  readonly #requests: Series<RequestLabels, DurationBuckets>;
  readonly #routes: Series<{ http_route: string }, RouteCounts>;
  readonly #decisions: Series<DecisionLabels, Counter>;
  readonly #answers: Series<{ error_type: string }, Counter>;
  readonly #overhead = new DurationBuckets(OVERHEAD_BOUNDS);
  readonly #leftOut = new Map<MetricName, number>();
  readonly #knownRoutes = new WeakMap<
    RouteNames,
    ReturnType<Series<{ http_route: string }, RouteCounts>['of']>
  >();
  readonly #knownDecisions = new WeakMap<DecisionNames, Counted>();
  #lastRouteNames: RouteNames | null = null;
  #lastRoute: RouteCounts = new RouteCounts();
  #lastDecisionNames: DecisionNames | null = null;
  #lastDecision: Counted = { decision: null, answer: null };
  #aborted = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #costNanoUnits = 0;

  constructor(seriesMax: number) {
    this.#requests = new Series(seriesMax, () => new DurationBuckets(REQUEST_BOUNDS));
    this.#routes = new Series(seriesMax, () => new RouteCounts());
    this.#decisions = new Series(seriesMax, () => new Counter());
    this.#answers = new Series(seriesMax, () => new Counter());
  }

  accept(record: AccessRecord, frame: RecordFrame | null): void {
    const route = this.#routeOf(frame === null ? ROUTE_NAMES.pick(record) : frame.routeNames);
    this.#countRequest(record, route);
    this.#countDecision(frame === null ? DECISION_NAMES.pick(record) : frame.decisionNames);
    this.#countRules('also-refused', record.alsoDenied);
    this.#countRules('would-refuse', record.shadowDenied);
    this.#countRules('warned', record.warnedRules);
    this.#countRules('waived', record.waivedRules);
    if (record.cache !== '') route.cached[record.cache]++;
    if (record.clientAborted) this.#aborted++;
    if (record.inputTokens > 0) this.#inputTokens += record.inputTokens;
    if (record.outputTokens > 0) this.#outputTokens += record.outputTokens;
    if (record.costNano > 0) this.#costNanoUnits += record.costNano;
  }

  endBatch(): void {}

  collect(samples: MetricSamples): void {
    for (const [labels, buckets] of this.#requests) {
      samples.addHistogram('http_server_request_duration_seconds', labels, buckets);
    }
    for (const [labels, route] of this.#routes) {
      samples.add('http_server_request_body_bytes_total', labels, route.requestBytes);
      samples.add('http_server_response_body_bytes_total', labels, route.responseBytes);
      for (const [outcome, count] of Object.entries(route.cached))
        if (count > 0) samples.add('portunus_cache_requests_total', { ...labels, outcome }, count);
      if (route.attempts === 0) continue;
      samples.add('portunus_upstream_attempts_total', labels, route.attempts);
      samples.addHistogram('http_client_request_duration_seconds', labels, route.upstream);
      samples.addHistogram('portunus_upstream_first_byte_seconds', labels, route.firstByte);
    }
    samples.addHistogram('portunus_overhead_seconds', {}, this.#overhead);
    for (const [labels, { count }] of this.#decisions) samples.add('portunus_decisions_total', labels, count);
    for (const [labels, { count }] of this.#answers) samples.add('portunus_answers_total', labels, count);
    samples.add('portunus_requests_aborted_total', {}, this.#aborted);
    samples.add('portunus_tokens_total', { direction: 'input' }, this.#inputTokens);
    samples.add('portunus_tokens_total', { direction: 'output' }, this.#outputTokens);
    samples.add('portunus_cost_nano_units_total', {}, this.#costNanoUnits);
    for (const [metric, count] of this.#leftOut)
      samples.add('portunus_metric_series_left_out_total', { metric }, count);
  }

  #routeOf(names: RouteNames): RouteCounts {
    if (names === this.#lastRouteNames) return this.#lastRoute;
    let known = this.#knownRoutes.get(names);
    if (known === undefined) {
      known = this.#routes.of({ http_route: names.route });
      this.#knownRoutes.set(names, known);
    }
    this.#lastRouteNames = names;
    this.#lastRoute = known.value;
    return known.value;
  }

  #countRequest(record: AccessRecord, route: RouteCounts): void {
    const { dispatchedUs, finishedUs } = record;
    this.#durationsOf(record, route).add(finishedUs);
    this.#overhead.add(dispatchedUs >= 0 ? dispatchedUs : finishedUs);
    route.requestBytes += record.requestBytes;
    route.responseBytes += record.responseBytes;
    if (dispatchedUs < 0) return;
    route.attempts += record.attempts;
    route.upstream.add(finishedUs - dispatchedUs);
    if (record.firstByteUs >= 0) route.firstByte.add(record.firstByteUs - dispatchedUs);
  }

  #durationsOf(record: AccessRecord, route: RouteCounts): DurationBuckets {
    const method = METHOD_NUMBERS.get(record.method) ?? METHODS.length;
    const key = record.status * METHODS_SPACE + method;
    let known = route.requests.get(key);
    if (known === undefined) {
      known = this.#requests.of({
        http_request_method: METHODS[method] ?? OTHER_METHOD,
        http_route: record.route,
        http_response_status_code: String(record.status),
      });
      route.requests.set(key, known);
    }
    if (!known.kept) this.#leaveOut('http_server_request_duration_seconds');
    return known.value;
  }

  #countDecision(names: DecisionNames): void {
    if (names !== this.#lastDecisionNames) {
      this.#lastDecision = this.#decisionOf(names);
      this.#lastDecisionNames = names;
    }
    const known = this.#lastDecision;
    if (known.decision !== null) this.#count('portunus_decisions_total', known.decision);
    if (known.answer !== null) this.#count('portunus_answers_total', known.answer);
  }

  #decisionOf(names: DecisionNames): Counted {
    let known = this.#knownDecisions.get(names);
    if (known === undefined) {
      known = this.#counted(names);
      this.#knownDecisions.set(names, known);
    }
    return known;
  }

  #counted({ code, decidingRule }: DecisionNames): Counted {
    const decision = code === '' ? 'permitted' : 'refused';
    return {
      decision: decidingRule === '' ? null : this.#decisions.of({ decision, ...ruleLabels(decidingRule) }),
      answer: code === '' ? null : this.#answers.of({ error_type: code }),
    };
  }

  #countRules(decision: string, rules: readonly string[]): void {
    for (const rule of rules) {
      this.#count('portunus_decisions_total', this.#decisions.of({ decision, ...ruleLabels(rule) }));
    }
  }

  #count(metric: MetricName, { value, kept }: CountedIn): void {
    value.count++;
    if (!kept) this.#leaveOut(metric);
  }

  #leaveOut(metric: MetricName): void {
    this.#leftOut.set(metric, (this.#leftOut.get(metric) ?? 0) + 1);
  }
}

interface CountedIn {
  readonly value: Counter;
  readonly kept: boolean;
}
interface Counted {
  readonly decision: CountedIn | null;
  readonly answer: CountedIn | null;
}

/** `policy/rule`, as records name rules. A slash in the name of a policy would only move the border between two labels. */
function ruleLabels(name: string): { readonly policy: string; readonly rule: string } {
  const slash = name.indexOf('/');
  return { policy: name.slice(0, slash), rule: name.slice(slash + 1) };
}

/** RFC 9110 and RFC 5789; anything else is `_OTHER`, as OpenTelemetry says. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;
const METHOD_NUMBERS: ReadonlyMap<string, number> = new Map(METHODS.map((method, index) => [method, index]));
const METHODS_SPACE = 16;
const OTHER_METHOD = '_OTHER';
