import { targetKeys } from '../../language/limit-rules.ts';
import { counterKeyTag } from '../counter-keys.ts';
import { factReference } from '../lower.ts';
import { asConstant } from '../numbers.ts';
import type { ObservedLimits, ResidualProgram } from '../residual.ts';
import type { TargetPart } from '../runtime/target-limits.ts';
import { tabledLimits } from './admit.ts';
import { fillStatements, type Limit, limitFrame, limitGroup, orderOf } from './batch.ts';
import { functionCode } from './code.ts';
import type { PhaseCode } from './decide.ts';
import type { ProgramScope } from './frame.ts';
import { holeValuesCode, limitConstant } from './limit-texts.ts';
import { watchedName } from './observe.ts';

/** Limits that are counted by what a call is sent to, as far as the request says: the rest of their keys comes when that is chosen. */
export function targetLimitsCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  const { targetLimits, observedTargetLimits } = program;
  if (targetLimits.length + observedTargetLimits.length === 0) return { entry: 'null', functions: [] };
  const group = limitGroup(targetLimits);
  const limits = tabledLimits(group.list, group, scope);
  const replies = scope.pool.constant(group.list.map(limitConstant));
  const parts = partsConstant(group.list, scope);
  const body = [
    ...fillStatements(limits, group, limitFrame(limits, scope)),
    `const limits = runtime.callLimits(context, ${replies}, ${parts}, ${orderOf(group)}, targetValues);`,
    ...observedTargetLimits.map((_, index) => `watchTargets${index}(context, limits);`),
    'return limits.areNone ? null : limits;',
  ];
  return {
    entry: 'targetLimits',
    functions: [
      functionCode('targetLimits(context)', body),
      holeValuesCode('targetValues', limits, group, scope),
      ...observedTargetLimits.flatMap((watching, index) => watchFunctions(watching, index, scope)),
    ],
  };
}

function watchFunctions({ limits, mode }: ObservedLimits, index: number, scope: ProgramScope): string[] {
  const group = limitGroup(limits);
  const alone = { always: group.list, tables: [] };
  const holeValues = `watchedTargetValues${index}`;
  const watched = watchedName(mode, group, holeValues, scope);
  return [
    functionCode(`watchTargets${index}(context, limits)`, [
      ...fillStatements(alone, group, limitFrame(alone, scope)),
      `limits.add(${watched}, ${partsConstant(group.list, scope)}, ${orderOf(group)});`,
    ]),
    ...(mode === 'warn' ? [holeValuesCode(holeValues, alone, group, scope)] : []),
  ];
}

/** For each limit what its key has besides. */
function partsConstant(limits: readonly Limit[], { pool }: ProgramScope): string {
  return pool.constant(
    asConstant(
      limits.map(({ rule }) =>
        targetKeys(rule).map((key): TargetPart => {
          const fact = factReference(key);
          return { tag: counterKeyTag(fact), path: fact.path };
        }),
      ),
    ),
  );
}
