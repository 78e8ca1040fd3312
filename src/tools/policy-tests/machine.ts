import { assert } from '../../base/assert.ts';
import { compileRules } from '../../compiler/compile.ts';
import { instantiateRoute } from '../../compiler/instantiate.ts';
import type { PlainRequest } from '../../compiler/interpret/facts.ts';
import { type PlacedRule, placedRules } from '../../compiler/interpret/placed-rules.ts';
import type { EndedRequest } from '../../compiler/interpret.ts';
import { NOT_PERMITTED } from '../../compiler/runtime/denials.ts';
import { compileRequestSchema } from '../../config/request-schema.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { CheckedPolicies, TypedExpression } from '../../language/typed.ts';
import type { CheckedTest } from '../../language/typed-tests.ts';
import type { CallActuals } from '../../model/model-call.ts';
import { callOperationOf } from '../../model/route-calls.ts';
import type { EnforcementMode, World } from '../../model/world.ts';
import { KNOWN, type Known, NOTHING_KNOWN_USED } from '../../pipeline/alerts.ts';
import { HeaderEdits, RequestContext } from '../../pipeline/context.ts';
import { type CounterSpec, NOBODY_WAITS } from '../../pipeline/counters.ts';
import type { Identity, KeyHash } from '../../pipeline/identity.ts';
import { CONTINUE, type Outcome, type Refusal } from '../../pipeline/outcome.ts';
import type { BoundRuntime, RoutePipeline, RuleBundle } from '../../pipeline/program.ts';
import { Variants } from '../../pipeline/variants.ts';
import { AlertedRules } from './alerted-rules.ts';
import { TEST_KEYS } from './identities.ts';
import type { FoundRoute, FrontProblem, RouteFinder, SentRequest, TestCalls, TestPorts } from './ports.ts';
import { type ShapedReply, shapedReply } from './replies.ts';
import {
  countedCall,
  NO_RULE,
  poolOf,
  refusalBy,
  shapeCall,
  targetless,
  unreachable,
  withStandIn,
} from './sent-calls.ts';
import { actualsOf, toldUsage, usedBy } from './used.ts';
import { type CounterSight, WatchedCounters } from './watched-counters.ts';

/** The rules of a project as one set of enforcement modes compiles them: the very code that the gateway runs. */
export interface Machine {
  readonly world: World;
  readonly bundle: RuleBundle;
  readonly rules: readonly PlacedRule[];
  readonly finder: RouteFinder;
  readonly calls: ReturnType<TestPorts['calls']>;
  readonly diagnostics: readonly Diagnostic[];
  readonly ports: TestPorts;
  /** That of the request which is sent. */
  readonly clock: RequestClock;
}

/** Stands at the time of one request until the next is sent. */
class RequestClock {
  #wallMs = 0;

  wallMs(): number {
    return this.#wallMs;
  }

  moveTo(wallMs: number): void {
    this.#wallMs = wallMs;
  }
}

/** What a test says of the deployment that it is about. */
export interface MachineSettings extends Pick<CheckedTest, 'shares'> {
  readonly modes: ReadonlyMap<string, EnforcementMode>;
}

export function buildMachine(
  checked: CheckedPolicies,
  world: World,
  { modes, shares }: MachineSettings,
  ports: TestPorts,
): Machine {
  const policies = withShares(checked, shares);
  const enforcement = new Map([...modes].map(([name, mode]) => [name, { mode, place: 'test' }]));
  const tested = { ...world, enforcement };
  const { bundle, diagnostics } = compileRules(policies, tested);
  const rules = placedRules(policies, tested);
  const finder = ports.finder(world);
  const clock = new RequestClock();
  const calls = ports.calls(world, clock);
  return { world: tested, bundle, rules, finder, calls, diagnostics, ports, clock };
}

/** Policies of which some rules hold for another share. */
function withShares({ policies }: CheckedPolicies, shares: CheckedTest['shares']): CheckedPolicies {
  const changed = policies.map((policy) => {
    const rules = policy.rules.map((rule) => {
      const share = shares.findLast((each) => each.policy === policy.name && each.rule === rule.name);
      return share === undefined || rule.when === null
        ? rule
        : { ...rule, when: withShare(rule.when, share.percent) };
    });
    return { ...policy, rules };
  });
  return shares.length === 0 ? { policies } : { policies: changed };
}

