import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from './conversation.ts';
import { findTool } from './machine.ts';
import { startNginx } from './nginx.ts';
import { type StartedProcess, startProgram } from './processes.ts';

/** What stands behind every measured proxy. */
export interface Upstream {
  readonly port: number;
  readonly name: string;
  readonly stop: () => Promise<void>;
}

/** The answer of the plain upstream: small JSON. */
export const SMALL_JSON = '{"id":42,"name":"portunus","price":"12.50","currency":"EUR","inStock":true}';

/** An upstream that counts what it is asked and streams; see `children/upstream.ts` for its paths. */
export interface CountingUpstream extends Upstream {
  readonly counts: () => Promise<UpstreamCounts>;
  /** Sends one event on every held stream; gives their number. */
  readonly pulse: () => Promise<number>;
}

export interface UpstreamCounts {
  /** Requests of all kinds. */
  readonly requests: number;
  /** Different ids seen. */
  readonly distinctIds: number;
  /** Requests whose id had been seen before. */
  readonly repeatedIds: number;
  /** Requests whose body was not what the client sent. */
  readonly damagedBodies: number;
}

/** nginx answering by itself is the cheapest upstream here; without nginx a raw-socket program of our own. */
export async function startUpstream(folder: string, core: number | null): Promise<Upstream> {
  if (findTool('nginx') === null) {
    const { port, stop } = await startCountingUpstream(folder, core);
    return { port, stop, name: 'raw-socket Node program' };
  }
  const { port, process } = await startNginx({
    name: 'nginx-upstream',
    folder,
    core,
    http: (listenPort) => `
      access_log off;
      server {
        listen 127.0.0.1:${listenPort};
        location / { default_type application/json; return 200 '${SMALL_JSON}'; }
      }`,
  });
  return { port, stop: process.stop, name: 'nginx, return 200' };
}

export async function startCountingUpstream(folder: string, core: number | null): Promise<CountingUpstream> {
  const answerFile = join(folder, 'upstream-answer.json');
  writeFileSync(answerFile, SMALL_JSON);
  const started: StartedProcess = startProgram(import.meta.resolve('./children/upstream.js'), {
    name: 'upstream',
    args: [answerFile],
    folder,
    core,
  });
  const port = await ask<number>(started, 'listen');
  return {
    port,
    name: 'counting Node program',
    stop: started.stop,
    counts: () => ask<UpstreamCounts>(started, 'counts'),
    pulse: () => ask<number>(started, 'pulse'),
  };
}
