/** A whole data thread in this process, over real sockets, with rules given as functions. */
import { EventEmitter, once } from 'node:events';
import { LIMIT_DEFAULTS, type LimitValues } from '../../src/base/limits.ts';
import type { Clock, Random } from '../../src/base/ports.ts';
import { compileRequestSchema } from '../../src/config/request-schema.ts';
import {
  type AddressConnectionsMemory,
  createAddressConnections,
} from '../../src/gateway/address-connections.ts';
import { type DataThread, startDataThread } from '../../src/gateway/data-thread.ts';
import {
  type DataThreadStart,
  EPOCH_CELLS,
  type FromDataThread,
  type PreparedRules,
  type ToDataThread,
} from '../../src/gateway/messages.ts';
import { BundlePacker, type PackedBundle } from '../../src/gateway/packed-bundle.ts';
import type { ServedCertificate } from '../../src/gateway/server.ts';
import type { ServerSettings } from '../../src/model/world.ts';
import type { Counters } from '../../src/pipeline/counters.ts';
import type { DirectorySnapshot, IdentitySource, TokenVerifier } from '../../src/pipeline/identity.ts';
import type { ModelServices } from '../../src/pipeline/key-pool.ts';
import type { InstantiateRoute, RoutePipeline, RuleBundle } from '../../src/pipeline/program.ts';
import type { AccessRecord } from '../../src/pipeline/record.ts';
import type { UpstreamService } from '../../src/pipeline/upstream.ts';
import { createUpstream } from '../../src/upstream/client.ts';
import { createEndpointMemory } from '../../src/upstream/endpoint-memory.ts';
import { identity, NO_COUNTERS, PERMIT_ALL } from './rules.ts';

// Read by the module when it is loaded, which is when the first data thread starts.
process.env.UWS_HTTP_MAX_HEADERS_SIZE = '65536';

export interface GatewayOptions {
  readonly bundle: RuleBundle;
  readonly pipeline?: RoutePipeline;
  /** For compiled bundles, in place of `pipeline`. */
  readonly instantiate?: InstantiateRoute;
  readonly server?: Partial<ServerSettings>;
  readonly limits?: Partial<LimitValues>;
  readonly counters?: Counters;
  readonly certificates?: readonly ServedCertificate[];
  readonly eventLoopDelayMs?: () => number;
  readonly tokens?: TokenVerifier;
  readonly addressConnections?: AddressConnectionsMemory;
}

export interface Gateway {
  readonly port: number;
  readonly records: AccessRecord[];
  readonly thread: DataThread;
  readonly messages: FromDataThread[];
  send(message: ToDataThread): void;
  /** Resolves when the thread says it. */
  said(kind: FromDataThread['kind'], count?: number): Promise<FromDataThread>;
  /** Resolves when so many records have been written in all. */
  recorded(count: number): Promise<void>;
  /** Prepares the rules, flips the epoch. */
  change(epoch: number, bundle: RuleBundle): Promise<void>;
  close(): void;
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const epochs = new SharedArrayBuffer(4 * EPOCH_CELLS.count);
  const cells = new Int32Array(epochs);
  const port = new FakePort();
  const records: AccessRecord[] = [];
  const recorded = new EventEmitter();
  const thread = startDataThread({
    start: startOf(options, epochs),
    port,
    clock: CLOCK,
    random: RANDOM,
    upstream: createUpstream({
      clock: CLOCK,
      random: RANDOM,
      limits: LIMIT_DEFAULTS,
      endpoints: createEndpointMemory(ENDPOINTS),
      readFile: () => {
        throw new Error('no certificates in these tests');
      },
    }),
    instantiate: options.instantiate ?? (() => options.pipeline ?? PERMIT_ALL),
    bindCounters: () => options.counters ?? NO_COUNTERS,
    makeUpLate: () => {},
    identities: () => IDENTITIES,
    tokens: options.tokens ?? { verify: () => Promise.resolve('invalid') },
    certificates: { verify: () => 'malformed' },
    signatures: { accepted: '', verify: () => ({ fault: 'signature_invalid', detail: 'No.' }) },
    records: {
      write(record) {
        records.push({ ...record });
        recorded.emit('record');
      },
    },
    models: () => NO_MODELS,
    eventLoopDelayMs: options.eventLoopDelayMs ?? (() => 0),
    hashKey: () => {},
    combineKey: () => {},
    compileSchema: compileRequestSchema,
  });
  const gateway: Gateway = {
    get port() {
      return thread.listeningPort() ?? -1;
    },
    records,
    thread,
    messages: port.said,
    send: (message) => port.deliver(message),
    said: (kind, count = 1) => port.waitFor(kind, count),
    async recorded(count) {
      while (records.length < count) await once(recorded, 'record');
    },
    async change(epoch, bundle) {
      port.deliver({
        kind: 'prepare-rules',
        epoch,
        rules: prepared(bundle),
      });
      await port.waitFor('prepared', epoch);
      Atomics.store(cells, EPOCH_CELLS.rules, epoch);
    },
    close: () => thread.close(),
  };
  await gateway.change(1, options.bundle);
  gateway.send({
    kind: 'prepare-directory',
    directory: { epoch: 1 } as DirectorySnapshot,
  });
  Atomics.store(cells, EPOCH_CELLS.directory, 1);
  gateway.send({ kind: 'listen', certificates: options.certificates ?? null });
  await gateway.said('listening');
  return gateway;
}

