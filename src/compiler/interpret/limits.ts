import { assert } from '../../base/assert.ts';
import { isLimitOfTargets, isLimitRule, requestKeys, targetKeys } from '../../language/limit-rules.ts';
import type { FactExpression, LimitRule } from '../../language/typed.ts';
import type { CallBounds } from '../../model/model-call.ts';
import type { World } from '../../model/world.ts';
import type { Warning } from '../../pipeline/context.ts';
import {
  type CounterBinding,
  type Counters,
  EXCEEDED,
  NEEDS_LEASE,
  type Reservation,
  TAKEN,
  type TakeBatch,
  type TakeResult,
} from '../../pipeline/counters.ts';
import type { NextVariant, Refusal, Wait } from '../../pipeline/outcome.ts';
import type { MutableKeyHash } from '../../pipeline/program.ts';
import type { ChosenTarget } from '../../pipeline/target-limits.ts';
import { counterKeyTag, counterKeyText, OTHERWISE_KEY_TAG, targetKeyText } from '../counter-keys.ts';
import { counterSpec } from '../counter-specs.ts';
import { capacityOf, currencyOf, isEstimated, isInFields, itemName, policyItem } from '../limit-fields.ts';
import { factReference } from '../lower.ts';
import { limitReply, nameOfLimit } from '../replies.ts';
import { estimatedBy } from '../rule-facts.ts';
import { unboundedBy } from '../runtime/call-weights.ts';
import { largerThanLimit, noSoundBound } from '../runtime/limits.ts';
import { renderText } from '../runtime/text.ts';
import { factValue, type HashKeys, type Situation, type ToldSituation } from './facts.ts';
import type { PlacedRule } from './placed-rules.ts';
import { momentIn, valuesOf } from './shape.ts';

export interface Taken {
  readonly decision: 'permitted' | 'refused' | 'waiting';
  readonly refusal: Refusal | null;
  /** Null unless it waits for room. */
  readonly wait: Pick<Wait, 'atMonotonicMs' | 'untilMonotonicMs' | 'room'> | null;
  /** Null unless all limits without room name other models, and some of them the same ones. */
  readonly offer: Pick<NextVariant, 'models' | 'fallen'> | null;
  readonly alsoDenied: readonly number[];
  readonly rateLimit: string;
  readonly rateLimitPolicy: string;
  readonly reservations: readonly Reservation[];
  /** Of limits in warn mode that would have refused. */
  readonly warnings: readonly Warning[];
  /** Limits in shadow that would have refused. */
  readonly shadowDenied: readonly number[];
  /** It is refused, and fewer tokens of its prompt may be all that it lacks. */
  readonly isShortOfPrompt: boolean;
}

/** The counters of limits that had no room for the call as it was asked for; none where it is asked for. */
export interface FallenSituation extends ToldSituation {
  readonly fallen: ReadonlySet<string>;
  /** What the call takes at most, once its prompt is counted; null: its own bounds say it. */
  readonly counted: CallBounds | null;
}

type PlacedLimit = PlacedRule<LimitRule>;

/** `TargetLimits`, at the moment of the request. */
export interface PlainCallLimits {
  headroom(target: ChosenTarget): number;
  fitsAtMs(target: ChosenTarget): number;
  /** What is held; null where there is no room. */
  take(target: ChosenTarget): readonly Reservation[] | null;
  watch(target: ChosenTarget): PlainWatch;
  refusal(target: ChosenTarget): Refusal | null;
}
export interface PlainWatch {
  readonly warnings: Warning[];
  readonly shadowDenied: number[];
  readonly held: Reservation[];
}

interface Asked {
  readonly result: TakeResult;
  readonly entries: readonly Entry[];
}

/** What a take said of one limit. */
interface Entry {
  readonly limit: PlacedLimit;
  readonly remaining: number;
  readonly retryAtMs: number;
  readonly resetMs: number;
  readonly failed: boolean;
}

/** Takes from all limits that apply, all or nothing; then from those of each watching policy, alone. */
export class LimitTaker {
  readonly #limits: readonly PlacedLimit[];
  /** Those that allow calls more which fall back. */
  readonly #generous: readonly PlacedLimit[];
  readonly #binding: CounterBinding;
  readonly #batch: TakeBatch;
  readonly #keys: HashKeys;

