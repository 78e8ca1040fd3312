import { assert } from '../../base/assert.ts';
import type { FallbackCount } from '../../language/typed.ts';
import type { EstimatedMeasure } from '../../model/model-call.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import {
  type CounterBinding,
  EXCEEDED,
  NEEDS_LEASE,
  type Reservation,
  TAKEN,
  type TakeBatch,
  type TakeResult,
  type Turns,
} from '../../pipeline/counters.ts';
import type { ModelRequest } from '../../pipeline/model-request.ts';
import type { NextVariant, Outcome, Refusal, Respond, Wait, WaitedCounter } from '../../pipeline/outcome.ts';
import type { ReplyConstant } from '../replies.ts';
import { hasFallen, isShortOfPrompt, unboundedBy } from './call-weights.ts';
import { noteShadowed, warn } from './notes.ts';
import { momentOf, renderText } from './text.ts';

/** A limit of a program, as its refusal needs it. */
export interface LimitConstant extends ReplyConstant {
  readonly name: string;
  /** In a sentence: `Limit "pace" of policy "plans"`. */
  readonly title: string;
  /** Null where no money is counted. */
  readonly currency: string | null;
  /** Null where requests are counted. */
  readonly estimates: EstimatedMeasure | null;
  readonly amount: number;
  readonly capacity: number;
  /** `"pace";q=60;w=60` and `"pace";r=`; null when the caller may not see it. */
  readonly policy: string | null;
  readonly state: string | null;
  /** How it lets requests wait for room; null: it refuses at once. */
  readonly queue: LimitQueueing | null;
  /** The models that calls without room go to, and the counter that the limit is known by; null: it names none. */
  readonly fallback: LimitFallback | null;
}

interface LimitFallback {
  readonly models: readonly string[];
  readonly limit: string;
  /** See `Fallback`. */
  readonly counted: FallbackCount['kind'];
}

interface LimitQueueing {
  /** After the arrival. */
  readonly upToMs: number;
  /** Names the counters of the limit in all rule sets. */
  readonly counter: string;
  /** What frees room. */
  readonly room: WaitedCounter['room'];
}

export type HoleValues = (context: RequestContext, limit: number) => readonly unknown[];

/** What is needed of the thread. */
export interface LimitThread {
  readonly counters: CounterBinding;
  readonly turns: Turns;
  readonly batch: TakeBatch;
}

/** A batch just taken, and which limit of the program each entry is. */
interface TakenBatch {
  readonly batch: TakeBatch;
  readonly ordinal: Int32Array;
}

const WAIT_FOR_GRANT: Outcome = Object.freeze({ kind: 'wait-for-grant' });
/** Room that other threads free is looked for so often. */
const SLOT_LOOK_MS = 20;
/** Seconds to wait when a counter could not be kept: nothing better is known. */
const UNAVAILABLE_RETRY_S = 1;

/** Takes in turn, and notes whom the end of the request concerns. */
export function takeInTurn(
  thread: LimitThread,
  context: RequestContext,
  limits: readonly LimitConstant[],
  ordinal: Int32Array,
): TakeResult {
  const result = takeUnlessBehind(thread, context, limits, ordinal);
  if (result === TAKEN) context.heldSlots = heldSlots({ batch: thread.batch, ordinal }, limits);
  return result;
}

function heldSlots({ batch, ordinal }: TakenBatch, limits: readonly LimitConstant[]): string[] | null {
  let held: string[] | null = null;
  for (let entry = 0; entry < batch.count; entry++) {
    const { queue } = limits[ordinal[entry]!]!;
    if (queue?.room !== 'slot') continue;
    held ??= [];
    held.push(counterName(batch, entry, queue));
  }
  return held;
}

/**
 * Takes, unless others wait for one of the counters already: then those have no room before the first of them has (language-rules
 * #9), and nothing is taken.
 */
