import type { LimitValues } from '../base/limits.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Service } from '../model/world.ts';
import type { Upstream, UpstreamService } from '../pipeline/upstream.ts';
import { type Ticker, timerTicker } from './deadlines.ts';
import { ServiceClient } from './service.ts';
import { UpstreamThread } from './thread.ts';

export interface UpstreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LimitValues;
  /** Text of a file by its absolute path, for `UpstreamTls.caFile`. Throws as `readFileSync` does. */
  readonly readFile: (path: string) => string;
  /** Drives the deadlines; a timer when absent. */
  readonly ticker?: Ticker;
}

/**
 * The HTTP/1.1(S) client of one data thread (RFC 9110, 9112). `service()` throws when a CA file cannot be read or holds no
 * certificate; everything that happens later is told to the handlers. Each `service()` is paired with one `retire()`.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const thread = new UpstreamThread(
    options.clock,
    options.random,
    options.limits,
    options.ticker ?? timerTicker,
  );
  const services = new Map<string, ServiceClient>();

  function open(service: Service, key: string): ServiceClient {
    const { caFile } = service.tls;
    const certificates = caFile === null ? null : options.readFile(caFile);
    const client = new ServiceClient(thread, service, certificates, () => services.delete(key));
    services.set(key, client);
    return client;
  }

  return {
    service(service: Service): UpstreamService {
      const key = connectionKey(service);
      const client = services.get(key) ?? open(service, key);
      client.uses++;
      return client;
    },
    close(): void {
      for (const client of services.values()) client.close();
      services.clear();
    },
  };
}

/** Services that agree in it share connections across a reload; timeouts come with each request. */
function connectionKey(service: Service): string {
  return JSON.stringify([service.name, service.endpoints, service.tls]);
}