function withShare(when: TypedExpression, percent: number): TypedExpression {
  if (when.kind === 'share') return { ...when, percent };
  return when.kind === 'and'
    ? { ...when, operands: when.operands.map((operand) => withShare(operand, percent)) }
    : when;
}

export interface MachineRequest extends SentRequest {
  /** See `CheckedStep`. */
  readonly model: string | null;
  /** What the answer says that it cost, in nano-units; null: nothing. */
  readonly cost: number | null;
  /** What the service answers. */
  readonly status: number;
  readonly ip: string;
  readonly identity: Identity | null;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** All that one request showed. */
export interface Observation {
  /** Null: refused before any route was found. */
  readonly route: string | null;
  readonly request: PlainRequest | null;
  readonly decision: 'permitted' | 'refused';
  readonly refusal: Pick<Refusal, 'status' | 'code' | 'detail' | 'ruleIndex' | 'retryAfterS'> | null;
  readonly decidingRule: number;
  /** The file of the schema that the body did not fit; null: it fitted, or was not looked at. */
  readonly unfitFor: string | null;
  readonly warned: readonly number[];
  readonly shadowed: readonly number[];
  /** Rules by which somebody is told of the request, or of those before it with it. */
  readonly alerted: readonly number[];
  /** How it ended; null where no route was found. */
  readonly answer: EndedRequest | null;
  /** That the call went to; null: it is none, or was refused. */
  readonly pool: string | null;
  /** What a model has answered, as the caller gets it; null: nothing in words. */
  readonly reply: ShapedReply | null;
  readonly headers: { readonly request: Edits; readonly response: Edits };
  readonly timeoutMs: number;
  /** As the service gets it; null where none is sent. */
  readonly body: unknown;
  /** Its text; null where no rule changed it. */
  readonly changedText: string | null;
  readonly counters: readonly CounterSight[];
}
export interface Edits {
  readonly set: ReadonlyMap<string, string>;
  readonly removed: ReadonlySet<string>;
  /** Name, value: beside what the other side sends. */
  readonly added: readonly (readonly [string, string])[];
}

/** What holds before a test sends anything. */
export interface GivenBefore extends Pick<CheckedTest, 'replies' | 'down'> {
  /** By counter of the bundle. */
  readonly used: ReadonlyMap<number, number>;
}

/** Sends requests one after another to one machine, over counters of its own. */
export class MachineRun {
  readonly #machine: Machine;
  readonly #counters: WatchedCounters;
  readonly #runtime: BoundRuntime;
  readonly #alerts: AlertedRules;
  readonly #given: GivenBefore;
  readonly #pipelines = new Map<string, RoutePipeline>();
  #open: { readonly context: RequestContext; readonly actuals: CallActuals }[] = [];
  #sent = 0;
  /** When the request before had its turn. */
  #latestMs = 0;

  constructor(machine: Machine, given: GivenBefore) {
    this.#machine = machine;
    this.#given = given;
    const inner = machine.ports.counters(machine.bundle.counters.map(withFewKeys));
    this.#counters = new WatchedCounters(inner, given.used);
    const bodies = { compileSchema: compileRequestSchema, limits: machine.world.limits };
    this.#alerts = new AlertedRules(machine);
    this.#runtime = {
      counters: this.#counters,
      turns: NOBODY_WAITS,
      ...TEST_KEYS,
      bodies,
      alerts: this.#alerts,
    };
  }

  send(sent: MachineRequest): Observation {
    this.#machine.clock.moveTo(sent.wallMs);
    const found = this.#machine.finder.find(sent);
    if (found.kind === 'problem') return refusedAtFront(found);
    const { route } = found;
    const calls = this.#callsOf(route);
    return this.#sendTo(
      { ...found, calls },
      calls === null ? sent : withStandIn(sent, calls.models, this.#given.replies),
    );
  }