const ENDPOINTS = 16;

export function prepared(bundle: RuleBundle): PreparedRules {
  const endpoints = bundle.services.flatMap((service) => service.endpoints);
  const endpointSlots = Int32Array.from(endpoints, (_, slot) => slot);
  return { bundle: packed(bundle), counterMemory: null, endpointSlots, pools: null };
}

export function packed(bundle: RuleBundle, packer = new BundlePacker()): PackedBundle {
  const result = packer.pack(bundle);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** Keys `ptn_test_<name>` belong to a consumer of that name; `low` and `high` are of tenants with that priority. */
const IDENTITIES: IdentitySource = {
  identify: (key) => {
    if (!key.startsWith('ptn_test_')) return 'malformed';
    const name = key.slice('ptn_test_'.length);
    const priority = name === 'low' || name === 'high' ? name : 'normal';
    return { identity: identity(name, null, priority), slot: 0, state: 0 };
  },
  identifyByName: () => 'unknown',
  secretsOf: () => [],
  holds: () => true,
  named: ({ consumer }) => (consumer === 'nobody' ? null : identity(consumer)),
};

const NO_SERVICE: UpstreamService = {
  dispatch: () => {
    throw new Error('these gateways have no routes to models');
  },
  tunnel: () => {
    throw new Error('these gateways have no routes to models');
  },
  outForMs: () => 0,
  retire() {},
};
const NO_MODELS: ModelServices = {
  bind: () => ({
    list: () => NO_SERVICE,
    service: () => {
      throw new Error('these gateways have no routes to models');
    },
  }),
  renewKeys: () => {},
};

export const CLOCK: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export const RANDOM: Random = {
  fill: (target) => void crypto.getRandomValues(target as Uint8Array<ArrayBuffer>),
  uint32: () => Math.floor(Math.random() * 2 ** 32),
};

function startOf(options: GatewayOptions, epochs: SharedArrayBuffer): DataThreadStart {
  return {
    thread: 0,
    server: {
      listen: { address: '127.0.0.1', port: 0 },
      admin: { address: '127.0.0.1', port: 0 },
      adminCertificate: null,
      dataThreads: 1,
      dataFolder: '/nowhere',
      refuseChunkedRequests: false,
      forwardedFields: 'x-forwarded',
      mergeSlashes: true,
      tellCosts: false,
      traces: null,
      history: {
        logBytes: 268_435_456,
        logAgeMs: 604_800_000,
        minutesMs: 21_600_000,
        hoursMs: 5_184_000_000,
        daysMs: 94_694_400_000,
      },
      certificates: null,
      tokenIssuers: [],
      clientCertificates: null,
      signatures: { components: [], maxAgeMs: 60_000, clockSkewMs: 10_000 },
      ...options.server,
    },
    limits: { ...LIMIT_DEFAULTS, ...options.limits },
    epochs,
    addressConnections: options.addressConnections ?? createAddressConnections(new Uint8Array(8)),
    recordRing: new SharedArrayBuffer(8),
    endpoints: new SharedArrayBuffer(8),
    gauges: new SharedArrayBuffer(8),
    takeJournal: null,
    clientAuthorities: null,
    poolMemory: null,
    seenSignatures: new SharedArrayBuffer(8),
    startedMs: 0,
    keyHashSecret: new Uint8Array(8),
  };
}

class FakePort {
  readonly said: FromDataThread[] = [];
  readonly #events = new EventEmitter();
  #listener: (message: ToDataThread) => void = () => {};

  postMessage(message: FromDataThread): void {
    this.said.push(message);
    this.#events.emit('said');
  }

  on(_event: 'message', listener: (message: ToDataThread) => void): void {
    this.#listener = listener;
  }

  close(): void {}

  deliver(message: ToDataThread): void {
    this.#listener(message);
  }

  async waitFor(kind: FromDataThread['kind'], count: number): Promise<FromDataThread> {
    for (;;) {
      const failed = this.said.find((message) => message.kind === 'prepare-failed');
      if (failed !== undefined) throw new Error(JSON.stringify(failed));
      const found = this.said.filter((message) => message.kind === kind);
      if (found.length >= count) return found[count - 1]!;
      await once(this.#events, 'said');
    }
  }
}
