/** A data thread: speaks `messages.ts` with the control thread, prepares versions in slices, serves, drains. */
import { createRequire } from 'node:module';
import type { Clock, Random } from '../base/ports.ts';
import type { BodyDecoders } from '../pipeline/body-decoding.ts';
import type { Counters, LeaseSource, ThresholdSink } from '../pipeline/counters.ts';
import type {
  CertificateVerifier,
  DirectorySnapshot,
  IdentitySource,
  SignatureVerifier,
  TokenVerifier,
} from '../pipeline/identity.ts';
import type { ModelServices } from '../pipeline/key-pool.ts';
import type { CountPrompt } from '../pipeline/model-request.ts';
import type { BodyChecks, BoundRuntime, InstantiateRoute } from '../pipeline/program.ts';
import type { RecordSink } from '../pipeline/record.ts';
import type { ThreadLoad } from '../pipeline/thread-gauges.ts';
import type { Upstream } from '../pipeline/upstream.ts';
import { AddressConnections } from './address-connections.ts';
import { CertificateIdentities } from './certificate-identities.ts';
import { DroppedMemory } from './dropped-memory.ts';
import { ExchangeThread } from './exchange-thread.ts';
import { IdentityCache } from './identity-cache.ts';
import { LeaseAsks } from './lease-asks.ts';
import type { DataThreadStart, FromDataThread, PreparedRules, ToDataThread } from './messages.ts';
import { unpackBundle } from './packed-bundle.ts';
import type { RuleVersion } from './rule-version.ts';
import { buildRuleVersion } from './rule-version.ts';
import { type ServedCertificate, Server, type UwsModule } from './server.ts';
import { TokenIdentities } from './token-identities.ts';
import { VersionStore } from './version-store.ts';

export interface DataThreadParts {
  readonly start: DataThreadStart;
  readonly port: DataThreadPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly upstream: Upstream;
  readonly instantiate: InstantiateRoute;
  /** Counters over the shared memory of one rule set. */
  readonly bindCounters: (memory: unknown, leases: LeaseSource, thresholds: ThresholdSink) => Counters;
  /** Corrections of counters that had to wait: to be tried now and then. */
  readonly makeUpLate: () => void;
  readonly identities: (snapshot: DirectorySnapshot) => IdentitySource;
  readonly tokens: TokenVerifier;
  readonly certificates: CertificateVerifier;
  readonly signatures: SignatureVerifier;
  readonly records: RecordSink;
  /** What AI routes send to; `later` runs something in a later turn of the thread. */
  readonly models: (
    later: (delayMs: number, run: () => void) => void,
    countPrompt: CountPrompt,
    decoders: BodyDecoders,
  ) => ModelServices;
  /** By how much the events of the thread were late since it was asked last. */
  readonly eventLoopDelayMs: () => number;
  readonly hashKey: BoundRuntime['hashKey'];
  readonly combineKey: BoundRuntime['combineKey'];
  readonly compileSchema: BodyChecks['compileSchema'];
}

/** The part of a `MessagePort` that is used. */
export interface DataThreadPort {
  postMessage(message: FromDataThread): void;
  on(event: 'message', listener: (message: ToDataThread) => void): unknown;
  close(): void;
}

export interface DataThread {
  /** The port that is listened on; null when none is. */
  readonly listeningPort: () => number | null;
  /** Requests in flight. */
  readonly inFlight: () => number;
  /** What it does at present. */
  readonly load: () => ThreadLoad;
  /** Ends all connections at once, and the thread's timers. `drain` does so by itself. */
  readonly close: () => void;
}

/** Starts serving messages; `UWS_HTTP_MAX_HEADERS_SIZE` must be in the environment of the thread by now. */
export function startDataThread(parts: DataThreadParts): DataThread {
  const thread = new RunningDataThread(parts);
  parts.port.on('message', (message) => thread.receive(message));
  parts.port.postMessage({ kind: 'started' });
  return {
    listeningPort: () => thread.listeningPort,
    inFlight: () => thread.inFlight,
    load: () => thread.load(),
    close: () => thread.close(),
  };
}

