import type { PermitRule, WarnRule } from '../../language/typed.ts';
import { byCondition } from '../fact-tables.ts';
import type { Condition, DecisionPhase, FactReference } from '../ir.ts';
import { asConstant, RuleNumber } from '../numbers.ts';
import { holesOf, ruleReply } from '../replies.ts';
import type { DenyRule, PermitPhase, Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded } from './code.ts';
import { Frame, type Moment, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

/** The code of a phase: its functions, and the expression that names its entry. */
export interface PhaseCode {
  readonly entry: string;
  readonly functions: readonly string[];
}

type Deny = Residual<DenyRule>;
/** A rule of a policy that only watches, or one that warns by itself. */
type Watcher = Residual<DenyRule | WarnRule>;
type Permit = Residual<PermitRule>;

const WHEN: Readonly<Record<DecisionPhase, Moment>> = {
  match: 'before-identity',
  authorise: 'before-body',
  body: 'after-body',
};

/** Deny rules that need no identity. */
export function matchCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  const { enforced, observed } = program.decisions.match;
  if (enforced.length + observed.length === 0) return { entry: 'runtime.proceed', functions: [] };
  const denying = tabledDenials(enforced, 'match', scope);
  const watching = tabledWatchers(observed, 'match', scope);
  const frame = phaseFrame('match', scope, [denying, watching]);
  const body = [
    ...watchStatements(watching, frame),
    ...denyStatements(denying, frame, 'return refuseInMatch(context);'),
    'return CONTINUE;',
  ];
  const functions = [functionCode('match(context)', body)];
  if (enforced.length > 0) functions.push(refuseInMatchCode(denying, scope));
  return { entry: 'match', functions };
}

/** Deny rules over identity facts, and the permits that don't read the body. */
export function authoriseCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  const { enforced, observed } = program.decisions.authorise;
  const { mayBePermitted } = program;
  const denying = tabledDenials(enforced, 'authorise', scope);
  const warns = program.warns.filter(({ ir }) => ir.phase !== 'body');
  const watching = tabledWatchers([...warns, ...observed], 'authorise', scope);
  const notPermitted =
    enforced.length === 0 ? 'return runtime.notPermitted(context);' : 'return refuseInAuthorise(context);';
  const permits = tabledPermits(program.permits.authorise, 'authorise', scope);
  const frame = phaseFrame('authorise', scope, [denying, watching, permits], [], [mayBePermitted]);
  const body = [
    ...needIdentity(scope),
    ...watchStatements(watching, frame),
    ...denyStatements(denying, frame, 'return refuseInAuthorise(context);'),
    ...permitStatements(permits, 'firstPermit', () => undecided(mayBePermitted, notPermitted, frame), frame),
  ];
  return {
    entry: 'authorise',
    functions: [
      functionCode('authorise(context)', body),
      ...firstPermitCode('firstPermit', permits, 'authorise', scope),
      ...(enforced.length === 0 ? [] : [refuseInAuthoriseCode(denying, permits, mayBePermitted, scope)]),
    ],
  };
}

/** No permit has held so far: the body decides, or nothing can. */
function undecided(mayBePermitted: Condition, notPermitted: string, frame: Frame): string[] {
  const test = frame.condition(mayBePermitted);
  if (test === 'false') return [notPermitted];
  return [...guarded(`!(${test})`, [notPermitted]), 'context.decidingRule = -1;', 'return CONTINUE;'];
}

/** All rules that read the body: where no other permit held, one of them must. */
export function judgeBodyCode(program: ResidualProgram, scope: ProgramScope): PhaseCode {
  const { enforced, observed } = program.decisions.body;
  const warns = program.warns.filter(({ ir }) => ir.phase === 'body');
  const mayLackPermit = program.mayBePermitted.kind !== 'constant' || program.mayBePermitted.value;
  if (enforced.length + observed.length + warns.length === 0 && !mayLackPermit) {
    return { entry: 'runtime.proceed', functions: [] };
  }
  const denying = tabledDenials(enforced, 'body', scope);
  const watching = tabledWatchers([...warns, ...observed], 'body', scope);
  const permits = tabledPermits(program.permits.body, 'body', scope);
  const frame = phaseFrame('body', scope, [denying, watching, permits]);
  const body = [
    ...watchStatements(watching, frame),
    ...denyStatements(denying, frame, 'return refuseInBody(context);'),
    ...(mayLackPermit
      ? [
          'if (context.decidingRule !== -1) return CONTINUE;',
          ...permitStatements(permits, 'firstPermitOfBody', () => ['return refuseInBody(context);'], frame),
        ]
      : ['return CONTINUE;']),
  ];
  return {
    entry: 'judgeBody',
    functions: [
      functionCode('judgeBody(context)', body),
      ...firstPermitCode('firstPermitOfBody', permits, 'body', scope),
      ...(enforced.length > 0 || mayLackPermit ? [refuseInBodyCode(denying, permits, scope)] : []),
    ],
  };
}

