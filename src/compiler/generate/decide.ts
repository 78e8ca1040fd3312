import type { WarnRule } from '../../language/typed.ts';
import type { FactReference } from '../ir.ts';
import { asConstant, holesOf, ruleReply } from '../replies.ts';
import type { DenyRule, PhaseDecisions, Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded } from './code.ts';
import { Frame, type ProgramScope } from './frame.ts';

/** The code of a phase: its functions, and the expression that names its entry. */
export interface PhaseCode {
  readonly entry: string;
  readonly functions: readonly string[];
}

/** Deny rules that need no identity. */
export function matchCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  const { enforced, observed } = program.decisions.match;
  if (enforced.length + observed.length === 0) return { entry: 'runtime.proceed', functions: [] };
  const frame = new Frame(scope, 'before-identity', conditionsOf(program.decisions.match));
  const statements = [
    ...observedStatements(observed, frame),
    ...denyStatements(enforced, 'refuseInMatch', frame),
  ];
  const body = [...frame.locals, ...statements, 'return CONTINUE;'];
  const functions = [functionCode('match(context)', body)];
  if (enforced.length > 0) functions.push(refuseInMatchCode(enforced, scope));
  return { entry: 'match', functions };
}

/** Deny rules over identity facts, and all permits. */
export function authoriseCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  const decisions = program.decisions.authorise;
  const others = [...program.warns, ...program.permits].map(({ condition }) => condition);
  const frame = new Frame(scope, 'after-identity', [...conditionsOf(decisions), ...others]);
  const statements = [
    ...warnStatements(program.warns, frame),
    ...observedStatements(decisions.observed, frame),
    ...denyStatements(decisions.enforced, 'refuseInAuthorise', frame),
    ...permitStatements(program, frame),
  ];
  const body = [...needIdentity(scope), ...frame.locals, ...statements];
  return {
    entry: 'authorise',
    functions: [functionCode('authorise(context)', body), refuseInAuthoriseCode(program, scope)],
  };
}

function conditionsOf({ enforced, observed }: PhaseDecisions) {
  return [...enforced, ...observed].map((residual) => residual.condition);
}

/** On a route that requires identity, everything after it relies on one. */
function needIdentity(scope: ProgramScope): string[] {
  if (scope.route.auth !== 'required') return [];
  return ['if (context.identity === null) return runtime.unauthenticated(context);'];
}

function observedStatements(observed: readonly Residual<DenyRule>[], frame: Frame): string[] {
  return observed.flatMap((residual) => {
    if (residual.ir.mode === 'warn') return warnStatements([residual], frame);
    const statement = `runtime.noteShadowed(context, ${frame.scope.pool.constant(residual.ir.index, 'rule')});`;
    return guarded(frame.condition(residual.condition), [statement]);
  });
}

function warnStatements(warning: readonly Residual<DenyRule | WarnRule>[], frame: Frame): string[] {
  return warning.flatMap(({ ir, rule, condition }) => {
    const reply = frame.scope.pool.constant(asConstant(ruleReply(ir)));
    const values = holesOf(rule.reply.because).map((fact) => frame.fact(fact));
    return guarded(frame.condition(condition), [`runtime.warn(context, ${reply}, [${values.join(', ')}]);`]);
  });
}

function denyStatements(enforced: readonly Residual<DenyRule>[], refuse: string, frame: Frame): string[] {
  return enforced.flatMap(({ condition }) =>
    guarded(frame.condition(condition), [`return ${refuse}(context);`]),
  );
}

function permitStatements({ permits }: ResidualProgram, frame: Frame): string[] {
  const lines: string[] = [];
  for (const { ir, condition } of permits) {
    const hold = `context.decidingRule = ${frame.scope.pool.constant(ir.index, 'rule')};`;
    const test = frame.condition(condition);
    const otherwise = lines.length === 0 ? '' : 'else ';
    lines.push(test === 'true' ? `${otherwise}${hold}` : `${otherwise}if (${test}) ${hold}`);
    if (test === 'true') return [...lines, 'return CONTINUE;'];
  }
  if (lines.length === 0) return ['return refuseInAuthorise(context);'];
  return [...lines, 'else return refuseInAuthorise(context);', 'return CONTINUE;'];
}

function refuseInMatchCode(enforced: readonly Residual<DenyRule>[], scope: ProgramScope): string {
  const frame = new Frame(
    scope,
    'before-identity',
    enforced.map(({ condition }) => condition),
    holes(enforced),
  );
  const statements = collectStatements(enforced, frame);
  const body = [
    ...frame.locals,
    'const denials = runtime.denials(403);',
    ...statements,
    'return denials.respond(context);',
  ];
  return functionCode('refuseInMatch(context)', body);
}

/** Runs when something denies: asks every rule of the phase again, to name them all. */
function refuseInAuthoriseCode(program: ResidualProgram, scope: ProgramScope): string {
  const { enforced } = program.decisions.authorise;
  const permits = program.permits.map((permit) => permit.condition);
  const conditions = [...enforced.map(({ condition }) => condition), ...permits];
  const frame = new Frame(scope, 'after-identity', conditions, holes(enforced));
  const statements = collectStatements(enforced, frame);
  const permitted = permits.map((condition) => `(${frame.condition(condition)})`).join(' || ');
  const body = [
    ...frame.locals,
    'const denials = runtime.denials(context.identity === null ? 401 : 403);',
    ...statements,
    permitted === '' ? 'denials.notPermitted();' : `if (!(${permitted})) denials.notPermitted();`,
    'return denials.respond(context);',
  ];
  return functionCode('refuseInAuthorise(context)', body);
}

function collectStatements(enforced: readonly Residual<DenyRule>[], frame: Frame): string[] {
  return enforced.flatMap(({ ir, rule, condition }) => {
    const reply = frame.scope.pool.constant(asConstant(ruleReply(ir)));
    const values = holesOf(rule.reply.because).map((fact) => frame.fact(fact));
    return guarded(frame.condition(condition), [`denials.add(${reply}, [${values.join(', ')}]);`]);
  });
}

function holes(enforced: readonly Residual<DenyRule>[]): FactReference[] {
  return enforced.flatMap(({ rule }) => holesOf(rule.reply.because));
}