  #sendTo({ route, path, parameters, calls }: FoundCall, sent: MachineRequest): Observation {
    const { nowMs, wallMs, body: _text, model: _model, cost: told, status: _status, ...facts } = sent;
    const moment = { arrivedMonotonicMs: nowMs, arrivedWallMs: wallMs };
    // Services and providers of a test answer each request anew.
    const unread = { ...facts, id: requestId(++this.#sent), path, parameters, isKept: false, ...moment };
    const context = contextOf(unread);
    const pipeline = this.#pipeline(route);
    const decided = this.#decide(pipeline, context, { route, calls }, sent);
    const { outcome } = decided;
    const body = bodyOf(sent.body, pipeline);
    const request: PlainRequest = { ...unread, body, call: context.call, countedTokens: null };
    const permitted = outcome === CONTINUE;
    const { cost } = this.#machine.world.routes.get(route)!;
    const pool = permitted && calls !== null ? poolOf(context, pipeline, calls, this.#given.down) : null;
    const said = pool === null ? undefined : this.#given.replies.get(context.call!.model.name);
    const usage = said?.usage == null ? null : toldUsage(said.usage);
    const toldNano =
      told ?? cost?.atMost ?? (usage === null ? null : calls!.costNano(context.shapedCall!, pool!, usage));
    this.#open.push({ context, actuals: actualsOf(context, toldNano, usage) });
    const answer = {
      ...answerOf(decided, sent.status),
      ...usedBy(context, outcome, toldNano, usage),
    };
    const leaving = !permitted
      ? null
      : pool === null
        ? changedBody(pipeline, context, sent.body)
        : new TextDecoder().decode(calls!.outgoing(context.shapedCall!, pool));
    const changedText = leaving === sent.body ? null : leaving;
    const operation = callOperationOf(this.#machine.world.routes.get(route)!);
    return {
      route,
      request,
      decision: permitted ? 'permitted' : 'refused',
      refusal: 'refusal' in outcome ? outcome.refusal : null,
      decidingRule: 'refusal' in outcome ? outcome.refusal.ruleIndex : context.decidingRule,
      unfitFor: this.#unfitFor(outcome, route),
      ...this.#watchers(context),
      alerted: this.#alerts.asked(pipeline, context, answer, nowMs),
      answer,
      pool,
      reply: said === undefined ? null : shapedReply(said, operation!, context, pipeline),
      headers: {
        request: permitted ? editsOf(pipeline.shapeRequest, context) : NO_EDITS,
        response: permitted ? editsOf(pipeline.shapeResponse, context) : NO_EDITS,
      },
      timeoutMs: permitted ? pipeline.totalTimeoutMs(context) : Number.POSITIVE_INFINITY,
      body: permitted && sent.body !== '' ? JSON.parse(changedText ?? sent.body) : null,
      changedText,
      counters: this.#counters.sights(),
    };
  }

  /** Ends every request that was sent: each cost what its route says. */
  endAll(): void {
    for (const { context, actuals } of this.#open) {
      for (const held of [context.reservation, ...(context.observedReservations ?? [])]) {
        if (held === null) continue;
        this.#counters.settleEstimates(held, actuals);
        this.#counters.release(held);
      }
    }
    this.#open = [];
  }

  /** A call that nobody can serve leaves every counter as it was. */
  #giveBack(context: RequestContext): void {
    if (context.reservation !== null) this.#counters.cancel(context.reservation);
    context.reservation = null;
  }

  #decide(
    pipeline: RoutePipeline,
    context: RequestContext,
    { route, calls }: Pick<FoundCall, 'route' | 'calls'>,
    { identity, body }: MachineRequest,
  ): Decided {
    const { auth } = this.#machine.world.routes.get(route)!;
    const early = pipeline.match(context);
    if (early !== CONTINUE) return { outcome: early, known: KNOWN.request };
    context.identity = auth === 'none' ? null : identity;
    if (auth === 'required' && context.identity === null)
      return { outcome: UNAUTHENTICATED, known: KNOWN.request };
    const judged = pipeline.authorise(context);
    if (judged !== CONTINUE) return { outcome: judged, known: KNOWN.caller };
    const noCall = this.#readCall(context, calls, body);
    if (noCall !== null) return { outcome: noCall, known: KNOWN.caller };
    const fault = pipeline.readBody?.(context, ENCODER.encode(body)) ?? null;
    if (fault !== null)
      return { outcome: { kind: 'respond', refusal: { ...NO_RULE, ...fault } }, known: KNOWN.caller };
    const asked = this.#judgeRead(pipeline, context, calls);
    const unreached =
      asked !== CONTINUE || calls === null ? null : unreachable(context, pipeline, calls, this.#given.down);
    if (unreached !== null) this.#giveBack(context);
    return { outcome: unreached ?? asked, known: KNOWN.body };
  }

  /** As it is asked for, and with the models that limits without room name instead. */
  #judgeRead(pipeline: RoutePipeline, context: RequestContext, calls: TestCalls | null): Outcome {
    const variants = context.call === null ? null : new Variants(context);
    const asked = this.#judgeOnce(pipeline, context, calls);
    if (asked.kind !== 'next-variant') return this.#afterWaiting(asked, pipeline, context, calls);
    variants!.offer(asked, context);
    while (variants!.next(context, calls!))
      if (this.#judgeOnce(pipeline, context, calls) === CONTINUE) return CONTINUE;
    return this.#afterWaiting(variants!.giveUp(context), pipeline, context, calls);
  }

  #judgeOnce(pipeline: RoutePipeline, context: RequestContext, calls: TestCalls | null): Outcome {
    const read = pipeline.judgeBody(context);
    if (read !== CONTINUE) return read;
    const unshaped =
      calls === null ? null : (shapeCall(context, pipeline, calls) ?? targetless(context, pipeline));
    if (unshaped !== null) return unshaped;
    moveOn(context, this.#latestMs);
    const { decidingRule } = context;
    const byBytes = pipeline.admit(context);
    const counted = calls === null ? null : countedCall(byBytes, context, calls);
    if (counted === null) return byBytes;
    Object.assign(context, { shapedCall: counted, decidingRule, alsoDenied: null });
    return pipeline.admit(context);
  }

  /** As the gateway reads it. Null: it is a call, or the route sends none. */
  #readCall(context: RequestContext, calls: TestCalls | null, body: string): Outcome | null {
    if (calls === null) return null;
    const call = calls.read(ENCODER.encode(body));
    if ('code' in call) return { kind: 'respond', refusal: refusalBy(call.code, call.sentence) };
    context.call = call;
    return null;
  }

  #callsOf(route: string): TestCalls | null {
    const operation = callOperationOf(this.#machine.world.routes.get(route)!);
    return operation === null ? null : this.#machine.calls(operation);
  }

  /**
   * Requests come one after another: one that waits for a clock has its turn before the next, which then is no sooner. None ends
   * before the test does, so no slot is ever given back.
   */
  #afterWaiting(
    outcome: Outcome,
    pipeline: RoutePipeline,
    context: RequestContext,
    calls: TestCalls | null,
  ): Outcome {
    this.#latestMs = Math.max(this.#latestMs, context.nowMonotonicMs);
    if (outcome.kind !== 'wait') return outcome;
    const { room, refusal, atMonotonicMs } = outcome;
    if (room === 'slot') return { kind: 'respond', refusal };
    moveOn(context, atMonotonicMs);
    return this.#judgeRead(pipeline, context, calls);
  }

