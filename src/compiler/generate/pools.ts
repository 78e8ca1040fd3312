import type { RouteToRule } from '../../language/typed.ts';
import { byCondition } from '../fact-tables.ts';
import type { Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

type Routing = Residual<RouteToRule>;

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
