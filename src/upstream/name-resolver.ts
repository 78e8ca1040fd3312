import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { Random } from '../base/ports.ts';
import type { After } from './timers.ts';

/** All addresses of a name; rejects when there is none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** As the system resolves names for all its programs: /etc/hosts, search domains, DNS. It tells no times to live. */
export const systemLookup: Lookup = async (host) =>
  (await lookup(host, { all: true, hints: ADDRCONFIG })).map(({ address }) => address);

export interface NameResolverOptions {
  readonly random: Random;
  readonly after: After;
  readonly lookup: Lookup;
  /** The limit `addressesPerName`. */
  readonly addressesMax: number;
  readonly onAddresses: (host: string) => void;
  /** Each time a name can't be resolved; null when it is resolved again. What was found before stays in use. */
  readonly onFailure: (host: string, why: string | null) => void;
}

/** Resolves the names of endpoints again and again, on the control thread: how often is the shortest time that a service asks for. */
export class NameResolver {
  readonly #options: NameResolverOptions;
  readonly #names = new Map<string, Name>();
  readonly #waiting: Name[] = [];
  #underWay = 0;

  constructor(options: NameResolverOptions) {
    this.#options = options;
  }

  /** The names to resolve from now on, with how often. */
  use(names: ReadonlyMap<string, number>): void {
    for (const [host, name] of this.#names) {
      if (names.has(host)) continue;
      name.cancel();
      this.#names.delete(host);
      if (name.failing) this.#options.onFailure(host, null);
    }
    for (const [host, everyMs] of names) {
      const known = this.#names.get(host);
      if (known !== undefined) {
        known.everyMs = everyMs;
        continue;
      }
      const name: Name = { host, everyMs, addresses: [], failing: false, cancel: () => {} };
      this.#names.set(host, name);
      this.#ask(name);
    }
  }

  addresses(host: string): readonly string[] {
    return this.#names.get(host)?.addresses ?? [];
  }

  stop(): void {
    for (const name of this.#names.values()) name.cancel();
    this.#names.clear();
    this.#waiting.length = 0;
  }

  #ask(name: Name): void {
    this.#waiting.push(name);
    this.#begin();
  }

  #begin(): void {
    while (this.#underWay < AT_ONCE_MAX) {
      const name = this.#waiting.shift();
      if (name === undefined) return;
      if (this.#names.get(name.host) !== name) continue;
      this.#underWay++;
      void this.#look(name).then(() => {
        this.#underWay--;
        this.#begin();
      });
    }
  }

  async #look(name: Name): Promise<void> {
    const { lookup: find, addressesMax } = this.#options;
    let found: readonly string[] = [];
    let why = 'it has no address';
    try {
      found = [...new Set(await find(name.host))].sort().slice(0, addressesMax);
    } catch (error) {
      why = (error as Error).message;
    }
    if (this.#names.get(name.host) !== name) return;
    if (found.length === 0) this.#failed(name, why);
    else this.#found(name, found);
    const spread = 1 + JITTER * (2 * (this.#options.random.uint32() / 2 ** 32) - 1);
    name.cancel = this.#options.after(name.everyMs * spread, () => this.#ask(name));
  }

  #failed(name: Name, why: string): void {
    name.failing = true;
    this.#options.onFailure(name.host, why);
  }

  #found(name: Name, addresses: readonly string[]): void {
    if (name.failing) this.#options.onFailure(name.host, null);
    name.failing = false;
    if (addresses.join() === name.addresses.join()) return;
    name.addresses = addresses;
    this.#options.onAddresses(name.host);
  }
}

interface Name {
  readonly host: string;
  everyMs: number;
  /** Sorted; what was found last. */
  addresses: readonly string[];
  failing: boolean;
  cancel: () => void;
}

/** libuv has four threads for this and for files. */
const AT_ONCE_MAX = 2;
const JITTER = 0.1;
