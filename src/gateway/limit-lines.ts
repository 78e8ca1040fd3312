/**
 * The order in which requests wait for counters of limits. Who waits for the same counters stands in one line. In each counter tenants
 * have equal shares, by start-time fair queueing (Goyal, Vin, Cheng, 1996), whatever lines they stand in; equals go in the order of
 * arrival.
 */
import type { WaitedCounter } from '../pipeline/outcome.ts';

/** Whose share of a counter a request takes. */
export interface WaiterPlace {
  readonly tenant: string;
  readonly arrivedMs: number;
}

export interface Line<Place> {
  readonly name: string;
  readonly counters: readonly Counter<Place>[];
  /** By arrival. */
  readonly places: Map<string, Place[]>;
}

/** One that somebody waits for. */
export interface Counter<Place> {
  readonly name: string;
  /** The start tag of what was served last. */
  virtualTime: number;
  /** Of each tenant that was served: where its next request starts. */
  readonly tags: Map<string, number>;
  readonly lines: Set<Line<Place>>;
  /** How many of each tenant wait for it. */
  readonly waiting: Map<string, number>;
}

/** The next to go of a line. */
export interface Head<Place> {
  readonly line: Line<Place>;
  readonly place: Place;
  /** By how many requests its tenant is ahead of its share, in the counter where it is most: of those that others wait for, too. */
  readonly lead: number;
}

/** What a request takes of a counter; tenants have equal shares. */
const SHARE = 1;

export class LimitLines<Place extends WaiterPlace> {
  readonly #lines = new Map<string, Line<Place>>();
  readonly #counters = new Map<string, Counter<Place>>();

  counter(name: string): Counter<Place> | undefined {
    return this.#counters.get(name);
  }

  add(place: Place, waitedFor: readonly WaitedCounter[]): Line<Place> {
    const line = this.#lineOf(waitedFor.map(({ name }) => name));
    const own = line.places.get(place.tenant) ?? [];
    line.places.set(place.tenant, own);
    // mostly the last
    own.splice(own.findLastIndex(({ arrivedMs }) => arrivedMs <= place.arrivedMs) + 1, 0, place);
    for (const { waiting } of line.counters) count(waiting, place.tenant, 1);
    return line;
  }

  remove(place: Place, line: Line<Place>): void {
    const own = line.places.get(place.tenant)!;
    own.splice(own.indexOf(place), 1);
    if (own.length === 0) line.places.delete(place.tenant);
    for (const { waiting } of line.counters) count(waiting, place.tenant, -1);
    if (line.places.size > 0) return;
    this.#lines.delete(line.name);
    for (const counter of line.counters) {
      counter.lines.delete(line);
      if (counter.lines.size === 0) this.#counters.delete(counter.name);
    }
  }

  /** Whether somebody stands in it. */
  has(line: Line<Place>): boolean {
    return this.#lines.get(line.name) === line;
  }

  /** The first of each of these lines, in order. */
  heads(lines: Iterable<Line<Place>>): Head<Place>[] {
    const heads: Head<Place>[] = [];
    for (const line of lines) if (this.has(line)) heads.push(headOf(line));
    return heads.sort(inOrder);
  }

  /** The first of a line; null where nobody stands in it any more. */
  headOf(line: Line<Place>): Head<Place> | null {
    return this.has(line) ? headOf(line) : null;
  }

  /** A function that counts the request that stands here as served, whether it is there by then or not. */
  serving({ line, place: { tenant } }: Head<Place>): () => void {
    const starts = line.counters.map((counter) => startTag(counter, tenant));
    return () => {
      for (const [at, counter] of line.counters.entries()) {
        counter.virtualTime = Math.max(counter.virtualTime, starts[at]!);
        counter.tags.set(tenant, starts[at]! + SHARE);
      }
    };
  }

  #lineOf(counters: readonly string[]): Line<Place> {
    const name = counters.join('\n');
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const line: Line<Place> = {
      name,
      counters: counters.map((each) => this.#counterOf(each)),
      places: new Map(),
    };
    this.#lines.set(name, line);
    for (const { lines } of line.counters) lines.add(line);
    return line;
  }

  #counterOf(name: string): Counter<Place> {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const counter: Counter<Place> = {
      name,
      virtualTime: 0,
      tags: new Map(),
      lines: new Set(),
      waiting: new Map(),
    };
    this.#counters.set(name, counter);
    return counter;
  }
}

export function headOf<Place extends WaiterPlace>(line: Line<Place>): Head<Place> {
  let head: Head<Place> | null = null;
  for (const [tenant, [place]] of line.places) {
    const leads = line.counters.map((counter) =>
      counter.waiting.size > 1 ? startTag(counter, tenant) - counter.virtualTime : 0,
    );
    const lead = Math.max(...leads);
    const next = { line, place: place!, lead };
    if (head === null || inOrder(next, head) < 0) head = next;
  }
  return head!;
}

/** Adds the line, and all whose turn can depend on it: those that it shares counters with, those that these do, and so on. */
export function addConnected<Place>(line: Line<Place>, to: Set<Line<Place>>): void {
  if (to.has(line)) return;
  const seen = new Set<Counter<Place>>();
  const open = [line];
  to.add(line);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const counter of next.counters) {
      if (seen.has(counter)) continue;
      seen.add(counter);
      for (const other of counter.lines) {
        if (to.has(other)) continue;
        to.add(other);
        open.push(other);
      }
    }
  }
}

export function inOrder(a: Head<WaiterPlace>, b: Head<WaiterPlace>): number {
  return a.lead - b.lead || a.place.arrivedMs - b.place.arrivedMs;
}

/** A tenant that was away begins where the others are: it has saved nothing up. */
function startTag({ virtualTime, tags }: Counter<WaiterPlace>, tenant: string): number {
  return Math.max(virtualTime, tags.get(tenant) ?? 0);
}

/** None of nobody is kept. */
export function count(ofTenants: Map<string, number>, tenant: string, more: number): void {
  const now = (ofTenants.get(tenant) ?? 0) + more;
  if (now === 0) ofTenants.delete(tenant);
  else ofTenants.set(tenant, now);
}