  /** A refusal by the schema names no rule. */
  #unfitFor(outcome: Outcome, route: string): string | null {
    const { requestBody } = this.#machine.world.routes.get(route)!;
    const isUnfit =
      'refusal' in outcome && outcome.refusal.ruleIndex === -1 && outcome.refusal.code === UNFIT_BODY;
    return isUnfit ? (requestBody?.file ?? null) : null;
  }

  /** What a shadowed policy would warn of is not told to the caller either. */
  #watchers({ warnings, shadowDenied }: RequestContext): Pick<Observation, 'warned' | 'shadowed'> {
    const warning = (warnings ?? []).map(({ rule }) => rule);
    const isShadowed = (rule: number): boolean => this.#machine.rules[rule]!.mode === 'shadow';
    return {
      warned: warning.filter((rule) => !isShadowed(rule)),
      shadowed: [...(shadowDenied ?? []), ...warning.filter(isShadowed)],
    };
  }

  #pipeline(route: string): RoutePipeline {
    const known = this.#pipelines.get(route);
    if (known !== undefined) return known;
    const { bundle } = this.#machine;
    const program = bundle.routes.find((program) => program.route.name === route);
    assert(program !== undefined, `route ${route} is in the rule set`);
    const pipeline = instantiateRoute(bundle.functions, program, this.#runtime);
    this.#pipelines.set(route, pipeline);
    return pipeline;
  }
}