  constructor(rules: readonly PlacedRule[], world: World, counters: Counters, keys: HashKeys) {
    this.#limits = rules.filter(isLimit);
    this.#generous = this.#limits.filter(({ rule }) => rule.fallback?.counted.kind === 'allowance');
    this.#binding = counters.bind([
      ...this.#limits.map(({ rule, mode }) => counterSpec(rule, mode, world, 'limit')),
      ...this.#generous.map(({ rule, mode }) => counterSpec(rule, mode, world, 'allowance')),
    ]);
    this.#batch = this.#binding.createBatch();
    // any of it may be given back whole
    this.#batch.holds = true;
    this.#keys = keys;
  }

  take(applying: readonly PlacedRule[], situation: FallenSituation): Taken {
    // An answer at hand uses neither tokens nor money (language-rules #31).
    const usesNothing = situation.request.isKept && applying.some(letsKeep);
    const limits = applying
      .filter(isLimit)
      .filter(({ rule }) => !isLimitOfTargets(rule))
      .filter(({ rule }) => !(usesNothing && isEstimated(rule)))
      .filter((limit) => !(hasFallen(limit, situation) && limit.rule.fallback?.counted.kind === 'nowhere'));
    const enforced = limits.filter((limit) => limit.mode === 'enforce');
    const { result, entries } = this.#takeAll(enforced, situation);
    if (result === NEEDS_LEASE) return { ...NOTHING_TAKEN, decision: 'waiting' };
    if (result === EXCEEDED) return refusedBy(entries, situation);
    // a call that no key has room for leaves every counter as it was (language-rules #19)
    const isHeld = situation.call !== null && !usesNothing;
    const reservations = isHeld ? this.#held(enforced) : this.#reserved(enforced);
    const shown = entries.filter((entry) => isInFields(entry.limit.rule));
    const watching = limits.filter((limit) => limit.mode !== 'enforce');
    const warnings: Warning[] = [];
    const shadowDenied: number[] = [];
    for (const policy of new Set(watching.map((limit) => limit.policy))) {
      const group = watching.filter((limit) => limit.policy === policy);
      const observed = this.#takeAll(group, situation);
      for (const entry of observed.result === EXCEEDED ? exceededOf(observed.entries) : []) {
        if (entry.limit.mode === 'warn') warnings.push(warningOf(entry, situation));
        else shadowDenied.push(entry.limit.index);
      }
      if (observed.result === TAKEN)
        reservations.push(...(isHeld ? this.#held(group) : this.#reserved(group)));
    }
    const state = shown.length === 0 ? '' : stateItem(tightest(shown));
    return {
      ...NOTHING_TAKEN,
      rateLimit: state,
      rateLimitPolicy: policyList(shown),
      reservations,
      warnings,
      shadowDenied,
    };
  }

  /** Those that are counted by what the call is sent to; null: none applies. The time is that of the request. */
  callLimits(applying: readonly PlacedRule[], situation: FallenSituation): PlainCallLimits | null {
    const limits = applying.filter(isLimit).filter(({ rule }) => isLimitOfTargets(rule));
    if (limits.length === 0) return null;
    const enforced = limits.filter(({ mode }) => mode === 'enforce');
    const watching = limits.filter(({ mode }) => mode !== 'enforce');
    const ask = (how: 'take' | 'look', some: readonly PlacedLimit[], target: ChosenTarget) =>
      this.#askAll(how, some, situation, target);
    return {
      headroom: (target) => {
        const { result, entries } = ask('look', enforced, target);
        return result === EXCEEDED ? -1 : Math.min(1, ...entries.map((entry) => shareLeft(entry, situation)));
      },
      fitsAtMs: (target) => {
        const { result, entries } = ask('look', enforced, target);
        const moments = result === EXCEEDED ? entries.map(({ retryAtMs }) => retryAtMs) : [];
        return Math.max(situation.request.arrivedMonotonicMs, ...moments);
      },
      take: (target) => (ask('take', enforced, target).result === TAKEN ? this.#held(enforced) : null),
      refusal: (target) => {
        const { result, entries } = ask('look', enforced, target);
        return result === EXCEEDED ? refusedBy(entries, situation).refusal : null;
      },
      watch: (target) => {
        const said: PlainWatch = { warnings: [], shadowDenied: [], held: [] };
        for (const policy of new Set(watching.map((limit) => limit.policy))) {
          const group = watching.filter((limit) => limit.policy === policy);
          const { result, entries } = ask('take', group, target);
          for (const entry of result === EXCEEDED ? exceededOf(entries) : [])
            if (entry.limit.mode === 'warn') said.warnings.push(warningOf(entry, situation));
            else said.shadowDenied.push(entry.limit.index);
          if (result === TAKEN) said.held.push(...this.#held(group));
        }
        return said;
      },
    };
  }

  #takeAll(limits: readonly PlacedLimit[], situation: FallenSituation): Asked {
    return this.#askAll('take', limits, situation, null);
  }

  #askAll(
    how: 'take' | 'look',
    limits: readonly PlacedLimit[],
    situation: FallenSituation,
    target: ChosenTarget | null,
  ): Asked {
    if (limits.length === 0) return { result: TAKEN, entries: [] };
    const batch = this.#batch;
    batch.count = limits.length;
    limits.forEach((limit, at) => {
      const key = this.#key(limit.rule, situation, target);
      const counts = hasFallen(limit, situation) && this.#generous.includes(limit);
      batch.counter[at] = counts
        ? this.#limits.length + this.#generous.indexOf(limit)
        : this.#limits.indexOf(limit);
      batch.keyHigh[at] = key.high;
      batch.keyLow[at] = key.low;
      batch.weight[at] = weightOf(limit.rule, situation);
    });
    const { arrivedMonotonicMs, arrivedWallMs } = situation.request;
    const result = this.#binding[how](batch, arrivedMonotonicMs, arrivedWallMs);
    const entries = limits.map((limit, at) => ({
      limit,
      remaining: batch.remaining[at]!,
      retryAtMs: batch.retryAtMs[at]!,
      resetMs: batch.resetMs[at]!,
      failed: batch.fault[at] !== 0,
    }));
    return { result, entries };
  }

  #held(limits: readonly PlacedLimit[]): Reservation[] {
    const held = limits.length === 0 ? null : this.#binding.hold(this.#batch);
    return held === null ? [] : [held];
  }

  #reserved(limits: readonly PlacedLimit[]): Reservation[] {
    if (!limits.some(({ rule }) => rule.window.kind === 'concurrency' || isEstimated(rule))) return [];
    const reservation = this.#binding.reserve(this.#batch);
    return reservation === null ? [] : [reservation];
  }

  /** Of the request, then of what the call is sent to. */
  #key(rule: LimitRule, situation: Situation, target: ChosenTarget | null): MutableKeyHash {
    const key = this.#requestKey(rule, situation);
    for (const fact of targetKeys(rule)) {
      const part = { high: 0, low: 0 };
      const reference = factReference(fact);
      this.#keys.hashKey(counterKeyTag(reference), targetKeyText(reference.path, target!), part);
      this.#keys.combineKey(key, part);
    }
    return key;
  }

  #requestKey(rule: LimitRule, situation: Situation): MutableKeyHash {
    const key = { high: 0, low: 0 };
    const keys = requestKeys(rule);
    if (rule.per.kind === 'total' || keys.length === 0) return key;
    const { otherwise } = rule.per;
    const missing = keys.some((fact) => factValue(fact, situation) === undefined);
    assert(!missing || otherwise !== null, 'a key that may be missing has a fallback');
    if (missing) {
      this.#keys.hashKey(OTHERWISE_KEY_TAG, '', key);
      this.#keys.combineKey(key, this.#part(otherwise!, situation));
      return key;
    }
    const [first, ...others] = keys.map((fact) => this.#part(fact, situation));
    Object.assign(key, first);
    for (const part of others) this.#keys.combineKey(key, part);
    return key;
  }

  #part(fact: FactExpression, situation: Situation): MutableKeyHash {
    const { identity } = situation;
    const { path } = factReference(fact);
    if (path === 'tenant') return { ...identity!.tenant.keyHash };
    if (path === 'team') return { ...identity!.team!.keyHash };
    if (path === 'consumer') return { ...identity!.consumer.keyHash };
    if (path === 'credential') return { ...identity!.credential.keyHash };
    const value = factValue(fact, situation);
    assert(value !== undefined, `the key ${path} is there`);
    const part = { high: 0, low: 0 };
    this.#keys.hashKey(counterKeyTag(factReference(fact)), counterKeyText(value), part);
    return part;
  }
}

