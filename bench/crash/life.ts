import { once } from 'node:events';
import { type StartedProcess, startProcess, waitForPort } from '../processes.ts';
import type { CrashProject } from './project.ts';

/** One gateway process between its start and `kill -9`. */
export interface Life {
  /** Resolves when it answers requests. */
  readonly ready: () => Promise<void>;
  /** It does nothing more, and is not gone yet: what is seen now is what the kill finds. */
  readonly freeze: () => void;
  /** Resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const START_WITHIN_MS = 120_000;

export function beginLife(main: string, project: CrashProject): Life {
  const started: StartedProcess = startProcess({
    name: 'gateway',
    command: process.execPath,
    args: [main, 'start', project.folder, '--no-watch', '--log', '/dev/null'],
    folder: project.folder,
    core: null,
    channel: 'none',
  });
  return {
    ready: () => waitForPort(project.port, started, START_WITHIN_MS),
    freeze: () => {
      started.child.kill('SIGSTOP');
    },
    kill: async () => {
      const gone = once(started.child, 'exit');
      if (started.child.exitCode !== null)
        throw new Error(`the gateway ended by itself; see ${started.logFile}`);
      started.child.kill('SIGKILL');
      await gone;
    },
    stop: started.stop,
  };
}
