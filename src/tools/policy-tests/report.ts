import { rulePhase, type Trace, traceRequest } from '../../compiler/interpret/trace.ts';
import { placeOf, spanText } from '../../diagnostics/source.ts';
import { lengthInWords } from '../../model/length-in-words.ts';
import { type CounterViews, type RuleView, ruleViews } from '../sights.ts';
import type { Coverage } from './coverage.ts';
import type { UntestedRule } from './dropped-rules.ts';
import { TEST_KEYS } from './identities.ts';
import { happened } from './judge.ts';
import type { Machine, Observation } from './machine.ts';
import type { ExpectFailure, TestResult } from './run.ts';

/** One run of the tests of a project, as data: what every format prints. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly TestCaseReport[];
  /** Null: not asked for. */
  readonly coverage: Coverage | null;
  readonly untestedRules: readonly UntestedRule[] | null;
}
export interface TestCaseReport {
  readonly name: string;
  /** `policies/plans.test.policy:4:1`. */
  readonly place: string;
  readonly file: string;
  readonly line: number;
  readonly failures: readonly FailureReport[];
}
export interface FailureReport {
  readonly place: string;
  readonly line: number;
  /** The expectation as written. */
  readonly expected: string;
  readonly happened: readonly string[];
  /** `GET /orders`, `request 61 of 61, after 9.8s`. */
  readonly request: string;
  readonly rules: readonly RuleView[];
}

export function caseReport({ test, machine, failures }: TestResult): TestCaseReport {
  const { source, start } = test.span;
  return {
    name: test.name,
    place: placeOf(test.span),
    file: source.path,
    line: source.position(start).line,
    failures: failures.map((failure) => failureReport(failure, machine)),
  };
}

function failureReport({ step, expect, sent, differences }: ExpectFailure, machine: Machine): FailureReport {
  const { observation, number, of, atMs } = sent;
  const which = of === 1 ? '' : `, request ${number} of ${of}`;
  const when = atMs === 0 ? '' : `, ${lengthInWords(atMs)} after the first`;
  const outcome = happened(observation, machine.rules);
  return {
    place: placeOf(expect.span),
    line: expect.span.source.position(expect.span.start).line,
    expected: spanText(expect.span)
      .replace(/\s+/g, ' ')
      .replace(/^expect /, ''),
    happened: differences.includes(outcome) ? differences : [...differences, outcome],
    request: `${step.method} ${step.path}${which}${when}`,
    rules: viewsOf(machine, observation),
  };
}

/** What each rule saw of a request, and what the counters it met said. */
export function viewsOf(machine: Machine, observation: Observation): readonly RuleView[] {
  const { route, request, counters, answer } = observation;
  if (route === null || request === null) return [];
  const trace = traceRequest(machine.rules, machine.world.routes.get(route)!, request, TEST_KEYS, answer);
  const specs = new Map(machine.bundle.counters.map(({ identity }, index) => [identity, index]));
  const views: CounterViews = new Map(
    machine.rules.flatMap(({ rule, index }) => {
      const spec = 'counterIdentity' in rule ? specs.get(rule.counterIdentity) : undefined;
      const sight = counters.find(({ counter }) => counter === spec);
      return sight === undefined ? [] : [[index, { remaining: sight.remaining, exceeded: sight.exceeded }]];
    }),
  );
  return ruleViews(observation.unfitFor === null ? trace : withoutBody(trace), views);
}

/** Rules that read a body are not asked about one that does not fit its schema. */
function withoutBody(trace: Trace): Trace {
  const sights = trace.sights.map((sight) =>
    rulePhase(sight.placed) === 'body' ? { ...sight, effect: 'unseen' as const, clauses: [] } : sight,
  );
  return { ...trace, sights };
}
