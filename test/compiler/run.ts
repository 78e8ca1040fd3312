/** Runs one random case both ways – compiled and interpreted – and says all that can be observed of each request. */

import { assert } from '../../src/base/assert.ts';
import { compileRules } from '../../src/compiler/compile.ts';
import type { PlainAnswer, PlainRequest } from '../../src/compiler/interpret/facts.ts';
import type { PlainCallLimits, PlainWatch } from '../../src/compiler/interpret/limits.ts';
import { Interpreter, type ToldAlert } from '../../src/compiler/interpret.ts';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import type { CheckedPolicies, CheckedPolicy } from '../../src/language/typed.ts';
import type { World } from '../../src/model/world.ts';
import { type AlertSink, KNOWN, type Known } from '../../src/pipeline/alerts.ts';
import { HeaderEdits, type RequestContext, type Warning } from '../../src/pipeline/context.ts';
import type { CounterBinding, Counters, Reservation } from '../../src/pipeline/counters.ts';
import type { CallUse, ModelRequest } from '../../src/pipeline/model-request.ts';
import { CONTINUE, type Outcome, type Refusal, type Wait } from '../../src/pipeline/outcome.ts';
import type { RoutePipeline, RuleBundle } from '../../src/pipeline/program.ts';
import type { ChosenTarget, TargetHold, TargetLimits } from '../../src/pipeline/target-limits.ts';
import { Variants } from '../../src/pipeline/variants.ts';
import type { Choices } from './choices.ts';
import { randomPolicies } from './random-policies.ts';
import { MODELS, randomSteps, randomWorld, type Step } from './random-world.ts';
import { bind, KeyNames, requestContext } from './world.ts';

export interface Case {
  readonly world: World;
  readonly policies: CheckedPolicies;
  readonly steps: readonly Step[];
  readonly keys: KeyNames;
}

export function randomCase(choices: Choices): Case {
  const keys = new KeyNames();
  const world = randomWorld(choices);
  const steps = randomSteps(world, choices, keys);
  return { world, policies: randomPolicies(choices), steps, keys };
}

/** The same project, asked with another sequence of requests. */
export function withOtherSteps(one: Case, choices: Choices): Case {
  return { ...one, steps: randomSteps(one.world, choices, one.keys) };
}

/** Everything a request shows to its caller, to the log and to the counters. Plain data, equal iff the same happened. */
export interface Observation {
  readonly decision: 'permitted' | 'refused' | 'waiting';
  readonly known: Known;
  /** Of the call that is made; null where it is none, or was refused before it was read. */
  readonly model: string | null;
  /** It goes to another model than the one that was asked for. */
  readonly fellBack: boolean;
  /** What its limits let it take rests on a count of its prompt. */
  readonly counted: boolean;
  /** What alert rules tell of it, in no order. */
  readonly alerts: readonly string[];
  readonly refusal: Refusal | null;
  readonly wait: Pick<Wait, 'atMonotonicMs' | 'untilMonotonicMs' | 'room'> | null;
  readonly decidingRule: number;
  readonly alsoDenied: readonly number[];
  readonly warnings: readonly Warning[];
  readonly shadowDenied: readonly number[];
  readonly rateLimit: string;
  readonly rateLimitPolicy: string;
  readonly reservations: number;
  readonly headers: unknown;
  readonly totalTimeoutMs: number;
  readonly cacheForMs: number | null;
  readonly pools: readonly string[] | null;
  readonly barred: readonly string[];
  readonly targetless: Refusal | null;
  readonly masks: unknown;
  readonly body: unknown;
  readonly outputCap: number | null;
  readonly counters: readonly (readonly [string, string])[];
  /** What limits say of each target that the call could be sent to, one after the other; null: none applies. */
  readonly targets: readonly (readonly unknown[])[] | null;
}

/** A way to judge requests one after another, over counters of its own. */
export interface Judge {
  readonly counters: Counters;
  judge(route: string, request: PlainRequest): Observation;
  /** Ends all requests that still hold something. */
  release(): void;
}

