/** The queue of limits in its plainest form, which looks at everybody in each turn: what it does is what the queue has to do. */
import type { Turns } from '../pipeline/counters.ts';
import type { Wait } from '../pipeline/outcome.ts';
import { count, type Head, headOf, inOrder, LimitLines, type Line, type WaiterPlace } from './limit-lines.ts';
import type { LimitQueueOptions, LimitWaiter } from './limit-queue.ts';

interface Place extends WaiterPlace {
  readonly waiter: LimitWaiter;
  readonly wait: Wait;
  /** In the order of the counters of its line: from when on each may have room. */
  readonly moments: number[];
  /** When it is to be tried. */
  atMs: number;
  /** It was due in the last turn, and somebody before it waits for one of its counters. */
  isBehind: boolean;
  /** Where it is: when the first of those bars is to be looked at. */
  clearMs: number;
}

/** No clock is finer, and a turn that nobody can use is not to be followed by another at once. */
const STEP_MS = 1;

export class PlainLimitQueue implements Turns {
  /** Requests that found it full, or were turned away for the sake of a tenant with fewer. */
  refused = 0;
  readonly #options: LimitQueueOptions;
  readonly #places = new Map<LimitWaiter, { readonly place: Place; readonly line: Line<Place> }>();
  readonly #lines = new LimitLines<Place>();
  /** How many of each tenant wait. */
  readonly #ofTenants = new Map<string, number>();
  #isServing = false;
  #isClosed = false;
  /** When the next turn is due. */
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(options: LimitQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#places.size;
  }

  get areFree(): boolean {
    return this.#places.size === 0 || this.#isServing;
  }

  firstAtMs(counter: string): number {
    const waitedFor = this.#lines.counter(counter);
    if (waitedFor === undefined) return 0;
    const nowMs = this.#options.nowMs();
    let firstMs = Number.POSITIVE_INFINITY;
    for (const line of waitedFor.lines) {
      const { place } = headOf(line);
      const momentMs = place.moments[line.counters.indexOf(waitedFor)]!;
      const isOnItsWay = place.atMs <= nowMs && !place.isBehind;
      if (momentMs > nowMs || isOnItsWay) firstMs = Math.min(firstMs, momentMs);
    }
    return firstMs === Number.POSITIVE_INFINITY ? 0 : firstMs;
  }

  /** Nobody is let wait any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The thread is to end: whoever comes from now on is not let wait. */
  close(): void {
    this.#isClosed = true;
  }

