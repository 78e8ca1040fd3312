import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { ServiceStatus } from '../../admin/actions.ts';
import type { LimitValues } from '../../base/limits.ts';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Service } from '../../model/world.ts';
import type { AlertBus, AlertIdentity } from '../../observe/alert-bus.ts';
import type { ResolvedEndpoint } from '../../pipeline/upstream.ts';
import { type EndpointCounts, readCounts } from '../../upstream/endpoint-counts.ts';
import { endpointUrl } from '../../upstream/endpoint-key.ts';
import { type EndpointState, endpointState } from '../../upstream/endpoint-state.ts';
import { EndpointTable, type KnownEndpoint, type PreparedEndpoints } from '../../upstream/endpoint-table.ts';
import { type CheckTarget, HealthChecks, type Probe } from '../../upstream/health-checks.ts';
import { type Lookup, NameResolver } from '../../upstream/name-resolver.ts';
import type { After } from '../../upstream/timers.ts';
import { readTlsFiles, type TlsTexts, tlsDigest } from '../../upstream/tls-files.ts';

export interface EndpointKeeperOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LimitValues;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly after: After;
  readonly probe: Probe;
  readonly lookup: Lookup;
  readonly readFile: (path: string) => string;
  /** Tells all data threads. */
  readonly tellAddresses: (changes: readonly ResolvedEndpoint[]) => void;
}

/** The TLS files that services of one version need. */
export interface ServiceFiles {
  /** Of all their texts. */
  readonly digest: string;
  readonly byService: ReadonlyMap<string, TlsTexts>;
}

/** What `/metrics` tells of one address of an endpoint. */
export interface EndpointUsage extends EndpointCounts {
  readonly service: string;
  readonly url: string;
  /** Null while its name is not resolved, and where there is none. */
  readonly address: string | null;
  /** Whether requests are sent there. */
  readonly isUp: boolean;
}

/** What the control thread does about endpoints: gives them their slots, checks them, resolves their names, and says how they are. */
export class EndpointKeeper {
  readonly #options: EndpointKeeperOptions;
  readonly #table: EndpointTable;
  readonly #checks: HealthChecks;
  readonly #names: NameResolver;
  readonly #prepared = new Map<number, PreparedEndpoints>();
  #services: readonly Service[] = [];
  #files: ServiceFiles['byService'] = new Map();
  readonly #down = new Set<string>();
  readonly #unresolved = new Map<string, string>();