export function interpretedJudge({ policies, world, keys }: Case): Judge {
  const counters = new ReferenceCounters();
  const interpreter = new Interpreter(policies, world, counters, keys, MODELS);
  const binding = counters.bind([]);
  let open: Reservation[] = [];
  return {
    counters,
    judge(route, request) {
      const { reservations, call, callLimits, ...judged } = interpreter.judge(route, request);
      let verdict = judged;
      if (isGivenBack(request, call)) for (const each of reservations) binding.cancel(each);
      else open.push(...reservations);
      const targets = callLimits === null ? null : plainTargets(callLimits, binding, open);
      for (const { warnings, shadowDenied } of targets?.said ?? []) {
        verdict = { ...verdict, warnings: warned(verdict.warnings, warnings) };
        verdict = { ...verdict, shadowDenied: sorted([...verdict.shadowDenied, ...shadowDenied]) };
      }
      const ended = { ...answerTo(request, verdict.refusal), known: verdict.known };
      const made = { ...request, call: call ?? request.call };
      const alerts = interpreter.alerts(route, made, ended).map(alertText).sort();
      const model = call?.model.name ?? null;
      const fellBack = call !== null && call !== request.call;
      return {
        ...verdict,
        model,
        fellBack,
        alerts,
        targets: targets?.seen ?? null,
        reservations: reservations.length,
        counters: [...counters.contents()],
      };
    },
    release() {
      for (const reservation of open) binding.release(reservation);
      open = [];
    },
  };
}

export function compiledJudge({ policies, world, keys }: Case, counters?: Counters): Judge {
  return bundleJudge(compileRules(policies, world).bundle, keys, counters);
}

export function bundleJudge(
  bundle: RuleBundle,
  keys: KeyNames,
  counters: Counters = new ReferenceCounters(),
): Judge {
  const pipelines = new Map<string, RoutePipeline>();
  const binding = counters.bind([]);
  const told: string[] = [];
  const sink: AlertSink = {
    matched: (identity, key, describe, show) => {
      const text = describe === null ? null : describe();
      told.push(alertText({ identity, key, shownKey: show === null ? null : show(key), text }));
    },
  };
  let open: Reservation[] = [];
  let sent: TargetHold[] = [];
  return {
    counters,
    judge(route, request) {
      const pipeline = pipelines.get(route) ?? bind(bundle, counters, route, keys, sink);
      pipelines.set(route, pipeline);
      const { observation, reservations, holds } = runPipeline(
        pipeline,
        request,
        isAnonymousRoute(bundle, route),
      );
      if (isGivenBack(request, request.call)) for (const each of reservations) binding.cancel(each);
      else open.push(...reservations);
      sent.push(...holds);
      const alerts = told.splice(0).sort();
      return { ...observation, alerts, counters: contentsOf(counters) };
    },
    release() {
      for (const reservation of open) binding.release(reservation);
      for (const hold of sent) hold.end(NOT_USED);
      open = [];
      sent = [];
    },
  };
}

/** Calls that no key has room for, now and then. */
function isGivenBack({ id }: PlainRequest, call: ModelRequest | null): boolean {
  return call !== null && (id.high >>> 0) % 5 === 0;
}

const NOT_USED: CallUse = {
  pool: '',
  key: '',
  charged: 'nothing',
  isWhole: false,
  brokenOff: '',
  doubt: '',
  usage: null,
  costNano: null,
};

/** Two keys of one account, and one of another pool; the call goes to the first, and then leaves the second again. */
const TARGETS: readonly ChosenTarget[] = [
  { pool: 'first', provider: 'openai', key: 'a', account: 'x' },
  { pool: 'first', provider: 'openai', key: 'b', account: 'x' },
  { pool: 'second', provider: 'other', key: 'a', account: 'x' },
];

