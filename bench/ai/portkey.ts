import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PEER_CREDENTIAL, type Peer } from '../peer.ts';
import { freePort, startProcess, waitForPort } from '../processes.ts';

const PACKAGE = '@portkey-ai/gateway';
const VERSION = '1.15.2';
const INSTALL_WITHIN_MS = 300_000;
const START_WITHIN_MS = 30_000;

export interface PortkeyOptions {
  readonly upstreamPort: number;
  readonly folder: string;
  readonly core: number | null;
}

/** Portkey's gateway, fetched once into a folder of its own: no part of this project depends on it. Null where it can't be had. */
export async function startPortkey({ upstreamPort, folder, core }: PortkeyOptions): Promise<Peer | null> {
  const main = await installed();
  if (main === null) return null;
  const port = await freePort();
  const process = startProcess({
    name: 'portkey',
    command: globalThis.process.execPath,
    args: [main, `--port=${port}`, '--headless'],
    folder,
    core,
    channel: 'none',
  });
  await waitForPort(port, process, START_WITHIN_MS);
  return {
    name: 'portkey',
    url: `http://127.0.0.1:${port}`,
    pid: process.pid,
    credential: {
      ...PEER_CREDENTIAL,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    },
    stop: process.stop,
  };
}

async function installed(): Promise<string | null> {
  const home = join(homedir(), '.cache', 'portunus-bench', `portkey-${VERSION}`);
  const main = join(home, 'node_modules', PACKAGE, 'build', 'start-server.js');
  if (existsSync(main)) return main;
  mkdirSync(home, { recursive: true });
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await promisify(execFile)('npm', ['install', '--prefix', home, ...flags, `${PACKAGE}@${VERSION}`], {
      timeout: INSTALL_WITHIN_MS,
    });
  } catch (error) {
    console.error(`  ${PACKAGE} can't be installed: ${(error as Error).message.split('\n')[0]}`);
  }
  return existsSync(main) ? main : null;
}
