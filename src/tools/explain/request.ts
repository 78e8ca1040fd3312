import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { traceRequest } from '../../compiler/interpret/trace.ts';
import { compileRequestSchema } from '../../config/request-schema.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { SourceText } from '../../diagnostics/source.ts';
import { checkTests } from '../../language/check-tests.ts';
import { parsePolicyFile } from '../../language/parse.ts';
import type { CheckedPolicies } from '../../language/typed.ts';
import type { CheckedStep, CheckedTest } from '../../language/typed-tests.ts';
import { localClock, timeText } from '../../model/local-time.ts';
import type { World } from '../../model/world.ts';
import type { Identity } from '../../pipeline/identity.ts';
import { identityOf, TEST_KEYS } from '../policy-tests/identities.ts';
import { happened } from '../policy-tests/judge.ts';
import { buildMachine, MachineRun, type Observation } from '../policy-tests/machine.ts';
import type { TestPorts } from '../policy-tests/ports.ts';
import { viewsOf } from '../policy-tests/report.ts';
import { givenBefore } from '../policy-tests/run.ts';
import type { RuleView } from '../sights.ts';
import { dateInWords } from '../values.ts';
import { type FactChange, type WhatWouldChange, whatWouldChange } from './changes.ts';
import { type ShapedRequest, shapedRequest } from './shaped.ts';

export interface ExplainedProject {
  readonly policies: CheckedPolicies;
  readonly world: World;
  /** Its files: what is given may name policies and rules. */
  readonly texts: readonly SourceText[];
}

/** A request as the command line gives it. */
export interface AskedRequest {
  /** `GET /orders?page=2`. */
  readonly target: string;
  readonly consumer: string | null;
  /** Items of `given`, as tests have them. */
  readonly given: readonly string[];
  /** `name: value`. */
  readonly headers: readonly string[];
  /** Null: no body. */
  readonly body: string | null;
  /** `2026-12-05 10:00`; null: `wallMs`. */
  readonly time: string | null;
  readonly wallMs: number;
}

export interface RequestExplanation {
  readonly request: string;
  /** Null: no route was found. */
  readonly route: string | null;
  /** `permitted by …`, `refused 403 by …`. */
  readonly decision: string;
  readonly permitted: boolean;
  readonly reply: { readonly status: number; readonly code: string; readonly detail: string } | null;
  readonly rules: readonly RuleView[];
  /** What rules make of it on its way; null where it was refused. */
  readonly shaped: ShapedRequest | null;
  /** What would permit it; null where rules permit it, or a limit or the gateway itself refused. */
  readonly change: NeededChange | null;
  /** Seconds to wait, where a limit refused; null otherwise. */
  readonly retryAfterS: number | null;
}

export interface NeededChange extends Pick<WhatWouldChange, 'complete' | 'factsMax'> {
  readonly ways: readonly { readonly changes: readonly FactChange[] }[];
}

/**
 * What would happen to one request in this deployment, and why. The request is read as a `test` is, so it knows the same
 * words and gives the same answers to mistakes. Counters are empty, but for what is given as used.
 */
export function explainRequest(
  { policies, world, texts }: ExplainedProject,
  asked: AskedRequest,
  ports: TestPorts,
): RequestExplanation | { readonly diagnostics: readonly Diagnostic[] } {
  const time = asked.time ?? localTime(world.zone, asked.wallMs);
  const checked = checkedRequest(world, texts, { ...asked, time });
  if ('diagnostics' in checked) return checked;
  const { test, step } = checked;
  const deployed = [...world.enforcement].map(([name, { mode }]) => [name, mode] as const);
  const modes = new Map([...deployed, ...test.modes]);
  const machine = buildMachine(policies, world, { modes, shares: test.shares }, ports);
  const caller = step.caller;
  const identity = caller.kind === 'said' ? identityOf(caller.identity, world) : null;
  const observation = new MachineRun(machine, givenBefore(machine, test)).send({
    ...step,
    body: asked.body ?? step.body,
    bodyBytes: asked.body === null ? step.bodyBytes : Buffer.byteLength(asked.body),
    identity,
    nowMs: FIRST_MS,
    wallMs: test.wallMs,
  });
  return {
    request: described(step, identity),
    route: observation.route,
    decision: happened(observation, machine.rules),
    permitted: observation.decision === 'permitted',
    reply: replyOf(observation),
    rules: viewsOf(machine, observation),
    shaped: shapedBy(observation, machine.rules, world),
    change: changeOf(observation, machine.rules, world),
    retryAfterS:
      observation.refusal === null || observation.refusal.retryAfterS < 0
        ? null
        : observation.refusal.retryAfterS,
  };
}