function takeUnlessBehind(
  { counters, turns, batch }: LimitThread,
  context: RequestContext,
  limits: readonly LimitConstant[],
  ordinal: Int32Array,
): TakeResult {
  const { nowMonotonicMs, nowWallMs } = context;
  if (turns.areFree) return counters.take(batch, nowMonotonicMs, nowWallMs);
  const firstAtMs = Array.from({ length: batch.count }, (_, entry) => {
    const { queue, fallback, estimates } = limits[ordinal[entry]!]!;
    const isLeftOut = batch.leavesOut === 'estimates' && estimates !== null;
    // nobody waits for what is allowed to calls that fall back
    const isApart = fallback?.counted === 'allowance' && hasFallen(context, fallback.limit);
    return queue === null || isLeftOut || isApart ? 0 : turns.firstAtMs(counterName(batch, entry, queue));
  });
  if (firstAtMs.every((atMs) => atMs === 0)) return counters.take(batch, nowMonotonicMs, nowWallMs);
  const result = counters.look(batch, nowMonotonicMs, nowWallMs);
  if (result === NEEDS_LEASE) return result;
  let isBehind = false;
  for (const [entry, atMs] of firstAtMs.entries()) {
    // A counter that is not kept holds nobody up.
    if (atMs === 0 || batch.fault[entry] !== 0) continue;
    batch.retryAtMs[entry] = Math.max(batch.retryAtMs[entry]!, atMs, nowMonotonicMs + 1);
    isBehind = true;
  }
  return isBehind || result === EXCEEDED ? EXCEEDED : counters.take(batch, nowMonotonicMs, nowWallMs);
}

function counterName(batch: TakeBatch, entry: number, { counter }: LimitQueueing): string {
  return `${counter} ${batch.keyHigh[entry]} ${batch.keyLow[entry]}`;
}

/** Refuses with the limit whose first possible moment is latest; or waits: for a lease of a quota, or for room where all limits say so. */
export function refuseLimits(
  { batch }: LimitThread,
  context: RequestContext,
  limits: readonly LimitConstant[],
  result: TakeResult,
  ordinal: Int32Array,
  holeValues: HoleValues,
): Outcome {
  if (result === NEEDS_LEASE) return WAIT_FOR_GRANT;
  const taken = { batch, ordinal };
  const exceeded = exceededEntries(batch).sort((a, b) => ruleAt(taken, limits, a) - ruleAt(taken, limits, b));
  assert(exceeded.length > 0, 'a refused take names at least one counter');
  context.isShortOfPrompt = exceeded.every(
    (entry) =>
      batch.fault[entry] === 0 &&
      isShortOfPrompt(
        context,
        limits[ordinal[entry]!]!.estimates,
        batch.weight[entry]!,
        batch.remaining[entry]!,
      ),
  );
  const chosen = exceeded.reduce((best, entry) =>
    moment(batch, entry) > moment(batch, best) ? entry : best,
  );
  const others = exceeded.filter((entry) => entry !== chosen).map((entry) => ruleAt(taken, limits, entry));
  context.decidingRule = ruleAt(taken, limits, chosen);
  context.alsoDenied = others.length === 0 ? null : others;
  const refused = respond(taken, context, limits, chosen, holeValues);
  const otherwise = waiting(taken, context, limits, exceeded, refused.refusal) ?? refused;
  return fallingBack(taken, context, limits, exceeded, otherwise) ?? otherwise;
}

/** Null where it is no call, one of the limits names no other model, or they have none in common; or the call has fallen back already. */
function fallingBack(
  { batch, ordinal }: TakenBatch,
  { call, fallen }: RequestContext,
  limits: readonly LimitConstant[],
  exceeded: readonly number[],
  otherwise: Respond | Wait,
): NextVariant | null {
  if (call === null || fallen !== null || exceeded.some((entry) => batch.fault[entry] !== 0)) return null;
  const offers = exceeded.map((entry) => limits[ordinal[entry]!]!.fallback);
  if (!offers.every((offer) => offer !== null)) return null;
  const [first, ...others] = offers;
  const models = first!.models.filter((model) => others.every((other) => other.models.includes(model)));
  if (models.length === 0) return null;
  return { kind: 'next-variant', models, fallen: new Set(offers.map(({ limit }) => limit)), otherwise };
}

