import type { CacheRule } from '../../language/typed.ts';
import { byCondition } from '../fact-tables.ts';
import type { Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

type Caching = Residual<CacheRule>;

/** The time of the first rule that holds: others that can hold with it say the same, or are a finding. */
export function cacheCode({ caches }: ResidualProgram, scope: ProgramScope): PhaseCode {
  if (caches.length === 0) return { entry: 'null', functions: [] };
  const body = cacheStatements(tabledCaches(caches, scope), scope);
  return { entry: 'cacheForMs', functions: [functionCode('cacheForMs(context)', body)] };
}

function tabledCaches(caches: readonly Caching[], scope: ProgramScope): Tabled<Caching> {
  return tabled(caches, byCondition(), scope, (items, inRow) => ({
    forMs: functionCode('forMs(context)', cacheStatements(tabledCaches(items, inRow), inRow)),
  }));
}

function cacheStatements(caches: Tabled<Caching>, scope: ProgramScope): string[] {
  const conditions = caches.always.map(({ condition }) => condition);
  const frame = new Frame(scope, 'after-body', conditions, factsOfTables(caches));
  const always = caches.always.flatMap(({ rule, condition, ir }) =>
    frame.statement(
      () => guarded(frame.condition(condition), [`return ${scope.pool.constant(rule.forMs)};`]),
      [ir],
    ),
  );
  const rows = forRows(caches, frame, (row) => [
    `const forMs = ${row}.forMs(context);`,
    'if (forMs !== 0) return forMs;',
  ]);
  return [...always, ...rows, 'return 0;'];
}
