import { saturated } from '../../model/arithmetic.ts';
import { type LocalClock, localClock } from '../../model/local-time.ts';
import type { Mask } from '../../model/masks/kinds.ts';
import { MaskSet } from '../../model/masks/mask-set.ts';
import { queryValue } from '../../model/query.ts';
import { regexTest } from '../../model/regex.ts';
import { writtenName } from '../../model/route-lines.ts';
import type { ScalarValue, Value } from '../../model/types.ts';
import type { HeaderEdits, RequestContext } from '../../pipeline/context.ts';
import {
  BATCH_ENTRIES_MAX,
  type CounterBinding,
  type TakeBatch,
  type TakeResult,
} from '../../pipeline/counters.ts';
import type { Identity, KeyHash } from '../../pipeline/identity.ts';
import { CONTINUE, type Continue, type Outcome, type Refusal } from '../../pipeline/outcome.ts';
import type { BarredPools, BoundRuntime, MutableKeyHash } from '../../pipeline/program.ts';
import { counterKeyText } from '../counter-keys.ts';
import type { CalendarHours } from '../ir.ts';
import type { ReplyConstant, TextPart } from '../replies.ts';
import { standing } from '../shares.ts';
import { Calendar } from './calendar.ts';
import { boundOf, hasFallen, reservedOf, tokensOf, tokensUsed } from './call-weights.ts';
import { Denial, Denials, notPermitted } from './denials.ts';
import { globTest } from './glob.ts';
import {
  type HoleValues,
  type LimitConstant,
  observe,
  observeHolding,
  observeReserving,
  refuseLimits,
  showTaken,
  stateItem,
  takeInTurn,
  type Watched,
} from './limits.ts';
import { type ChangedMember, MemberChanges } from './member-changes.ts';
import { isInNetworks, networksTest } from './networks.ts';
import { noteShadowed, warn } from './notes.ts';
import { type RowConstant, RowNumbers, type RowShape, RowTable } from './row-table.ts';
import { shownKey } from './shown-key.ts';
import { RuleCallLimits, type TargetPart, type TargetThread } from './target-limits.ts';
import { BarredPoolSets, type FilterConstant, refuseTargets, type TargetlessCall } from './targets.ts';
import { headerSafe, momentOf, renderText } from './text.ts';
import { TextSet } from './text-set.ts';

/** What is asked whether it has a value. */
interface ValueSet {
  has(value: unknown): boolean;
}

/**
 * All that generated code may call: `runtime` of `new Function('runtime', 'constants', …)`. One per data thread and
 * rule set; a missing fact is `undefined` everywhere.
 */
export class RuntimeSupport {
  readonly CONTINUE: Continue = CONTINUE;
  readonly counters: CounterBinding;
  readonly turns: BoundRuntime['turns'];
  readonly batch: TakeBatch;
  /** Which limit of the program an entry of the batch is, where conditions leave limits out. */
  readonly ordinal = new Int32Array(BATCH_ENTRIES_MAX);
  readonly writtenName = writtenName;
  readonly IN_ORDER = Int32Array.from({ length: BATCH_ENTRIES_MAX }, (_, entry) => entry);
  /** Scratch for keys being made; used within one turn. */
  readonly key: MutableKeyHash = { high: 0, low: 0 };
  readonly part: MutableKeyHash = { high: 0, low: 0 };
  readonly hashKey: BoundRuntime['hashKey'];
  readonly combineKey: BoundRuntime['combineKey'];
  readonly alerts: BoundRuntime['alerts'];