/** Null where one of the limits lets nobody wait, or room comes too late (language-rules #8, #9, #10). */
function waiting(
  { batch, ordinal }: TakenBatch,
  { arrivedMonotonicMs, nowMonotonicMs }: RequestContext,
  limits: readonly LimitConstant[],
  exceeded: readonly number[],
  refusal: Refusal,
): Wait | null {
  let untilMonotonicMs = Number.POSITIVE_INFINITY;
  let atMonotonicMs = 0;
  let room: Wait['room'] = 'clock';
  const counters: WaitedCounter[] = [];
  for (const entry of exceeded) {
    const { queue } = limits[ordinal[entry]!]!;
    if (queue === null || batch.fault[entry] !== 0) return null;
    untilMonotonicMs = Math.min(untilMonotonicMs, arrivedMonotonicMs + queue.upToMs);
    const retryAtMs = batch.retryAtMs[entry]!;
    atMonotonicMs = Math.max(atMonotonicMs, retryAtMs);
    if (queue.room === 'slot') room = 'slot';
    const atMs = queue.room === 'slot' ? Math.max(retryAtMs, nowMonotonicMs + SLOT_LOOK_MS) : retryAtMs;
    counters.push({ name: counterName(batch, entry, queue), atMs, room: queue.room });
  }
  // its last moment is one at which it was tried, too
  if (atMonotonicMs > untilMonotonicMs || nowMonotonicMs >= untilMonotonicMs) return null;
  if (room === 'slot') {
    const lookMs = Math.max(atMonotonicMs, nowMonotonicMs + SLOT_LOOK_MS);
    atMonotonicMs = Math.min(lookMs, untilMonotonicMs);
  }
  return { kind: 'wait', atMonotonicMs, untilMonotonicMs, counters, room, refusal };
}

function respond(
  taken: TakenBatch,
  context: RequestContext,
  limits: readonly LimitConstant[],
  entry: number,
  holeValues: HoleValues,
): Respond {
  const { batch } = taken;
  const ordinal = taken.ordinal[entry]!;
  const limit = limits[ordinal]!;
  const reply = replyOf(batch, context, limit, entry, () => holeValues(context, ordinal));
  return {
    kind: 'respond',
    refusal: {
      ...reply,
      ruleIndex: limit.rule,
      retryAfterS: retryAfterS(batch, entry, reply.status, context.nowMonotonicMs),
      ...shownFields(taken, limits, entry),
    },
  };
}

function replyOf(
  batch: TakeBatch,
  context: RequestContext,
  limit: LimitConstant,
  entry: number,
  values: () => readonly unknown[],
): { readonly status: number; readonly code: string; readonly detail: string } {
  if (batch.fault[entry] !== 0) {
    return {
      status: 503,
      code: 'limit_unavailable',
      detail: `${limit.title} cannot be counted at the moment.`,
    };
  }
  if (batch.retryAtMs[entry] === Number.POSITIVE_INFINITY) {
    const unbounded = unboundedBy(context.shapedCall, limit.estimates);
    if (unbounded !== '') return noSoundBound(limit.title, unbounded);
    return largerThanLimit(limit.title, context.shapedCall, limit.estimates);
  }
  const facts = {
    name: limit.name,
    amount: limit.amount,
    currency: limit.currency,
    used: Math.max(0, limit.capacity - Math.max(0, batch.remaining[entry]!)),
    resetsWallMs: context.nowWallMs + batch.resetMs[entry]!,
  };
  const detail = renderText(limit.text, values(), momentOf(context, facts));
  return { status: limit.status || 429, code: limit.code, detail };
}

/** A limit of tokens or money is never overshot, so what it can't bound it does not let pass. */
export function noSoundBound(title: string, why: string) {
  return {
    status: 403,
    code: 'no_sound_bound',
    detail: `${title} takes only what is bounded, unlike ${why}.`,
  };
}

