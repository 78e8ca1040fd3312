import type { Clock } from '../../base/ports.ts';
import { ok, type Result } from '../../base/result.ts';
import type { World } from '../../model/world.ts';
import { openHistoryFile } from '../../state/history-file.ts';
import type { Store } from '../../state/store.ts';
import { type Observation, type ObservationOptions, startObservation } from './observation.ts';
import { historyIsSound } from './store-task.ts';

export interface ObservationOpening extends Pick<ObservationOptions, 'logTo' | 'rings'> {
  readonly clock: Clock;
  /** How the process that held the data folder before has ended. */
  readonly lastHolder: Store['lastHolder'];
}

/** Opens the history and begins to observe, as the settings say. The error is one sentence; nothing is left open then. */
export async function openObservation(
  { logTo, rings, clock, lastHolder }: ObservationOpening,
  { server, limits, deliveries, zone }: Pick<World, 'server' | 'limits' | 'deliveries' | 'zone'>,
): Promise<Result<Observation, string>> {
  const inDoubt = lastHolder === 'lost';
  const historyFile = openHistoryFile(server.dataFolder, clock.wallMs(), inDoubt, historyIsSound);
  if (!historyFile.ok) return historyFile;
  const observation = await startObservation({
    logTo,
    rings,
    limits,
    historyFile: historyFile.value,
    historySettings: server.history,
    traceSettings: server.traces,
    deliveries,
    zone,
    clock,
  });
  if (observation.ok) return ok(observation.value);
  await historyFile.value.close();
  return observation;
}
