import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from './machine.ts';
import { PEER_CREDENTIAL, type Peer } from './peer.ts';
import { freePort, startProcess, waitForPort } from './processes.ts';

/** haproxy as a peer: one thread, passes everything on, no log. Null where it is not installed. */
export async function startHaproxy(options: {
  readonly upstreamPort: number;
  readonly folder: string;
  readonly core: number | null;
}): Promise<Peer | null> {
  const command = findTool('haproxy');
  if (command === null) return null;
  const folder = join(options.folder, 'haproxy');
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(port, options.upstreamPort));
  const process = startProcess({
    name: 'haproxy',
    command,
    // -db: in the foreground, one process.
    args: ['-db', '-f', file],
    folder,
    core: options.core,
    channel: 'none',
  });
  await waitForPort(port, process, 10_000);
  return {
    name: 'haproxy',
    url: `http://127.0.0.1:${port}`,
    pid: process.pid,
    credential: PEER_CREDENTIAL,
    stop: process.stop,
  };
}

/** `http-reuse always`: otherwise the first request of each client connection opens one of its own upstream. */
function configuration(port: number, upstreamPort: number): string {
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  server upstream 127.0.0.1:${upstreamPort}
`;
}
