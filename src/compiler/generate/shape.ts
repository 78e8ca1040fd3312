import type { HeaderRule, MemberRule, TimeoutRule } from '../../language/typed.ts';
import { byCondition } from '../fact-tables.ts';
import { asConstant } from '../numbers.ts';
import { holesOf, textParts } from '../replies.ts';
import type { HeaderAction, Residual, ResidualProgram } from '../residual.ts';
import { memberName } from '../route-facts.ts';
import { membersOf } from '../rule-facts.ts';
import { headerSafe } from '../runtime/text.ts';
import { functionCode, guarded } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

/** Sets and removes header fields. What does not depend on the request is resolved here. */
export function shapeCode(
  program: ResidualProgram,
  scope: ProgramScope,
  side: HeaderRule['side'],
): PhaseCode {
  const actions = program.headers[side];
  if (actions.length === 0) return { entry: 'runtime.shapeNothing', functions: [] };
  const name = side === 'request' ? 'shapeRequest' : 'shapeResponse';
  return { entry: name, functions: [actionsCode(name, tabledActions(actions, scope), scope)] };
}

function tabledActions(actions: readonly HeaderAction[], scope: ProgramScope): Tabled<HeaderAction> {
  return tabled(actions, byCondition(), scope, (items, inRow) => ({
    shape: actionsCode('shape', tabledActions(items, inRow), inRow),
  }));
}

function actionsCode(name: string, actions: Tabled<HeaderAction>, scope: ProgramScope): string {
  const conditions = actions.always.map((action) => action.condition);
  const written = actions.always.flatMap((action) => holesOf(action.value));
  const frame = new Frame(scope, 'after-body', conditions, [...written, ...factsOfTables(actions)]);
  const statements = actions.always.flatMap((action) =>
    frame.statement(
      () => guarded(frame.condition(action.condition), [actionStatement(action, frame)]),
      action.rules,
    ),
  );
  const rows = forRows(actions, frame, (row) => [`${row}.shape(context, edits);`]);
  return functionCode(`${name}(context, edits)`, [...statements, ...rows]);
}

function actionStatement(action: HeaderAction, frame: Frame): string {
  const header = frame.scope.pool.constant(action.header);
  if (action.kind === 'remove-header') return `edits.removed.push(${header});`;
  const list = action.kind === 'add-header' ? 'added' : 'set';
  return `edits.${list}.push(${header}, ${valueExpression(action, frame)});`;
}

function valueExpression(action: HeaderAction, frame: Frame): string {
  const { pool } = frame.scope;
  const parts = textParts(action.value);
  if (parts.every((part) => typeof part === 'string')) return pool.constant(headerSafe(parts.join('')));
  const values = holesOf(action.value).map((fact) => frame.fact(fact));
  return `runtime.headerValue(context, ${pool.constant(parts.map(partConstant))}, [${values.join(', ')}])`;
}

function partConstant(part: ReturnType<typeof textParts>[number]) {
  return typeof part === 'string' ? part : asConstant(part);
}

/** Defaults before caps: what is set is capped too. */
export function membersCode({ members }: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (members.length === 0) return { entry: 'null', functions: [] };
  const kinds = (['default', 'cap'] as const).map((kind) =>
    tabledMembers(
      members.filter(({ rule }) => rule.kind === kind),
      scope,
    ),
  );
  const frame = membersFrame(kinds, scope);
  const changes = kinds.flatMap((rules) => changeStatements(rules, frame));
  const body = ['let changes = null;', ...changes, 'return changes;'];
  return { entry: 'requestTransform', functions: [functionCode('requestTransform(context)', body)] };
}

type Member = Residual<MemberRule>;

function tabledMembers(members: readonly Member[], scope: ProgramScope): Tabled<Member> {
  return tabled(members, byCondition(), scope, (items, inRow) => {
    const rules = tabledMembers(items, inRow);
    const changes = changeStatements(rules, membersFrame([rules], inRow));
    return { change: functionCode('change(context, changes)', [...changes, 'return changes;']) };
  });
}

function membersFrame(kinds: readonly Tabled<Member>[], scope: ProgramScope): Frame {
  const always = kinds.flatMap((rules) => rules.always);
  return new Frame(
    scope,
    'after-body',
    always.map(({ condition }) => condition),
    [...always.flatMap(({ rule }) => membersOf(rule)), ...kinds.flatMap(factsOfTables)],
  );
}

function changeStatements(members: Tabled<Member>, frame: Frame): string[] {
  const always = members.always.flatMap((member) =>
    frame.statement(
      () => guarded(frame.condition(member.condition), [changeStatement(member, frame)]),
      [member.ir],
    ),
  );
  return [...always, ...forRows(members, frame, (row) => [`changes = ${row}.change(context, changes);`])];
}

