import type { LimitValues } from '../base/limits.ts';
import type { Clock, Random } from '../base/ports.ts';
import type { Service } from '../model/world.ts';
import type { ResolvedAddress, Upstream, UpstreamLoad, UpstreamService } from '../pipeline/upstream.ts';
import { type Ticker, timerTicker } from './deadlines.ts';
import { endpointKey } from './endpoint-key.ts';
import { endpointMemory } from './endpoint-memory.ts';
import { ServiceClient } from './service.ts';
import { UpstreamThread } from './thread.ts';
import { readTlsFiles, type TlsTexts, tlsDigest } from './tls-files.ts';

export interface UpstreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LimitValues;
  /** See `endpoint-memory.ts`. */
  readonly endpoints: SharedArrayBuffer;
  /** Text of a file by its absolute path, for `UpstreamTls`. Throws as `readFileSync` does. */
  readonly readFile: (path: string) => string;
  /** Called before anything leaves for a service; nothing when absent. */
  readonly beforeWrites?: () => void;
  /** Drives the deadlines; a timer when absent. */
  readonly ticker?: Ticker;
}

/**
 * The HTTP/1.1(S) client of one data thread (RFC 9110, 9112). `service()` throws when a TLS file cannot be read or does not hold
 * what it should; everything that happens later is told to the handlers. Each `service()` is paired with one `retire()`.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const thread = new UpstreamThread(
    options.clock,
    options.random,
    options.limits,
    endpointMemory(options.endpoints),
    options.ticker ?? timerTicker,
    options.beforeWrites ?? (() => {}),
  );
  const services = new Map<string, ServiceClient>();
  const addresses = new Map<string, readonly ResolvedAddress[]>();

  function open(key: string, service: Service, slots: readonly number[], files: TlsTexts): ServiceClient {
    const onRetired = (): void => void services.delete(key);
    const client = new ServiceClient({ thread, service, slots, files, onRetired });
    for (const [index, endpoint] of service.endpoints.entries()) {
      const known = addresses.get(endpointKey(service.name, endpoint));
      if (known !== undefined) client.resolved(index, known);
    }
    services.set(key, client);
    return client;
  }

  return {
    service(service, slots): UpstreamService {
      // Read each time: files that changed make another key, and so new connections.
      const files = readTlsFiles(service.tls, options.readFile);
      const key = connectionKey(service, files);
      const client = services.get(key) ?? open(key, service, slots, files);
      client.uses++;
      return client;
    },
    resolved(changes): void {
      for (const change of changes) {
        if (change.addresses.length === 0) addresses.delete(change.key);
        else addresses.set(change.key, change.addresses);
      }
      const byKey = new Map(changes.map((change) => [change.key, change.addresses]));
      for (const client of services.values()) {
        for (const [index, endpoint] of client.service.endpoints.entries()) {
          const known = byKey.get(endpointKey(client.service.name, endpoint));
          if (known !== undefined && known.length > 0) client.resolved(index, known);
        }
      }
    },
    load(): UpstreamLoad {
      let [waiting, waitingMost, connectionsMost] = [0, 0, 0];
      for (const client of services.values()) {
        waiting += client.waiting;
        waitingMost = Math.max(waitingMost, client.waiting);
        connectionsMost = Math.max(connectionsMost, client.connectionsMost);
      }
      return { waiting, waitingMost, connectionsMost, refused: thread.refused };
    },
    close(): void {
      for (const client of services.values()) client.close();
      services.clear();
    },
  };
}

/** Services that agree in it share connections across a reload; timeouts come with each request. */
function connectionKey(service: Service, files: TlsTexts): string {
  const { name, endpoints, tls, outliers, slowStartMs, retries } = service;
  return JSON.stringify([name, endpoints, tls, tlsDigest(files), outliers, slowStartMs, retries]);
}
