import type { LimitRule } from '../../language/typed.ts';
import type { FactReference } from '../ir.ts';
import { isEstimated, isInFields } from '../limit-fields.ts';
import { CounterNumber } from '../numbers.ts';
import type { Residual } from '../residual.ts';
import { estimatedBy, factsOfWeight } from '../rule-facts.ts';
import { guarded } from './code.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { keyFacts, keyStatements } from './keys.ts';
import { factsOfTables, forRows, type Tabled } from './tables.ts';

export type Limit = Residual<LimitRule>;

/** Limits that are taken together: `ordinal` of an entry of the batch is an index in `list`. */
export interface LimitGroup {
  /** Those that always apply come first: they have fixed places in the batch. */
  readonly list: readonly Limit[];
  readonly ordinals: ReadonlyMap<Limit['ir'], number>;
}

export function limitGroup(limits: readonly Limit[]): LimitGroup {
  const list = [...limits.filter(isUnconditional), ...limits.filter((limit) => !isUnconditional(limit))];
  return { list, ordinals: new Map(list.map(({ ir }, ordinal) => [ir, ordinal])) };
}

export function isUnconditional(limit: Limit): boolean {
  return limit.condition.kind === 'constant';
}

export function limitFrame(
  limits: Tabled<Limit>,
  scope: ProgramScope,
  others: readonly FactReference[] = [],
): Frame {
  const conditions = limits.always.map((limit) => limit.condition);
  const keys = limits.always.flatMap(({ rule }) => [...keyFacts(rule), ...factsOfWeight(rule)]);
  return new Frame(scope, 'after-body', conditions, [...keys, ...factsOfTables(limits), ...others]);
}

/** Fills the batch and sets its `count`; leaves `at` where not everything is fixed. */
export function fillStatements(limits: Tabled<Limit>, group: LimitGroup, frame: Frame): string[] {
  const fixed = limits.always.filter(isUnconditional);
  const lines = fixed.flatMap((limit, at) =>
    frame.statement(() => entryStatements(limit, String(at), frame), [limit.ir]),
  );
  if (isFixed(group)) return [...lines, `batch.count = ${fixed.length};`];
  lines.push(...fixed.map((_, at) => `ordinal[${at}] = ${at};`), `let at = ${fixed.length};`);
  const hasPlaces = limits.tables.length === 0;
  for (const limit of limits.always.slice(fixed.length)) {
    lines.push(
      ...frame.statement(
        () => sometimesStatements(limit, group, frame, hasPlaces ? 'keep-place' : 'no-place'),
        [limit.ir],
      ),
    );
  }
  return [...lines, ...fillRows(limits, frame), 'batch.count = at;'];
}

/** An entry that is there for some requests only; its place is kept where the answer shows it. */
function sometimesStatements(
  limit: Limit,
  group: LimitGroup,
  frame: Frame,
  places: 'keep-place' | 'no-place',
): string[] {
  const ordinal = group.ordinals.get(limit.ir)!;
  const entry = [...entryStatements(limit, 'at', frame), `ordinal[at] = ${ordinal};`];
  const isShown = isInFields(limit.rule) && limit.ir.mode === 'enforce';
  const condition = frame.condition(limit.condition);
  if (!isShown || places === 'no-place') return guarded(condition, [...entry, 'at++;']);
  return [`let place${ordinal} = -1;`, ...guarded(condition, [...entry, `place${ordinal} = at;`, 'at++;'])];
}

export function entryStatements(limit: Limit, at: string, frame: Frame): string[] {
  const number = counterNumber(limit, frame);
  const weight = weightOf(limit, frame);
  return [
    `counter[${at}] = ${number};`,
    ...keyStatements(limit.rule, at, frame),
    `weight[${at}] = ${weight};`,
  ];
}

/** Of a call that fell back from this limit it counts no more than it allows to those. */
function counterNumber({ rule, ir }: Limit, { scope: { pool, route } }: Frame): string {
  const own = pool.constant(new CounterNumber(rule, 'limit'));
  const canFall = ir.mode === 'enforce' && route.calls === 'calls';
  if (!canFall || rule.fallback?.counted.kind !== 'allowance') return own;
  const allowance = pool.constant(new CounterNumber(rule, 'allowance'));
  return `runtime.hasFallen(context, ${pool.constant(rule.counterIdentity)}) ? ${allowance} : ${own}`;
}

/** One request, or what a call is estimated to take; what a route has a price for takes that. */
function weightOf({ rule, ir }: Limit, frame: Frame): string {
  const measure = estimatedBy(rule);
  if (measure === null) return '1';
  if (frame.scope.route.calls === 'calls') {
    const how = ir.mode === 'enforce' ? 'reservedOf' : 'boundOf';
    return `runtime.${how}(context, ${frame.scope.pool.constant(measure)})`;
  }
  const [cost] = factsOfWeight(rule);
  // a route to models that sends no calls: the list of them
  return cost === undefined || frame.scope.specialiser.presence(cost) === 'never' ? '0' : frame.fact(cost);
}

export function fillRows(limits: Tabled<Limit>, frame: Frame): string[] {
  return forRows(limits, frame, (row) => [`at = ${row}.fill(context, at);`]);
}

/** Whether no limit depends on the request: the place in the batch is then the ordinal. */
export function isFixed({ list }: LimitGroup): boolean {
  return list.every(isUnconditional);
}

/** Which limit an entry is: the same number, unless conditions leave some out. */
export function orderOf(group: LimitGroup): string {
  return isFixed(group) ? 'runtime.IN_ORDER' : 'ordinal';
}

/** A slot of `at once` is given back at the end, and money is settled; requests in a window are counted for good. */
export function canChangeLater({ rule }: Limit): boolean {
  return rule.window.kind === 'concurrency' || isEstimated(rule);
}
