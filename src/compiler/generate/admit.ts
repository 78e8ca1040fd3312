import { byCondition } from '../fact-tables.ts';
import { isInFields } from '../limit-fields.ts';
import type { ResidualProgram } from '../residual.ts';
import {
  canChangeLater,
  entryStatements,
  fillRows,
  fillStatements,
  isUnconditional,
  type Limit,
  type LimitGroup,
  limitFrame,
  limitGroup,
  orderOf,
} from './batch.ts';
import { functionCode, guarded, indent } from './code.ts';
import type { PhaseCode } from './decide.ts';
import type { Frame, ProgramScope } from './frame.ts';
import { holeValueStatements, holeValuesCode, limitConstant } from './limit-texts.ts';
import { observeFunctions, observeStatements, tabledGroups } from './observe.ts';
import { shownStatements } from './shown-limits.ts';
import { factsOfTables, type Tabled, tabled } from './tables.ts';

/** Takes from every limit in one step; then, one by one, from the limits of policies that only watch. */
export function admitCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (program.limits.length + program.observedLimits.length === 0) {
    return { entry: 'runtime.proceed', functions: [] };
  }
  const group = limitGroup(program.limits);
  const limits = tabledLimits(group.list, group, scope);
  const observed = tabledGroups(program.observedLimits, scope);
  const frame = limitFrame(limits, scope, factsOfTables(observed));
  const body = [
    ...(group.list.length === 0 ? [] : enforcedStatements(limits, group, frame)),
    ...observeStatements(observed, frame),
    'return CONTINUE;',
  ];
  return {
    entry: 'admit',
    functions: [
      functionCode('admit(context)', body),
      ...(group.list.length === 0 ? [] : [holeValuesCode('holeValues', limits, group, scope)]),
      ...observeFunctions(observed, scope),
    ],
  };
}

/** A row adds its limits to the batch from place `at` on, and knows the values for their texts. */
export function tabledLimits(
  limits: readonly Limit[],
  group: LimitGroup,
  scope: ProgramScope,
): Tabled<Limit> {
  return tabled(limits, byCondition(), scope, (items, inRow) => {
    const rules = tabledLimits(items, group, inRow);
    const ordinal = ({ ir }: Limit) => inRow.pool.constant(group.ordinals.get(ir)!, 'ordinal');
    const frame = limitFrame(rules, inRow);
    const fill = rules.always.flatMap((limit) =>
      frame.statement(() => {
        const entry = [...entryStatements(limit, 'at', frame), `ordinal[at] = ${ordinal(limit)};`];
        return guarded(frame.condition(limit.condition), [...entry, 'at++;']);
      }, [limit.ir]),
    );
    return {
      fill: functionCode('fill(context, at)', [...fill, ...fillRows(rules, frame), 'return at;']),
      holeValues: functionCode('holeValues(context, limit)', [
        ...holeValueStatements(rules, inRow, ordinal),
        'return null;',
      ]),
    };
  });
}

function enforcedStatements(limits: Tabled<Limit>, group: LimitGroup, frame: Frame): string[] {
  const replies = frame.scope.pool.constant(group.list.map(limitConstant));
  const refuse = `return runtime.refuseLimits(context, ${replies}, result, ${orderOf(group)}, holeValues);`;
  const isCall = frame.scope.route.calls === 'calls';
  const after = [
    ...(isCall ? ['batch.holds = true;'] : []),
    group.list.some(({ rule }) => rule.queueMs !== null)
      ? `const result = runtime.takeInTurn(context, ${replies}, ${orderOf(group)});`
      : 'const result = counters.take(batch, context.nowMonotonicMs, context.nowWallMs);',
    ...(isCall ? ['batch.holds = false;'] : []),
    `if (result !== 0) ${refuse}`,
    ...reserveStatements(group.list, isCall ? 'calls' : 'requests'),
    ...showStatements(limits, group, replies, frame),
  ];
  const fill = fillStatements(limits, group, frame);
  return group.list.some(isUnconditional)
    ? [...fill, ...after]
    : [...fill, 'if (at !== 0) {', ...indent(after), '}'];
}

/** A call that no key has room for leaves every counter as it was (language-rules #19). */
function reserveStatements(limits: readonly Limit[], of: 'calls' | 'requests'): string[] {
  if (of === 'calls') return ['context.reservation = counters.hold(batch);'];
  return limits.some(canChangeLater) ? ['context.reservation = counters.reserve(batch);'] : [];
}

function showStatements(
  { tables }: Tabled<Limit>,
  { list }: LimitGroup,
  replies: string,
  frame: Frame,
): string[] {
  if (tables.length === 0) return shownStatements(list, frame);
  const isAnyShown = list.some(({ rule }) => isInFields(rule));
  return isAnyShown ? [`runtime.showTaken(context, ${replies}, ordinal);`] : [];
}
