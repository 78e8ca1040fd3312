import type { AlertBus } from '../../observe/alert-bus.ts';
import { PORTUNUS } from '../terminal.ts';

const IDENTITY = { kind: 'files-not-watched', subject: '' } as const;

/** `problem`: why a folder can't be watched, or null where all are. */
export function tellWatching(alerts: Pick<AlertBus, 'raise' | 'resolve'>, problem: string | null): void {
  if (problem === null) {
    alerts.resolve(IDENTITY);
    return;
  }
  alerts.raise({
    ...IDENTITY,
    severity: 'warning',
    message: `Changes of files may go unnoticed: ${problem}`,
    remedy: `Raise fs.inotify.max_user_watches and max_user_instances, or load changes with "${PORTUNUS} reload".`,
  });
}