/** What a call reserves hangs on the longest answer that it allows, which its caller can shorten. */
export function largerThanLimit(title: string, call: ModelRequest | null, measure: EstimatedMeasure | null) {
  const ofAnswer = call !== null && measure !== null && OF_ANSWER.has(measure);
  const why =
    ofAnswer && call.bounds['output-tokens'] > 0
      ? ', with the longest answer that it allows: send a lower bound of it, as max_tokens is'
      : '';
  return { status: 403, code: 'larger_than_limit', detail: `${title} is smaller than this request${why}.` };
}
const OF_ANSWER: ReadonlySet<EstimatedMeasure> = new Set([
  ...(['tokens', 'output-tokens', 'reasoning-tokens', 'money'] as const),
]);

/** Only an answer that invites a retry says when (RFC 9110, 10.2.3; RFC 6585, 4). */
function retryAfterS(batch: TakeBatch, entry: number, status: number, nowMs: number): number {
  if (batch.fault[entry] !== 0) return UNAVAILABLE_RETRY_S;
  const atMs = batch.retryAtMs[entry]!;
  if ((status !== 429 && status !== 503) || atMs === Number.POSITIVE_INFINITY) return -1;
  return Math.max(1, Math.ceil((atMs - nowMs) / 1_000));
}

/** The refusing limit if the caller may see it, else the tightest one that may be seen. */
function shownFields(taken: TakenBatch, limits: readonly LimitConstant[], refusing: number) {
  const { batch, ordinal } = taken;
  // When one counter could not be kept, the others were not asked.
  if (batch.fault[refusing] !== 0) return { rateLimit: '', rateLimitPolicy: '' };
  const entries = Array.from({ length: batch.count }, (_, entry) => entry)
    .filter((entry) => limits[ordinal[entry]!]!.policy !== null)
    .sort((a, b) => ruleAt(taken, limits, a) - ruleAt(taken, limits, b));
  if (entries.length === 0) return { rateLimit: '', rateLimitPolicy: '' };
  const named = entries.includes(refusing)
    ? refusing
    : entries.reduce((best, entry) => (batch.remaining[entry]! < batch.remaining[best]! ? entry : best));
  return {
    rateLimit: stateItem(batch, named, limits[ordinal[named]!]!.state!),
    rateLimitPolicy: entries.map((entry) => limits[ordinal[entry]!]!.policy).join(', '),
  };
}

/**
 * Puts the limits just taken on the context, where tables decide which apply: `RateLimit` names the one with the least
 * left (the first rule of several), `RateLimit-Policy` all, in order of rules.
 */
export function showTaken(
  { batch }: LimitThread,
  context: RequestContext,
  limits: readonly LimitConstant[],
  ordinal: Int32Array,
): void {
  let policies = '';
  let tightest = -1;
  for (
    let entry = nextShown(batch, limits, ordinal, -1);
    entry !== -1;
    entry = nextShown(batch, limits, ordinal, limits[ordinal[entry]!]!.rule)
  ) {
    const { policy } = limits[ordinal[entry]!]!;
    policies = policies === '' ? policy! : `${policies}, ${policy}`;
    if (tightest === -1 || batch.remaining[entry]! < batch.remaining[tightest]!) tightest = entry;
  }
  if (tightest === -1) return;
  context.rateLimitPolicy = policies;
  context.rateLimit = stateItem(batch, tightest, limits[ordinal[tightest]!]!.state!);
}

/** The entry with the first rule after `rule` that the caller may see; -1 when there is none. Batches are short: no sorting. */
function nextShown(
  batch: TakeBatch,
  limits: readonly LimitConstant[],
  ordinal: Int32Array,
  rule: number,
): number {
  let next = -1;
  for (let entry = 0; entry < batch.count; entry++) {
    const limit = limits[ordinal[entry]!]!;
    if (limit.policy === null || limit.rule <= rule) continue;
    if (next === -1 || limit.rule < limits[ordinal[next]!]!.rule) next = entry;
  }
  return next;
}