const NOTHING_TAKEN: Taken = {
  decision: 'permitted',
  refusal: null,
  wait: null,
  offer: null,
  alsoDenied: [],
  rateLimit: '',
  rateLimitPolicy: '',
  reservations: [],
  warnings: [],
  shadowDenied: [],
  isShortOfPrompt: false,
};

function isLimit(placed: PlacedRule): placed is PlacedLimit {
  return isLimitRule(placed.rule);
}

/** Limits that only watch refuse nothing, so no call falls back for them. */
function hasFallen({ rule, mode }: PlacedLimit, { fallen }: FallenSituation): boolean {
  return mode === 'enforce' && fallen.has(rule.counterIdentity);
}

/** One for each request; of a budget, what a request to the route costs at most. */
function weightOf({ measure }: LimitRule, situation: FallenSituation): number {
  if (measure.kind === 'requests') return 1;
  const { call, route, counted } = situation;
  if (call !== null) return Math.min((counted ?? call.bounds)[measure.kind], Number.MAX_SAFE_INTEGER);
  if (measure.kind !== 'money' || (route.ai !== null && route.cost === null)) return 0;
  const cost = factValue(measure.cost, situation);
  assert(typeof cost === 'number', 'a budget applies to routes with a price');
  return cost;
}

/** Of what a full counter holds, behind the call. */
function shareLeft({ limit: { rule }, remaining, failed }: Entry, situation: FallenSituation): number {
  return failed ? 1 : (remaining - weightOf(rule, situation)) / capacityOf(rule.window);
}

