import { assert } from '../base/assert.ts';
import type {
  AlertRule,
  CheckedPolicies,
  FilterRule,
  ForbidRule,
  MaskSide,
  RequireRule,
  WarnRule,
} from '../language/typed.ts';
import type { TextMask } from '../model/masks/json.ts';
import { Masker } from '../model/masks/masker.ts';
import type { World } from '../model/world.ts';
import { alertIdentity, KNOWN, type Known } from '../pipeline/alerts.ts';
import type { Warning } from '../pipeline/context.ts';
import type { Counters, Reservation } from '../pipeline/counters.ts';
import type { ModelRequest, ModelService } from '../pipeline/model-request.ts';
import type { Refusal } from '../pipeline/outcome.ts';
import { holds, possibly } from './interpret/expressions.ts';
import {
  factValue,
  type HashKeys,
  type PlainAnswer,
  type PlainRequest,
  type Situation,
  type ToldSituation,
} from './interpret/facts.ts';
import { type FallenSituation, LimitTaker, type PlainCallLimits, type Taken } from './interpret/limits.ts';
import { phaseOf } from './interpret/phases.ts';
import { type PlacedRule, placedRules } from './interpret/placed-rules.ts';
import {
  filled,
  masksOf,
  momentIn,
  outputCapOf,
  type ShapedHeaders,
  shapedBody,
  shapedHeaders,
  valuesOf,
} from './interpret/shape.ts';
import { filterReply, ruleReply } from './replies.ts';
import { NOT_PERMITTED } from './runtime/denials.ts';
import { maskedText, renderText } from './runtime/text.ts';
import { statusRank } from './status-rank.ts';

/** All that can be observed of one request. */
export interface Verdict {
  readonly decision: 'permitted' | 'refused' | 'waiting';
  /** How far it got. */
  readonly known: Known;
  /** Null unless refused, or waiting for room: what ends that. */
  readonly refusal: Refusal | null;
  readonly wait: Taken['wait'];
  /** Indexes of rules: policies by name, rules by key. -1 for none. */
  readonly decidingRule: number;
  readonly alsoDenied: readonly number[];
  readonly warnings: readonly Warning[];
  readonly shadowDenied: readonly number[];
  readonly rateLimit: string;
  readonly rateLimitPolicy: string;
  readonly reservations: readonly Reservation[];
  readonly headers: { readonly request: ShapedHeaders; readonly response: ShapedHeaders };
  readonly totalTimeoutMs: number;
  /** How long the answer may be kept; null: not at all. */
  readonly cacheForMs: number | null;
  /** That rules leave a call to a model, in order; null: all of the model, or not permitted. */
  readonly pools: readonly string[] | null;
  /** Pools that rules leave out, and what is answered where no other is left and the first rule says no status. */
  readonly barred: readonly string[];
  readonly targetless: Refusal | null;
  /** What is removed of bodies: each mask as JSON, in no order. */
  readonly masks: Readonly<Record<MaskSide, readonly string[]>>;
  /** As the service gets it; null unless permitted. */
  readonly body: unknown;
  /** What is sent, or would have been; null where it is no call to a model, or nobody got to ask. */
  readonly call: ModelRequest | null;
  /** Its prompt was counted before this was said: limits had no room for its bytes. */
  readonly counted: boolean;
  /** The most tokens of the answer to a call; null where neither the caller nor a rule says. */
  readonly outputCap: number | null;
  /** Limits that are counted by what the call is sent to; null: none applies, or it is not permitted. */
  readonly callLimits: PlainCallLimits | null;
}

/**
 * The meaning of policies (language.md, section 2), evaluated the long way: no rule is left out, nothing is computed
 * ahead, nothing is shared. Compiled code is right when it cannot be told from this.
 */
export class Interpreter {
  readonly #world: World;
  /** Those that are asked before a request ends. */
  readonly #rules: readonly PlacedRule[];
  readonly #alertRules: readonly PlacedRule<AlertRule>[];
  /** Of each rule the phase that asks it. It follows from the text alone. */
  readonly #phases: ReadonlyMap<PlacedRule, DecisionPhase>;
  readonly #limits: LimitTaker;
  readonly #keys: HashKeys;
  readonly #models: Pick<ModelService, 'as' | 'counted'>;