/** `"pace";r=12;t=30`: what is left, and the seconds until the counter is as if unused or its period ends. */
export function stateItem(batch: TakeBatch, entry: number, prefix: string): string {
  const resetMs = batch.resetMs[entry]!;
  const left = prefix + Math.max(0, batch.remaining[entry]!);
  return resetMs > 0 ? `${left};t=${Math.ceil(resetMs / 1_000)}` : left;
}

/** The limits of a policy that only watches; one in warn mode tells the caller, too. */
export type Watched =
  | { readonly mode: 'warn'; readonly limits: readonly LimitConstant[]; readonly holeValues: HoleValues }
  | { readonly mode: 'shadow'; readonly rules: readonly number[] };

/** Takes the batch of a policy that only watches, and notes which of its limits would have refused. */
export function observe(
  thread: LimitThread,
  context: RequestContext,
  watched: Watched,
  ordinal: Int32Array,
): TakeResult {
  // for what only watches nothing is counted: what it says of the bound is its last word
  thread.batch.isTrial = false;
  const result = thread.counters.take(thread.batch, context.nowMonotonicMs, context.nowWallMs);
  if (result !== EXCEEDED) return result;
  const exceeded = exceededEntries(thread.batch);
  if (watched.mode === 'warn') warnOfLimits(thread, context, watched, ordinal, exceeded);
  else {
    const rules = exceeded.map((entry) => watched.rules[ordinal[entry]!]!);
    for (const rule of rules.sort((a, b) => a - b)) noteShadowed(context, rule);
  }
  return result;
}

function warnOfLimits(
  { batch }: LimitThread,
  context: RequestContext,
  { limits, holeValues }: Extract<Watched, { mode: 'warn' }>,
  ordinal: Int32Array,
  exceeded: readonly number[],
): void {
  const warnings = exceeded.map((entry) => {
    const at = ordinal[entry]!;
    const { code, detail } = replyOf(batch, context, limits[at]!, entry, () => holeValues(context, at));
    return { rule: limits[at]!.rule, code, detail };
  });
  for (const warning of warnings.sort((a, b) => a.rule - b.rule)) warn(context, warning);
}

/** {@link observe} for policies with a limit of requests at once, whose slots are given back at the end. */
export function observeReserving(
  thread: LimitThread,
  context: RequestContext,
  watched: Watched,
  ordinal: Int32Array,
): void {
  if (observe(thread, context, watched, ordinal) === TAKEN)
    keepObserved(context, thread.counters.reserve(thread.batch));
}

/** {@link observe} for calls to models: what is taken is given back where no key has room (language-rules #19). */
export function observeHolding(
  thread: LimitThread,
  context: RequestContext,
  watched: Watched,
  ordinal: Int32Array,
): void {
  const { batch, counters } = thread;
  batch.holds = true;
  const result = observe(thread, context, watched, ordinal);
  batch.holds = false;
  if (result === TAKEN) keepObserved(context, counters.hold(batch));
}

function keepObserved(context: RequestContext, reservation: Reservation | null): void {
  if (reservation === null) return;
  if (context.observedReservations === null) context.observedReservations = [reservation];
  else context.observedReservations.push(reservation);
}

function exceededEntries(batch: TakeBatch): number[] {
  return Array.from({ length: batch.count }, (_, entry) => entry).filter(
    (entry) => batch.retryAtMs[entry]! > 0,
  );
}

/** Never comes before a counter that cannot be kept, and that before every moment that is known. */
function moment(batch: TakeBatch, entry: number): number {
  if (batch.fault[entry] !== 0) return Number.MAX_VALUE;
  return batch.retryAtMs[entry]!;
}

function ruleAt({ ordinal }: TakenBatch, limits: readonly LimitConstant[], entry: number): number {
  return limits[ordinal[entry]!]!.rule;
}
