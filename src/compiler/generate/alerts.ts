import type { AlertRule } from '../../language/typed.ts';
import { alertIdentity, KNOWN } from '../../pipeline/alerts.ts';
import { byCondition } from '../fact-tables.ts';
import type { DecisionPhase, FactReference } from '../ir.ts';
import { factReference } from '../lower.ts';
import { asConstant } from '../numbers.ts';
import { factsOfAlerts, factsOfMasks } from '../reads.ts';
import { holesOf, textParts } from '../replies.ts';
import type { Residual, ResidualProgram } from '../residual.ts';
import { factsOfKey } from '../rule-facts.ts';
import { functionCode, guarded, indent } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type Moment, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

type Alert = Residual<AlertRule>;

const PHASES = ['match', 'authorise', 'body'] as const satisfies readonly DecisionPhase[];
const ENDED: Readonly<Record<DecisionPhase, Moment>> = {
  match: 'ended-in-match',
  authorise: 'ended-in-authorise',
  body: 'ended-in-body',
};
const NEEDED: Readonly<Record<DecisionPhase, number>> = {
  match: KNOWN.request,
  authorise: KNOWN.caller,
  body: KNOWN.body,
};

/** `alert when`: asked once a request has ended, as far as the request got to what the rule asks about. */
export function alertsCode({ alerts }: ResidualProgram, scope: ProgramScope): PhaseCode {
  const phases = PHASES.filter((phase) => alerts[phase].length > 0);
  if (phases.length === 0) return { entry: 'null', functions: [] };
  const parts = phases.map((phase) => phaseFunctions(alerts[phase], phase, scope));
  const calls = phases.flatMap((phase) => {
    const call = `${nameOf(phase)}(context);`;
    return phase === 'match' ? [call] : guarded(`context.answer.known >= ${NEEDED[phase]}`, [call]);
  });
  return {
    entry: 'alerts',
    functions: [...parts.flatMap((part) => Object.values(part)), functionCode('alerts(context)', calls)],
  };
}

/** Whether any of it says who the client is by its address, or depends on it: what is told of a body does, where its masks do. */
export function readsAddress(program: ResidualProgram): boolean {
  const told = factsOfAlerts(program);
  const masking = told.some(({ phase }) => phase === 'body') ? factsOfMasks(program) : [];
  return [...told, ...masking].some(({ path }) => path === 'request.ip');
}

function nameOf(phase: DecisionPhase): string {
  return `alertsOf${phase[0]!.toUpperCase()}${phase.slice(1)}`;
}

function phaseFunctions(
  alerts: readonly Alert[],
  phase: DecisionPhase,
  scope: ProgramScope,
): Readonly<Record<string, string>> {
  return alertFunctions(nameOf(phase), tabledAlerts(alerts, phase, scope), phase, scope);
}

function tabledAlerts(alerts: readonly Alert[], phase: DecisionPhase, scope: ProgramScope): Tabled<Alert> {
  return tabled(alerts, byCondition(), scope, (items, inRow) =>
    alertFunctions('alertsOfRow', tabledAlerts(items, phase, inRow), phase, inRow),
  );
}

/** The function of that name, and those that it needs for texts. */
function alertFunctions(
  name: string,
  alerts: Tabled<Alert>,
  phase: DecisionPhase,
  scope: ProgramScope,
): Readonly<Record<string, string>> {
  const { always } = alerts;
  const frame = new Frame(
    scope,
    ENDED[phase],
    always.map(({ condition }) => condition),
    [...always.flatMap(({ rule }) => factsOfKey(rule)), ...factsOfTables(alerts)],
  );
  const textName = (at: number) => `${name}Text${at}`;
  const statements = always.flatMap((alert, at) =>
    frame.statement(
      () => guarded(frame.condition(alert.condition), [tellStatement(alert, textName(at), frame)]),
      [alert.ir],
    ),
  );
  const rows = forRows(alerts, frame, (row) => [`${row}.alertsOfRow(context);`]);
  const texts = always.flatMap(({ rule }, at) =>
    rule.because === null ? [] : [[textName(at), textCode(textName(at), rule.because, scope)] as const],
  );
  return {
    ...Object.fromEntries(texts),
    [name]: functionCode(`${name}(context)`, [...statements, ...rows]),
  };
}

function tellStatement({ ir, rule }: Alert, textName: string, frame: Frame): string {
  const identity = frame.scope.pool.constant(alertIdentity(ir.policy, rule.key));
  const key = frame.unsure(() => keyExpression(rule, frame));
  const describe = rule.because === null ? 'null' : `() => ${textName}(context)`;
  return `runtime.alerts.matched(${identity}, ${key}, ${describe}, ${showExpression(rule, frame)});`;
}

/** What shows a key, where a value of it is of the body: that may be masked. */
function showExpression({ per }: AlertRule, { scope }: Frame): string {
  if (per.kind === 'total') return 'null';
  const each = per.keys.flatMap(({ definition }, at) => (definition.phase === 'body' ? [at] : []));
  const otherwise = per.otherwise?.definition.phase === 'body' ? [0] : [];
  if (each.length + otherwise.length === 0) return 'null';
  return `(key) => runtime.shownKey(context, key, ${scope.pool.constant({ each, otherwise })})`;
}

/** See `AlertSpec.keys`. */
function keyExpression({ per }: AlertRule, frame: Frame): string {
  if (per.kind === 'total') return 'runtime.NO_ITEMS';
  const { specialiser } = frame.scope;
  const keys = per.keys.map(factReference);
  const list = `['each', ${keys.map((key) => frame.fact(key)).join(', ')}]`;
  const uncertain = keys.filter((key) => specialiser.presence(key) !== 'always');
  if (uncertain.length === 0) return list;
  const isPresent = uncertain.map((key) => `${frame.fact(key)} !== undefined`).join(' && ');
  return `(${isPresent} ? ${list} : ${fallback(per.otherwise === null ? null : factReference(per.otherwise), frame)})`;
}

function fallback(otherwise: FactReference | null, frame: Frame): string {
  if (otherwise === null) return MISSING;
  const value = frame.fact(otherwise);
  const presence = frame.scope.specialiser.presence(otherwise);
  return presence === 'always'
    ? `['otherwise', ${value}]`
    : `(${value} === undefined ? ${MISSING} : ['otherwise', ${value}])`;
}
const MISSING = "['missing']";

/** What a text says besides depends on how far the request got; what it did not get to is missing in it. */
function textCode(name: string, because: NonNullable<AlertRule['because']>, scope: ProgramScope): string {
  const { pool } = scope;
  const parts = pool.constant(
    textParts(because).map((part) => (typeof part === 'string' ? part : asConstant(part))),
  );
  const holes = holesOf(because);
  const renders = (phase: DecisionPhase): string[] => {
    const frame = new Frame(scope, ENDED[phase], [], holes);
    return frame.statement(() => {
      const values = holes.map((fact) => frame.fact(fact)).join(', ');
      return [`return runtime.alertText(context, ${parts}, [${values}]);`];
    });
  };
  const ways = (['body', 'authorise'] as const).filter((phase) =>
    holes.some((fact) => fact.phase === (phase === 'body' ? 'body' : 'identity')),
  );
  return functionCode(`${name}(context)`, [
    ...ways.flatMap((phase) => [
      `if (context.answer.known >= ${NEEDED[phase]}) {`,
      ...indent(renders(phase)),
      '}',
    ]),
    ...renders('match'),
  ]);
}
