import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminStatus } from '../../src/admin/actions.ts';
import type { CrashProject } from './project.ts';

export interface AdminReply {
  readonly status: number;
  readonly body: unknown;
}

const REQUEST_TIMEOUT = 408;

/** The admin API of a gateway that may be gone in any moment. */
export class AdminClient {
  readonly #project: CrashProject;
  #token: string | null = null;

  constructor(project: CrashProject) {
    this.#project = project;
  }

  /** Null: no answer came, so nobody knows whether it was done. */
  async call(method: string, path: string, body?: object): Promise<AdminReply | null> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#project.adminPort}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#localToken()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.text();
      // It waited in vain for the rest of the request: on a machine that is busy nobody knows what it has seen of it.
      if (answer.status === REQUEST_TIMEOUT) return null;
      const isJson = answer.headers.get('content-type')?.includes('json') === true;
      return { status: answer.status, body: isJson ? JSON.parse(text) : text };
    } catch {
      // killed before it answered, or in its answer
      return null;
    }
  }

  /** Of a gateway that runs. */
  async read<Body>(path: string): Promise<Body> {
    const reply = await this.call('GET', path);
    if (reply?.status !== 200) throw new Error(`GET ${path}: ${JSON.stringify(reply)}`);
    return reply.body as Body;
  }

  async status(): Promise<AdminStatus | null> {
    const reply = await this.call('GET', '/v1/status');
    return reply?.status === 200 ? (reply.body as AdminStatus) : null;
  }

  /** The same from the first start on. */
  #localToken(): string {
    if (this.#token !== null) return this.#token;
    const file = join(this.#project.dataFolder, 'admin-access.json');
    if (!existsSync(file)) return '';
    this.#token = (JSON.parse(readFileSync(file, 'utf8')) as { readonly token: string }).token;
    return this.#token;
  }
}