  constructor(bound: BoundRuntime) {
    this.counters = bound.counters;
    this.turns = bound.turns;
    this.batch = bound.counters.createBatch();
    this.#bodies = bound.bodies;
    this.hashKey = bound.hashKey;
    this.combineKey = bound.combineKey;
    this.alerts = bound.alerts;
    const { counters, turns, hashKey, combineKey, batch: filled } = this;
    const ordinal = new Int32Array(BATCH_ENTRIES_MAX);
    this.#targets = {
      counters,
      turns,
      hashKey,
      combineKey,
      filled,
      ordinal,
      batch: counters.createBatch(),
    };
  }
  readonly #targets: TargetThread;

  // -- tables --------------------------------------------------------------------------------------------------
  readonly NO_ITEMS: readonly never[] = [];
  readonly #rowNumbers = new RowNumbers();
  table<Row>(data: readonly RowConstant[], shapes: readonly RowShape<Row>[]): RowTable<Row> {
    return new RowTable(this.#rowNumbers.of(data), data, shapes);
  }

  // -- phases without rules ------------------------------------------------------------------------------------
  readonly proceed = (): Outcome => CONTINUE;
  readonly shapeNothing = (_context: RequestContext, _edits: HeaderEdits): void => {};
  readonly noTimeout = (): number => Number.POSITIVE_INFINITY;
  readonly anyPool = (): null => null;
  readonly noneBarred = (): null => null;

  // -- facts ---------------------------------------------------------------------------------------------------
  header(headers: readonly string[], name: string): string | undefined {
    for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1];
    return undefined;
  }
  query(query: string, name: string): string | undefined {
    return query === '' ? undefined : queryValue(query, name);
  }
  own(attributes: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
    return attributes !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  }
  localClock(zone: string): LocalClock {
    return localClock(zone);
  }
  expiresInMs(credential: Identity['credential'], wallMs: number): number | undefined {
    return credential.expiresMs === null ? undefined : credential.expiresMs - wallMs;
  }

  readonly saturated = saturated;

  // -- calls to models -----------------------------------------------------------------------------------------
  readonly tokensOf = tokensOf;
  readonly tokensUsed = tokensUsed;
  readonly boundOf = boundOf;
  readonly reservedOf = reservedOf;
  readonly hasFallen = hasFallen;

  // -- tests ---------------------------------------------------------------------------------------------------
  networksTest(networks: readonly string[]): (address: string | undefined) => boolean {
    const test = networksTest(networks);
    return (address) => address !== undefined && test(address);
  }
  readonly isInNetworks = isInNetworks;
  globTest(pattern: string): (text: string | undefined) => boolean {
    const test = globTest(pattern);
    return (text) => text !== undefined && test(text);
  }
  regexTest(source: string): (text: string | undefined) => boolean {
    const test = regexTest(source);
    return (text) => text !== undefined && test(text);
  }
  calendar(hours: CalendarHours): Calendar {
    return new Calendar(hours);
  }
  /** False where there is nobody to be in it. */
  isInShare(of: KeyHash | undefined, lot: KeyHash, percent: number): boolean {
    return of !== undefined && standing(lot, of, this.#standing, this.combineKey) < percent;
  }
  /** By the id that the gateway made: a client must not choose whether it is in. */
  isRequestInShare({ idHigh, idLow }: RequestContext, lot: KeyHash, percent: number): boolean {
    this.#requestId.high = idHigh;
    this.#requestId.low = idLow;
    return this.isInShare(this.#requestId, lot, percent);
  }
  readonly #standing: MutableKeyHash = { high: 0, low: 0 };
  readonly #requestId: MutableKeyHash = { high: 0, low: 0 };
  /** One for each list, which many routes share. */
  setOf(items: readonly ScalarValue[]): ValueSet {
    let set = this.#sets.get(items);
    if (set === undefined) {
      set = items.every((item) => typeof item === 'string') ? new TextSet(items) : new Set<unknown>(items);
      this.#sets.set(items, set);
    }
    return set;
  }
  readonly #sets = new WeakMap<readonly ScalarValue[], ValueSet>();
  sameValue(a: unknown, b: unknown): boolean {
    return a !== undefined && a === b;
  }
  sameList(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
    if (a === undefined || b === undefined || a.length !== b.length) return false;
    return a.every((item, at) => item === b[at]);
  }

  // -- counter keys --------------------------------------------------------------------------------------------
  keyOf(tag: string, value: Value): KeyHash {
    const key = { high: 0, low: 0 };
    this.hashKey(tag, counterKeyText(value), key);
    return key;
  }
  keyText(value: Value): string {
    return counterKeyText(value);
  }

  // -- changes of the body --------------------------------------------------------------------------------------
  readonly #bodies: BoundRuntime['bodies'];
  /** Null as long as nothing changes. `now`: as the caller wrote it. */
  capMember(
    changes: MemberChanges | null,
    member: ChangedMember,
    now: ScalarValue | undefined,
    most: ScalarValue,
  ): MemberChanges | null {
    const value = changes?.valueOf(member) ?? now;
    if (value === undefined || value <= most) return changes;
    const more = changes ?? new MemberChanges(this.#bodies.limits);
    more.set(member, most);
    return more;
  }
  defaultMember(
    changes: MemberChanges | null,
    member: ChangedMember,
    now: ScalarValue | undefined,
    value: ScalarValue,
  ): MemberChanges | null {
    if (now !== undefined || changes?.valueOf(member) !== undefined) return changes;
    const more = changes ?? new MemberChanges(this.#bodies.limits);
    more.set(member, value);
    return more;
  }

  // -- masks ---------------------------------------------------------------------------------------------------
  readonly #noMasks = new MaskSet();
  addMask(masks: MaskSet | null, mask: Mask): MaskSet {
    return (masks ?? this.#noMasks).with(mask);
  }

  // -- answers -------------------------------------------------------------------------------------------------
  unauthenticated(context: RequestContext): Outcome {
    return notPermitted(context, 401);
  }
  /** When nothing denies and no permit holds. */
  notPermitted(context: RequestContext): Outcome {
    return notPermitted(context, context.identity === null ? 401 : 403);
  }
  denial(reply: ReplyConstant): Denial {
    return new Denial(reply);
  }
  denials(defaultStatus: number): Denials {
    return this.#denials.begin(defaultStatus);
  }
  readonly #denials = new Denials();
  warn(context: RequestContext, { rule, code, text }: ReplyConstant, values: readonly unknown[]): void {
    warn(context, { rule, code, detail: renderText(text, values, momentOf(context)) });
  }
  alertText(context: RequestContext, text: readonly TextPart[], values: readonly unknown[]): string {
    return renderText(text, values, momentOf(context));
  }
  readonly shownKey = shownKey;
  noteShadowed(context: RequestContext, rule: number): void {
    noteShadowed(context, rule);
  }
  takeInTurn(context: RequestContext, limits: readonly LimitConstant[], ordinal: Int32Array): TakeResult {
    return takeInTurn(this, context, limits, ordinal);
  }
  refuseLimits(
    context: RequestContext,
    limits: readonly LimitConstant[],
    result: TakeResult,
    ordinal: Int32Array,
    holeValues: HoleValues,
  ): Outcome {
    return refuseLimits(this, context, limits, result, ordinal, holeValues);
  }
  readonly #barred = new BarredPoolSets();
  barredPools(cases: readonly FilterConstant[], held: string): BarredPools {
    return this.#barred.of(cases, held);
  }
  refuseTargets(
    context: RequestContext,
    cases: readonly FilterConstant[],
    call: TargetlessCall,
    values: (context: RequestContext, at: number) => readonly unknown[],
  ): Refusal | null {
    return refuseTargets(context, cases, call, values);
  }
  /** `ordinal`: of the batch, which holds the enforced ones. */
  callLimits(
    context: RequestContext,
    limits: readonly LimitConstant[],
    parts: readonly (readonly TargetPart[])[],
    ordinal: Int32Array,
    holeValues: HoleValues,
  ): RuleCallLimits {
    return RuleCallLimits.of({ thread: this.#targets, context, limits, holeValues }, parts, ordinal);
  }
  observe(context: RequestContext, watched: Watched, ordinal: Int32Array): void {
    observe(this, context, watched, ordinal);
  }
  observeReserving(context: RequestContext, watched: Watched, ordinal: Int32Array): void {
    observeReserving(this, context, watched, ordinal);
  }
  observeHolding(context: RequestContext, watched: Watched, ordinal: Int32Array): void {
    observeHolding(this, context, watched, ordinal);
  }
  warningLimits(limits: readonly LimitConstant[], holeValues: HoleValues): Watched {
    return { mode: 'warn', limits, holeValues };
  }
  shadowedLimits(rules: readonly number[]): Watched {
    return { mode: 'shadow', rules };
  }
  showTaken(context: RequestContext, limits: readonly LimitConstant[], ordinal: Int32Array): void {
    showTaken(this, context, limits, ordinal);
  }
  stateItem(entry: number, prefix: string): string {
    return stateItem(this.batch, entry, prefix);
  }
  headerValue(context: RequestContext, parts: readonly TextPart[], values: readonly unknown[]): string {
    return headerSafe(renderText(parts, values, momentOf(context)));
  }
}