  /** False: too many wait already, or nobody may any more. */
  enter(waiter: LimitWaiter, wait: Wait, { tenant, arrivedMs }: WaiterPlace): boolean {
    if (this.#isClosed) return false;
    if (this.#places.size >= this.#options.waitingMax) {
      this.refused++;
      if (!this.#makeRoomFor(tenant)) return false;
    }
    const soonestMs = this.#options.nowMs() + STEP_MS;
    const moments = wait.counters.map(({ atMs }) => Math.max(atMs, soonestMs));
    const atMs = Math.min(Math.max(soonestMs, ...moments), Math.max(soonestMs, wait.untilMonotonicMs));
    const place: Place = { tenant, arrivedMs, waiter, wait, moments, atMs, isBehind: false, clearMs: 0 };
    this.#places.set(waiter, { place, line: this.#lines.add(place, wait.counters) });
    count(this.#ofTenants, tenant, 1);
    this.#callAt(Math.min(atMs, wait.untilMonotonicMs));
    return true;
  }

  /** It has left, or is answered. */
  forget(waiter: LimitWaiter): void {
    if (this.#places.size === 0) return;
    const known = this.#places.get(waiter);
    if (known === undefined) return;
    this.#remove(known.place, known.line);
    this.#callAt(this.#options.nowMs());
  }

  /** What was taken of these counters until a request ended has been given back. */
  slotsFreed(counters: readonly string[]): void {
    if (this.#places.size === 0) return;
    const nowMs = this.#options.nowMs();
    for (const name of counters) {
      const counter = this.#lines.counter(name);
      if (counter === undefined) continue;
      for (const line of counter.lines) {
        const { place } = headOf(line);
        const at = line.counters.indexOf(counter);
        if (place.wait.counters[at]!.room !== 'slot') continue;
        place.moments[at] = Math.min(place.moments[at]!, nowMs);
        place.atMs = Math.max(...place.moments);
      }
      this.#callAt(nowMs);
    }
  }

  /** Turns away the last of the tenant with most places, where it has more than the one that comes would have. */
  #makeRoomFor(tenant: string): boolean {
    const [most] = [...this.#ofTenants].sort(([, a], [, b]) => b - a);
    if (most === undefined || most[1] <= (this.#ofTenants.get(tenant) ?? 0) + 1) return false;
    const [first, ...others] = [...this.#places.values()].filter(({ place }) => place.tenant === most[0]);
    this.#turnAway(
      others.reduce((last, each) => (each.place.arrivedMs >= last.place.arrivedMs ? each : last), first!),
    );
    return true;
  }

  #turnAway({ place, line }: { readonly place: Place; readonly line: Line<Place> }): void {
    this.#remove(place, line);
    const { refusal, atMonotonicMs } = place.wait;
    const retryAfterS = Math.max(1, Math.ceil((atMonotonicMs - this.#options.nowMs()) / 1_000));
    place.waiter.refuse(refusal.retryAfterS === -1 ? refusal : { ...refusal, retryAfterS });
  }

  #callAt(atMs: number): void {
    if (this.#isServing || this.#timerAtMs <= atMs) return;
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#options.nowMs()));
    this.#options.later(delayMs, () => {
      // An earlier one was asked for since.
      if (this.#timerAtMs === atMs) this.#turn();
    });
  }

  /** Serves whoever has room, in order. */
  #turn(): void {
    const nowMs = this.#options.nowMs();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#endLate(nowMs);
    const barred = new Map<string, number>();
    try {
      this.#serveInOrder(nowMs, barred);
    } finally {
      this.#callForNext();
    }
  }

  #serveInOrder(nowMs: number, barred: Map<string, number>): void {
    const heads = this.#lines.heads(this.#allLines());
    for (let head = heads.shift(); head !== undefined; head = heads.shift()) {
      const { line, place } = head;
      const isDue = place.atMs <= nowMs;
      place.clearMs = isDue ? clearMs(line, barred) : Number.POSITIVE_INFINITY;
      place.isBehind = place.clearMs !== Number.POSITIVE_INFINITY;
      if (!isDue || (place.isBehind && place.wait.untilMonotonicMs > nowMs)) {
        bar(place, line, nowMs, barred);
        continue;
      }
      if (place.isBehind) this.#turnAway({ place, line });
      else {
        const isServed = this.#serve(head);
        // it may wait for others of its counters by now
        const again = this.#places.get(place.waiter);
        if (again !== undefined) bar(again.place, again.line, nowMs, barred);
        else if (isServed) this.#putInNewOrder(heads, line);
      }
      const next = this.#lines.headOf(line);
      if (next !== null) insert(heads, next);
    }
  }

  /** A request of a line was served: who is ahead of its share has changed where others share a counter with it. */
  #putInNewOrder(heads: Head<Place>[], served: Line<Place>): void {
    const sharing = new Set(served.counters.flatMap(({ lines }) => [...lines]));
    if (sharing.size === 0 || (sharing.size === 1 && sharing.has(served))) return;
    const changed = heads.filter(({ line }) => sharing.has(line));
    let kept = 0;
    for (const head of heads) if (!sharing.has(head.line)) heads[kept++] = head;
    heads.length = kept;
    for (const { line } of changed) {
      const head = this.#lines.headOf(line);
      if (head !== null) insert(heads, head);
    }
  }

  /** Whether it took what it waited for; false where it waits on, or is answered otherwise. */
  #serve(head: Head<Place>): boolean {
    const { line, place } = head;
    const served = this.#lines.serving(head);
    this.#remove(place, line);
    this.#isServing = true;
    try {
      if (!place.waiter.wake()) return false;
    } finally {
      this.#isServing = false;
    }
    served();
    return true;
  }

  #endLate(nowMs: number): void {
    for (const each of [...this.#places.values()]) {
      if (each.place.wait.untilMonotonicMs > nowMs || this.#isTriedOnceMore(each, nowMs)) continue;
      this.#turnAway(each);
    }
  }

  /** Whether its last moment is also one at which there may be room. */
  #isTriedOnceMore(
    { place, line }: { readonly place: Place; readonly line: Line<Place> },
    nowMs: number,
  ): boolean {
    const { atMs, wait } = place;
    return atMs <= nowMs && atMs >= wait.untilMonotonicMs && headOf(line).place === place;
  }

  /** Whoever is behind somebody is looked at again when that one bars it no longer. */
  #callForNext(): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { place } of this.#lines.heads(this.#allLines())) {
      nextMs = Math.min(nextMs, place.isBehind ? place.clearMs : place.atMs);
    }
    for (const { place } of this.#places.values()) nextMs = Math.min(nextMs, place.wait.untilMonotonicMs);
    // Some may have become due while others had their turn.
    if (nextMs !== Number.POSITIVE_INFINITY) this.#callAt(Math.max(nextMs, this.#options.nowMs() + STEP_MS));
  }

  #allLines(): ReadonlySet<Line<Place>> {
    return new Set(Array.from(this.#places.values(), ({ line }) => line));
  }

  #remove(place: Place, line: Line<Place>): void {
    this.#places.delete(place.waiter);
    this.#lines.remove(place, line);
    count(this.#ofTenants, place.tenant, -1);
  }
}

/** The first moment at which one of the counters is barred no longer; Infinity where none is. */
function clearMs(line: Line<Place>, barred: ReadonlyMap<string, number>): number {
  let firstMs = Number.POSITIVE_INFINITY;
  for (const { name } of line.counters) firstMs = Math.min(firstMs, barred.get(name) ?? firstMs);
  return firstMs;
}

/** Those behind are barred from what it waits for; what may have room by now is theirs. */
function bar(place: Place, line: Line<Place>, nowMs: number, barred: Map<string, number>): void {
  for (const [at, { name }] of line.counters.entries()) {
    const momentMs = place.moments[at]!;
    if (momentMs > nowMs) barred.set(name, Math.max(momentMs, barred.get(name) ?? 0));
  }
}

function insert(heads: Head<Place>[], head: Head<Place>): void {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inOrder(heads[middle]!, head) > 0) high = middle;
    else low = middle + 1;
  }
  heads.splice(low, 0, head);
}
