import type { LoadReport } from '../../admin/actions.ts';
import type { ConfigurationActions } from '../../admin/routes/configuration.ts';
import type { LimitValues } from '../../base/limits.ts';
import type { Result } from '../../base/result.ts';
import { ok } from '../../base/result.ts';
import type { StoreProblem } from '../../state/store-problem.ts';
import type { Configuration, LoadResult } from './configuration.ts';
import { type HistoryKeeper, onceRecorded } from './history-keeper.ts';
import { type RollbackParts, rollBack } from './rollback.ts';
import { loadReport, versionList } from './status-report.ts';

export interface VersionDeskParts extends RollbackParts {
  readonly keeper: HistoryKeeper;
  readonly configuration: Configuration;
  readonly limits: LimitValues;
}

/** Answers what the admin API is asked of the versions that ran. */
export function createVersionDesk(parts: VersionDeskParts): ConfigurationActions {
  const { history, keeper, configuration, limits } = parts;
  return {
    versions: () => versionList(history, configuration.running, limits),
    files: (version) => history.files(version),
    rollBack: async (version, actor) => {
      const rolledBack = await rollBack(version, actor, parts);
      return rolledBack.ok ? recordedReport(rolledBack.value, keeper) : rolledBack;
    },
  };
}

/** The report of a load, once it is recorded. */
export function recordedReport(
  result: LoadResult,
  { problem }: Pick<HistoryKeeper, 'problem'>,
): Result<LoadReport, StoreProblem> {
  const recorded = onceRecorded(result, problem);
  return recorded.ok ? ok(loadReport(recorded.value)) : recorded;
}