  constructor(
    checked: CheckedPolicies,
    world: World,
    counters: Counters,
    keys: HashKeys,
    models: Pick<ModelService, 'as' | 'counted'>,
  ) {
    this.#world = world;
    this.#keys = keys;
    this.#models = models;
    const placed = placedRules(checked, world);
    this.#alertRules = placed.filter(isAlertRule);
    this.#rules = placed.filter((each) => !isAlertRule(each));
    this.#phases = new Map(this.#rules.map((placed) => [placed, phaseOfRule(placed)]));
    this.#limits = new LimitTaker(this.#rules, world, counters, keys);
  }

  /** Judges one request to a route, and takes from the counters when it is permitted. */
  judge(routeName: string, request: PlainRequest): Verdict {
    const route = this.#world.routes.get(routeName);
    assert(route !== undefined, `no route ${routeName}`);
    const notes: Notes = { warnings: [], shadow: new Set<number>() };

    const unidentified = {
      route,
      request,
      identity: null,
      body: null,
      call: null,
      keys: this.#keys,
      mask: null,
    };
    const early = this.#denials('match', unidentified, notes);
    if (early.length > 0) return { ...refused(early, 403, unidentified, notes), known: KNOWN.request };

    const identity = route.auth === 'none' ? null : request.identity;
    const unread = { ...unidentified, identity };
    if (route.auth === 'required' && identity === null) return unauthenticated(notes);

    const missingStatus = identity === null ? 401 : 403;
    const inAuthorise = this.#askPhase('authorise', unread, notes);
    const missing = inAuthorise.permit === undefined && !this.#mayBePermitted(unread) ? [null] : [];
    if (inAuthorise.denials.length + missing.length > 0)
      return {
        ...refused([...inAuthorise.denials, ...missing], missingStatus, unread, notes),
        known: KNOWN.caller,
      };

    const judged = (call: ModelRequest | null, fallen: ReadonlySet<string>): Judged => {
      const read = { ...unread, body: request.body, call };
      const situation = { ...read, fallen, counted: null, mask: this.#bodyMask(read) };
      const byBytes = this.#judgeRead(inAuthorise.permit, situation, copied(notes));
      if (!byBytes.isShortOfPrompt || call?.prompt !== 'countable' || request.countedTokens === null)
        return byBytes;
      const counted = this.#models.counted(call, request.countedTokens).bounds;
      const anew = this.#judgeRead(inAuthorise.permit, { ...situation, counted }, copied(notes));
      return { ...anew, verdict: { ...anew.verdict, counted: true } };
    };
    const asked = judged(request.call, NOWHERE);
    if (asked.offer === null) return asked.verdict;
    for (const model of asked.offer.models) {
      const call = this.#models.as(request.call!, model);
      const { verdict } = call === null ? asked : judged(call, asked.offer.fallen);
      const isForGrant = verdict.decision === 'waiting' && verdict.wait === null;
      if (verdict.decision === 'permitted' || isForGrant) return verdict;
    }
    return asked.verdict;
  }

  /** Judges a request whose body has been read, as a call to one model where it is one. */
  #judgeRead(early: PlacedRule | undefined, situation: FallenSituation, notes: Notes): Judged {
    const inBody = this.#askPhase('body', situation, notes);
    const permit = early ?? inBody.permit;
    if (inBody.denials.length > 0 || permit === undefined) {
      const denials = [...inBody.denials, ...(permit === undefined ? [null] : [])];
      const status = situation.identity === null ? 401 : 403;
      return {
        verdict: { ...refused(denials, status, situation, notes), call: situation.call },
        offer: null,
        isShortOfPrompt: false,
      };
    }
    return this.#admitted(permit, situation, notes);
  }

