import type { FilterRule, RouteToRule } from '../../language/typed.ts';
import { byCondition } from '../fact-tables.ts';
import type { RuleIr } from '../ir.ts';
import { asConstant, type ConstantTemplate, RuleNumber } from '../numbers.ts';
import { filterReply, holesOf } from '../replies.ts';
import type { FilterCase, Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

type Routing = Residual<RouteToRule>;

/** Which pools rules leave out, and what they say where none is left. */
export function filtersCode({ filters }: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (filters.length === 0) return { entry: 'runtime.noneBarred', functions: [] };
  const cases = scope.pool.constant(filters.map(caseConstant));
  const conditions = filters.map(({ condition }) => condition);
  const frame = new Frame(scope, 'after-body', conditions, []);
  const held = filters.flatMap(({ condition, ir }, at) =>
    frame.statement(() => guarded(frame.condition(condition), [`held += '${at},';`]), [ir]),
  );
  return {
    entry: 'barredPools',
    functions: [
      functionCode('barredPools(context)', [
        "let held = '';",
        ...held,
        `return held === '' ? null : runtime.barredPools(${cases}, held);`,
      ]),
    ],
  };
}

export function targetRefusalCode({ filters }: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (filters.length === 0) return { entry: 'runtime.noneBarred', functions: [] };
  const cases = scope.pool.constant(filters.map(caseConstant));
  const holes = filters.flatMap(({ rule }) => holesOf(rule.reply.because));
  const frame = new Frame(scope, 'after-body', [], holes);
  const values = frame.statement(() =>
    filters.flatMap(({ rule }, at) => {
      const facts = holesOf(rule.reply.because);
      const list = facts.map((fact) => frame.fact(fact)).join(', ');
      return facts.length === 0 ? [] : [`if (at === ${at}) return [${list}];`];
    }),
  );
  return {
    entry: 'refuseTargets',
    functions: [
      functionCode('targetValues(context, at)', [...values, 'return [];']),
      functionCode('refuseTargets(context, barred, pools, status)', [
        `return runtime.refuseTargets(context, ${cases}, { barred, pools, status }, targetValues);`,
      ]),
    ],
  };
}

function caseConstant({ ir, rule, pools }: FilterCase): ConstantTemplate {
  return asConstant({ ...filterReply(ir as RuleIr<FilterRule>, new RuleNumber(ir)), pools, name: rule.key });
}

/** The pools of the first rule that holds: others that can hold with it say the same, or are a finding. */
export function poolsCode({ routings }: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (routings.length === 0) return { entry: 'runtime.anyPool', functions: [] };
  const body = poolStatements(tabledRoutings(routings, scope), scope);
  return { entry: 'poolsFor', functions: [functionCode('poolsFor(context)', body)] };
}

function tabledRoutings(routings: readonly Routing[], scope: ProgramScope): Tabled<Routing> {
  return tabled(routings, byCondition(), scope, (items, inRow) => ({
    pools: functionCode('pools(context)', poolStatements(tabledRoutings(items, inRow), inRow)),
  }));
}

function poolStatements(routings: Tabled<Routing>, scope: ProgramScope): string[] {
  const conditions = routings.always.map(({ condition }) => condition);
  const frame = new Frame(scope, 'after-body', conditions, factsOfTables(routings));
  const always = routings.always.flatMap(({ rule, condition, ir }) =>
    frame.statement(
      () => guarded(frame.condition(condition), [`return ${scope.pool.constant(rule.pools)};`]),
      [ir],
    ),
  );
  const rows = forRows(routings, frame, (row) => [
    `const pools = ${row}.pools(context);`,
    'if (pools !== null) return pools;',
  ]);
  return [...always, ...rows, 'return null;'];
}
