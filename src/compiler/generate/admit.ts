import type { LimitRule } from '../../language/typed.ts';
import type { FactReference } from '../ir.ts';
import { capacityOf, isShownToCaller, policyItem, statePrefix } from '../limit-fields.ts';
import { asConstant, holesOf, limitReply } from '../replies.ts';
import type { ObservedLimits, Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded, indent } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { keyFacts, keyStatements } from './keys.ts';
import { shownStatements } from './shown-limits.ts';

/** Numbers the counters of the whole bundle. */
export type CounterNumbers = (rule: LimitRule, policy: string) => number;

type Limit = Residual<LimitRule>;

/** Takes from every limit in one step; then, one by one, from the limits of policies that only watch. */
export function admitCode(program: ResidualProgram, scope: ProgramScope, numbers: CounterNumbers): PhaseCode {
  const limits = unconditionalFirst(program.limits);
  if (limits.length + program.observedLimits.length === 0) return { entry: 'runtime.proceed', functions: [] };
  const frame = limitFrame(limits, scope);
  const enforced = limits.length === 0 ? [] : enforcedStatements(limits, frame, numbers);
  const observed = program.observedLimits.map((_, index) => `observe${index}(context);`);
  const body = [...frame.locals, ...enforced, ...observed, 'return CONTINUE;'];
  return {
    entry: 'admit',
    functions: [
      functionCode('admit(context)', body),
      ...(limits.length === 0 ? [] : [holeValuesCode('holeValues', limits, scope)]),
      ...program.observedLimits.flatMap((group, index) => observeCode(group, index, scope, numbers)),
    ],
  };
}

/** Limits that always apply have fixed places in the batch. */
function unconditionalFirst(limits: readonly Limit[]): Limit[] {
  return [...limits.filter(isUnconditional), ...limits.filter((limit) => !isUnconditional(limit))];
}

function isUnconditional(limit: Limit): boolean {
  return limit.condition.kind === 'constant';
}

function limitFrame(limits: readonly Limit[], scope: ProgramScope): Frame {
  const facts = limits.flatMap((limit) => keyFacts(limit.rule));
  return new Frame(
    scope,
    'after-identity',
    limits.map((limit) => limit.condition),
    facts,
  );
}

function enforcedStatements(limits: readonly Limit[], frame: Frame, numbers: CounterNumbers): string[] {
  const { pool } = frame.scope;
  const replies = pool.constant(limits.map((limit) => asConstant(limitConstant(limit))));
  const refuse = `return runtime.refuseLimits(context, ${replies}, result, ${orderOf(limits)}, holeValues);`;
  const after = [
    'const result = counters.take(batch, context.nowMonotonicMs, context.nowWallMs);',
    `if (result !== 0) ${refuse}`,
    ...(limits.some(canChangeLater) ? ['context.reservation = counters.reserve(batch);'] : []),
    ...shownStatements(limits, frame),
  ];
  const fill = fillStatements(limits, frame, numbers);
  return limits.some(isUnconditional)
    ? [...fill, ...after]
    : [...fill, 'if (at !== 0) {', ...indent(after), '}'];
}

/** Which limit an entry is: the same number, unless conditions leave some out. */
function orderOf(limits: readonly Limit[]): string {
  return limits.every(isUnconditional) ? 'runtime.IN_ORDER' : 'ordinal';
}

/** A slot of `at once` is given back at the end; requests in a window are counted for good. */
function canChangeLater({ rule }: Limit): boolean {
  return rule.window.kind === 'concurrency';
}

function fillStatements(limits: readonly Limit[], frame: Frame, numbers: CounterNumbers): string[] {
  const fixed = limits.filter(isUnconditional);
  const lines = fixed.flatMap((limit, at) => entryStatements(limit, String(at), frame, numbers));
  if (fixed.length === limits.length) return [...lines, `batch.count = ${fixed.length};`];
  lines.push(...fixed.map((_, at) => `ordinal[${at}] = ${at};`), `let at = ${fixed.length};`);
  limits.slice(fixed.length).forEach((limit, index) => {
    const ordinal = fixed.length + index;
    const entry = [...entryStatements(limit, 'at', frame, numbers), `ordinal[at] = ${ordinal};`];
    const isPlaceNeeded = isShownToCaller(limit.rule) && limit.ir.mode === 'enforce';
    if (isPlaceNeeded) lines.push(`let place${ordinal} = -1;`);
    const keep = isPlaceNeeded ? [`place${ordinal} = at;`] : [];
    lines.push(...guarded(frame.condition(limit.condition), [...entry, ...keep, 'at++;']));
  });
  return [...lines, 'batch.count = at;'];
}

function entryStatements(limit: Limit, at: string, frame: Frame, numbers: CounterNumbers): string[] {
  const number = frame.scope.pool.constant(numbers(limit.rule, limit.ir.policy), 'counter');
  return [`counter[${at}] = ${number};`, ...keyStatements(limit.rule, at, frame), `weight[${at}] = 1;`];
}

/** What the run time needs to refuse with a limit. */
function limitConstant({ ir, rule }: Limit) {
  const shown = isShownToCaller(rule);
  return {
    ...limitReply(ir),
    name: rule.name ?? ir.policy,
    policyName: ir.policy,
    ruleName: rule.name,
    amount: rule.window.amount,
    capacity: capacityOf(rule.window),
    policy: shown ? policyItem(ir.policy, rule) : null,
    state: shown ? statePrefix(ir.policy, rule) : null,
  };
}

/** Values for the text of a refusing limit. */
function holeValuesCode(name: string, limits: readonly Limit[], scope: ProgramScope): string {
  const facts: FactReference[][] = limits.map((limit) => holesOf(limit.rule.reply.because));
  const frame = new Frame(scope, 'after-identity', []);
  const cases = facts.flatMap((holes, index) =>
    holes.length === 0
      ? []
      : [`case ${index}: return [${holes.map((fact) => frame.fact(fact)).join(', ')}];`],
  );
  const body = cases.length === 0 ? [] : ['switch (limit) {', ...indent(cases), '}'];
  return functionCode(`${name}(context, limit)`, [...frame.locals, ...body, 'return [];']);
}

function observeCode(
  group: ObservedLimits,
  index: number,
  scope: ProgramScope,
  numbers: CounterNumbers,
): string[] {
  const limits = unconditionalFirst(group.limits);
  const frame = limitFrame(limits, scope);
  const fill = fillStatements(limits, frame, numbers);
  const later = limits.some(canChangeLater);
  const holeValues = `observedValues${index}`;
  const watched = watchedName(group.mode, limits, holeValues, scope);
  const take = `runtime.${later ? 'observeReserving' : 'observe'}(context, ${watched}, ${orderOf(limits)});`;
  const guardedTake = limits.some(isUnconditional) ? take : `if (at !== 0) ${take}`;
  const observe = functionCode(`observe${index}(context)`, [...frame.locals, ...fill, guardedTake]);
  return group.mode === 'warn' ? [observe, holeValuesCode(holeValues, limits, scope)] : [observe];
}

/** What the run time is told of a policy that watches; made once per route. */
function watchedName(
  mode: ObservedLimits['mode'],
  limits: readonly Limit[],
  holeValues: string,
  { pool }: ProgramScope,
): string {
  if (mode === 'shadow') {
    return pool.prepared('shadowedLimits', pool.constant(limits.map((limit) => limit.ir.index)));
  }
  const constants = pool.constant(limits.map((limit) => asConstant(limitConstant(limit))));
  return pool.prepared('warningLimits', constants, holeValues);
}
