import type { Filing } from '../fact-tables.ts';
import { RuleNumber } from '../numbers.ts';
import type { ObservedLimits } from '../residual.ts';
import type { Specialiser } from '../specialise.ts';
import {
  canChangeLater,
  fillStatements,
  isUnconditional,
  type LimitGroup,
  limitFrame,
  limitGroup,
  orderOf,
} from './batch.ts';
import { functionCode } from './code.ts';
import type { Frame, ProgramScope } from './frame.ts';
import { holeValuesCode, limitConstant } from './limit-texts.ts';
import { forRows, type Tabled, tabled } from './tables.ts';

/** Limits of policies in warn and shadow: each policy is taken alone, after the enforced ones. */
export function tabledGroups(groups: readonly ObservedLimits[], scope: ProgramScope): Tabled<ObservedLimits> {
  return tabled(groups, byAnyLimit(scope.specialiser), scope, (items, inRow) => {
    const here = tabledGroups(items, inRow);
    const frame = limitFrame({ always: [], tables: here.tables }, inRow);
    return {
      ...groupFunctions(here, inRow),
      observe: functionCode('observe(context)', observeStatements(here, frame)),
    };
  });
}

/** A policy is filed as a whole: what it takes it takes in one step. */
function byAnyLimit({ conditions }: Specialiser): Filing<ObservedLimits> {
  return {
    conditionOf: ({ limits }) => conditions.any(limits.map((limit) => limit.condition)),
    within: (group, specialiser) => {
      const limits = group.limits
        .map((limit) => ({ ...limit, condition: specialiser.condition(limit.condition) }))
        .filter((limit) => limit.condition !== conditions.never);
      return limits.length === 0 ? null : { ...group, limits };
    },
  };
}

export function observeStatements(groups: Tabled<ObservedLimits>, frame: Frame): string[] {
  const always = groups.always.map((_, index) => `${functionName(index)}(context);`);
  return [...always, ...forRows(groups, frame, (row) => [`${row}.observe(context);`])];
}

export function observeFunctions(groups: Tabled<ObservedLimits>, scope: ProgramScope): string[] {
  return Object.values(groupFunctions(groups, scope));
}

function groupFunctions(
  { always }: Tabled<ObservedLimits>,
  scope: ProgramScope,
): Readonly<Record<string, string>> {
  return Object.assign({}, ...always.map((group, index) => functionsOfGroup(group, index, scope)));
}

function functionName(index: number): string {
  return `observe${index}`;
}

function functionsOfGroup(
  { limits, mode }: ObservedLimits,
  index: number,
  scope: ProgramScope,
): Readonly<Record<string, string>> {
  const group = limitGroup(limits);
  const alone = { always: group.list, tables: [] };
  const fill = fillStatements(alone, group, limitFrame(alone, scope));
  const holeValues = `observedValues${index}`;
  const watched = watchedName(mode, group, holeValues, scope);
  const later = group.list.some(canChangeLater) ? 'observeReserving' : 'observe';
  const how = scope.route.calls === 'calls' ? 'observeHolding' : later;
  const take = `runtime.${how}(context, ${watched}, ${orderOf(group)});`;
  const guardedTake = group.list.some(isUnconditional) ? take : `if (at !== 0) ${take}`;
  const name = functionName(index);
  return {
    [name]: functionCode(`${name}(context)`, [...fill, guardedTake]),
    ...(mode === 'warn' ? { [holeValues]: holeValuesCode(holeValues, alone, group, scope) } : {}),
  };
}

/** What the run time is told of a policy that watches; made once per route. */
export function watchedName(
  mode: ObservedLimits['mode'],
  { list }: LimitGroup,
  holeValues: string,
  { pool }: ProgramScope,
): string {
  if (mode === 'shadow') {
    return pool.prepared('shadowedLimits', pool.constant(list.map((limit) => new RuleNumber(limit.ir))));
  }
  return pool.prepared('warningLimits', pool.constant(list.map(limitConstant)), holeValues);
}
