/**
 * Requests of one thread that wait for room in limits (language-rules #9). They hold nothing: whose turn it is takes anew, whole.
 * Whoever has no room yet bars the others from the counters that it waits for, from each until that one may have room, and from
 * nothing else: what is full for one tenant holds up no other.
 */
import type { Turns } from '../pipeline/counters.ts';
import type { Refusal, Wait } from '../pipeline/outcome.ts';
import {
  addConnected,
  count,
  type Head,
  headOf,
  inOrder,
  LimitLines,
  type Line,
  type WaiterPlace,
} from './limit-lines.ts';
import { Moments } from './moments.ts';

export interface LimitWaiter {
  /** It is its turn: judges the request anew, in this call. Whether it took what it waited for. */
  wake(): boolean;
  /** Its time to wait is over. */
  refuse(refusal: Refusal): void;
}

export interface LimitQueueOptions {
  /** Most that wait. */
  readonly waitingMax: number;
  readonly nowMs: () => number;
  readonly later: (delayMs: number, run: () => void) => void;
}

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

interface Standing {
  readonly place: Place;
  readonly line: Line<Place>;
  /** Who came before has a lower one. */
  readonly number: number;
}

/** No clock is finer, and a turn that nobody can use is not to be followed by another at once. */
const STEP_MS = 1;

export class LimitQueue implements Turns {
  /** Requests that found it full, or were turned away for the sake of a tenant with fewer. */
  refused = 0;
  readonly #options: LimitQueueOptions;
  readonly #places = new Map<LimitWaiter, Standing>();
  readonly #lines = new LimitLines<Place>();
  /** When each line may change anything: only those that are due, and those that hang together with them, are looked at in a turn. */
  readonly #looks = new Moments<Line<Place>>();
  /** When the time of each to wait is over. */
  readonly #ends = new Moments<Standing>();
  #entered = 0;
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
    const line = this.#lines.add(place, wait.counters);
    const standing: Standing = { place, line, number: this.#entered++ };
    this.#places.set(waiter, standing);
    this.#looks.soonen(line, atMs);
    this.#ends.set(standing, wait.untilMonotonicMs);
    count(this.#ofTenants, tenant, 1);
    this.#callAt(Math.min(atMs, wait.untilMonotonicMs));
    return true;
  }

  /** It has left, or is answered. */
  forget(waiter: LimitWaiter): void {
    if (this.#places.size === 0) return;
    const known = this.#places.get(waiter);
    if (known === undefined) return;
    this.#remove(known);
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
        this.#looks.soonen(line, nowMs);
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

  #turnAway(standing: Standing): void {
    const { place } = standing;
    this.#remove(standing);
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
    const last = this.#endLate(nowMs);
    const lines = this.#dueLines(nowMs);
    const barred = new Map<string, number>();
    try {
      this.#serveInOrder(nowMs, lines, barred);
    } finally {
      for (const standing of last) if (this.#isThere(standing)) this.#ends.set(standing, nowMs);
      this.#callForNext(lines);
    }
  }

  #dueLines(nowMs: number): ReadonlySet<Line<Place>> {
    const lines = new Set<Line<Place>>();
    for (let due = this.#looks.takeDue(nowMs); due !== undefined; due = this.#looks.takeDue(nowMs))
      addConnected(due, lines);
    return lines;
  }

  #serveInOrder(nowMs: number, lines: ReadonlySet<Line<Place>>, barred: Map<string, number>): void {
    const heads = this.#lines.heads(lines);
    for (let head = heads.shift(); head !== undefined; head = heads.shift()) {
      const { line, place } = head;
      const isDue = place.atMs <= nowMs;
      place.clearMs = isDue ? clearMs(line, barred) : Number.POSITIVE_INFINITY;
      place.isBehind = place.clearMs !== Number.POSITIVE_INFINITY;
      if (!isDue || (place.isBehind && place.wait.untilMonotonicMs > nowMs)) {
        bar(place, line, nowMs, barred);
        continue;
      }
      if (place.isBehind) this.#turnAway(this.#places.get(place.waiter)!);
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
    const { place } = head;
    const served = this.#lines.serving(head);
    this.#remove(this.#places.get(place.waiter)!);
    this.#isServing = true;
    try {
      if (!place.waiter.wake()) return false;
    } finally {
      this.#isServing = false;
    }
    served();
    return true;
  }

  /** Those whose last moment is now, and who are tried once more. */
  #endLate(nowMs: number): readonly Standing[] {
    const late: Standing[] = [];
    for (let end = this.#ends.takeDue(nowMs); end !== undefined; end = this.#ends.takeDue(nowMs))
      late.push(end);
    const last: Standing[] = [];
    for (const standing of late.sort((a, b) => a.number - b.number)) {
      // it may have left when one before it was turned away
      if (!this.#isThere(standing)) continue;
      if (!isTriedOnceMore(standing, nowMs)) this.#turnAway(standing);
      else {
        last.push(standing);
        this.#looks.soonen(standing.line, nowMs);
      }
    }
    return last;
  }

  #isThere(standing: Standing): boolean {
    return this.#places.get(standing.place.waiter) === standing;
  }

  /** Whoever is behind somebody is looked at again when that one bars it no longer. */
  #callForNext(lines: ReadonlySet<Line<Place>>): void {
    for (const { line, place } of this.#lines.heads(lines))
      this.#looks.set(line, place.isBehind ? place.clearMs : place.atMs);
    const nextMs = Math.min(this.#looks.firstMs, this.#ends.firstMs);
    // Some may have become due while others had their turn.
    if (nextMs !== Number.POSITIVE_INFINITY) this.#callAt(Math.max(nextMs, this.#options.nowMs() + STEP_MS));
  }

  #remove(standing: Standing): void {
    const { place, line } = standing;
    this.#places.delete(place.waiter);
    this.#ends.delete(standing);
    this.#lines.remove(place, line);
    count(this.#ofTenants, place.tenant, -1);
    this.#lookAround(line);
  }

  /** Somebody has left the line: those that it held up may have a turn. */
  #lookAround(line: Line<Place>): void {
    const nowMs = this.#options.nowMs();
    if (this.#lines.has(line)) {
      this.#looks.soonen(line, nowMs);
      return;
    }
    this.#looks.delete(line);
    // one of each counter stands for all that hang together with it
    for (const { lines } of line.counters)
      for (const other of lines) {
        this.#looks.soonen(other, nowMs);
        break;
      }
  }
}

/** Whether its last moment is also one at which there may be room. */
function isTriedOnceMore({ place, line }: Standing, nowMs: number): boolean {
  const { atMs, wait } = place;
  return atMs <= nowMs && atMs >= wait.untilMonotonicMs && headOf(line).place === place;
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