function moveOn(context: RequestContext, toMs: number): void {
  const waitedMs = Math.max(0, toMs - context.nowMonotonicMs);
  context.nowMonotonicMs += waitedMs;
  context.nowWallMs += waitedMs;
}

/** `calls`: null where the route sends none. */
interface FoundCall extends Pick<FoundRoute, 'route' | 'path' | 'parameters'> {
  readonly calls: TestCalls | null;
}

interface Decided {
  readonly outcome: Outcome;
  readonly known: Known;
}

/** The service takes no time: no clock moves in between. */
function answerOf({ outcome, known }: Decided, status: number): EndedRequest {
  const refusal = 'refusal' in outcome ? outcome.refusal : null;
  return {
    known,
    ...NOTHING_KNOWN_USED,
    durationMs: 0,
    status: refusal?.status ?? status,
    code: refusal?.code,
  };
}

/** A test meets few keys; memory for a hundred thousand of each limit would cost more than the test. */
const KEYS_MAX = 256;

function withFewKeys(spec: CounterSpec): CounterSpec {
  return { ...spec, maxKeys: Math.min(spec.maxKeys, KEYS_MAX) };
}

const ENCODER = new TextEncoder();
const NO_EDITS: Edits = { set: new Map(), removed: new Set(), added: [] };
/** See `compiler/runtime/body-reader`. */
const UNFIT_BODY = 'invalid_body';
const UNAUTHENTICATED: Outcome = {
  kind: 'respond',
  refusal: { status: 401, ...NOT_PERMITTED[401], ...NO_RULE },
};

/** The same in every run, and as even as those of the gateway. */
function requestId(number: number): KeyHash {
  const id = { high: 0, low: 0 };
  TEST_KEYS.hashKey('request', String(number), id);
  return id;
}

/** See `PlainRequest.body`. Also where a rule had refused before it was read. */
function bodyOf(text: string, { readBody }: RoutePipeline): unknown {
  if (readBody === null) return null;
  const fault = readBody(new RequestContext(), ENCODER.encode(text));
  return fault === null ? JSON.parse(text) : undefined;
}

function contextOf({
  id,
  identity: _identity,
  isKept: cached,
  headers,
  ...facts
}: Omit<PlainRequest, 'body' | 'call' | 'countedTokens'>): RequestContext {
  const { arrivedMonotonicMs: nowMonotonicMs, arrivedWallMs: nowWallMs } = facts;
  return Object.assign(new RequestContext(), facts, {
    headers: [...headers],
    cached,
    idHigh: id.high,
    idLow: id.low,
    nowMonotonicMs,
    nowWallMs,
  });
}

function editsOf(shape: RoutePipeline['shapeRequest'], context: RequestContext): Edits {
  const edits = new HeaderEdits();
  shape(context, edits);
  return { set: new Map(pairs(edits.set)), removed: new Set(edits.removed), added: pairs(edits.added) };
}

function pairs(flat: readonly string[]): (readonly [string, string])[] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]!] as const] : []));
}

function refusedAtFront({ status, code, detail }: FrontProblem): Observation {
  return {
    route: null,
    request: null,
    decision: 'refused',
    refusal: { status, code, detail, ruleIndex: -1, retryAfterS: -1 },
    decidingRule: -1,
    unfitFor: null,
    warned: [],
    shadowed: [],
    alerted: [],
    answer: null,
    pool: null,
    reply: null,
    headers: { request: NO_EDITS, response: NO_EDITS },
    timeoutMs: Number.POSITIVE_INFINITY,
    body: null,
    changedText: null,
    counters: [],
  };
}

/** What leaves for the service, where the gateway would change it. */
function changedBody(
  { maskRequest, requestTransform }: RoutePipeline,
  context: RequestContext,
  body: string,
): string | null {
  if (body === '') return null;
  const text = ENCODER.encode(body);
  const masked = maskRequest === null ? text : maskRequest(context, text);
  if (!(masked instanceof Uint8Array)) return null;
  const changes = requestTransform === null ? null : requestTransform(context);
  const changed = changes === null ? masked : changes.push(masked, true);
  return changed instanceof Uint8Array && changed !== text ? new TextDecoder().decode(changed) : null;
}
