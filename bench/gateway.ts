import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Peer } from './peer.ts';
import { endOfLog, freePort, type StartedProcess, startProcess, waitForPort } from './processes.ts';
import { type BenchProject, CONSUMER, writeProject } from './projects.ts';

/** The gateway under measurement. Everything that the benches know of its command line is in this file. */
export interface Gateway extends Peer {
  readonly adminUrl: string;
  /** The consumer key that the gateway made at its first start. */
  readonly key: string;
  readonly project: BenchProject;
  /** From the start of the process to the first answer. */
  readonly startedInMs: number;
  /** Makes it load the project anew (SIGHUP); returns at once. */
  readonly reload: () => void;
}

export interface GatewayOptions {
  readonly name: string;
  /** `main.js` of the command line. */
  readonly main: string;
  /** A folder for the project; made if missing. */
  readonly folder: string;
  readonly rules: 'governed' | 'ungoverned';
  readonly upstreamPort: number;
  readonly dataThreads: number;
  readonly generatedRoutes: number;
  readonly core: number | null;
  /** For Node, before the gateway's own: how a bench looks into a gateway that is as it is delivered. */
  readonly nodeArguments?: readonly string[];
}

const START_WITHIN_MS = 120_000;

export function gatewayIsBuilt(main: string): boolean {
  return existsSync(main);
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const project = writeProject({
    folder: join(options.folder, options.name.replaceAll(' ', '-')),
    rules: options.rules,
    upstreamPort: options.upstreamPort,
    port: await freePort(),
    adminPort: await freePort(),
    dataThreads: options.dataThreads,
    generatedRoutes: options.generatedRoutes,
  });
  return await startOnProject(project, options, null);
}

/**
 * Starts it on a project that a gateway ran on before and has been stopped. Keys are shown once, at first start:
 * `key` is the one made then, or null for a first start.
 */
export async function startOnProject(
  project: BenchProject,
  options: Pick<GatewayOptions, 'name' | 'main' | 'core' | 'nodeArguments'>,
  knownKey: string | null,
): Promise<Gateway> {
  const startedMs = performance.now();
  const process = startProcess({
    name: 'gateway',
    command: globalThis.process.execPath,
    // Reloads are asked for: a file watcher would load each change a second time.
    args: [...(options.nodeArguments ?? []), options.main, 'start', project.folder, '--no-watch'],
    folder: project.folder,
    core: options.core,
    channel: 'none',
  });
  await waitForPort(project.port, process, START_WITHIN_MS);
  const startedInMs = performance.now() - startedMs;
  const key = knownKey ?? (await firstKey(project, process));
  return {
    name: options.name,
    url: `http://127.0.0.1:${project.port}`,
    adminUrl: `http://127.0.0.1:${project.adminPort}`,
    pid: process.pid,
    key,
    credential: { authorization: `Bearer ${key}` },
    project,
    startedInMs,
    reload: () => {
      process.child.kill('SIGHUP');
    },
    stop: process.stop,
  };
}

/** Artefacts that the gateway keeps from one start to the next. */
const START_CACHE = 'compiled.cache';

/** Makes the next start a cold one. */
export function dropStartCache(project: BenchProject): void {
  rmSync(join(project.dataFolder, START_CACHE), { force: true });
}

/** They are written while the gateway serves already. */
export async function startCacheWritten(project: BenchProject, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!existsSync(join(project.dataFolder, START_CACHE))) {
    if (performance.now() > deadline) return false;
    await delay(100);
  }
  return true;
}

interface FirstKey {
  readonly consumer: string;
  readonly key: string;
}

/** Keys made at first start lie in `first-keys.json` of the data folder; the port may open before it is written. */
async function firstKey(project: BenchProject, process: StartedProcess): Promise<string> {
  const file = join(project.dataFolder, 'first-keys.json');
  for (let attempt = 0; attempt < 100; attempt++) {
    if (existsSync(file)) {
      const keys = JSON.parse(readFileSync(file, 'utf8')) as readonly FirstKey[];
      const found = keys.find(({ consumer }) => consumer === CONSUMER);
      if (found !== undefined) return found.key;
    }
    await delay(50);
  }
  throw new Error(`the gateway made no key for consumer ${CONSUMER}:\n${endOfLog(process)}`);
}