  /** What alert rules tell of a request that has ended; they change nothing of it. */
  alerts(routeName: string, request: PlainRequest, end: EndedRequest): ToldAlert[] {
    const route = this.#world.routes.get(routeName);
    assert(route !== undefined, `no route ${routeName}`);
    const { known, ...answer } = end;
    const ended = {
      route,
      request,
      identity: known >= KNOWN.caller && route.auth !== 'none' ? request.identity : null,
      body: known >= KNOWN.body ? request.body : null,
      call: known >= KNOWN.body ? request.call : null,
      keys: this.#keys,
      answer,
    };
    const situation = { ...ended, mask: known >= KNOWN.body ? this.#bodyMask(ended) : null };
    return this.#alertRules
      .filter((placed) => known >= neededBy(placed) && applies(placed, situation))
      .map((placed) => toldAlert(placed, situation));
  }

  /** What removes from the body what enforced rules mask in it. */
  #bodyMask(situation: Situation): TextMask | null {
    const masks = this.#rules.flatMap((placed) => {
      const { mode, rule } = placed;
      const isMask = mode === 'enforce' && rule.kind === 'mask' && rule.sides.includes('request');
      return isMask && applies(placed, situation) ? [rule] : [];
    });
    return masks.length === 0 ? null : new Masker(masks);
  }

  /** What the rules of one phase say: those that deny, and the first permit that holds. */
  #askPhase(phase: 'authorise' | 'body', situation: ToldSituation, notes: Notes) {
    const inPhase = this.#rules.filter(
      (placed) => (this.#phases.get(placed) === 'body') === (phase === 'body'),
    );
    const here = inPhase.filter((placed) => applies(placed, situation));
    for (const placed of here.filter(isWarnRule)) notes.warnings.push(warningOf(placed, situation));
    const denials = this.#denials(phase, situation, notes);
    return { denials, permit: here.find(isPermit) };
  }

  /** Whether a permit that asks about the body could hold for some body. */
  #mayBePermitted(situation: Situation): boolean {
    const permits = this.#rules.filter((placed) => isPermit(placed) && this.#phases.get(placed) === 'body');
    return permits.some(({ scope, rule }) => possibly([scope, rule.when], situation));
  }

  /** Rules whose scope and `when` hold. */
  #applying(situation: Situation): PlacedRule[] {
    return this.#rules.filter((placed) => applies(placed, situation));
  }

  /** Enforced rules of a phase that deny; those that only watch are noted. */
  #denials(phase: DecisionPhase, situation: ToldSituation, notes: Notes): PlacedRule<DenyRule>[] {
    const here = this.#rules.filter(isDenyRule).filter((placed) => this.#phases.get(placed) === phase);
    const denying = here.filter((placed) => denies(placed, situation));
    for (const placed of denying) {
      if (placed.mode === 'warn') notes.warnings.push(warningOf(placed, situation));
      if (placed.mode === 'shadow') notes.shadow.add(placed.index);
    }
    return denying.filter(({ mode }) => mode === 'enforce');
  }

  #admitted(permit: PlacedRule, situation: FallenSituation, notes: Notes): Judged {
    const applying = this.#applying(situation);
    const taken = this.#limits.take(applying, situation);
    notes.warnings.push(...taken.warnings);
    for (const index of taken.shadowDenied) notes.shadow.add(index);
    const enforced = applying.filter(({ mode }) => mode === 'enforce').map(({ rule }) => rule);
    const routing = enforced.find((rule) => rule.kind === 'route-to');
    const targets = applying.filter(isFilterRule).filter(({ mode }) => mode === 'enforce');
    const barring = targets.flatMap((placed) => {
      const pools = placed.rule.barred
        .filter(({ when }) => holds(when, situation))
        .flatMap(({ pools }) => pools);
      return pools.length === 0 ? [] : [{ placed, pools }];
    });
    const totals = enforced.flatMap((rule) => (rule.kind === 'timeout' ? [rule.totalMs] : []));
    const kept = enforced.find((rule) => rule.kind === 'cache');
    const permitted = taken.decision === 'permitted';
    const verdict: Verdict = {
      ...NOTHING,
      ...noted(notes),
      call: situation.call,
      decision: taken.decision,
      refusal: taken.refusal,
      wait: taken.wait,
      decidingRule: taken.refusal?.ruleIndex ?? permit.index,
      alsoDenied: taken.alsoDenied,
      rateLimit: taken.rateLimit,
      rateLimitPolicy: taken.rateLimitPolicy,
      reservations: taken.reservations,
      headers: permitted
        ? {
            request: shapedHeaders(enforced, 'request', situation),
            response: shapedHeaders(enforced, 'response', situation),
          }
        : NOTHING.headers,
      body: permitted ? shapedBody(enforced, situation) : null,
      barred: permitted ? [...new Set(barring.flatMap(({ pools }) => pools))].sort() : [],
      targetless: permitted && barring.length > 0 ? answerOfFilter(barring[0]!.placed, situation) : null,
      pools: permitted && routing !== undefined ? routing.pools : null,
      outputCap: permitted ? outputCapOf(enforced, situation) : null,
      callLimits: permitted && situation.call !== null ? this.#limits.callLimits(applying, situation) : null,
      masks: permitted
        ? { request: masksOf(enforced, 'request'), response: masksOf(enforced, 'response') }
        : NOTHING.masks,
      cacheForMs: permitted ? (kept?.forMs ?? null) : null,
      totalTimeoutMs: permitted ? Math.min(Number.POSITIVE_INFINITY, ...totals) : Number.POSITIVE_INFINITY,
    };
    return { verdict, offer: taken.offer, isShortOfPrompt: taken.isShortOfPrompt };
  }
}

