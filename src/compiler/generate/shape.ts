import type { HeaderRule, TimeoutRule } from '../../language/typed.ts';
import { asConstant, holesOf, textParts } from '../replies.ts';
import type { HeaderAction, Residual, ResidualProgram } from '../residual.ts';
import { headerSafe } from '../runtime/text.ts';
import { functionCode, guarded } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';

/** Sets and removes header fields. What does not depend on the request is resolved here. */
export function shapeCode(
  program: ResidualProgram,
  scope: ProgramScope,
  side: HeaderRule['side'],
): PhaseCode {
  const actions = program.headers[side];
  if (actions.length === 0) return { entry: 'runtime.shapeNothing', functions: [] };
  const facts = actions.flatMap((action) => holesOf(action.value));
  const frame = new Frame(
    scope,
    'after-identity',
    actions.map((action) => action.condition),
    facts,
  );
  const statements = actions.flatMap((action) =>
    guarded(frame.condition(action.condition), [actionStatement(action, frame)]),
  );
  const name = side === 'request' ? 'shapeRequest' : 'shapeResponse';
  return {
    entry: name,
    functions: [functionCode(`${name}(context, edits)`, [...frame.locals, ...statements])],
  };
}

function actionStatement(action: HeaderAction, frame: Frame): string {
  const header = frame.scope.pool.constant(action.header);
  if (action.kind === 'remove-header') return `edits.removed.push(${header});`;
  return `edits.set.push(${header}, ${valueExpression(action, frame)});`;
}

function valueExpression(action: HeaderAction, frame: Frame): string {
  const { pool } = frame.scope;
  const parts = textParts(action.value);
  if (parts.every((part) => typeof part === 'string')) return pool.constant(headerSafe(parts.join('')));
  const values = holesOf(action.value).map((fact) => frame.fact(fact));
  return `runtime.headerValue(${pool.constant(parts.map(partConstant))}, [${values.join(', ')}])`;
}

function partConstant(part: ReturnType<typeof textParts>[number]) {
  return typeof part === 'string' ? part : asConstant(part);
}

/** The least of all timeouts that apply. */
export function timeoutCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (program.timeouts.length === 0) return { entry: 'runtime.noTimeout', functions: [] };
  const frame = new Frame(
    scope,
    'after-identity',
    program.timeouts.map((timeout) => timeout.condition),
  );
  const fixed = program.timeouts.filter((timeout) => timeout.condition.kind === 'constant');
  const least = Math.min(...fixed.map((timeout) => timeout.rule.totalMs));
  const start = fixed.length === 0 ? 'Infinity' : scope.pool.constant(least);
  const others = program.timeouts.filter((timeout) => !fixed.includes(timeout));
  const body =
    others.length === 0
      ? [`return ${start};`]
      : [`let least = ${start};`, ...others.map((timeout) => lessen(timeout, frame)), 'return least;'];
  return {
    entry: 'totalTimeoutMs',
    functions: [functionCode('totalTimeoutMs(context)', [...frame.locals, ...body])],
  };
}

function lessen({ rule, condition }: Residual<TimeoutRule>, frame: Frame): string {
  const total = frame.scope.pool.constant(rule.totalMs);
  return `if (${total} < least && (${frame.condition(condition)})) least = ${total};`;
}