class RunningDataThread {
  readonly #parts: DataThreadParts;
  readonly #versions: VersionStore;
  readonly #exchanges: ExchangeThread;
  readonly #server: Server;
  readonly #leases: LeaseAsks;
  readonly #models: ModelServices;
  readonly #sweep: NodeJS.Timeout;
  readonly #wakeTimers = new Set<NodeJS.Timeout>();
  /** Epochs of rules that were discarded while they were being prepared. */
  readonly #discarded = new Set<number>();
  listeningPort: number | null = null;
  #closed = false;

  constructor(parts: DataThreadParts) {
    this.#parts = parts;
    const { start, clock, random, records, port } = parts;
    const identities = new IdentityCache(start.limits.identityCacheEntries);
    this.#leases = new LeaseAsks((asks) => port.postMessage({ kind: 'leases-asked', asks }));
    const retired = (epoch: number): void => {
      // Its last requests may have told debt, which must be durable before the counter is forgotten.
      this.#leases.leave();
      port.postMessage({ kind: 'rules-retired', epoch });
    };
    this.#versions = new VersionStore(start.epochs, identities, retired, new DroppedMemory());
    this.#exchanges = new ExchangeThread({
      clock,
      random,
      records,
      identities,
      tokens: new TokenIdentities(
        parts.tokens,
        start.limits.identityCacheEntries,
        start.limits.tokensVerifying,
      ),
      certificates: new CertificateIdentities(
        parts.certificates,
        start.limits.identityCacheEntries,
        start.server.clientCertificates?.trustedProxies ?? [],
      ),
      signatures: parts.signatures,
      limits: start.limits,
      server: start.server,
      versions: this.#versions,
      eventLoopDelayMs: parts.eventLoopDelayMs,
      tellCrossings: (crossings, lost) => port.postMessage({ kind: 'thresholds-crossed', crossings, lost }),
      tellAlerts: (matches, atMs) => port.postMessage({ kind: 'alerts-matched', matches, atMs }),
      askCount: (prompt) => port.postMessage({ kind: 'count-asked', prompt }),
      later: (delayMs, run) => this.#later(delayMs, run),
    });
    const addresses = new AddressConnections(
      start.addressConnections,
      start.limits.connectionsPerAddress,
      () => port.postMessage({ kind: 'recount-asked' }),
    );
    this.#server = new Server(loadUws(), this.#exchanges, start.limits, addresses);
    this.#models = parts.models(
      (delayMs, run) => this.#later(delayMs, run),
      (prompt) => this.#exchanges.counts.count(prompt),
      this.#exchanges.decoders,
    );
    this.#sweep = setInterval(() => {
      parts.makeUpLate();
      this.#exchanges.sweep();
    }, SWEEP_MS);
  }

  get inFlight(): number {
    return this.#exchanges.inFlight;
  }

  load(): ThreadLoad {
    const upstream = this.#parts.upstream.load();
    const { connections, refused } = this.#server;
    return {
      ...this.#exchanges.load(),
      connections,
      connectionsPerThreadRefused: refused.connectionsPerThread,
      connectionsPerAddressRefused: refused.connectionsPerAddress,
      connectionWaiters: upstream.waiting,
      connectionWaitersMost: upstream.waitingMost,
      upstreamConnectionsMost: upstream.connectionsMost,
      upstreamWaitingRefused: upstream.refused,
    };
  }

  receive(message: ToDataThread): void {
    switch (message.kind) {
      case 'prepare-rules':
        this.#prepareRules(message.epoch, message.rules);
        return;
      case 'prepare-directory':
        this.#versions.addDirectory(message.directory.epoch, this.#parts.identities(message.directory));
        this.#parts.port.postMessage({ kind: 'directory-prepared', epoch: message.directory.epoch });
        return;
      case 'endpoints-resolved':
        this.#parts.upstream.resolved(message.changes);
        return;
      case 'keys-renewed':
        this.#models.renewKeys(message.keys);
        return;
      case 'grants-arrived':
        this.#leases.arrived();
        this.#exchanges.grants.arrived();
        return;
      case 'prompt-counted':
        this.#exchanges.counts.told(message.id, message.tokens);
        return;
      case 'discard':
        if (message.rules !== null) {
          this.#discarded.add(message.rules);
          this.#versions.discardRules(message.rules);
        }
        if (message.directory !== null) this.#versions.discardDirectory(message.directory);
        return;
      case 'listen':
        void this.#listen(message.certificates);
        return;
      case 'drain':
        this.#drain(message.withinMs);
        return;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#sweep);
    for (const timer of this.#wakeTimers) clearTimeout(timer);
    this.#server.close();
    this.#parts.upstream.close();
  }

  /** In slices: requests are served between them, so that no change of rules is felt as a pause. */
  #prepareRules(epoch: number, rules: PreparedRules): void {
    const { bindCounters, upstream, instantiate, hashKey, combineKey, compileSchema, clock, port, start } =
      this.#parts;
    const counters = bindCounters(rules.counterMemory, this.#leases, this.#exchanges.crossings);
    const bodies = { compileSchema, limits: start.limits };
    const alerts = this.#exchanges.alerts.sinkOf(epoch);
    const models = this.#models;
    const { turns } = this.#exchanges;
    const steps = (function* () {
      const served = yield* unpackBundle(rules.bundle);
      return yield* buildRuleVersion({
        epoch,
        rules: served,
        endpointSlots: rules.endpointSlots,
        counters,
        turns,
        upstream,
        instantiate,
        hashKey,
        combineKey,
        bodies,
        alerts,
        models,
        preparedPools: rules.pools,
      });
    })();
    const slice = (): void => {
      // What the parts throw here is told to the control thread: no thread commits, the running version stays.
      try {
        const step = runSlice(steps, clock);
        if (step === null) setImmediate(slice);
        else this.#prepared(epoch, step);
      } catch (error) {
        port.postMessage({ kind: 'prepare-failed', epoch, why: (error as Error).stack ?? String(error) });
      }
    };
    slice();
  }

  #prepared(epoch: number, version: RuleVersion): void {
    this.#versions.addRules(version);
    if (this.#discarded.delete(epoch)) this.#versions.discardRules(epoch);
    this.#parts.port.postMessage({ kind: 'prepared', epoch });
  }

  async #listen(certificates: readonly ServedCertificate[] | null): Promise<void> {
    const { start, port } = this.#parts;
    const { listen } = start.server;
    const listening = await this.#server.listen(listen, certificates);
    if (listening === null) {
      const why =
        certificates === null
          ? `${listen.address}:${listen.port} can't be listened on`
          : `${listen.address}:${listen.port} can't be listened on with these certificates`;
      port.postMessage({ kind: 'listen-failed', why });
      return;
    }
    this.listeningPort = listening;
    port.postMessage({ kind: 'listening' });
  }

  /** Stops accepting, waits for what is in flight, tells the rest that it is over, then ends all connections. */
  #drain(withinMs: number): void {
    this.#server.stopAccepting();
    this.#exchanges.goAway();
    let unfinished = 0;
    const finish = (): void => {
      if (this.#closed) return;
      this.close();
      this.#exchanges.alerts.tell(this.#parts.clock.monotonicMs());
      this.#parts.port.postMessage({ kind: 'drained', unfinished });
      this.#parts.port.close();
    };
    this.#later(withinMs, () => {
      unfinished = this.#exchanges.inFlight;
      this.#exchanges.breakOff();
      this.#later(FAREWELL_MS, finish);
    });
    // Not within the callback that ended the last request: its answer is still on its way into the socket.
    const finishIdle = (): void => this.#exchanges.whenIdle(() => setImmediate(finish));
    // What kept connections have sent by now waits in the kernel: ended at once, they would lose it, and a POST is not repeated.
    this.#exchanges.whenIdle(() => this.#later(LINGER_MS, finishIdle));
  }

  #later(delayMs: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#wakeTimers.delete(timer);
      run();
    }, delayMs);
    this.#wakeTimers.add(timer);
  }
}

/** Null when the time of a slice is over and there is more to do. */
function runSlice<Value>(steps: Generator<void, Value>, clock: Clock): Value | null {
  const endMs = clock.monotonicMs() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonicMs() >= endMs) return null;
  }
}

function loadUws(): UwsModule {
  const uws = createRequire(import.meta.url)('uWebSockets.js') as UwsModule & { _cfg(key: string): void };
  // No mark of the server in every answer.
  uws._cfg('silent');
  return uws;
}

const SWEEP_MS = 250;
/** How long idle connections are still heard when a thread drains: several times what a busy machine takes to read them. */
const LINGER_MS = 100;
/** How long clients have to take what they are told when the time to drain is over. */
const FAREWELL_MS = 500;
/** Well below the 5 ms that a change of rules may take from requests at a time. */
const SLICE_MS = 2;