interface Judged {
  readonly verdict: Verdict;
  readonly offer: Taken['offer'];
  readonly isShortOfPrompt: boolean;
}
const NOWHERE: ReadonlySet<string> = new Set();

/** A request that got so far, and its answer. */
export type EndedRequest = PlainAnswer & { readonly known: Known };
/** `text`: what `because` says of the request; null where there is none. */
export interface ToldAlert {
  readonly identity: string;
  readonly key: readonly unknown[];
  /** As people may see it; null: as it is. */
  readonly shownKey: readonly unknown[] | null;
  readonly text: string | null;
}

type DenyRule = ForbidRule | RequireRule;
type DecisionPhase = ReturnType<typeof phaseOf>;
interface Notes {
  readonly warnings: Warning[];
  readonly shadow: Set<number>;
}

/** What is said of a call that is refused is not said of the one that is made instead. */
function copied({ warnings, shadow }: Notes): Notes {
  return { warnings: [...warnings], shadow: new Set(shadow) };
}

const NO_HEADERS: ShapedHeaders = { set: [], removed: [], added: [] };
const NOTHING: Verdict = {
  decision: 'refused',
  known: KNOWN.body,
  refusal: null,
  wait: null,
  decidingRule: -1,
  alsoDenied: [],
  warnings: [],
  shadowDenied: [],
  rateLimit: '',
  rateLimitPolicy: '',
  reservations: [],
  headers: { request: NO_HEADERS, response: NO_HEADERS },
  totalTimeoutMs: Number.POSITIVE_INFINITY,
  cacheForMs: null,
  pools: null,
  barred: [],
  targetless: null,
  masks: { request: [], response: [] },
  body: null,
  call: null,
  counted: false,
  outputCap: null,
  callLimits: null,
};

function isDenyRule(placed: PlacedRule): placed is PlacedRule<DenyRule> {
  return placed.rule.kind === 'forbid' || placed.rule.kind === 'require';
}

function isFilterRule(placed: PlacedRule): placed is PlacedRule<FilterRule> {
  return placed.rule.kind === 'filter';
}

function answerOfFilter(placed: PlacedRule<FilterRule>, situation: ToldSituation): Refusal {
  const reply = filterReply(placed, placed.index);
  return {
    status: reply.status || 403,
    code: reply.code,
    detail: renderText(reply.text, valuesOf(placed.rule.reply.because, situation), momentIn(situation)),
    ruleIndex: placed.index,
    retryAfterS: reply.status === 503 ? 1 : -1,
    rateLimit: '',
    rateLimitPolicy: '',
  };
}

function isPermit({ mode, rule }: PlacedRule): boolean {
  return mode === 'enforce' && rule.kind === 'permit';
}

function applies({ scope, rule }: PlacedRule, situation: Situation): boolean {
  return holds(scope, situation) && holds(rule.when, situation);
}

function phaseOfRule({ scope, rule }: PlacedRule): DecisionPhase {
  return phaseOf([scope, rule.when, rule.kind === 'require' ? rule.condition : null]);
}

function denies({ scope, rule }: PlacedRule<DenyRule>, situation: Situation): boolean {
  if (!holds(scope, situation) || !holds(rule.when, situation)) return false;
  return rule.kind === 'forbid' || !holds(rule.condition, situation);
}

function isWarnRule(placed: PlacedRule): placed is PlacedRule<WarnRule> {
  return placed.rule.kind === 'warn';
}

function isAlertRule(placed: PlacedRule): placed is PlacedRule<AlertRule> {
  return placed.rule.kind === 'alert';
}