function phaseFrame(
  phase: DecisionPhase,
  scope: ProgramScope,
  rules: readonly Tabled<Deny | Permit | Watcher>[],
  written: readonly FactReference[] = [],
  others: readonly Condition[] = [],
): Frame {
  const conditions = rules.flatMap(({ always }) => always.map(({ condition }) => condition));
  return new Frame(
    scope,
    WHEN[phase],
    [...conditions, ...others],
    [...rules.flatMap(factsOfTables), ...written],
  );
}

/** On a route that requires identity, everything after it relies on one. */
function needIdentity(scope: ProgramScope): string[] {
  if (scope.route.auth !== 'required') return [];
  return ['if (context.identity === null) return runtime.unauthenticated(context);'];
}

// -- rules that only watch ---------------------------------------------------------------------------------------

function tabledWatchers(
  watchers: readonly Watcher[],
  phase: DecisionPhase,
  scope: ProgramScope,
): Tabled<Watcher> {
  return tabled(watchers, byCondition(), scope, (items, inRow) => {
    const rules = tabledWatchers(items, phase, inRow);
    const frame = phaseFrame(phase, inRow, [rules]);
    return { watch: functionCode('watch(context)', watchStatements(rules, frame)) };
  });
}

function watchStatements(watchers: Tabled<Watcher>, frame: Frame): string[] {
  return [
    ...watchers.always.flatMap((watcher) =>
      frame.statement(
        () => guarded(frame.condition(watcher.condition), [noteStatement(watcher, frame)]),
        [watcher.ir],
      ),
    ),
    ...forRows(watchers, frame, (row) => [`${row}.watch(context);`]),
  ];
}

function noteStatement({ ir, rule }: Watcher, frame: Frame): string {
  const { pool } = frame.scope;
  if (ir.mode !== 'warn' && rule.kind !== 'warn') {
    return `runtime.noteShadowed(context, ${pool.constant(new RuleNumber(ir))});`;
  }
  const values = frame.unsure(() => holesOf(rule.reply.because).map((fact) => frame.fact(fact)));
  return `runtime.warn(context, ${pool.constant(asConstant(ruleReply(ir, new RuleNumber(ir))))}, [${values.join(', ')}]);`;
}

// -- rules that deny ---------------------------------------------------------------------------------------------

function tabledDenials(enforced: readonly Deny[], phase: DecisionPhase, scope: ProgramScope): Tabled<Deny> {
  return tabled(enforced, byCondition(), scope, (items, inRow) => {
    const rules = tabledDenials(items, phase, inRow);
    const denying = denyStatements(rules, phaseFrame(phase, inRow, [rules]), 'return true;');
    const collecting = collectStatements(rules, collectFrame(rules, phase, inRow));
    return {
      denies: functionCode('denies(context)', [...denying, 'return false;']),
      collect: functionCode('collect(context, denials)', collecting),
    };
  });
}

function denyStatements(enforced: Tabled<Deny>, frame: Frame, refuse: string): string[] {
  return [
    ...enforced.always.flatMap(({ ir, condition }) =>
      frame.statement(() => guarded(frame.condition(condition), [refuse]), [ir]),
    ),
    ...forRows(enforced, frame, (row) => guarded(`${row}.denies(context)`, [refuse])),
  ];
}

/** Asks every rule of the phase again, to name them all; runs when something denies. */
function collectStatements(enforced: Tabled<Deny>, frame: Frame): string[] {
  const always = enforced.always.flatMap(({ ir, rule, condition }) =>
    frame.statement(() => {
      const { pool } = frame.scope;
      const denial = pool.prepared('denial', pool.constant(asConstant(ruleReply(ir, new RuleNumber(ir)))));
      const values = frame.unsure(() => holesOf(rule.reply.because).map((fact) => frame.fact(fact)));
      const list = values.length === 0 ? '' : `, [${values.join(', ')}]`;
      return guarded(frame.condition(condition), [`denials.add(${denial}${list});`]);
    }, [ir]),
  );
  return [...always, ...forRows(enforced, frame, (row) => [`${row}.collect(context, denials);`])];
}

function collectFrame(enforced: Tabled<Deny>, phase: DecisionPhase, scope: ProgramScope): Frame {
  const holes = enforced.always.flatMap(({ rule }) => holesOf(rule.reply.because));
  return phaseFrame(phase, scope, [enforced], holes);
}

