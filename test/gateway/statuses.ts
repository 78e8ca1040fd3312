import { Agent, get } from 'node:http';

/** Sends requests over that many kept-alive connections, and counts the answers by status; 0: the connection was lost. */
export async function statusesOf(
  url: string,
  { requests, connections }: { readonly requests: number; readonly connections: number },
): Promise<Map<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const statuses = new Map<number, number>();
  const note = (status: number): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      get(url, { agent }, (response) => {
        note(response.statusCode!);
        response.resume().on('close', resolve);
      }).on('error', () => {
        note(0);
        resolve();
      });
    });
  await Promise.all(Array.from({ length: requests }, one));
  agent.destroy();
  return statuses;
}