function plainTargets(limits: PlainCallLimits, binding: CounterBinding, open: Reservation[]) {
  const said: PlainWatch[] = [];
  const seen = TARGETS.map((target, at) => {
    const asked = [limits.headroom(target), limits.fitsAtMs(target), limits.refusal(target)];
    const held = limits.take(target);
    if (held === null) return [...asked, 'full'];
    const watched = at === 0 ? limits.watch(target) : null;
    if (watched !== null) said.push(watched);
    for (const each of [...held, ...(watched?.held ?? [])])
      if (at === 1) binding.cancel(each);
      else open.push(each);
    return [...asked, 'taken'];
  });
  return { seen, said };
}

function compiledTargets(limits: TargetLimits, context: RequestContext) {
  const holds: TargetHold[] = [];
  const nowMs = context.nowMonotonicMs;
  const seen = TARGETS.map((target, at) => {
    const asked = [
      limits.headroom(target, nowMs),
      limits.fitsAtMs(target, nowMs),
      refusalOf(limits, target, context),
    ];
    const hold = limits.take(target, nowMs);
    if (hold === null) return [...asked, 'full'];
    if (at === 0) limits.watch(hold, target, nowMs);
    if (at === 1) hold.cancel();
    else holds.push(hold);
    return [...asked, 'taken'];
  });
  return { seen, holds };
}

/** The request goes on as if nobody had asked. */
function refusalOf(limits: TargetLimits, target: ChosenTarget, context: RequestContext): Refusal | null {
  const { decidingRule, alsoDenied } = context;
  const refusal = limits.refusal(target, context.nowMonotonicMs);
  Object.assign(context, { decidingRule, alsoDenied });
  return refusal;
}

/** Each rule once, as the first of it says. */
function warned(before: readonly Warning[], more: readonly Warning[]): readonly Warning[] {
  const others = more.filter(({ rule }) => !before.some((each) => each.rule === rule));
  return [...before, ...others].sort((a, b) => a.rule - b.rule);
}