const FIRST_MS = 1_000_000_000;

function checkedRequest(
  world: World,
  texts: readonly SourceText[],
  asked: AskedRequest,
):
  | { readonly test: CheckedTest; readonly step: CheckedStep }
  | { readonly diagnostics: readonly Diagnostic[] } {
  const source = new SourceText('(the request)', requestText(asked));
  const file = parsePolicyFile(source, world.limits.nestingDepth);
  const policies = texts
    .filter(({ path }) => path.endsWith('.policy'))
    .map((text) => parsePolicyFile(text, world.limits.nestingDepth));
  const { tests, diagnostics } = checkTests([file], world, policies);
  const [test] = tests;
  const step = test?.steps[0];
  const found = [...file.diagnostics, ...diagnostics];
  if (test === undefined || step === undefined) return { diagnostics: found };
  return { test, step };
}

/** `2026-12-05 10:00`. */
function localTime(zone: string, wallMs: number): string {
  const clock = localClock(zone);
  return `${dateInWords(clock.day(wallMs))} ${timeText(clock.minute(wallMs))}`;
}

/** One line for each option, so that a mistake is shown where it is. */
function requestText({ target, consumer, given, headers, time }: AskedRequest): string {
  const items = [
    ...(consumer === null ? [] : [`consumer ${JSON.stringify(consumer)}`]),
    ...given,
    ...(time === null ? [] : [`time ${time}`]),
  ];
  const sent = headers.map((header) => {
    const [, name = header, value = ''] = /^([^:]*):\s*(.*)$/s.exec(header) ?? [];
    return `with header ${JSON.stringify(name)} is ${JSON.stringify(value)}`;
  });
  return [
    'language 1',
    'test "the request" {',
    ...items.map((item) => `given ${item}`),
    [`when ${target} is sent`, ...sent].join('\n    '),
    'expect permitted',
    '}',
  ].join('\n');
}

function described({ method, path, query }: CheckedStep, identity: Identity | null): string {
  const who =
    identity === null
      ? 'without identity'
      : `by consumer "${identity.consumer.name}" of tenant "${identity.tenant.name}"`;
  return `${method} ${path}${query === '' ? '' : `?${query}`} ${who}`;
}

function replyOf({ refusal }: Observation): RequestExplanation['reply'] {
  if (refusal === null) return null;
  const { status, code, detail } = refusal;
  return { status, code, detail };
}

function shapedBy(
  observation: Observation,
  rules: readonly PlacedRule[],
  world: World,
): RequestExplanation['shaped'] {
  const { route, request, decision } = observation;
  if (decision !== 'permitted' || route === null || request === null) return null;
  const { sights } = traceRequest(rules, world.routes.get(route)!, request, TEST_KEYS);
  const applied = sights.flatMap(({ effect, placed }) => (effect === 'applies' ? [placed] : []));
  return shapedRequest(applied, request.body, observation);
}

/** Of what rules refuse by themselves, and not for a body that can't be read; a limit that is exceeded says when it has room again. */
function changeOf(
  { route, request, decision, refusal }: Observation,
  rules: readonly PlacedRule[],
  world: World,
): NeededChange | null {
  const isLimit = refusal !== null && refusal.retryAfterS >= 0;
  if (decision === 'permitted' || route === null || request === null || isLimit) return null;
  if (request.body === undefined) return null;
  const asked = world.routes.get(route)!;
  // what refuses a request behind them – a limit that is too small for it, rules that leave a call no pool – is no fact's doing alone
  if (traceRequest(rules, asked, request, TEST_KEYS).stage === 'admit') return null;
  const check = compileRequestSchema(asked.requestBody?.schema ?? true, world.limits.regexInstructions);
  const found = whatWouldChange(rules, asked, request, {
    world,
    callers: callersOf(world, request.arrivedWallMs),
    keys: TEST_KEYS,
    fitsSchema: (body) => check(body) === null,
  });
  return { ...found, ways: found.ways.map(({ changes }) => ({ changes })) };
}

const CALLERS_MAX = 200;

/** The consumers of the project, as callers with a key made just now. */
function callersOf(world: World, wallMs: number): Identity[] {
  const callers = [...world.directory.tenants.values()].flatMap((tenant) =>
    [...tenant.consumers.values()].map((consumer) => {
      const team = consumer.team === null ? null : (tenant.teams.get(consumer.team) ?? null);
      const credential = {
        name: `${consumer.name}-1`,
        kind: 'key' as const,
        createdMs: wallMs,
        expiresMs: null,
      };
      return identityOf({ tenant, team, consumer, credential }, world);
    }),
  );
  return callers.slice(0, CALLERS_MAX);
}