function refuseInMatchCode(enforced: Tabled<Deny>, scope: ProgramScope): string {
  return functionCode('refuseInMatch(context)', [
    'const denials = runtime.denials(403);',
    ...collectStatements(enforced, collectFrame(enforced, 'match', scope)),
    'return denials.respond(context);',
  ]);
}

function refuseInAuthoriseCode(
  enforced: Tabled<Deny>,
  permits: Tabled<Permit>,
  mayBePermitted: Condition,
  scope: ProgramScope,
): string {
  const holes = enforced.always.flatMap(({ rule }) => holesOf(rule.reply.because));
  const frame = phaseFrame('authorise', scope, [enforced, permits], holes, [mayBePermitted]);
  return functionCode('refuseInAuthorise(context)', [
    'const denials = runtime.denials(context.identity === null ? 401 : 403);',
    ...collectStatements(enforced, frame),
    ...frame.statement(() => {
      const held = permittedExpressions(permits, 'firstPermit', frame);
      return unlessHeld([...held, frame.condition(mayBePermitted)]);
    }),
    'return denials.respond(context);',
  ]);
}

function refuseInBodyCode(enforced: Tabled<Deny>, permits: Tabled<Permit>, scope: ProgramScope): string {
  const holes = enforced.always.flatMap(({ rule }) => holesOf(rule.reply.because));
  const frame = phaseFrame('body', scope, [enforced, permits], holes);
  return functionCode('refuseInBody(context)', [
    'const denials = runtime.denials(context.identity === null ? 401 : 403);',
    ...collectStatements(enforced, frame),
    ...frame.statement(() => {
      const held = permittedExpressions(permits, 'firstPermitOfBody', frame);
      return unlessHeld(['context.decidingRule !== -1', ...held]);
    }),
    'return denials.respond(context);',
  ]);
}

function unlessHeld(tests: readonly string[]): string[] {
  const possible = tests.filter((test) => test !== 'false').map((test) => `(${test})`);
  return possible.length === 0
    ? ['denials.notPermitted();']
    : [`if (!(${possible.join(' || ')})) denials.notPermitted();`];
}

// -- rules that permit -------------------------------------------------------------------------------------------

function permittedExpressions(permits: Tabled<Permit>, firstPermitName: string, frame: Frame): string[] {
  if (permits.tables.length > 0) return [`${firstPermitName}(context) !== Infinity`];
  return permits.always.map(({ condition }) => frame.condition(condition));
}

/** `otherwise`: what is done when none of them holds. */
function permitStatements(
  permits: Tabled<Permit>,
  firstPermitName: string,
  otherwise: () => readonly string[],
  frame: Frame,
): string[] {
  if (permits.tables.length > 0) {
    const first = [
      `const permit = ${firstPermitName}(context);`,
      'if (permit !== Infinity) {',
      '  context.decidingRule = permit;',
      '  return CONTINUE;',
      '}',
    ];
    return [...first, ...frame.statement(otherwise)];
  }
  const lines: string[] = [];
  for (const { ir, condition } of permits.always) {
    const hold = `context.decidingRule = ${frame.scope.pool.constant(new RuleNumber(ir))};`;
    lines.push(
      ...frame.statement(() => guarded(frame.condition(condition), [hold, 'return CONTINUE;']), [ir]),
    );
    if (condition.kind === 'constant') return lines;
  }
  return [...lines, ...frame.statement(otherwise)];
}

function firstPermitCode(
  name: string,
  permits: Tabled<Permit>,
  phase: PermitPhase,
  scope: ProgramScope,
): string[] {
  if (permits.tables.length === 0) return [];
  return [
    functionCode(`${name}(context)`, ['let permit = Infinity;', ...firstPermit(permits, phase, scope)]),
  ];
}

function tabledPermits(permits: readonly Permit[], phase: PermitPhase, scope: ProgramScope): Tabled<Permit> {
  return tabled(permits, byCondition(), scope, (items, inRow) => ({
    permit: functionCode(
      'permit(context, permit)',
      firstPermit(tabledPermits(items, phase, inRow), phase, inRow),
    ),
  }));
}

/** Statements that lower `permit` to the least number of a rule that holds, and return it. */
function firstPermit(permits: Tabled<Permit>, phase: PermitPhase, scope: ProgramScope): string[] {
  const frame = phaseFrame(phase, scope, [permits]);
  const always = permits.always.flatMap(({ ir, condition }) =>
    frame.statement(() => {
      const rule = scope.pool.constant(new RuleNumber(ir));
      const test = frame.condition(condition);
      const isBetter = test === 'true' ? `${rule} < permit` : `${rule} < permit && (${test})`;
      return [`if (${isBetter}) permit = ${rule};`];
    }, [ir]),
  );
  const rows = forRows(permits, frame, (row) => [`permit = ${row}.permit(context, permit);`]);
  return [...always, ...rows, 'return permit;'];
}