function changeStatement({ rule }: Member, frame: Frame): string {
  const { pool } = frame.scope;
  const { definition, type } = rule.member;
  const member = pool.constant({ name: memberName(definition.path), type: type.kind });
  const change = rule.kind === 'cap' ? 'capMember' : 'defaultMember';
  const [now] = frame.unsure(() => membersOf(rule).map((fact) => frame.fact(fact)));
  return `changes = runtime.${change}(changes, ${member}, ${now}, ${pool.constant(rule.value.value)});`;
}

/** The least of what the caller asks for, or what stands for that, and all caps that apply. */
export function outputCapCode({ outputCaps }: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (outputCaps.length === 0) return { entry: 'null', functions: [] };
  const kinds = (['default', 'cap'] as const).map((kind) =>
    tabledCaps(
      outputCaps.filter(({ rule }) => rule.kind === kind),
      scope,
    ),
  );
  const frame = capsFrame(kinds, scope);
  const body = [
    'let most = context.call.facts.outputCap ?? Infinity;',
    ...kinds.flatMap((rules) => capStatements(rules, frame)),
    'return most;',
  ];
  return { entry: 'outputCap', functions: [functionCode('outputCap(context)', body)] };
}

function tabledCaps(caps: readonly Member[], scope: ProgramScope): Tabled<Member> {
  return tabled(caps, byCondition(), scope, (items, inRow) => {
    const rules = tabledCaps(items, inRow);
    const statements = capStatements(rules, capsFrame([rules], inRow));
    return { lessen: functionCode('lessen(context, most)', [...statements, 'return most;']) };
  });
}

function capsFrame(kinds: readonly Tabled<Member>[], scope: ProgramScope): Frame {
  const conditions = kinds.flatMap((rules) => rules.always.map(({ condition }) => condition));
  return new Frame(scope, 'after-body', conditions, kinds.flatMap(factsOfTables));
}

function capStatements(caps: Tabled<Member>, frame: Frame): string[] {
  const always = caps.always.flatMap(({ rule, condition, ir }) => {
    const value = frame.scope.pool.constant(rule.value.value);
    const applies = rule.kind === 'cap' ? `${value} < most` : 'most === Infinity';
    return frame.statement(
      () => guarded(frame.condition(condition), [`if (${applies}) most = ${value};`]),
      [ir],
    );
  });
  return [...always, ...forRows(caps, frame, (row) => [`most = ${row}.lessen(context, most);`])];
}

/** The least of all timeouts that apply. */
export function timeoutCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (program.timeouts.length === 0) return { entry: 'runtime.noTimeout', functions: [] };
  const fixed = program.timeouts.filter((timeout) => timeout.condition.kind === 'constant');
  const start = Math.min(...fixed.map((timeout) => timeout.rule.totalMs));
  const rules = tabledTimeouts(
    program.timeouts.filter((timeout) => !fixed.includes(timeout)),
    scope,
  );
  const least = fixed.length === 0 ? 'Infinity' : scope.pool.constant(start);
  const body = [`let least = ${least};`, ...leastStatements(rules, scope)];
  return { entry: 'totalTimeoutMs', functions: [functionCode('totalTimeoutMs(context)', body)] };
}

type Timeout = Residual<TimeoutRule>;

function tabledTimeouts(timeouts: readonly Timeout[], scope: ProgramScope): Tabled<Timeout> {
  return tabled(timeouts, byCondition(), scope, (items, inRow) => ({
    lessen: functionCode('lessen(context, least)', leastStatements(tabledTimeouts(items, inRow), inRow)),
  }));
}

/** Statements that lower `least`, and return it. */
function leastStatements(timeouts: Tabled<Timeout>, scope: ProgramScope): string[] {
  const conditions = timeouts.always.map((timeout) => timeout.condition);
  const frame = new Frame(scope, 'after-body', conditions, factsOfTables(timeouts));
  return [
    ...timeouts.always.flatMap((timeout) => frame.statement(() => [lessen(timeout, frame)], [timeout.ir])),
    ...forRows(timeouts, frame, (row) => [`least = ${row}.lessen(context, least);`]),
    'return least;',
  ];
}

function lessen({ rule, condition }: Timeout, frame: Frame): string {
  const total = frame.scope.pool.constant(rule.totalMs);
  const test = frame.condition(condition);
  return test === 'true'
    ? `if (${total} < least) least = ${total};`
    : `if (${total} < least && (${test})) least = ${total};`;
}
