import { Agent, request } from 'node:http';
import { cpuUsBetween, readCpu } from './cpu.ts';
import type { Peer } from './peer.ts';

/** What is to be asked for, each path once; keys in turn, as a load of the same lists shows them. Null: the peer's credential. */
export interface Visit {
  readonly paths: readonly string[];
  readonly keys: readonly string[] | null;
}

const CONNECTIONS = 32;

/**
 * Asks for every path once, neither more nor less: what only one route needs is made on its first request, so rounds that meet first
 * requests would measure those. Answers their CPU by request, in µs, which is a figure of its own.
 */
export async function visitOnce(peer: Peer, { paths, keys }: Visit): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const before = readCpu(peer.pid);
  let next = 0;
  const visitor = async (): Promise<void> => {
    for (let index = next++; index < paths.length; index = next++) {
      const headers =
        keys === null ? peer.credential : { authorization: `Bearer ${keys[index % keys.length]}` };
      const url = `${peer.url}${paths[index]}`;
      const status = await statusOf(url, { ...headers }, agent);
      if (status !== 200) throw new Error(`${url} was answered ${status}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, visitor));
    return cpuUsBetween(before, readCpu(peer.pid)) / paths.length;
  } finally {
    agent.destroy();
  }
}

function statusOf(url: string, headers: Record<string, string>, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent }, (answer) => {
      answer.on('error', reject).on('end', () => resolve(answer.statusCode!));
      answer.resume();
    })
      .on('error', reject)
      .end();
  });
}
