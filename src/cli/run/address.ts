import { createServer, type Server } from 'node:net';
import { err, ok, type Result } from '../../base/result.ts';
import type { ListenAddress } from '../../model/world.ts';

/**
 * Whether nobody listens on an address. Data threads listen with SO_REUSEPORT, under which the kernel would let a
 * second gateway take half the traffic without a word; a plain bind (without it) fails while anybody listens.
 */
export function addressIsFree(
  listen: ListenAddress,
  setting: 'listen' | 'admin',
): Promise<Result<void, string>> {
  const name = `${listen.address}:${listen.port}`;
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(err(sentence(error, name, setting))));
    probe.listen({ host: listen.address, port: listen.port, exclusive: true }, () => {
      probe.close(() => resolve(ok(undefined)));
    });
  });
}

/**
 * Claims an address for this process. Between the probe above and listening lie seconds, in which a second gateway that starts
 * at the same time would pass the probe too. The name of an abstract socket has one holder, lives where ports live (the
 * network namespace), and goes with the process, however it dies; only Linux has them.
 */
export function claimAddress(listen: ListenAddress): Promise<Result<Server | null, string>> {
  if (process.platform !== 'linux') return Promise.resolve(ok(null));
  const name = `${listen.address}:${listen.port}`;
  return new Promise((resolve) => {
    const holder = createServer((stranger) => stranger.destroy());
    holder.once('error', (error: NodeJS.ErrnoException) => resolve(err(sentence(error, name, 'listen'))));
    holder.listen({ path: `\0portunus ${name}` }, () => {
      // It ends with the process, and keeps nothing from ending.
      holder.unref();
      resolve(ok(holder));
    });
  });
}

function sentence(error: NodeJS.ErrnoException, name: string, setting: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${name} is in use: another program, perhaps another gateway, listens there. Stop it, or set another address under "${setting}" in portunus.yaml.`;
    case 'EACCES':
      return `${name} can't be opened: ports below 1024 need more rights.`;
    case 'EADDRNOTAVAIL':
      return `${name} is not an address of this machine.`;
    default:
      return `${name} can't be opened: ${error.message}`;
  }
}