function letsKeep({ rule, mode }: PlacedRule): boolean {
  return rule.kind === 'cache' && mode === 'enforce';
}

function exceededOf(entries: readonly Entry[]): Entry[] {
  return entries.filter((entry) => entry.retryAtMs > 0);
}

/** A request larger than a limit first, then a counter that cannot be kept, then the latest moment. */
function refusedBy(entries: readonly Entry[], situation: FallenSituation): Taken {
  const urgency = (entry: Entry) => (entry.failed ? Number.MAX_VALUE : entry.retryAtMs);
  const exceeded = exceededOf(entries);
  const [named, ...others] = [...exceeded].sort(
    (a, b) =>
      Number(urgency(b) > urgency(a)) - Number(urgency(a) > urgency(b)) || a.limit.index - b.limit.index,
  );
  assert(named !== undefined, 'a refused take names a limit');
  const also = others.map((entry) => entry.limit.index).sort((a, b) => a - b);
  const wait = waitOf(exceeded, situation);
  return {
    ...NOTHING_TAKEN,
    decision: wait === null ? 'refused' : 'waiting',
    wait,
    offer: situation.call === null || situation.fallen.size > 0 ? null : offerOf(exceeded),
    refusal: refusalOf(named, entries, situation),
    alsoDenied: also,
    isShortOfPrompt: exceeded.every((entry) => isShortOfPrompt(entry, situation)),
  };
}

/** With a prompt of no tokens it would have room, as far as is known here: of money it is not. */
function isShortOfPrompt({ limit: { rule }, remaining, failed }: Entry, situation: FallenSituation): boolean {
  const { call } = situation;
  const weight = weightOf(rule, situation);
  if (call === null || failed || weight <= remaining || weight === Number.MAX_SAFE_INTEGER) return false;
  switch (rule.measure.kind) {
    case 'money':
      return true;
    case 'tokens':
    case 'input-tokens':
    case 'cached-tokens':
      return weight - call.bounds['input-tokens'] < remaining;
    default:
      return false;
  }
}

/** Models that all of them name, in the order of the first. A counter that can't be kept names none. */
function offerOf(exceeded: readonly Entry[]): Taken['offer'] {
  const inOrder = [...exceeded].sort((a, b) => a.limit.index - b.limit.index);
  const lists = inOrder.map(({ failed, limit }) => (failed ? [] : (limit.rule.fallback?.models ?? [])));
  const models = lists[0]!.filter((model) => lists.every((list) => list.includes(model)));
  const fallen = new Set(exceeded.map(({ limit }) => limit.rule.counterIdentity));
  return models.length === 0 ? null : { models, fallen };
}