/** How far a request has to have got for an alert rule to be asked: to what its conditions and its key are about. */
export function neededBy({ scope, rule }: PlacedRule): Known {
  const per = rule.kind === 'alert' ? rule.per : null;
  const keys =
    per === null || per.kind === 'total'
      ? []
      : [...per.keys, ...(per.otherwise === null ? [] : [per.otherwise])];
  const phase = phaseOf([scope, rule.when], keys);
  return phase === 'body' ? KNOWN.body : phase === 'authorise' ? KNOWN.caller : KNOWN.request;
}

function toldAlert({ policy, rule }: PlacedRule<AlertRule>, situation: ToldSituation): ToldAlert {
  const key = alertKey(rule, situation);
  return {
    identity: alertIdentity(policy, rule.key),
    key,
    shownKey: shownKey(rule, key, situation),
    text: rule.because === null ? null : filled(rule.because, situation),
  };
}

/** Values of the body as it is masked; null where that leaves all of it. */
function shownKey(
  { per }: AlertRule,
  [space, ...values]: readonly unknown[],
  { mask }: ToldSituation,
): readonly unknown[] | null {
  if (per.kind === 'total' || mask === null) return null;
  const facts = space === 'each' ? per.keys : space === 'otherwise' ? [per.otherwise!] : [];
  const shown = facts.map(({ definition }, at) =>
    definition.phase === 'body' ? maskedText(mask, String(values[at])) : values[at],
  );
  const isAsItIs = facts.every((_, at) => String(shown[at]) === String(values[at]));
  return isAsItIs ? null : [space, ...shown];
}

function alertKey({ per }: AlertRule, situation: Situation): readonly unknown[] {
  if (per.kind === 'total') return [];
  const values = per.keys.map((key) => factValue(key, situation));
  if (!values.includes(undefined)) return ['each', ...values];
  const other = per.otherwise === null ? undefined : factValue(per.otherwise, situation);
  return other === undefined ? ['missing'] : ['otherwise', other];
}

function warningOf(placed: PlacedRule<DenyRule | WarnRule>, situation: ToldSituation): Warning {
  const { rule, code, text } = ruleReply(placed, placed.index);
  const detail = renderText(text, valuesOf(placed.rule.reply.because, situation), momentIn(situation));
  return { rule, code, detail };
}

function noted({ warnings, shadow }: Notes): Pick<Verdict, 'warnings' | 'shadowDenied'> {
  return {
    warnings: [...warnings].sort((a, b) => a.rule - b.rule),
    shadowDenied: [...shadow].sort((a, b) => a - b),
  };
}

function unauthenticated(notes: Notes): Verdict {
  return { ...NOTHING, ...noted(notes), known: KNOWN.request, refusal: missingPermit(401) };
}

function missingPermit(status: 401 | 403): Refusal {
  return {
    ...NOT_PERMITTED[status],
    status,
    ruleIndex: -1,
    retryAfterS: -1,
    rateLimit: '',
    rateLimitPolicy: '',
  };
}

/** Names one of the denials; null stands for the missing permit, which has no policy and comes after its equals. */
function refused(
  denials: readonly (PlacedRule<DenyRule> | null)[],
  defaultStatus: 401 | 403,
  situation: ToldSituation,
  notes: Notes,
): Verdict {
  const statusOf = (denial: PlacedRule<DenyRule> | null) => denial?.rule.reply.status ?? defaultStatus;
  const [first] = [...denials].sort(
    (a, b) =>
      statusRank(statusOf(a)) - statusRank(statusOf(b)) ||
      (a?.index ?? Number.POSITIVE_INFINITY) - (b?.index ?? Number.POSITIVE_INFINITY),
  );
  assert(first !== undefined, 'something denies');
  const others = denials.filter((denial) => denial !== first && denial !== null);
  return {
    ...NOTHING,
    ...noted(notes),
    refusal: first === null ? missingPermit(defaultStatus) : answer(first, statusOf(first), situation),
    decidingRule: first?.index ?? -1,
    alsoDenied: others.map((denial) => denial!.index),
  };
}

function answer(denial: PlacedRule<DenyRule>, status: number, situation: ToldSituation): Refusal {
  const reply = ruleReply(denial, denial.index);
  const detail = renderText(reply.text, valuesOf(denial.rule.reply.because, situation), momentIn(situation));
  return {
    status,
    code: reply.code,
    detail,
    ruleIndex: denial.index,
    retryAfterS: -1,
    rateLimit: '',
    rateLimitPolicy: '',
  };
}
