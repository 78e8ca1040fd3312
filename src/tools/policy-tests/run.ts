import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { isLimitRule } from '../../language/limit-rules.ts';
import type { CheckedPolicies, LimitRule } from '../../language/typed.ts';
import type { CheckedExpect, CheckedStep, CheckedTest, TestCaller } from '../../language/typed-tests.ts';
import type { World } from '../../model/world.ts';
import type { Identity } from '../../pipeline/identity.ts';
import { identityOf } from './identities.ts';
import { mismatches } from './judge.ts';
import { buildMachine, type GivenBefore, type Machine, MachineRun, type Observation } from './machine.ts';
import type { TestPorts } from './ports.ts';

/** One request of a test: which it was, when, and what came of it. */
export interface SentInTest {
  /** From 1. */
  readonly number: number;
  readonly of: number;
  /** Since the first request of the test. */
  readonly atMs: number;
  readonly observation: Observation;
}

export interface ExpectFailure {
  readonly step: CheckedStep;
  readonly expect: CheckedExpect;
  readonly sent: SentInTest;
  /** What differs, one sentence each. */
  readonly differences: readonly string[];
}

export interface TestResult {
  readonly test: CheckedTest;
  readonly machine: Machine;
  readonly failures: readonly ExpectFailure[];
}

/** Sees every request of every test; coverage listens here. */
export type RequestListener = (machine: Machine, sent: SentInTest) => void;

/** Runs tests on the compiled pipelines of one project, each over counters of its own, by a clock that only they move. */
export class TestRunner {
  readonly #policies: CheckedPolicies;
  readonly #world: World;
  readonly #ports: TestPorts;
  readonly #machines = new Map<string, Machine>();

  constructor(policies: CheckedPolicies, world: World, ports: TestPorts) {
    this.#policies = policies;
    this.#world = world;
    this.#ports = ports;
  }

  run(test: CheckedTest, listener: RequestListener = ignore): TestResult {
    const machine = this.#machine(test);
    const run = new MachineRun(machine, givenBefore(machine, test));
    const failures: ExpectFailure[] = [];
    let atMs = 0;
    for (const step of test.steps) {
      atMs += step.afterMs;
      const sent = sendStep(run, machine, { test, step, atMs });
      for (const one of sent) listener(machine, one);
      failures.push(...failuresOf(machine, step, sent));
      atMs += step.withinMs;
    }
    run.endAll();
    return { test, machine, failures };
  }

  #machine(test: CheckedTest): Machine {
    const key = JSON.stringify([[...test.modes].sort(), test.shares]);
    const known = this.#machines.get(key) ?? buildMachine(this.#policies, this.#world, test, this.#ports);
    this.#machines.set(key, known);
    return known;
  }
}

function ignore(): void {}

/** Any time after the start of a machine. */
const FIRST_MONOTONIC_MS = 1_000_000_000;

interface StepPlace {
  readonly test: CheckedTest;
  readonly step: CheckedStep;
  /** When the step begins. */
  readonly atMs: number;
}

function sendStep(run: MachineRun, machine: Machine, { test, step, atMs }: StepPlace): SentInTest[] {
  const sent = Array.from({ length: step.count }, (_, index): SentInTest => {
    const now = atMs + Math.floor((index * step.withinMs) / step.count);
    const wallMs = test.wallMs + now;
    const { method, path, query, host, headers, bodyBytes, body, model, ip } = step;
    const front = { method, path, query, host, headers, bodyBytes, body, model, ip };
    const found = machine.finder.find(front);
    const route = found.kind === 'found' ? found.route : null;
    const identity = callerOf(step.caller, machine.world, route, wallMs);
    const observation = run.send({
      ...front,
      identity,
      cost: step.cost,
      status: step.status,
      nowMs: FIRST_MONOTONIC_MS + now,
      wallMs,
    });
    if (step.pace === 'spread') run.endAll();
    return { number: index + 1, of: step.count, atMs: now, observation };
  });
  run.endAll();
  return sent;
}

function callerOf(caller: TestCaller, world: World, route: string | null, wallMs: number): Identity | null {
  if (caller.kind === 'nobody') return null;
  const auth = route === null ? 'none' : world.routes.get(route)!.auth;
  if (caller.kind === 'unsaid' && auth !== 'required') return null;
  const { expiresMs } = caller.identity.credential;
  return expiresMs !== null && wallMs >= expiresMs ? null : identityOf(caller.identity, world);
}

export function givenBefore(machine: Machine, test: CheckedTest): GivenBefore {
  return { used: usedBefore(machine, test), replies: test.replies, down: test.down };
}

function usedBefore({ rules, bundle }: Machine, test: CheckedTest): GivenBefore['used'] {
  return new Map(
    test.used.flatMap(({ policy, rule, amount }) => {
      const placed = rules.find((each) => each.policy === policy && each.rule.key === rule);
      const identity = placed === undefined ? undefined : limitOf(placed)?.counterIdentity;
      const counter = bundle.counters.findIndex((spec) => spec.identity === identity);
      return counter === -1 ? [] : [[counter, amount] as const];
    }),
  );
}

function limitOf({ rule }: PlacedRule): LimitRule | null {
  return isLimitRule(rule) ? rule : null;
}

/** For each expectation, the first request that does not meet it. */
function failuresOf(machine: Machine, step: CheckedStep, sent: readonly SentInTest[]): ExpectFailure[] {
  return step.expects.flatMap((expect) => {
    const { which } = expect;
    const differing = (one: SentInTest): readonly string[] =>
      mismatches(expect, one.observation, step, machine.rules);
    if (which.kind === 'some') {
      const fitting = sent.filter((one) => differing(one).length === 0);
      if (fitting.length >= which.least && fitting.length <= which.most) return [];
      // too many: one that fits; too few: one that does not
      const shown = fitting.length > which.most ? fitting[0]! : sent.find((one) => !fitting.includes(one))!;
      const differences = [
        `${fitting.length} of ${sent.length} were so; one that was${fitting.length > which.most ? '' : ' not'}:`,
      ];
      return [{ step, expect, sent: shown, differences }];
    }
    const meant = which.kind === 'first' ? sent.slice(0, which.count) : sent.slice(-which.count);
    for (const one of meant) {
      const differences = differing(one);
      if (differences.length > 0) return [{ step, expect, sent: one, differences }];
    }
    return [];
  });
}