  constructor(options: EndpointKeeperOptions) {
    const { clock, random, limits, after, probe, lookup } = options;
    this.#options = options;
    this.#table = new EndpointTable(limits.endpointAddresses, clock);
    const { memory } = this.#table;
    this.#checks = new HealthChecks({
      clock,
      random,
      after,
      probe,
      memory,
      atOnceMax: limits.healthChecksAtOnce,
    });
    this.#names = new NameResolver({
      random,
      after,
      lookup,
      addressesMax: limits.addressesPerName,
      onAddresses: (host) => {
        this.#options.tellAddresses(this.#spread(host));
        this.#check();
      },
      onFailure: (host, why) => this.#unresolvable(host, why),
    });
  }

  /** For the data threads. */
  get shared(): SharedArrayBuffer {
    return this.#table.shared;
  }

  // -- versions ------------------------------------------------------------------------------------------------

  /** Reads all TLS files of services, for {@link live}. The error is one sentence. */
  readFiles(services: Iterable<Service>): Result<ServiceFiles, string> {
    const byService = new Map<string, TlsTexts>();
    const digest = createHash('sha256');
    for (const { name, tls } of services) {
      if (tls.caFile === null && tls.certificateFile === null) continue;
      try {
        const texts = readTlsFiles(tls, this.#options.readFile);
        byService.set(name, texts);
        digest.update(`${name} ${tlsDigest(texts)}\n`);
      } catch (error) {
        return err(`Service "${name}" can't be called by TLS: ${(error as Error).message}.`);
      }
    }
    return ok({ digest: digest.digest('hex'), byService });
  }

  prepare(epoch: number, services: readonly Service[]): Result<Int32Array, string> {
    const prepared = this.#table.prepare(services);
    if (!prepared.ok) return prepared;
    this.#prepared.set(epoch, prepared.value);
    return ok(prepared.value.slots);
  }

  /** A version that was prepared serves now. */
  live(services: readonly Service[], files: ServiceFiles): void {
    this.#services = services;
    this.#files = files.byService;
    const names = new Map<string, number>();
    for (const { endpoints, resolveMs } of services) {
      for (const { host } of endpoints) {
        if (isIP(host) === 0) names.set(host, Math.min(resolveMs, names.get(host) ?? resolveMs));
      }
    }
    this.#names.use(names);
    // Endpoints that are new may have names that are known.
    this.#options.tellAddresses([...names.keys()].flatMap((host) => this.#spread(host)));
    this.#check();
    const there = new Set(services.map(({ name }) => name));
    for (const name of this.#down) if (!there.has(name)) this.#isBack(name);
  }

  /** No thread serves the version any more, or it never was served. */
  retire(epoch: number): void {
    const prepared = this.#prepared.get(epoch);
    if (prepared === undefined) return;
    this.#prepared.delete(epoch);
    const gone = this.#table.retire(prepared);
    this.#options.tellAddresses(gone.map((key) => ({ key, addresses: [] })));
  }

  stop(): void {
    this.#checks.stop();
    this.#names.stop();
  }

  /** Gives the addresses of a name to all endpoints that have it. Answers with those that changed. */
  #spread(host: string): readonly ResolvedEndpoint[] {
    const addresses = this.#names.addresses(host);
    const changes: ResolvedEndpoint[] = [];
    if (addresses.length === 0) return changes;
    for (const known of this.#table.ofHost(host)) {
      if (known.addresses.map(({ address }) => address).join() === addresses.join()) continue;
      changes.push({ key: known.key, addresses: this.#table.resolved(known, addresses) });
    }
    return changes;
  }

  #check(): void {
    const targets: CheckTarget[] = [];
    for (const service of this.#services) {
      const { health: settings, tls } = service;
      if (settings === null) continue;
      const files = this.#files.get(service.name) ?? NO_FILES;
      for (const { known, slot, address } of this.#slotsOf(service))
        targets.push({ slot, endpoint: known.endpoint, address, settings, tls, files });
    }
    this.#checks.use(targets);
  }

  // -- how they are --------------------------------------------------------------------------------------------

  /** To be called about once a second: raises and resolves the alerts of services. */
  look(): void {
    for (const service of this.#services) {
      const states = this.#slotsOf(service).map((each) => this.#stateOf(service, each.slot));
      if (states.some(isUp)) {
        if (this.#down.has(service.name)) this.#isBack(service.name);
      } else if (!this.#down.has(service.name)) {
        this.#down.add(service.name);
        this.#options.alerts.raise({
          ...downAlert(service.name),
          severity: 'critical',
          message: `No endpoint of the service "${service.name}" is well: ${this.#words(service)}.`,
          remedy: 'See to the service; "portunus status" says how each endpoint is.',
        });
      }
    }
  }

  status(): readonly ServiceStatus[] {
    return this.#services.map((service) => ({
      name: service.name,
      endpoints: this.#slotsOf(service).map(({ known, slot, address }) => ({
        url: endpointUrl(known.endpoint),
        address,
        ...describe(this.#stateOf(service, slot), this.#checks.why(slot)),
        checked: this.#checks.isChecked(slot),
        unresolved: this.#unresolved.get(known.endpoint.host) ?? null,
      })),
    }));
  }

  /** Addresses whose health is kept, or was until minutes ago. */
  get addresses(): number {
    return this.#table.slotsTaken;
  }

  get checksUnderWay(): number {
    return this.#checks.underWay;
  }

  /** In the order of the configuration. */
  inspect(): readonly EndpointUsage[] {
    return this.#services.flatMap((service) =>
      this.#slotsOf(service).map(({ known, slot, address }) => ({
        service: service.name,
        url: endpointUrl(known.endpoint),
        address,
        isUp: isUp(this.#stateOf(service, slot)),
        ...readCounts(this.#table.memory, slot),
      })),
    );
  }

  #words(service: Service): string {
    const words = this.#slotsOf(service).map(({ known, slot, address }) => {
      const { why } = describe(this.#stateOf(service, slot), this.#checks.why(slot));
      return `${endpointUrl(known.endpoint)}${address === null ? '' : ` (${address})`} – ${why}`;
    });
    return words.slice(0, NAMED_MAX).join('; ') + (words.length > NAMED_MAX ? '; and others' : '');
  }

  #stateOf({ slowStartMs }: Service, slot: number): EndpointState {
    return endpointState(this.#table.memory, slot, slowStartMs, this.#options.clock.monotonicMs());
  }

  /** One for each address; one for the endpoint while its name is not resolved. */
  #slotsOf(service: Service): readonly SlotOf[] {
    return service.endpoints.flatMap((endpoint): readonly SlotOf[] => {
      const known = this.#table.find(service.name, endpoint);
      if (known === null) return [];
      if (known.addresses.length === 0) return [{ known, slot: known.slot, address: null }];
      return known.addresses.map(({ slot, address }) => ({ known, slot, address }));
    });
  }

  #isBack(service: string): void {
    this.#down.delete(service);
    this.#options.alerts.resolve(downAlert(service));
  }

  #unresolvable(host: string, why: string | null): void {
    const identity = { kind: 'name-not-resolved', subject: host } as const;
    if (why === null) {
      this.#unresolved.delete(host);
      this.#options.alerts.resolve(identity);
      return;
    }
    this.#unresolved.set(host, why);
    const known = this.#names.addresses(host);
    const kept = known.length === 0 ? 'no address is known' : `${known.join(', ')} stays in use`;
    this.#options.alerts.raise({
      ...identity,
      severity: 'warning',
      message: `The name "${host}" of an endpoint can't be resolved (${why}): ${kept}.`,
      remedy: 'See to the name server, or correct the endpoint.',
    });
  }
}

interface SlotOf {
  readonly known: KnownEndpoint;
  readonly slot: number;
  readonly address: string | null;
}

function isUp({ kind }: EndpointState): boolean {
  return kind === 'well' || kind === 'warming';
}

function describe(
  state: EndpointState,
  checkWhy: string | null,
): Pick<ServiceStatus['endpoints'][number], 'state' | 'why'> {
  switch (state.kind) {
    case 'well':
    case 'warming':
      return { state: state.kind, why: null };
    case 'unhealthy':
      return { state: state.kind, why: `its health check fails: ${checkWhy ?? 'no answer'}` };
    case 'ejected':
      return {
        state: state.kind,
        why: `${state.why}; ${state.forMs > 0 ? `left alone for ${state.forMs} ms more` : 'the next request tries it'}`,
      };
  }
}

function downAlert(service: string): AlertIdentity {
  return { kind: 'service-down', subject: service };
}

const NO_FILES: TlsTexts = { ca: null, certificate: null, key: null };
const NAMED_MAX = 3;