function sorted(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** What the service answers, or the gateway; as many different answers as there are requests. */
function answerTo({ id }: PlainRequest, refusal: Refusal | null): PlainAnswer {
  const number = id.high >>> 0;
  return {
    status: refusal?.status ?? ANSWERED[number % ANSWERED.length]!,
    durationMs: number % 3_000,
    code: refusal?.code ?? (number % 4 === 0 ? 'total_timeout' : undefined),
    inputTokens: number % 5 === 0 ? undefined : number % 3,
    outputTokens: number % 7 === 0 ? undefined : number % 4,
    cachedTokens: number % 2 === 0 ? undefined : 1,
    reasoningTokens: number % 3 === 0 ? undefined : 2,
    costNano: number % 4 === 0 ? undefined : number % 3,
  };
}
const ANSWERED = [200, 404, 500, 503, 200, 204];

function alertText({ identity, key, shownKey, text }: ToldAlert): string {
  return JSON.stringify([identity, key, shownKey, text]);
}

/** Only the reference model shows its contents. */
function contentsOf(counters: Counters): [string, string][] {
  return counters instanceof ReferenceCounters ? [...counters.contents()] : [];
}

type Credentials = 'credentials-ignored' | 'credentials-read' | 'credentials-demanded';

function isAnonymousRoute(bundle: RuleBundle, route: string): Credentials {
  const auth = bundle.routes.find((program) => program.route.name === route)?.route.auth;
  if (auth === 'none') return 'credentials-ignored';
  return auth === 'required' ? 'credentials-demanded' : 'credentials-read';
}

/** What the exchange does with a pipeline. */
function runPipeline(
  pipeline: RoutePipeline,
  { id, identity, body, call, countedTokens, isKept, ...facts }: PlainRequest,
  credentials: Credentials,
) {
  const context = requestContext({
    ...facts,
    idHigh: id.high,
    idLow: id.low,
    headers: [...facts.headers],
  });
  let known: Known = KNOWN.request;
  let outcome = pipeline.match(context);
  if (outcome === CONTINUE) {
    context.identity = credentials === 'credentials-ignored' ? null : identity;
    outcome = pipeline.authorise(context);
    const isUnknown = credentials === 'credentials-demanded' && context.identity === null;
    known = isUnknown ? KNOWN.request : KNOWN.caller;
  }
  if (outcome === CONTINUE) {
    known = KNOWN.body;
    context.call = context.shapedCall = call;
    if (pipeline.readBody !== null) {
      const fault = pipeline.readBody(context, new TextEncoder().encode(JSON.stringify(body)));
      assert(fault === null, `a body that fits its schema: ${JSON.stringify([body, fault])}`);
    }
    outcome = judgeCall(pipeline, context, { countedTokens, isKept });
  }
  const permitted = outcome === CONTINUE;
  const limits = permitted && context.call !== null ? (pipeline.targetLimits?.(context) ?? null) : null;
  const targets = limits === null ? null : compiledTargets(limits, context);
  const refusal = 'refusal' in outcome ? outcome.refusal : null;
  context.answer = { ...answerTo({ id } as PlainRequest, refusal), known };
  pipeline.alerts?.(context);
  return {
    observation: {
      ...resultOf(context, outcome),
      targets: targets?.seen ?? null,
      known,
      model: context.call?.model.name ?? null,
      fellBack: context.fallen !== null,
      counted: context.shapedCall?.prompt === 'counted',
      headers: {
        request: permitted ? shaped(pipeline.shapeRequest, context) : NO_HEADERS,
        response: permitted ? shaped(pipeline.shapeResponse, context) : NO_HEADERS,
      },
      body: permitted ? shapedBody(pipeline, context, body) : null,
      outputCap: permitted ? outputCapOf(pipeline, context) : null,
      cacheForMs: permitted ? forMsOf(pipeline, context) : null,
      totalTimeoutMs: permitted ? pipeline.totalTimeoutMs(context) : Number.POSITIVE_INFINITY,
      pools: permitted ? pipeline.poolsFor(context) : null,
      ...(permitted ? targetsOf(pipeline, context) : { barred: [], targetless: null }),
      masks: {
        request: permitted ? masksIn(pipeline.requestMasks, context) : [],
        response: permitted ? masksIn(pipeline.responseMasks, context) : [],
      },
    },
    reservations: reservationsOf(context),
    holds: targets?.holds ?? [],
  };
}

function forMsOf({ cacheForMs }: RoutePipeline, context: RequestContext): number | null {
  return cacheForMs?.(context) || null;
}

/** As it is asked for, then with the models that limits without room name. */
function judgeCall(pipeline: RoutePipeline, context: RequestContext, told: CallTold): Outcome {
  const variants = context.call === null ? null : new Variants(context);
  const asked = judgeRead(pipeline, context, told);
  if (asked.kind !== 'next-variant') return asked;
  variants!.offer(asked, context);
  while (variants!.next(context, MODELS)) {
    context.shapedCall = context.call;
    const outcome = judgeRead(pipeline, context, told);
    if (outcome === CONTINUE || outcome.kind === 'wait-for-grant') return outcome;
  }
  return variants!.giveUp(context);
}

type CallTold = Pick<PlainRequest, 'countedTokens' | 'isKept'>;

/** By the bytes of its prompt, and where limits have no room for those, by a count. */
function judgeRead(
  pipeline: RoutePipeline,
  context: RequestContext,
  { countedTokens, isKept }: CallTold,
): Outcome {
  const outcome = pipeline.judgeBody(context);
  if (outcome !== CONTINUE) return outcome;
  context.cached = isKept && forMsOf(pipeline, context) !== null;
  const { decidingRule } = context;
  const byBytes = pipeline.admit(context);
  const { shapedCall: call, isShortOfPrompt } = context;
  if (byBytes === CONTINUE || byBytes.kind === 'wait-for-grant' || countedTokens === null) return byBytes;
  if (call?.prompt !== 'countable' || !isShortOfPrompt) return byBytes;
  context.shapedCall = MODELS.counted(call, countedTokens);
  Object.assign(context, { decidingRule, alsoDenied: null });
  return pipeline.admit(context);
}

function targetsOf(pipeline: RoutePipeline, context: RequestContext) {
  const { alsoDenied } = context;
  const barred = pipeline.barredPools(context);
  const targetless = barred === null ? null : pipeline.refuseTargets(context, barred, [...barred.pools], 403);
  context.alsoDenied = alsoDenied;
  return { barred: [...(barred?.pools ?? [])].sort(), targetless };
}

function shapedBody({ requestTransform }: RoutePipeline, context: RequestContext, body: unknown): unknown {
  const changes = requestTransform === null ? null : requestTransform(context);
  if (changes === null) return body;
  const changed = changes.push(new TextEncoder().encode(JSON.stringify(body)), true);
  assert(changed instanceof Uint8Array, 'changes of a body that was read have no faults');
  return JSON.parse(new TextDecoder().decode(changed));
}

function outputCapOf({ outputCap }: RoutePipeline, context: RequestContext): number | null {
  if (outputCap === null || context.call === null) return context.call?.facts.outputCap ?? null;
  const most = outputCap(context);
  return Number.isFinite(most) ? most : null;
}

const NO_HEADERS = { set: [], removed: [], added: [] };

function reservationsOf(context: RequestContext): Reservation[] {
  return [
    ...(context.reservation === null ? [] : [context.reservation]),
    ...(context.observedReservations ?? []),
  ];
}

function resultOf(context: RequestContext, outcome: Outcome) {
  return {
    decision: DECISIONS[outcome.kind],
    refusal: 'refusal' in outcome ? outcome.refusal : null,
    wait: outcome.kind === 'wait' ? waitOf(outcome) : null,
    decidingRule: context.decidingRule,
    alsoDenied: context.alsoDenied ?? [],
    warnings: context.warnings ?? [],
    shadowDenied: context.shadowDenied ?? [],
    rateLimit: context.rateLimit,
    rateLimitPolicy: context.rateLimitPolicy,
    reservations: reservationsOf(context).length,
  };
}

function waitOf({ atMonotonicMs, untilMonotonicMs, room }: Wait) {
  return { atMonotonicMs, untilMonotonicMs, room };
}

const DECISIONS = {
  continue: 'permitted',
  respond: 'refused',
  wait: 'waiting',
  'wait-for-grant': 'waiting',
  'next-variant': 'refused',
  fail: 'refused',
} as const;

function masksIn(masks: RoutePipeline['requestMasks'], context: RequestContext): readonly string[] {
  return once((masks?.(context)?.masks ?? []).map((mask) => JSON.stringify(mask)));
}

function shaped(shape: RoutePipeline['shapeRequest'], context: RequestContext) {
  const edits = new HeaderEdits();
  shape(context, edits);
  return { set: lines(edits.set), removed: once(edits.removed), added: lines(edits.added) };
}

function lines(list: readonly string[]): string[] {
  return once(list.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${list[at + 1]}`] : [])));
}

function once(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** Plays the steps to a judge. */
export function play({ policies, steps }: Pick<Case, 'policies' | 'steps'>, judge: Judge): Observation[] {
  const replaced = identitiesOf(policies.replaced ?? []);
  const limits = [...identitiesOf(policies.policies), ...replaced].sort();
  return steps.map((step) => {
    if (step.releasesEarlier) judge.release();
    const meant = step.trouble?.kind === 'end' ? replaced : limits;
    const troubled =
      step.trouble === null ? undefined : meant[step.trouble.counter % Math.max(1, meant.length)];
    const { counters } = judge;
    if (troubled === undefined || !(counters instanceof ReferenceCounters))
      return judge.judge(step.route, step.request);
    if (step.trouble?.kind === 'end') {
      counters.endReplaced(troubled);
      return judge.judge(step.route, step.request);
    }
    if (step.trouble?.kind === 'fault') counters.fail(troubled, 'table-full');
    else counters.revokeLease(troubled);
    const observation = judge.judge(step.route, step.request);
    counters.fail(troubled, 'none');
    counters.grant(troubled);
    return observation;
  });
}

function identitiesOf(policies: readonly CheckedPolicy[]): string[] {
  return policies
    .flatMap((policy) => policy.rules)
    .flatMap((rule) => ('counterIdentity' in rule ? [rule.counterIdentity] : []))
    .sort();
}