/** A request waits if every limit without room lets it, until the soonest of their deadlines, and there can be room by then. */
function waitOf(exceeded: readonly Entry[], { request }: Situation): Taken['wait'] {
  const times = exceeded.map((entry) => (entry.failed ? null : entry.limit.rule.queueMs));
  if (!times.every((time) => time !== null)) return null;
  const untilMonotonicMs = request.arrivedMonotonicMs + Math.min(...times);
  const atMonotonicMs = Math.max(...exceeded.map((entry) => entry.retryAtMs));
  if (atMonotonicMs > untilMonotonicMs) return null;
  const isForSlot = exceeded.some(({ limit }) => limit.rule.window.kind === 'concurrency');
  if (!isForSlot) return { atMonotonicMs, untilMonotonicMs, room: 'clock' };
  const lookMs = Math.max(atMonotonicMs, request.arrivedMonotonicMs + 20);
  return { atMonotonicMs: Math.min(lookMs, untilMonotonicMs), untilMonotonicMs, room: 'slot' };
}

function warningOf(entry: Entry, situation: ToldSituation): Warning {
  const { ruleIndex, code, detail } = refusalOf(entry, [], situation);
  return { rule: ruleIndex, code, detail };
}

function refusalOf(named: Entry, entries: readonly Entry[], situation: ToldSituation): Refusal {
  const { limit } = named;
  const title = nameOfLimit(limit.policy, limit.rule);
  const shown = entries.filter((entry) => isInFields(entry.limit.rule));
  const fields = {
    ruleIndex: limit.index,
    rateLimit: shown.length === 0 ? '' : stateItem(shown.includes(named) ? named : tightest(shown)),
    rateLimitPolicy: policyList(shown),
  };
  if (named.failed) {
    const detail = `${title} cannot be counted at the moment.`;
    return {
      status: 503,
      code: 'limit_unavailable',
      detail,
      retryAfterS: 1,
      ...fields,
      rateLimit: '',
      rateLimitPolicy: '',
    };
  }
  const unbounded = unboundedBy(situation.call, estimatedBy(limit.rule));
  if (named.retryAtMs === Number.POSITIVE_INFINITY && unbounded !== '')
    return { ...noSoundBound(title, unbounded), retryAfterS: -1, ...fields };
  if (named.retryAtMs === Number.POSITIVE_INFINITY) {
    const larger = largerThanLimit(title, situation.call, estimatedBy(limit.rule));
    return { ...larger, retryAfterS: -1, ...fields };
  }
  const status = limit.rule.reply.status ?? 429;
  const seconds = Math.max(1, Math.ceil((named.retryAtMs - situation.request.arrivedMonotonicMs) / 1_000));
  return {
    status,
    code: limitReply(limit, limit.index).code,
    detail: detailOf(named, situation),
    retryAfterS: status === 429 || status === 503 ? seconds : -1,
    ...fields,
  };
}

function detailOf({ limit, remaining, resetMs }: Entry, situation: ToldSituation): string {
  const facts = {
    name: limit.rule.name ?? limit.policy,
    amount: limit.rule.window.amount,
    currency: currencyOf(limit.rule),
    used: Math.max(0, capacityOf(limit.rule.window) - Math.max(0, remaining)),
    resetsWallMs: situation.request.arrivedWallMs + resetMs,
  };
  const values = valuesOf(limit.rule.reply.because, situation);
  return renderText(limitReply(limit, limit.index).text, values, momentIn(situation, facts));
}

function tightest(entries: readonly Entry[]): Entry {
  const least = Math.min(...entries.map((entry) => entry.remaining));
  return entries.find((entry) => entry.remaining === least)!;
}

function stateItem({ limit, remaining, resetMs }: Entry): string {
  const time = resetMs > 0 ? `;t=${Math.ceil(resetMs / 1_000)}` : '';
  return `${itemName(limit.policy, limit.rule)};r=${Math.max(0, remaining)}${time}`;
}

function policyList(entries: readonly Entry[]): string {
  return entries.map((entry) => policyItem(entry.limit.policy, entry.limit.rule)).join(', ');
}
