import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isRunning, processTree } from './cpu.ts';
import { findTool } from './machine.ts';

/**
 * Processes that a bench starts: pinned, logged to a file, and always ended – when the bench is done with them, when
 * it fails, and when a person presses Ctrl-C.
 */
export interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Everything it printed. */
  readonly logFile: string;
  /** Asks it to end (SIGTERM), waits up to 30 s, then ends it. */
  readonly stop: () => Promise<void>;
}

export interface StartOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its log is put. */
  readonly folder: string;
  /** Core it may run on, or null for any. Ignored where `taskset` is missing; `placementNote` says so. */
  readonly core: number | null;
  /** `messages`: a Node process of ours, with a channel for `ask`. */
  readonly channel: 'none' | 'messages';
}

const STOP_WITHIN_MS = 30_000;
const running = new Set<StartedProcess>();

export function startProcess(options: StartOptions): StartedProcess {
  endAllWithThisProcess();
  const [command, args] = pinned(options);
  const logFile = join(options.folder, `${options.name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, {
    stdio: ['ignore', log, log, ...(options.channel === 'messages' ? (['ipc'] as const) : [])],
  });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`${options.name} could not be started: ${command}`);
  const started: StartedProcess = {
    name: options.name,
    pid: child.pid,
    child,
    logFile,
    stop: () => stop(started),
  };
  running.add(started);
  child.once('exit', () => running.delete(started));
  return started;
}

/** Starts one of the bench's own programs, by the URL of its module. */
export function startProgram(
  program: string,
  options: Pick<StartOptions, 'folder' | 'core'> & {
    readonly name: string;
    readonly args: readonly string[];
  },
): StartedProcess {
  return startProcess({
    ...options,
    command: process.execPath,
    args: [fileURLToPath(program), ...options.args],
    channel: 'messages',
  });
}

/** Waits until something answers requests on the port, or fails with what the process printed. */
export async function waitForPort(port: number, started: StartedProcess, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await answers(port))) {
    if (started.child.exitCode !== null || started.child.signalCode !== null) {
      throw new Error(`${started.name} ended before it answered:\n${endOfLog(started)}`);
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${started.name} did not answer on port ${port} in ${withinMs} ms:\n${endOfLog(started)}`,
      );
    }
    await delay(20);
  }
}

/** A port that was free a moment ago. nginx and haproxy can't tell which port the system chose, so it is chosen here. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

export function endOfLog(started: StartedProcess): string {
  return readFileSync(started.logFile, 'utf8').slice(-2_000);
}

/** What a reader must know about who ran on which core. */
export function placementNote(measuredCore: number | null, otherCore: number | null): string {
  if (findTool('taskset') === null) return 'taskset is not installed: nothing was pinned to a core.';
  if (measuredCore === null || otherCore === null)
    return 'Nothing was pinned: all processes share all cores.';
  return `Each measured process was pinned to core ${measuredCore}, load generator and upstream to core ${otherCore}.`;
}

function pinned(options: StartOptions): [string, string[]] {
  const taskset = findTool('taskset');
  if (options.core === null || taskset === null) return [options.command, [...options.args]];
  return [taskset, ['-c', String(options.core), options.command, ...options.args]];
}

/** A connection alone says nothing: a gateway that starts opens its port for a moment, to see whether it is free. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.destroy();
      resolve(true);
    });
    request.once('error', () => resolve(false));
  });
}

async function stop(started: StartedProcess): Promise<void> {
  const { child } = started;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(killer);
}

let endingIsArranged = false;

function endAllWithThisProcess(): void {
  if (endingIsArranged) return;
  endingIsArranged = true;
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  // First: whoever removes their folders on exit must find nobody writing in them.
  process.prependListener('exit', endAllNow);
}

/**
 * Runs while this process exits, so it may not wait for events. Trees are read first: an nginx master that is killed
 * leaves its workers behind.
 */
function endAllNow(): void {
  const roots = [...running];
  if (roots.length === 0) return;
  const all = roots.flatMap(({ pid }) => processTree(pid));
  for (const { pid } of roots) signal(pid, 'SIGTERM');
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs < 1_000 && all.some(isRunning); waitedMs += 20) {
    Atomics.wait(cell, 0, 0, 20);
  }
  for (const pid of all) signal(pid, 'SIGKILL');
}

/** A process that ended meanwhile needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
