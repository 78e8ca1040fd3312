import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from './machine.ts';
import { PEER_CREDENTIAL, PEER_KEY, type Peer } from './peer.ts';
import { freePort, type StartedProcess, startProcess, waitForPort } from './processes.ts';

/**
 * nginx as a peer: one worker, keep-alive on both sides without an end (`keepalive_requests`), otherwise as a careful
 * person sets up a reverse proxy.
 */
export interface NginxPeerOptions {
  readonly upstreamPort: number;
  readonly folder: string;
  readonly core: number | null;
}

/** Passes everything on; no log. Null where nginx is not installed. */
export async function startBareNginx(options: NginxPeerOptions): Promise<Peer | null> {
  return await startPeer(
    'nginx bare',
    options,
    (port) => `
      access_log off;
      ${upstreamBlock(options.upstreamPort)}
      server {
        listen 127.0.0.1:${port};
        location / { ${PASS_ON} }
      }`,
  );
}

/** The nearest that nginx has to a governed route: key map, `limit_req` per consumer, a header set, buffered access log. */
export async function startGovernedNginx(options: NginxPeerOptions): Promise<Peer | null> {
  const log = join(options.folder, 'nginx-governed', 'access.log');
  return await startPeer(
    'nginx governed',
    options,
    (port) => `
      log_format records '$time_iso8601 $consumer "$request" $status $body_bytes_sent $request_time $upstream_addr';
      access_log ${log} records buffer=64k flush=1s;
      map_hash_bucket_size 256;
      map $http_authorization $consumer { default ""; "Bearer ${PEER_KEY}" "web"; }
      limit_req_zone $consumer zone=pace:10m rate=1000000r/s;
      limit_req_status 429;
      ${upstreamBlock(options.upstreamPort)}
      server {
        listen 127.0.0.1:${port};
        location / {
          if ($consumer = "") { return 401; }
          limit_req zone=pace burst=1000000 nodelay;
          proxy_set_header X-Consumer $consumer;
          ${PASS_ON}
        }
      }`,
  );
}

export interface NginxOptions {
  readonly name: string;
  readonly folder: string;
  readonly core: number | null;
  /** Inside of the `http` block. */
  readonly http: (port: number) => string;
}

/** Starts nginx on a port of its own. Throws where it is not installed. */
export async function startNginx(
  options: NginxOptions,
): Promise<{ readonly port: number; readonly process: StartedProcess }> {
  const command = findTool('nginx');
  if (command === null) throw new Error('nginx is not installed');
  const folder = join(options.folder, options.name);
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, options.http(port)));
  const process = startProcess({
    name: options.name,
    command,
    args: ['-p', folder, '-c', file, '-e', join(folder, 'error.log')],
    folder,
    core: options.core,
    channel: 'none',
  });
  await waitForPort(port, process, 10_000);
  return { port, process };
}

const PASS_ON = 'proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection "";';

function upstreamBlock(port: number): string {
  return `upstream bench { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 1000000000; }`;
}

async function startPeer(
  name: string,
  options: NginxPeerOptions,
  http: (port: number) => string,
): Promise<Peer | null> {
  if (findTool('nginx') === null) return null;
  const { port, process } = await startNginx({ ...options, name: name.replace(' ', '-'), http });
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    pid: process.pid,
    credential: PEER_CREDENTIAL,
    stop: process.stop,
  };
}

/** Workers of a root master would run as `nobody`, who may not write below the bench's folder. */
function configuration(folder: string, http: string): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    ${user}
    daemon off;
    worker_processes 1;
    worker_rlimit_nofile 16384;
    pid ${join(folder, 'nginx.pid')};
    events { worker_connections 4096; }
    http {
      keepalive_requests 1000000000;
      keepalive_timeout 3600s;
      ${temporary.map((name) => `${name}_temp_path ${join(folder, name)};`).join('\n      ')}
      ${http}
    }
  `;
}
