import type { Clock } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Endpoint, Service } from '../model/world.ts';
import type { ResolvedAddress } from '../pipeline/upstream.ts';
import { endpointKey } from './endpoint-key.ts';
import {
  bringBack,
  createEndpointMemory,
  ENDPOINT_CELLS,
  type EndpointMemory,
  endpointMemory,
} from './endpoint-memory.ts';

/** The endpoints of one version of the configuration. */
export interface PreparedEndpoints {
  /** Slots of all endpoints, in the order of services and endpoints. */
  readonly slots: Int32Array;
  readonly keys: readonly string[];
}

/** One endpoint that some version uses. */
export interface KnownEndpoint {
  readonly key: string;
  readonly endpoint: Endpoint;
  /** In use while nobody has resolved its name; always, when it has none. */
  readonly slot: number;
  /** Of its name, once it is resolved; empty before. */
  addresses: readonly ResolvedAddress[];
  /** Versions that have it. */
  uses: number;
}

/**
 * Which slot of the shared memory belongs to which endpoint (control thread). An endpoint keeps its slot, and so its health, through
 * all versions that have it.
 */
export class EndpointTable {
  readonly shared: SharedArrayBuffer;
  readonly memory: EndpointMemory;
  readonly #clock: Clock;
  readonly #slotsMax: number;
  readonly #known = new Map<string, KnownEndpoint>();
  readonly #byHost = new Map<string, Set<KnownEndpoint>>();
  /** Slots that were given back, in the order of when. */
  readonly #free: { readonly slot: number; readonly sinceMs: number }[] = [];
  #slots = 0;

  constructor(slotsMax: number, clock: Clock) {
    this.#slotsMax = slotsMax;
    this.#clock = clock;
    this.shared = createEndpointMemory(slotsMax);
    this.memory = endpointMemory(this.shared);
  }

  /** Slots that can't be given at present: in use, or at rest. */
  get slotsTaken(): number {
    const nowMs = this.#clock.monotonicMs();
    const resting = this.#free.findIndex(({ sinceMs }) => nowMs - sinceMs < SLOT_REST_MS);
    return this.#slots - (resting === -1 ? this.#free.length : resting);
  }

  /** Every endpoint gets its slot. The error is one sentence; nothing is changed then. */
  prepare(services: readonly Service[]): Result<PreparedEndpoints, string> {
    const keys: string[] = [];
    const slots: number[] = [];
    for (const service of services) {
      const isRunning = service.endpoints.some((each) => this.#known.has(endpointKey(service.name, each)));
      for (const endpoint of service.endpoints) {
        const known = this.#use(endpointKey(service.name, endpoint), endpoint, isRunning);
        if (known === null) {
          this.retire({ keys, slots: new Int32Array() });
          return err(
            `The endpoints and their addresses are more than limits.endpointAddresses (${this.#slotsMax}) allows.`,
          );
        }
        keys.push(known.key);
        slots.push(known.slot);
      }
    }
    return ok({ keys, slots: Int32Array.from(slots) });
  }

  /** The last request of a version has ended. Answers with the keys of endpoints that no version has any more. */
  retire({ keys }: PreparedEndpoints): readonly string[] {
    const gone: string[] = [];
    for (const key of keys) {
      const known = this.#known.get(key)!;
      known.uses--;
      if (known.uses > 0) continue;
      this.#known.delete(key);
      this.#leaveHost(known);
      for (const slot of [known.slot, ...known.addresses.map(({ slot }) => slot)]) this.#release(slot);
      gone.push(key);
    }
    return gone;
  }

  find(service: string, endpoint: Endpoint): KnownEndpoint | null {
    return this.#known.get(endpointKey(service, endpoint)) ?? null;
  }

  /** All endpoints of a host. */
  ofHost(host: string): Iterable<KnownEndpoint> {
    return this.#byHost.get(host) ?? [];
  }

  /** The addresses of an endpoint's name, in place of those before. As many as there are slots for. */
  resolved(known: KnownEndpoint, addresses: readonly string[]): readonly ResolvedAddress[] {
    const before = known.addresses;
    const now = addresses.flatMap((address) => {
      const old = before.find((each) => each.address === address);
      if (old !== undefined) return [old];
      const slot = this.#allot(before.length > 0);
      return slot === null ? [] : [{ address, slot }];
    });
    if (now.length === 0) return before;
    for (const { slot } of before.filter((each) => !now.includes(each))) this.#release(slot);
    known.addresses = now;
    return now;
  }

  #use(key: string, endpoint: Endpoint, joins: boolean): KnownEndpoint | null {
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.uses++;
      return known;
    }
    const slot = this.#allot(joins);
    if (slot === null) return null;
    const added: KnownEndpoint = { key, endpoint, slot, addresses: [], uses: 1 };
    this.#known.set(key, added);
    const { host } = endpoint;
    const others = this.#byHost.get(host);
    if (others === undefined) this.#byHost.set(host, new Set([added]));
    else others.add(added);
    return added;
  }

  #leaveHost(known: KnownEndpoint): void {
    const { host } = known.endpoint;
    const all = this.#byHost.get(host)!;
    all.delete(known);
    if (all.size === 0) this.#byHost.delete(host);
  }

  /** @param joins others serve already: it begins with little of its share */
  #allot(joins: boolean): number | null {
    const nowMs = this.#clock.monotonicMs();
    const [oldest] = this.#free;
    let slot: number;
    if (oldest !== undefined && nowMs - oldest.sinceMs >= SLOT_REST_MS) {
      slot = oldest.slot;
      this.#free.shift();
      for (let cell = 0; cell < ENDPOINT_CELLS; cell++)
        Atomics.store(this.memory, slot * ENDPOINT_CELLS + cell, 0);
    } else if (this.#slots < this.#slotsMax) {
      slot = this.#slots++;
    } else {
      return null;
    }
    if (joins) bringBack(this.memory, slot, nowMs);
    return slot;
  }

  #release(slot: number): void {
    this.#free.push({ slot, sinceMs: this.#clock.monotonicMs() });
  }
}

/** Exchanges with an address that a name no longer has may still end, and say what became of them. */
const SLOT_REST_MS = 600_000;
